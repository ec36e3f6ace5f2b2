// SPDX-License-Identifier: Apache-2.0
// Rows of the mesh inside a die: hops, links, a node's two ports, multicast, posts, grid barriers.
#include <fmt/format.h>

#include <algorithm>

#include "bench.hpp"

namespace d1::verify {

namespace {

constexpr std::uint64_t kShort = 16 * 1024, kLong = 208 * 1024;  // bytes of a transfer
constexpr std::uint64_t kFew = 10, kMany = 110;                  // rounds of a loop

// A line of nodes in a row that misses none, and a cross of five around a node.
constexpr runtime::GridShape kLine{.rows = 1, .columns = 12, .first_row = 4, .first_column = 4};
constexpr runtime::GridShape kCross{.rows = 3, .columns = 3, .first_row = 4, .first_column = 4};
constexpr std::uint64_t kCentre = 4;
constexpr std::uint64_t kAround = 1 | 3 << 16 | std::uint64_t{5} << 32 | std::uint64_t{7} << 48;

class MeshChecks {
 public:
  MeshChecks(Bench& bench, GridPointer line, GridPointer cross, GridPointer all)
      : bench_(bench), line_(std::move(line)), cross_(std::move(cross)), all_(std::move(all)) {}

  Result<std::vector<Check>> run() && {
    for (const auto part : {&MeshChecks::hop, &MeshChecks::rates, &MeshChecks::multicast,
                            &MeshChecks::post, &MeshChecks::barrier})
      if (auto done = (this->*part)(); !done) return std::unexpected(done.error());
    return std::move(checks_);
  }

 private:
  const emulator::MachineDescription& machine() const { return bench_.machine(); }

  template <typename... Arguments>
  void add(Arguments&&... arguments) {
    checks_.push_back(bench_.check(std::forward<Arguments>(arguments)...));
  }

  // A load there and back from a far node, less one from a near node.
  Result<> hop() {
    const auto near = bench_.difference({"remote_load", line_, 1, {0, 1}}, kFew, kMany);
    if (!near) return std::unexpected(near.error());
    const auto far = bench_.difference({"remote_load", line_, 1, {0, 11}}, kFew, kMany);
    if (!far) return std::unexpected(far.error());
    const unsigned hops = bench_.route(*line_, 0, 11).hops - bench_.route(*line_, 0, 1).hops;
    const double cycles = (*far - *near) / (kMany - kFew) / (2.0 * hops);
    add("hop", "ns", cycles / bench_.clock_ghz(), machine().hop_cycles / bench_.clock_ghz(),
        fmt::format("{} cycle / {} GHz", machine().hop_cycles, bench_.clock_ghz()), "hop");
    return {};
  }

  Result<> rate(const std::string& name, const Run& run, double transfers, double limit,
                const std::string& text, const std::string& figure = {}) {
    const auto cycles = bench_.difference(run, kShort, kLong);
    if (!cycles) return std::unexpected(cycles.error());
    const double bytes = transfers * (kLong - kShort);
    add(name, "GB/s", bytes / *cycles * bench_.clock_ghz(), limit * bench_.clock_ghz(), text,
        figure);
    return {};
  }

  Result<> rates() {
    const unsigned link = machine().link_bytes_per_cycle;
    const std::string text = fmt::format("{} B/cycle x {} GHz", link, bench_.clock_ghz());
    if (auto done = rate("link, one direction", {"scatter", line_, 1, {0, 1, 1}}, 1, link, text,
                         "mesh link, one direction");
        !done)
      return done;
    if (auto done = rate("source port, to 4 neighbours at once",
                         {"scatter", cross_, 1, {kCentre, kAround, 4}}, 4, link, text);
        !done)
      return done;
    return rate("destination port, from 8 nodes at once", {"gather", cross_, 1, {kCentre}}, 8, link,
                text);
  }

  // Every node of the die gets all packets, while each leaves its source once.
  Result<> multicast() {
    const double targets = static_cast<double>(all_->nodes() - 1);
    const unsigned link = machine().link_bytes_per_cycle;
    return rate(fmt::format("multicast, received by {} nodes", targets), {"multicast", all_},
                targets, targets * link,
                fmt::format("{} x {} B/cycle x {} GHz", targets, link, bench_.clock_ghz()));
  }

  // There and back; on each side what stands between waking up and posting takes a cycle.
  Result<> post() {
    const auto cycles = bench_.difference({"ping", line_, 1, {2, 9}}, kFew, kMany);
    if (!cycles) return std::unexpected(cycles.error());
    const unsigned hops = bench_.route(*line_, 2, 9).hops;
    const unsigned injection = machine().injection_cycles, hop = machine().hop_cycles;
    add(fmt::format("semaphore post over {} hops", hops), "cycles", *cycles / (kMany - kFew) / 2,
        injection + hops * hop + 1.0,
        fmt::format("{} + {} x {} + 1 to wait and post again", injection, hops, hop));
    return {};
  }

  // To the node of rank 0 and back, the farthest node deciding, and the scalar operations of a
  // loop.
  Result<> barrier() {
    const auto cycles = bench_.difference({"barriers", all_}, kFew, kMany);
    if (!cycles) return std::unexpected(cycles.error());
    unsigned hops = 0;
    for (std::uint64_t rank = 0; rank < all_->nodes(); ++rank)
      hops = std::max(hops, bench_.route(*all_, 0, rank).hops);
    const unsigned injection = machine().injection_cycles, hop = machine().hop_cycles;
    add(fmt::format("grid barrier of {} nodes", all_->nodes()), "cycles", *cycles / (kMany - kFew),
        2.0 * (injection + hops * hop) + 2.0 / machine().integer_units,
        fmt::format("2 x ({} + {} x {}) + 2 operations / {} ALUs", injection, hops, hop,
                    machine().integer_units));
    return {};
  }

  Bench& bench_;
  GridPointer line_, cross_, all_;
  std::vector<Check> checks_;
};

}  // namespace

Result<std::vector<Check>> mesh_checks() {
  auto bench = Bench::open("d1");
  if (!bench) return std::unexpected(bench.error());
  auto line = (*bench)->grid(kLine);
  if (!line) return std::unexpected(line.error());
  auto cross = (*bench)->grid(kCross);
  if (!cross) return std::unexpected(cross.error());
  auto all = (*bench)->all_nodes();
  if (!all) return std::unexpected(all.error());
  return MeshChecks(**bench, *line, *cross, *all).run();
}

}  // namespace d1::verify
