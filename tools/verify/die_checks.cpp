// SPDX-License-Identifier: Apache-2.0
// Rows between dies, on two neighbouring dies of a tile: latency of a crossing, rate of an edge.
#include <fmt/format.h>

#include <algorithm>

#include "bench.hpp"

namespace d1::verify {

namespace {

// Shares counted by buckets may be early by one bucket at each end.
double bucket_tolerance(const Bench& bench, double cycles) {
  return 2.0 * bench.machine().bucket_cycles / cycles;
}

// A load from the neighbour across the border, less one from the neighbour on this side.
Result<Check> crossing(Bench& bench, const GridPointer& grid, std::uint64_t border) {
  constexpr std::uint64_t few = 10, many = 110;
  const auto inside = bench.difference({"remote_load", grid, 1, {border, border - 1}}, few, many);
  if (!inside) return std::unexpected(inside.error());
  const auto across = bench.difference({"remote_load", grid, 1, {border, border + 1}}, few, many);
  if (!across) return std::unexpected(across.error());
  const auto& m = bench.machine();
  const double hop = static_cast<double>(m.hop_cycles);
  const double cycles = (*across - *inside) / (many - few) / 2 + hop;
  return bench.check(
      "die crossing", "cycles", cycles, static_cast<double>(m.cycles(m.die_crossing_ns)),
      fmt::format("{} ns x {} GHz", m.die_crossing_ns, bench.clock_ghz()), "die crossing");
}

// All nodes at a border put to their neighbours on the other side.
Result<Check> edge(Bench& bench, const GridPointer& grid, std::uint64_t border) {
  constexpr std::uint64_t few = 8, many = 48, piece = 16 * 1024;  // as in the kernel
  const auto cycles = bench.difference({"across", grid, 1, {border}}, few, many);
  if (!cycles) return std::unexpected(cycles.error());
  const auto& m = bench.machine();
  const double bytes = static_cast<double>(grid->rows()) * (many - few) * piece;
  const double limit = static_cast<double>(m.bytes_in(m.die_edge_bandwidth, 1));
  Check check = bench.check(
      fmt::format("die edge, from {} nodes", grid->rows()), "TB/s",
      bytes / *cycles * bench.clock_ghz() / 1e3, limit * bench.clock_ghz() / 1e3,
      fmt::format("{} B/cycle x {} GHz", limit, bench.clock_ghz()), "die edge, one direction");
  check.tolerance = bucket_tolerance(bench, *cycles);
  return check;
}

// All border nodes of a tile's side send across, both ways at once. Only a tray has tiles beside
// tiles, so the network's model of one is asked itself.
Result<Check> tile_edge() {
  constexpr std::uint64_t few = 4, many = 84, piece = 4096;
  auto tray = emulator::load_machine("tray");
  if (!tray) return pass_on(tray, "loading machine tray");
  const emulator::Geometry geometry(std::move(*tray));
  const emulator::MachineDescription& m = geometry.machine();
  emulator::Noc noc(geometry);
  const unsigned left = m.tile_die_columns * m.die_columns - 1;  // the first tile's last column
  std::uint64_t transfers = 0;
  const auto send = [&](std::uint64_t rounds) {
    std::uint64_t last = 0;
    transfers = 0;
    for (std::uint64_t round = 0; round < rounds; ++round)
      for (unsigned row = 0; row < m.tile_die_rows * m.die_rows; ++row) {
        const emulator::NodeId west = geometry.at(row, left), east = geometry.at(row, left + 1);
        if (!geometry.usable(west) || !geometry.usable(east)) continue;
        last = std::max({last, noc.send(west, east, piece, 0), noc.send(east, west, piece, 0)});
        transfers += 2;
      }
    return last;
  };
  const std::uint64_t less = send(few);
  const double cycles = static_cast<double>(send(many) - less);
  const double ghz = static_cast<double>(m.clock_hz) / 1e9;
  const double limit = static_cast<double>(m.bytes_in(m.tile_edge_bandwidth, 1));
  Check check{"tile edge, both ways (network model)",
              "TB/s",
              static_cast<double>(transfers * piece) / cycles * ghz / 1e3,
              2 * limit * ghz / 1e3,
              fmt::format("2 x {} B/cycle x {} GHz", limit, ghz)};
  check.tolerance = 2.0 * m.bucket_cycles / cycles;
  check.published = 9;
  check.source = "HC34-sys";
  return check;
}

}  // namespace

Result<std::vector<Check>> die_checks() {
  auto opened = Bench::open("tile");
  if (!opened) return std::unexpected(opened.error());
  Bench& bench = **opened;
  const auto& m = bench.machine();
  // The two columns on each side of the border between the first two dies.
  auto grid = bench.grid(
      {.rows = m.die_rows, .columns = 4, .first_row = 0, .first_column = m.die_columns - 2});
  if (!grid) return pass_on(grid, "taking the border of two dies");
  constexpr std::uint64_t border = 1;
  std::vector<Check> checks;
  for (const auto check : {crossing, edge}) {
    auto made = check(bench, *grid, border);
    if (!made) return std::unexpected(made.error());
    checks.push_back(std::move(*made));
  }
  auto made = tile_edge();
  if (!made) return std::unexpected(made.error());
  checks.push_back(std::move(*made));
  return checks;
}

}  // namespace d1::verify
