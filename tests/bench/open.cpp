// SPDX-License-Identifier: Apache-2.0
// open: time and resident memory of a device just opened. memory.node: what a node costs that ran.
#include "bench.hpp"
#include "child.hpp"

#include <fmt/format.h>

namespace d1::bench {

void measure_open(Run& run) {
  constexpr double kMiB = 1024.0 * 1024.0;
  const auto measure = [&run](const char* machine, std::uint64_t nodes) {
    if (!run.wanted({"open", nodes}) && !run.wanted({"open.memory", nodes})) return;
    std::vector<double> times, sizes;
    for (int i = run.pick(11, 3); i > 0; --i) {
      const ChildReport report = measure_in_child("open", machine);
      times.push_back(report.open_us);
      sizes.push_back(static_cast<double>(report.resident_bytes) / kMiB);
    }
    run.report({.name = "open", .value = median(times), .unit = "us", .nodes = nodes});
    run.report({.name = "open.memory", .value = median(sizes), .unit = "MiB", .nodes = nodes});
  };
  measure("d1", kDieNodes);
  measure("tile", kTileNodes);
}

void measure_node_memory(Run& run) {
  const ChildReport report = measure_in_child("launch", "tile");
  run.report({.name = "memory.node",
              .value = static_cast<double>(report.launched_growth_bytes) / kTileNodes / 1024,
              .unit = "KiB",
              .nodes = kTileNodes,
              .note = fmt::format("{:.1f} MiB for all",
                                  static_cast<double>(report.launched_growth_bytes) / (1 << 20))});
}

}  // namespace d1::bench
