// SPDX-License-Identifier: Apache-2.0
// Rows of the interface processors: HBM, TTP, PCIe.
#include <fmt/format.h>

#include <algorithm>

#include "bench.hpp"

namespace d1::verify {

namespace {

double bucket_tolerance(const Bench& bench, double cycles) {
  return 2.0 * bench.machine().bucket_cycles / cycles;
}

// A bandwidth of the description in whole bytes a cycle, as the model counts it.
struct Limit {
  double bytes;
  std::string text;
};
Limit limit_of(const Bench& bench, std::uint64_t bandwidth) {
  const double bytes = static_cast<double>(bench.machine().bytes_in(bandwidth, 1));
  return {bytes, fmt::format("{} B/cycle x {} GHz", bytes, bench.clock_ghz())};
}

// Every node of the die reads its part of HBM at the same time.
Result<Check> hbm(Bench& bench) {
  constexpr std::uint64_t few = 4, many = 24, piece = 2 * 1024;  // as in the kernel
  auto all = bench.all_nodes();
  if (!all) return std::unexpected(all.error());
  const auto address = bench.hbm((*all)->nodes() * many * piece);
  if (!address) return std::unexpected(address.error());
  const auto cycles = bench.difference({"hbm_read", *all, 1, {*address}}, few, many);
  if (!cycles) return std::unexpected(cycles.error());
  const double bytes = static_cast<double>((*all)->nodes() * (many - few) * piece);
  const Limit limit = limit_of(bench, bench.machine().hbm_bandwidth);
  Check check = bench.check(fmt::format("HBM, read by {} nodes", (*all)->nodes()), "GB/s",
                            bytes / *cycles * bench.clock_ghz(), limit.bytes * bench.clock_ghz(),
                            limit.text, "interface processor HBM");
  check.tolerance = bucket_tolerance(bench, *cycles);
  return check;
}

// HBM is slower than the link to the tile, so no program reaches this one: the network's model is
// asked itself, for data of the processor's own.
Result<Check> ttp(Bench& bench) {
  constexpr std::uint64_t piece = 4096, rounds = 100;
  emulator::Noc noc(bench.geometry());
  const auto& ports = bench.geometry().dips()[0].ports;
  const auto last_arrival = [&](std::uint64_t count) {
    std::uint64_t last = 0;
    for (std::uint64_t round = 0; round < count; ++round)
      for (const emulator::NodeId port : ports)
        last = std::max(last, noc.send_from_dip(0, emulator::DipEnd::Processor, port, piece, 0));
    return last;
  };
  const std::uint64_t less = last_arrival(rounds);
  const double cycles = static_cast<double>(last_arrival(4 * rounds) - less);
  const double bytes = static_cast<double>(4 * rounds * ports.size() * piece);
  const Limit limit = limit_of(bench, bench.machine().ttp_bandwidth);
  Check check = bench.check("TTP, one direction (network model alone)", "GB/s",
                            bytes / cycles * bench.clock_ghz(), limit.bytes * bench.clock_ghz(),
                            limit.text, "interface processor TTP, one direction");
  check.tolerance = bucket_tolerance(bench, cycles);
  return check;
}

Result<Check> pcie(Bench& bench) {
  constexpr std::uint64_t bytes_short = 64 * 1024, bytes_long = 1088 * 1024;
  const auto less = bench.copy_cycles(bytes_short), more = bench.copy_cycles(bytes_long);
  if (!less) return std::unexpected(less.error());
  if (!more) return std::unexpected(more.error());
  const double cycles = static_cast<double>(*more) - static_cast<double>(*less);
  const Limit limit = limit_of(bench, bench.machine().pcie_bandwidth);
  Check check = bench.check("PCIe, copy from host to HBM", "GB/s",
                            (bytes_long - bytes_short) / cycles * bench.clock_ghz(),
                            limit.bytes * bench.clock_ghz(), limit.text,
                            "interface processor PCIe, one direction");
  check.tolerance = bucket_tolerance(bench, cycles);
  return check;
}

// A load by a node that stands beside a port, there and back, and a cycle to begin the next.
Result<Check> hbm_load(Bench& bench) {
  constexpr std::uint64_t few = 10, many = 110;
  const auto& m = bench.machine();
  auto node = bench.grid({.rows = 1, .columns = 1, .first_row = 4, .first_column = 0});
  if (!node) return std::unexpected(node.error());
  const auto address = bench.hbm(64);
  if (!address) return std::unexpected(address.error());
  const auto cycles = bench.difference({"hbm_load", *node, 1, {*address}}, few, many);
  if (!cycles) return std::unexpected(cycles.error());
  const double ttp = static_cast<double>(m.cycles(m.ttp_latency_ns));
  const double hbm = static_cast<double>(m.cycles(m.hbm_latency_ns));
  return bench.check("HBM, a load there and back", "cycles", *cycles / (many - few),
                     m.injection_cycles + 2 * ttp + hbm + 1,
                     fmt::format("{} + 2 x {} TTP + {} HBM + 1 to go on", m.injection_cycles, ttp,
                                 hbm));
}

// A get of one piece by the same node: asked for, read, and sent packet behind packet.
Result<Check> hbm_get(Bench& bench) {
  constexpr std::uint64_t few = 4, many = 24, piece = 2 * 1024;  // as in the kernel
  const auto& m = bench.machine();
  auto node = bench.grid({.rows = 1, .columns = 1, .first_row = 4, .first_column = 0});
  if (!node) return std::unexpected(node.error());
  const auto address = bench.hbm(many * piece);
  if (!address) return std::unexpected(address.error());
  const auto cycles = bench.difference({"hbm_read", *node, 1, {*address}}, few, many);
  if (!cycles) return std::unexpected(cycles.error());
  const double ttp = static_cast<double>(m.cycles(m.ttp_latency_ns));
  const double hbm = static_cast<double>(m.cycles(m.hbm_latency_ns));
  const double packets = piece / m.link_bytes_per_cycle;
  Check check = bench.check("HBM, a get of 2 KiB", "cycles", *cycles / (many - few),
                            m.injection_cycles + 2 * ttp + hbm + packets - 1,
                            fmt::format("{} + 2 x {} TTP + {} HBM + {} packets - 1",
                                        m.injection_cycles, ttp, hbm, packets));
  check.tolerance = 0.01;  // the kernel's own instructions between two gets
  return check;
}

// The interface processor's own data has no HBM on its way, and no program asks for it in a way
// that could be timed, so the network's model is asked itself.
Result<Check> ttp_latency(Bench& bench) {
  const auto& m = bench.machine();
  emulator::Noc noc(bench.geometry());
  const emulator::NodeId port = bench.geometry().dip_port(0);
  const std::uint64_t arrival = noc.send_from_dip(0, emulator::DipEnd::Processor, port, 64, 0);
  return bench.check("TTP, one packet (network model alone)", "cycles",
                     static_cast<double>(arrival), static_cast<double>(m.cycles(m.ttp_latency_ns)),
                     fmt::format("{} ns x {} GHz", m.ttp_latency_ns, bench.clock_ghz()));
}

Result<Check> pcie_latency(Bench& bench) {
  const auto& m = bench.machine();
  constexpr std::uint64_t bytes = 64;
  const auto measured = bench.copy_cycles(bytes);
  if (!measured) return std::unexpected(measured.error());
  const double pcie = static_cast<double>(m.cycles(m.pcie_latency_ns));
  const double hbm = static_cast<double>(m.cycles(m.hbm_latency_ns));
  const double data = bytes / static_cast<double>(m.bytes_in(m.pcie_bandwidth, 1));
  return bench.check("PCIe, 64 B from host to HBM", "cycles", static_cast<double>(*measured),
                     pcie + hbm + data - 1,
                     fmt::format("{} PCIe + {} HBM + {} B / {} B a cycle - 1", pcie, hbm, bytes,
                                 bytes / data));
}

}  // namespace

Result<std::vector<Check>> interface_checks() {
  auto bench = Bench::open("d1");
  if (!bench) return std::unexpected(bench.error());
  std::vector<Check> checks;
  for (const auto check : {hbm, hbm_load, hbm_get, ttp, ttp_latency, pcie, pcie_latency}) {
    auto made = check(**bench);
    if (!made) return std::unexpected(made.error());
    checks.push_back(std::move(*made));
  }
  return checks;
}

}  // namespace d1::verify
