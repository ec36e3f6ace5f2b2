// SPDX-License-Identifier: Apache-2.0
// Fault points at every call of the kernel that the driver, the daemon and what they stand on make:
// a program linked with this has functions of the same names as the C library's, which call those,
// or fail in their place. Any thread may call them; armed and disarmed by one.
//
// A test arms its own process (FailingCall), or that of a program it started with kStateVariable
// in its environment (FaultState), which names a file that both map.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>

namespace d1::test {

// What a process and the test that looks at it share.
struct FaultState {
  std::atomic<int> left{0};  // calls until one fails; 0 and below: none will
  std::atomic<bool> has_failed{false};
  char failed[30]{};  // its name

  void arm(unsigned k) noexcept;
  void disarm() noexcept { left.store(0); }
  // The name of the one that failed; empty: there were not so many.
  [[nodiscard]] std::string failed_call() const;
};

inline constexpr const char* kStateVariable = "D1_TEST_FAULT_STATE";

// The state of another process, in a file of the test's that goes with this.
class SharedFaultState {
 public:
  explicit SharedFaultState(std::filesystem::path path);  // throws std::runtime_error
  ~SharedFaultState();
  SharedFaultState(const SharedFaultState&) = delete;
  SharedFaultState& operator=(const SharedFaultState&) = delete;
  FaultState* operator->() const noexcept { return state_; }

 private:
  std::filesystem::path path_;
  FaultState* state_;
};

// While one lives, the k-th call (from 1) of this process fails, once, as if the host had run out
// of what it asks for.
class FailingCall {
 public:
  explicit FailingCall(unsigned k);
  ~FailingCall();
  FailingCall(const FailingCall&) = delete;
  FailingCall& operator=(const FailingCall&) = delete;

  [[nodiscard]] std::string failed() const;
};

}  // namespace d1::test
