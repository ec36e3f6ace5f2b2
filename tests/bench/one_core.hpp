// SPDX-License-Identifier: Apache-2.0
// Keeps the calling thread, and the threads and processes that it starts from then on, on one core
// of the host while it lives. One thread.
#pragma once

#include <sched.h>

namespace d1::bench {

class OneCore {
 public:
  OneCore();
  ~OneCore();
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;

 private:
  cpu_set_t before_{};
};

}  // namespace d1::bench
