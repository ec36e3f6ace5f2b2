// SPDX-License-Identifier: Apache-2.0
// What follows from the parameters of a machine, beside the published figures.
#include <fmt/format.h>

#include "d1/emulator/machine_description.hpp"

namespace d1::emulator {
namespace {

constexpr double giga = 1e9;
constexpr double tera = 1e12;
constexpr double peta = 1e15;
constexpr double mebi = 1024.0 * 1024.0;

// Published figures hold for the real machine's shape, and for that level of it only.
enum class Level { None, Die, Tile, Tray, Cabinet, Exapod };

Level level_of(const MachineDescription& machine) {
  const auto is = [&](std::uint32_t rows, std::uint32_t columns) {
    return machine.grid_rows == rows && machine.grid_columns == columns;
  };
  std::uint32_t rows = 1;
  std::uint32_t columns = 1;
  if (is(rows, columns)) return Level::Die;
  if (is(rows = machine.tile_die_rows, columns = machine.tile_die_columns)) return Level::Tile;
  if (is(rows *= machine.tray_tile_rows, columns *= machine.tray_tile_columns)) return Level::Tray;
  if (is(rows *= machine.cabinet_trays, columns)) return Level::Cabinet;
  if (is(rows, columns *= machine.exapod_cabinets)) return Level::Exapod;
  return Level::None;
}

class Figures {
 public:
  explicit Figures(const MachineDescription& machine)
      : machine_(machine), clock_ghz_(static_cast<double>(machine.clock_hz) / giga) {}

  std::vector<Figure> all() && {
    node();
    fabric();
    die();
    whole_machine();
    interface_processors();
    return std::move(figures_);
  }

 private:
  void add(std::string name, double value, std::string unit, std::string formula) {
    figures_.push_back({std::move(name),
                        value,
                        std::move(unit),
                        std::move(formula),
                        std::nullopt,
                        Confidence::D,
                        {}});
  }
  void add(std::string name, double value, std::string unit, std::string formula, double published,
           Confidence confidence, std::string source) {
    figures_.push_back({std::move(name), value, std::move(unit), std::move(formula), published,
                        confidence, std::move(source)});
  }

  void node() {
    const auto& m = machine_;
    add("node peak, BF16 and CFloat8", m.matrix_flop_per_cycle * clock_ghz_ / 1e3, "TFLOPS",
        fmt::format("{} FLOP/cycle x {} GHz", m.matrix_flop_per_cycle, clock_ghz_), 1.024,
        Confidence::S, "SemiA-21");
    add("node peak, FP32", m.simd_flop_per_cycle * clock_ghz_, "GFLOPS",
        fmt::format("{} FLOP/cycle x {} GHz", m.simd_flop_per_cycle, clock_ghz_), 64, Confidence::S,
        "SemiA-21");
    // One port more than the vector unit's: the mesh reads and writes SRAM by a port of its own.
    const double load = (m.sram_load_ports + 1.0) * m.sram_port_bytes + m.scalar_port_bytes;
    add("node SRAM load", load * clock_ghz_, "GB/s",
        fmt::format("(({} + 1 mesh) x {} + {}) B/cycle x {} GHz", m.sram_load_ports,
                    m.sram_port_bytes, m.scalar_port_bytes, clock_ghz_),
        400, Confidence::P, "HC34-uarch");
    const double store = (m.sram_store_ports + 1.0) * m.sram_port_bytes + m.scalar_port_bytes;
    add("node SRAM store", store * clock_ghz_, "GB/s",
        fmt::format("(({} + 1 mesh) x {} + {}) B/cycle x {} GHz", m.sram_store_ports,
                    m.sram_port_bytes, m.scalar_port_bytes, clock_ghz_),
        270, Confidence::P, "HC34-uarch");
  }

  void fabric() {
    const auto& m = machine_;
    add("mesh link, one direction", m.link_bytes_per_cycle * clock_ghz_, "GB/s",
        fmt::format("{} B/cycle x {} GHz", m.link_bytes_per_cycle, clock_ghz_), 128, Confidence::S,
        "notes-A/B");
    add("router, four directions", 4 * m.link_bytes_per_cycle * clock_ghz_, "GB/s",
        fmt::format("4 x {} B/cycle x {} GHz", m.link_bytes_per_cycle, clock_ghz_), 512,
        Confidence::S, "SemiA-21");
    add("hop", m.hop_cycles / clock_ghz_, "ns",
        fmt::format("{} cycle(s) / {} GHz", m.hop_cycles, clock_ghz_), 0.5, Confidence::S,
        "notes-A");
    add("die crossing", static_cast<double>(m.cycles(m.die_crossing_ns)), "cycles",
        fmt::format("{} ns x {} GHz", m.die_crossing_ns, clock_ghz_), 200, Confidence::D, "C&C-22");
    add("die edge, one direction", static_cast<double>(m.die_edge_bandwidth) / tera, "TB/s",
        fmt::format("{} B/cycle over the edge's links", m.bytes_in(m.die_edge_bandwidth, 1)), 2,
        Confidence::S, "notes-A");
    add("tile bisection, one direction",
        m.tile_die_rows * static_cast<double>(m.die_edge_bandwidth) / tera, "TB/s",
        fmt::format("{} dies x {} TB/s", m.tile_die_rows,
                    static_cast<double>(m.die_edge_bandwidth) / tera),
        10, Confidence::P, "HC34-sys");
    add("tile edges, all four, both directions",
        8 * static_cast<double>(m.tile_edge_bandwidth) / tera, "TB/s",
        fmt::format("4 x 2 x {} TB/s", static_cast<double>(m.tile_edge_bandwidth) / tera), 36,
        Confidence::P, "HC34-sys");
  }

  void die() {
    const auto& m = machine_;
    const double nodes = m.usable_nodes(0);
    add("die nodes", nodes, "nodes",
        fmt::format("{} x {} - {} missing", m.die_rows, m.die_columns, m.missing(0).size()), 354,
        Confidence::P, "IEEE-Micro");
    add("die peak, BF16 and CFloat8", nodes * m.matrix_flop_per_cycle * clock_ghz_ / 1e3, "TFLOPS",
        fmt::format("{} nodes x {} FLOP/cycle x {} GHz", nodes, m.matrix_flop_per_cycle,
                    clock_ghz_),
        362, Confidence::P, "IEEE-Micro");
    add("die peak, FP32", nodes * m.simd_flop_per_cycle * clock_ghz_ / 1e3, "TFLOPS",
        fmt::format("{} nodes x {} FLOP/cycle x {} GHz", nodes, m.simd_flop_per_cycle, clock_ghz_),
        22.6, Confidence::S, "SemiA-21");
    add("die SRAM", nodes * static_cast<double>(m.sram_bytes) / mebi, "MiB",
        fmt::format("{} nodes x {} MiB", nodes, static_cast<double>(m.sram_bytes) / mebi), 440,
        Confidence::P, "IEEE-Micro");
  }

  void whole_machine() {
    const auto& m = machine_;
    const double nodes = static_cast<double>(m.usable_nodes());
    const double peak = nodes * m.matrix_flop_per_cycle * static_cast<double>(m.clock_hz) / peta;
    const double sram = nodes * static_cast<double>(m.sram_bytes) / mebi / 1024;
    const std::string peak_formula = fmt::format("{} nodes x {} FLOP/cycle x {} GHz", nodes,
                                                 m.matrix_flop_per_cycle, clock_ghz_);
    const std::string sram_formula =
        fmt::format("{} nodes x {} MiB", nodes, static_cast<double>(m.sram_bytes) / mebi);
    const std::string dies_formula = fmt::format("{} x {}", m.grid_rows, m.grid_columns);
    const Level level = level_of(m);
    if (level == Level::Exapod) {
      add("machine dies", m.die_count(), "dies", dies_formula, 3000, Confidence::S, "SemiA-21");
      add("machine nodes", nodes, "nodes", "sum over all dies", 1'062'000, Confidence::S,
          "SemiA-21");
      add("machine peak, BF16 and CFloat8", peak / 1e3, "EFLOPS", peak_formula, 1.1, Confidence::S,
          "SemiA-21");
      add("machine SRAM", sram / 1024, "TiB", sram_formula, 1.3, Confidence::P, "HC34-sys");
      return;
    }
    if (level == Level::Cabinet) {
      add("machine dies", m.die_count(), "dies", dies_formula, 300, Confidence::S, "SemiA-21");
    } else if (level == Level::Tile) {
      add("machine dies", m.die_count(), "dies", dies_formula, 25, Confidence::P, "HC34-sys");
    } else {
      add("machine dies", m.die_count(), "dies", dies_formula);
    }
    add("machine nodes", nodes, "nodes", "sum over all dies");
    const std::string peak_name = "machine peak, BF16 and CFloat8";
    if (level == Level::Tile) {
      add(peak_name, peak, "PFLOPS", peak_formula, 9, Confidence::P, "HC34-sys");
      add("machine SRAM", sram, "GiB", sram_formula, 11, Confidence::P, "HC34-sys");
      return;
    }
    if (level == Level::Tray) {
      add(peak_name, peak, "PFLOPS", peak_formula, 54, Confidence::S, "notes-A");
    } else if (level == Level::Cabinet) {
      add(peak_name, peak, "PFLOPS", peak_formula, 108, Confidence::S, "SemiA-21");
    } else {
      add(peak_name, peak, "PFLOPS", peak_formula);
    }
    add("machine SRAM", sram, "GiB", sram_formula);
  }

  void interface_processors();

  const MachineDescription& machine_;
  double clock_ghz_;
  std::vector<Figure> figures_;
};

void Figures::interface_processors() {
  const auto& m = machine_;
  const auto one = [&](const char* name, std::uint64_t bandwidth, double published) {
    add(name, static_cast<double>(bandwidth) / giga, "GB/s",
        fmt::format("{} B/cycle x {} GHz", m.bytes_in(bandwidth, 1), clock_ghz_), published,
        Confidence::P, "HC34-sys");
  };
  one("interface processor HBM", m.hbm_bandwidth, 800);
  one("interface processor TTP, one direction", m.ttp_bandwidth, 900);
  one("interface processor PCIe, one direction", m.pcie_bandwidth, 32);
  const double edge = m.dips_per_tile_edge;
  add("tile edge HBM", edge * static_cast<double>(m.hbm_bytes) / mebi / 1024, "GiB",
      fmt::format("{} DIPs x {} GiB", edge, static_cast<double>(m.hbm_bytes) / mebi / 1024), 160,
      Confidence::P, "HC34-sys");
  add("tile edge TTP, one direction", edge * static_cast<double>(m.ttp_bandwidth) / tera, "TB/s",
      fmt::format("{} DIPs x {} GB/s", edge, static_cast<double>(m.ttp_bandwidth) / giga), 4.5,
      Confidence::P, "HC34-sys");
  const double tray = edge * m.tray_tile_rows * 2;
  add("tray TTP, one direction", tray * static_cast<double>(m.ttp_bandwidth) / tera, "TB/s",
      fmt::format("{} DIPs x {} GB/s", tray, static_cast<double>(m.ttp_bandwidth) / giga), 18,
      Confidence::S, "notes-A/B");
  add("tray PCIe, one direction", tray * static_cast<double>(m.pcie_bandwidth) / giga, "GB/s",
      fmt::format("{} DIPs x {} GB/s", tray, static_cast<double>(m.pcie_bandwidth) / giga), 640,
      Confidence::S, "notes-A/B");
}

}  // namespace

std::vector<Figure> derived_figures(const MachineDescription& machine) {
  return Figures(machine).all();
}

}  // namespace d1::emulator
