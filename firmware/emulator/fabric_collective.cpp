// SPDX-License-Identifier: Apache-2.0
// From one to many: multicasts, and the grid barrier.
#include <algorithm>

#include "fabric.hpp"
#include "fabric_wire.hpp"

namespace d1::emulator {

using namespace wire;

namespace {
constexpr std::size_t kAhead = 8;  // own: targets, each some 100 ns, until what they need is here
}

void Fabric::multicast(const Packet& packet, std::uint64_t bytes) {
  const d1_transfer& t = packet.transfer;
  LaunchContext* launch = machine_.node(packet.source).launch();
  if (launch == nullptr) return;  // the launch ended meanwhile
  const auto& [plan, targets] = tree_of(packet, *launch);
  const PendingCopies::Place local = sram(packet.source, t.local, t.local_pitch);
  std::uint64_t far = packet.departure;
  bool all = true;
  arrivals_.resize(targets.size());
  noc_.multicast(plan, bytes, to_cycle(packet.departure), arrivals_);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (i + kAhead < targets.size()) {
      machine_.prefetch(targets[i + kAhead]);
      __builtin_prefetch(machine_.sram(targets[i + kAhead]) + t.remote, 1);
    }
    const NodeIndex id = targets[i];
    LinkFaults::Passage way;
    if (faults_ != nullptr)
      way = faults_->pass(machine_.place(packet.source), machine_.place(id), 0, 0);
    if (way.lost) {
      all = false;
      continue;
    }
    copies_.add(sram(id, t.remote, t.remote_pitch), local, t.rows, t.row_bytes);
    written(id, t.remote, std::uint64_t{t.rows - 1} * t.remote_pitch + t.row_bytes);
    far = std::max(far, arrivals_[i] * kTicks);
    if (t.remote_semaphore != D1_NO_SEMAPHORE)
      post(id, t.remote_semaphore, 1, arrivals_[i] * kTicks);
    if (way.corrupt) corrupt(id, t.remote, t.row_bytes);
  }
  bytes_ += bytes * targets.size();
  source_free(packet, packet.departure + bytes / kPacketBytes * kTicks);
  if (all) machine_.node(packet.source).transfer_far(packet.hart, far);
}

const LaunchContext::Multicast& Fabric::tree_of(const Packet& packet, LaunchContext& launch) {
  const d1_transfer& t = packet.transfer;
  if (launch.multicasts.size() >= LaunchContext::kMulticasts) launch.multicasts.clear();
  const auto [entry, fresh] = launch.multicasts.try_emplace(
      {packet.source, t.first_row, t.first_column, t.grid_rows, t.grid_columns});
  if (!fresh) return entry->second;
  std::vector<NodeId> places;
  for (std::uint32_t row = 0; row < t.grid_rows; ++row)
    for (std::uint32_t column = 0; column < t.grid_columns; ++column) {
      const NodeId place = launch.grid->node((t.first_row + row) * launch.grid->columns() +
                                             t.first_column + column);
      if (machine_.id_of(place) == packet.source) continue;
      places.push_back(place);
      entry->second.targets.push_back(machine_.id_of(place));
    }
  entry->second.plan = noc_.plan(machine_.place(packet.source), places);
  return entry->second;
}

// Routers combine barrier packets on their way to the node of rank 0 and spread the release from
// there: no contention, twice the way (this project's own; the topology is not published).
void Fabric::grid_barrier(const Packet& packet) {
  const Node& node = machine_.node(packet.source);
  if (node.launch() == nullptr) return;
  LaunchContext& launch = *node.launch();
  LaunchContext::GridBarrier& barrier = launch.barrier;
  const std::uint32_t way = launch.routes->from_first[node.rank()];
  barrier.arrived.push_back({packet.source, way});
  barrier.latest = std::max(barrier.latest, packet.departure + way);
  if (barrier.arrived.size() < launch.grid->size()) return;
  for (const auto& arrival : barrier.arrived) {
    if (unreached(launch.grid->node(0), machine_.place(arrival.node))) continue;
    machine_.node(arrival.node).deliver_barrier(barrier.latest + arrival.way);
    touched_.push_back(arrival.node);
  }
  barrier.arrived.clear();
  barrier.latest = 0;
}

}  // namespace d1::emulator
