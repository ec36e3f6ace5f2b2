// SPDX-License-Identifier: Apache-2.0
// Fault points at every call of the kernel that the driver and what it stands on make: this program
// has functions of the same names as the C library's, which call those, or fail in their place.
// Any thread may call them; armed and disarmed by one.
#pragma once

#include <string>

namespace d1::test {

// While one lives, the k-th call (from 1) of all of them fails, once, as if the host had run out of
// what it asks for.
class FailingCall {
 public:
  explicit FailingCall(unsigned k);
  ~FailingCall();
  FailingCall(const FailingCall&) = delete;
  FailingCall& operator=(const FailingCall&) = delete;

  // The name of the one that failed; empty: there were not so many.
  [[nodiscard]] std::string failed() const;
};

}  // namespace d1::test
