// SPDX-License-Identifier: Apache-2.0
#include "child.hpp"

#include "bench.hpp"
#include "device.hpp"
#include "process.hpp"

#include <fmt/format.h>
#include <bench_empty_program.hpp>

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <optional>

namespace d1::bench {
namespace {

// A field of a file of /proc/self that is given in KiB.
std::uint64_t proc_bytes(const char* path, const std::string& field) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field + ":")) return std::stoull(line.substr(field.size() + 1)) * 1024;
  }
  require(false, fmt::format("{} has no field {}.", path, field));
  return 0;
}

// Exact, where VmRSS of /proc/self/status is a count that threads update in batches.
std::uint64_t resident_bytes() { return proc_bytes("/proc/self/smaps_rollup", "Rss"); }
std::uint64_t page_table_bytes() { return proc_bytes("/proc/self/status", "VmPTE"); }

}  // namespace

int run_as_child(const std::string& job, const std::string& machine) {
  std::optional<Device> device;
  const Elapsed opening = time([&] { device.emplace(open_device(machine)); });
  const std::uint64_t resident = resident_bytes();
  std::uint64_t growth = 0;
  if (job == "launch") {
    // What the launch itself needs once, whatever the nodes, is not theirs.
    const auto kernel = device->load(bench_empty_program, "bench_empty").kernel("empty");
    auto stream = device->stream();
    const Grid all = device->all();
    const std::uint64_t before = resident_bytes() + page_table_bytes();
    kernel.launch(stream, all, {.harts = 1}).wait();
    growth = resident_bytes() + page_table_bytes() - before;
  }
  fmt::print("{} {} {}\n", opening.seconds * 1e6, resident, growth);
  return 0;
}

ChildReport measure_in_child(const std::string& job, const std::string& machine) {
  const std::string command = fmt::format("exec /proc/{}/exe --child {} --machine {}",
                                          static_cast<long>(::getpid()), job, machine);
  const std::string line = first_line_of(command);
  ChildReport report;
  require(std::sscanf(line.c_str(), "%lf %lu %lu", &report.open_us, &report.resident_bytes,
                      &report.launched_growth_bytes) == 3,
          fmt::format("The child for '{} {}' reported '{}'.", job, machine, line));
  return report;
}

}  // namespace d1::bench
