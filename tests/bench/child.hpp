// SPDX-License-Identifier: Apache-2.0
// Measurements that need a fresh process: this program runs itself, and the child reports numbers
// on its standard output. Blocking: until the child has ended.
#pragma once

#include <cstdint>
#include <string>

namespace d1::bench {

struct ChildReport {
  double open_us = 0;
  std::uint64_t resident_bytes = 0;         // once open, page tables not included
  std::uint64_t launched_growth_bytes = 0;  // by an empty launch on all nodes, page tables included
};

// Jobs: "open" stops once the device is open, "launch" goes on to an empty kernel on all nodes.
[[nodiscard]] ChildReport measure_in_child(const std::string& job, const std::string& machine);
[[nodiscard]] int run_as_child(const std::string& job, const std::string& machine);

}  // namespace d1::bench
