// SPDX-License-Identifier: Apache-2.0
// A client can cut its files short at any time; an access behind the end of one that is mapped here
// would then end the process. With the guard installed such a page reads as all ones instead, and
// takes writes without effect, for mappings that a ShrinkGuard knows.
//
// Each client has a ShrinkGuard with a place for each map it may have, so none can take another's.
// Threads: one at a time for each ShrinkGuard; the handler of SIGBUS looks at all without a lock.
#pragma once

#include <cstddef>
#include <vector>

namespace d1::server {

class ShrinkGuard {
 public:
  static void install();  // once in a process, before the first client

  ShrinkGuard();
  ~ShrinkGuard();
  ShrinkGuard(const ShrinkGuard&) = delete;
  ShrinkGuard& operator=(const ShrinkGuard&) = delete;

  // At most D1_VFIO_USER_DEFAULT_MAPS at a time; the number is for remove().
  [[nodiscard]] std::size_t add(void* mapping, std::size_t bytes);
  void remove(std::size_t number);

 private:
  struct Table;
  Table& table_;
  std::vector<std::size_t> free_;  // of the places that were in use
};

}  // namespace d1::server
