// SPDX-License-Identifier: Apache-2.0
// Rows of one node: peaks of its units, latency of a product, its SRAM's ports.
#include <fmt/format.h>

#include <d1/isa/instruction.hpp>
#include <d1/isa/semantics/xd1.hpp>

#include "bench.hpp"

namespace d1::verify {

namespace {

// What a benchmark of a node does in a round of its loop, and what limits it.
struct Peak {
  std::string kernel, name, unit;
  double work;   // a round, of one hart
  double rate;   // a cycle, by the parameters
  double scale;  // of a rate per cycle and GHz, to the unit
  std::string text;
  std::string figure = {};
};

constexpr std::uint64_t kShort = 100, kLong = 1900;

// Harts share units by spans of this many cycles: so much may be missing at each end.
constexpr double kSpanCycles = 64;
double sharing_tolerance(double cycles) { return 2 * kSpanCycles / cycles; }

Result<std::vector<Check>> peaks(Bench& bench, const std::vector<Peak>& rows) {
  auto grid = bench.grid({.rows = 1, .columns = 1, .first_row = 4, .first_column = 4});
  if (!grid) return pass_on(grid, "taking one node");
  std::vector<Check> checks;
  for (const Peak& row : rows)
    for (const std::uint32_t harts : {1u, 4u}) {
      const auto cycles = bench.difference({row.kernel, *grid, harts}, kShort, kLong);
      if (!cycles) return std::unexpected(cycles.error());
      const double rate = row.work * harts * (kLong - kShort) / *cycles;
      const double scale = row.scale * (row.unit.starts_with("per") ? 1 : bench.clock_ghz());
      Check check =
          bench.check(fmt::format("{}, {} hart{}", row.name, harts, harts == 1 ? "" : "s"),
                      row.unit, rate * scale, row.rate * scale, row.text, row.figure);
      if (harts > 1) check.tolerance = sharing_tolerance(*cycles);
      checks.push_back(std::move(check));
    }
  return checks;
}

// The published sums: the node's own ports and the one to or from the mesh, which are apart.
Result<std::vector<Check>> with_mesh(Bench& bench) {
  constexpr std::uint64_t bytes_short = 16 * 1024, bytes_long = 208 * 1024;
  auto one = bench.grid({.rows = 1, .columns = 1, .first_row = 4, .first_column = 4});
  if (!one) return pass_on(one, "taking one node");
  auto block = bench.grid({.rows = 3, .columns = 3, .first_row = 4, .first_column = 4});
  if (!block) return pass_on(block, "taking nine nodes");
  const auto& m = bench.machine();
  struct Side {
    const char *kernel, *name, *figure;
    double work;       // bytes of a round
    Run mesh;          // what moves bytes through the node's port of the mesh
    double transfers;  // through that port
    double ports;
  };
  const Side sides[] = {{"all_load",
                         "all loads, with the mesh's",
                         "node SRAM load",
                         2048 + 128,
                         {"scatter", *block, 1, {4, 1, 1}},
                         1,
                         static_cast<double>(m.sram_load_ports)},
                        {"all_store",
                         "all stores, with the mesh's",
                         "node SRAM store",
                         2048 + 256,
                         {"gather", *block, 1, {4}},
                         8,
                         static_cast<double>(m.sram_store_ports)}};
  std::vector<Check> checks;
  for (const Side& side : sides) {
    const auto own = bench.difference({side.kernel, *one, 4}, kShort, kLong);
    if (!own) return std::unexpected(own.error());
    const auto mesh = bench.difference(side.mesh, bytes_short, bytes_long);
    if (!mesh) return std::unexpected(mesh.error());
    const double rate = side.work * 4 * (kLong - kShort) / *own +
                        side.transfers * (bytes_long - bytes_short) / *mesh;
    const double limit = (side.ports + 1) * m.sram_port_bytes + m.scalar_port_bytes;
    Check check =
        bench.check(side.name, "GB/s", rate * bench.clock_ghz(), limit * bench.clock_ghz(),
                    fmt::format("(({} + 1 mesh) x {} + {}) B/cycle x {} GHz", side.ports,
                                m.sram_port_bytes, m.scalar_port_bytes, bench.clock_ghz()),
                    side.figure);
    check.tolerance = sharing_tolerance(*own);
    checks.push_back(std::move(check));
  }
  return checks;
}

Result<Check> chain(Bench& bench) {
  auto grid = bench.grid({.rows = 1, .columns = 1, .first_row = 4, .first_column = 4});
  if (!grid) return pass_on(grid, "taking one node");
  const auto less = bench.cycles({"matrix_chain_short", *grid}, 0);
  const auto more = bench.cycles({"matrix_chain_long", *grid}, 0);
  if (!less) return std::unexpected(less.error());
  if (!more) return std::unexpected(more.error());
  const unsigned latency = isa::facts(isa::InstructionId::mma_bf16).latency;
  return bench.check("product that waits for the one before", "cycles",
                     static_cast<double>(*more - *less) / (40 - 8), latency,
                     fmt::format("{} cycles, instruction table", latency));
}

}  // namespace

Result<std::vector<Check>> node_checks() {
  auto opened = Bench::open("d1");
  if (!opened) return std::unexpected(opened.error());
  Bench& bench = **opened;
  const auto& m = bench.machine();
  const double ghz = bench.clock_ghz();
  constexpr double kProducts = 28, kProduct = 8 * 8 * 4 * 2;
  const auto flop = [&](unsigned rate) { return fmt::format("{} FLOP/cycle x {} GHz", rate, ghz); };
  const double load = m.sram_load_ports * m.sram_port_bytes,
               store = m.sram_store_ports * m.sram_port_bytes;
  const auto bytes = [&](double rate) { return fmt::format("{} B/cycle x {} GHz", rate, ghz); };
  auto rows = peaks(
      bench,
      {{"matrix", "matrix unit, BF16", "TFLOPS", kProducts * kProduct,
        static_cast<double>(m.matrix_flop_per_cycle), 1e-3, flop(m.matrix_flop_per_cycle),
        "node peak, BF16 and CFloat8"},
       {"matrix_cf8", "matrix unit, CFloat8", "TFLOPS", kProducts * 2 * kProduct,
        static_cast<double>(m.matrix_flop_per_cycle), 1e-3, flop(m.matrix_flop_per_cycle),
        "node peak, BF16 and CFloat8"},
       {"simd", "SIMD unit, FP32", "GFLOPS", 24 * 16 * 2,
        static_cast<double>(m.simd_flop_per_cycle), 1, flop(m.simd_flop_per_cycle),
        "node peak, FP32"},
       {"alu", "scalar operations", "per cycle", 32, static_cast<double>(m.integer_units), 1,
        fmt::format("{} ALUs", m.integer_units)},
       {"address", "scalar accesses", "per cycle", 30, static_cast<double>(m.address_units), 1,
        fmt::format("{} address units", m.address_units)},
       {"vector_load", "vector loads", "GB/s", 2048, load, 1, bytes(load)},
       {"vector_store", "vector stores", "GB/s", 2048, store, 1, bytes(store)},
       {"all_load", "vector and scalar loads", "GB/s", 2048 + 128, load + m.scalar_port_bytes, 1,
        fmt::format("({} + {}) B/cycle x {} GHz", load, m.scalar_port_bytes, ghz)},
       {"all_store", "vector and scalar stores", "GB/s", 2048 + 256, store + m.scalar_port_bytes, 1,
        fmt::format("({} + {}) B/cycle x {} GHz", store, m.scalar_port_bytes, ghz)}});
  if (!rows) return rows;
  auto sums = with_mesh(bench);
  if (!sums) return sums;
  for (Check& sum : *sums) rows->push_back(std::move(sum));
  auto latency = chain(bench);
  if (!latency) return std::unexpected(latency.error());
  rows->push_back(std::move(*latency));
  return rows;
}

}  // namespace d1::verify
