// SPDX-License-Identifier: Apache-2.0
// One group of a C test file, alive: its main() waits on a thread inside the call that runs the
// group, and carries out there what it is told to.
//
// Owned by one thread, which blocks in every call until the other has done it. Only one session
// exists at a time, since the core of C tests has one running test.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>

#include <d1/hil/c_test_core.h>
#include <d1/hil/c_tests.hpp>

namespace d1::hil {

struct Outcome {
  d1_test_verdict verdict = D1_TEST_PASSED;
  std::string message;
  std::string file;  // empty if it has no place
  int line = 0;
};

Outcome outcome_of(const d1_test_outcome& outcome);

// Calls a file's main(): what it returns, or how a failing assertion outside of any test ended it.
Outcome call_main(const CTestFile& file, int* result);

class GroupSession {
 public:
  // The group is the index-th that main() runs.
  GroupSession(const CTestFile& file, std::size_t index);
  // Tears down the group if that has not been done, and waits for main() to return.
  ~GroupSession();
  GroupSession(const GroupSession&) = delete;
  GroupSession& operator=(const GroupSession&) = delete;

  Outcome set_up();
  Outcome run(std::size_t test);
  Outcome tear_down();

 private:
  static int on_group(const d1_test_group* group);
  int serve(const d1_test_group& group);
  Outcome on_thread(std::function<d1_test_outcome()> work);
  void run_main();

  CTestFile file_;
  std::size_t index_;
  std::size_t groups_seen_ = 0;
  const d1_test_group* group_ = nullptr;  // while main() is inside its call
  d1_test_session session_{};
  bool torn_down_ = false;
  int failures_ = 0;

  std::function<d1_test_outcome()> work_;  // empty: leave the group
  Outcome outcome_;
  std::binary_semaphore asked_{0};     // work_ is there
  std::binary_semaphore answered_{0};  // outcome_ is there, or main() got to its group or its end
  std::thread thread_;
};

}  // namespace d1::hil
