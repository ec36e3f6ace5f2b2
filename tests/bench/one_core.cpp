// SPDX-License-Identifier: Apache-2.0
#include "one_core.hpp"

#include "bench.hpp"

namespace d1::bench {

OneCore::OneCore() {
  require(::sched_getaffinity(0, sizeof before_, &before_) == 0,
          "The host does not say on which of its cores this program may run.");
  int last = CPU_SETSIZE - 1;  // the first one has most of the interrupts
  while (!CPU_ISSET(last, &before_)) --last;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  require(::sched_setaffinity(0, sizeof one, &one) == 0, "The host does not let this program pin.");
}

OneCore::~OneCore() { (void)::sched_setaffinity(0, sizeof before_, &before_); }

}  // namespace d1::bench
