// SPDX-License-Identifier: Apache-2.0
// Test files in C, written against the CMocka API and compiled for a node, as cases of a GoogleTest
// runner on the host: they run on one node of a device, one group in a launch.
//
// A test that traps, or does not end in time, fails with what the device says of it, and the group
// is begun anew for the tests behind it. What tests print comes by the device's log.
//
// d1_add_c_tests(... ON_NODES) of CMake makes such a runner.
#pragma once

#include <cstddef>
#include <span>

#include <d1/hil/c_tests.hpp>

namespace d1::hil {

// A whole main(). program: the ELF with the files, in this order; CTestFile::main is not used.
// The device is what D1_DEVICE names, or an emulated one in this process.
int run_node_tests(int argc, char** argv, std::span<const std::byte> program,
                   std::span<const CTestFile> files);

}  // namespace d1::hil
