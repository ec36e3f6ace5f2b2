// SPDX-License-Identifier: Apache-2.0
// Test files in C, written against the CMocka API, as cases of a GoogleTest runner.
//
// A file's main() is called once to see what groups it has, and once more for each group that
// runs, on a thread of its own which waits inside cmocka_run_group_tests() while GoogleTest goes
// from test to test: so what lies on main()'s stack is there, and a group's setup and teardown
// run once for the group. A suite is a group, or the file if main() runs no group: then its case
// `main` passes if main() returns 0.
//
// d1_add_c_tests() of CMake makes such a runner; call register_c_tests() for one of your own.
#pragma once

#include <span>

namespace d1::hil {

struct CTestFile {
  const char* name;    // of a suite, where a group's own is not unique in the runner
  const char* source;  // where its cases are said to be
  int (*main)(int, char**);
};

// Once, after testing::InitGoogleTest() and before RUN_ALL_TESTS(). What names point to must
// outlive the run. Calls each main(); what they print goes to standard error.
void register_c_tests(std::span<const CTestFile> files);

// A whole main().
int run_c_tests(int argc, char** argv, std::span<const CTestFile> files);

}  // namespace d1::hil
