// SPDX-License-Identifier: Apache-2.0
// Reports into host memory. They observe and change nothing.
#include <algorithm>
#include <cstring>

#include "dip/dip.hpp"
#include "dip/result.hpp"

namespace d1::emulator {

namespace {

constexpr std::uint64_t kTicks = isa::kTicksPerCycle;

// What goes over the wire are the emulator's own enumerators.
static_assert(static_cast<int>(isa::HartStatus::Stopped) == D1_HART_STOPPED &&
              static_cast<int>(isa::HartStatus::Parked) == D1_HART_PARKED &&
              static_cast<int>(isa::WaitKind::Semaphore) == D1_WAIT_SEMAPHORE &&
              static_cast<int>(isa::WaitKind::NodeBarrier) == D1_WAIT_NODE_BARRIER &&
              static_cast<int>(isa::WaitKind::GridBarrier) == D1_WAIT_GRID_BARRIER &&
              static_cast<int>(isa::WaitKind::RemoteAccess) == D1_WAIT_REMOTE_ACCESS &&
              static_cast<int>(isa::WaitKind::Transfer) == D1_WAIT_TRANSFER &&
              static_cast<int>(isa::WaitKind::Interrupt) == D1_WAIT_INTERRUPT);

}  // namespace

d1_hart_report report_of(const Node& node, NodeId place, std::uint32_t rank, unsigned index) {
  const isa::Hart& hart = node.hart(index);
  d1_hart_report report{};
  report.die = place.die;
  report.node = place.node;
  report.rank = rank;
  report.hart = static_cast<std::uint8_t>(index);
  report.status = static_cast<std::uint8_t>(hart.status);
  report.pc = hart.pc;
  report.ra = hart.x[1];
  report.sp = hart.x[2];
  report.cycle = hart.clock / kTicks;
  if (hart.status == isa::HartStatus::Parked) {
    report.wait_kind = static_cast<std::uint8_t>(hart.wait.kind);
    report.wait_index = hart.wait.index;
    report.wait_amount = hart.wait.amount;
    report.wait_since = hart.wait.since / kTicks;
    if (hart.wait.kind == isa::WaitKind::Semaphore)
      report.wait_value = node.semaphore(hart.wait.index);
  }
  return report;
}

CommandResult Dip::query(const d1_query& command) {
  const auto* nodes = grid(command.header.grid);
  if (nodes == nullptr) return failed(D1_STATUS_BAD_GRID, command.header.grid);
  switch (command.kind) {
    case D1_QUERY_HARTS: return query_harts(command, **nodes);
    case D1_QUERY_COUNTERS: return query_counters(command, **nodes);
    case D1_QUERY_WAITS: return query_waits(command);
    case D1_QUERY_TOPOLOGY: {
      const std::uint64_t needed = std::uint64_t{(*nodes)->size()} * sizeof(std::uint32_t);
      const std::uint64_t bytes = std::min(command.bytes, needed) / 4 * 4;
      std::uint8_t* place = dma_.find(command.destination, bytes, DmaAccess::Write);
      if (place == nullptr) return failed(D1_STATUS_DMA_FAULT, command.destination);
      for (std::uint32_t rank = 0; rank < bytes / 4; ++rank) {
        const NodeId node = (*nodes)->node(rank);
        const std::uint32_t word = std::uint32_t{node.die} << 16 | node.node;
        std::memcpy(place + rank * 4, &word, sizeof(word));
      }
      return {CommandResult::Done, D1_STATUS_OK, needed, 0};
    }
    default: return bad_field(offsetof(d1_query, kind));
  }
}

CommandResult Dip::query_harts(const d1_query& command, const Grid& nodes) {
  std::vector<d1_hart_report> reports;
  for (std::uint32_t rank = 0; rank < nodes.size(); ++rank) {
    const Node* node = machine_.find(node_at(nodes, rank));
    if (node == nullptr) continue;
    for (unsigned hart = 0; hart < isa::kHartsPerNode; ++hart)
      if (node->hart(hart).status != isa::HartStatus::Reset)
        reports.push_back(report_of(*node, nodes.node(rank), rank, hart));
  }
  const std::uint64_t needed = reports.size() * sizeof(d1_hart_report);
  const std::uint64_t bytes =
      std::min(command.bytes / sizeof(d1_hart_report) * sizeof(d1_hart_report), needed);
  std::uint8_t* place = dma_.find(command.destination, bytes, DmaAccess::Write);
  if (place == nullptr) return failed(D1_STATUS_DMA_FAULT, command.destination);
  if (bytes != 0) std::memcpy(place, reports.data(), bytes);
  return {CommandResult::Done, D1_STATUS_OK, needed, 0};
}

CommandResult Dip::query_counters(const d1_query& command, const Grid& nodes) {
  d1_counters counters{};
  const auto unit = [](const Node& node, isa::Unit which) {
    return node.unit_ticks()[static_cast<unsigned>(which)] / kTicks;
  };
  for (std::uint32_t rank = 0; rank < nodes.size(); ++rank) {
    const Node* node = machine_.find(node_at(nodes, rank));
    if (node == nullptr) continue;
    counters.instructions += node->instructions();
    for (unsigned hart = 0; hart < isa::kHartsPerNode; ++hart)
      counters.cycles_max = std::max(counters.cycles_max, node->hart(hart).clock / kTicks);
    counters.matrix_cycles += unit(*node, isa::Unit::Matrix);
    counters.simd_cycles += unit(*node, isa::Unit::Simd);
  }
  counters.packets_sent = fabric_.packets();
  counters.bytes_sent = fabric_.bytes();
  std::uint8_t* place = dma_.find(command.destination, sizeof(counters), DmaAccess::Write);
  if (place == nullptr || command.bytes < sizeof(counters))
    return failed(D1_STATUS_DMA_FAULT, command.destination);
  std::memcpy(place, &counters, sizeof(counters));
  return {CommandResult::Done, D1_STATUS_OK, sizeof(counters), 0};
}

}  // namespace d1::emulator
