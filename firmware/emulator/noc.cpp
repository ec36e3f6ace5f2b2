// SPDX-License-Identifier: Apache-2.0
#include "d1/emulator/noc.hpp"

#include <algorithm>
#include <cassert>

#include "noc_fabric.hpp"

namespace d1::emulator {
namespace {

std::uint32_t ceiling(std::uint32_t a, std::uint32_t b) { return (a + b - 1) / b; }

TimeBuckets buckets_of(const MachineDescription& machine, std::uint64_t bandwidth) {
  return {machine.bytes_in(bandwidth, machine.bucket_cycles), machine.bucket_cycles};
}

}  // namespace

Noc::Noc(const Geometry& geometry) : geometry_(geometry) {
  const MachineDescription& machine = geometry.machine();
  packet_bytes_ = machine.link_bytes_per_cycle;
  cycles_ = {machine.injection_cycles,
             machine.hop_cycles,
             machine.cycles(machine.die_crossing_ns),
             machine.cycles(machine.ttp_latency_ns),
             machine.cycles(machine.hbm_latency_ns),
             machine.cycles(machine.pcie_latency_ns)};
  const std::uint32_t tile_rows = ceiling(machine.grid_rows, machine.tile_die_rows);
  const std::uint32_t tile_columns = ceiling(machine.grid_columns, machine.tile_die_columns);
  impl_ = std::make_unique<Impl>(geometry, machine.die_count(), tile_rows * tile_columns,
                                 geometry.dips().size());
  impl_->tile_columns = tile_columns;
}

Noc::~Noc() = default;

std::uint64_t Noc::packets_of(std::uint64_t bytes) const {
  return std::max<std::uint64_t>(1, (bytes + packet_bytes_ - 1) / packet_bytes_);
}

Noc::Train Noc::train(std::uint64_t bytes, std::uint64_t departure) const {
  const std::uint64_t packets = packets_of(bytes);
  const std::uint64_t start = std::max(departure, watermark_);
  return {start, start + packets - 1, packets, packets * packet_bytes_, packet_bytes_};
}

Noc::Fabric& Noc::fabric(std::uint32_t die) {
  auto& known = impl_->fabrics[die];
  if (!known) {
    const MachineDescription& machine = geometry_.machine();
    known = std::make_unique<Fabric>(geometry_.node_positions(),
                                     buckets_of(machine, machine.die_edge_bandwidth));
  }
  return *known;
}

void Noc::hop(Fabric& die, NodeId from, Direction direction, Train& train) {
  train.pass(die.link(from.node, direction).reserve(train.head, train.packets, watermark_));
  train.delay(cycles_.hop);
}

// The border link, then what all links of the die's edge, and of the tile's edge, share. A transfer
// that these hold up keeps the link, so that nothing from behind overtakes it.
void Noc::cross(NodeId from, Direction direction, NodeId to, Train& train) {
  const auto edge = static_cast<std::uint32_t>(direction);
  Fabric& die = fabric(from.die);
  PacketSlots& link = die.link(from.node, direction);
  const Passage passage = link.reserve(train.head, train.packets, watermark_);
  train.pass(passage);
  const std::uint64_t free_flow = train.tail;
  train.pass(die.edges[edge], watermark_);

  const MachineDescription& machine = geometry_.machine();
  const auto tile_of = [&](std::uint32_t index) {
    return geometry_.die_row(index) / machine.tile_die_rows * impl_->tile_columns +
           geometry_.die_column(index) / machine.tile_die_columns;
  };
  if (const std::uint32_t tile = tile_of(from.die); tile != tile_of(to.die)) {
    auto& known = impl_->tile_edges[tile];
    if (!known) {
      const TimeBuckets fresh = buckets_of(machine, machine.tile_edge_bandwidth);
      known = std::make_unique<TileEdges>(TileEdges{{fresh, fresh, fresh, fresh}});
    }
    train.pass(known->edges[edge], watermark_);
  }
  if (train.tail > free_flow) link.block(passage.first, train.tail, watermark_);
  train.delay(cycles_.crossing);
}

void Noc::travel(NodeId source, NodeId destination, Train& train) {
  std::uint32_t die = source.die;
  Fabric* here = &fabric(die);
  impl_->routing.walk(source, destination, [&](NodeId from, Direction direction, NodeId to) {
    if (from.die != to.die) {
      cross(from, direction, to, train);
      return;
    }
    if (from.die != die) {
      die = from.die;
      here = &fabric(die);
    }
    hop(*here, from, direction, train);
  });
}

void Noc::deliver(NodeId destination, Train& train) {
  train.pass(fabric(destination.die)
                 .port(destination.node, NodePort::In)
                 .reserve(train.head, train.packets, watermark_));
}

std::uint64_t Noc::send(NodeId source, NodeId destination, std::uint64_t bytes,
                        std::uint64_t departure) {
  assert(geometry_.usable(source) && geometry_.usable(destination));
  Train train = this->train(bytes, departure);
  train.pass(fabric(source.die)
                 .port(source.node, NodePort::Out)
                 .reserve(train.head, train.packets, watermark_));
  train.delay(cycles_.injection);
  travel(source, destination, train);
  deliver(destination, train);
  return train.tail;
}

void Noc::retire_before(std::uint64_t cycle) { watermark_ = std::max(watermark_, cycle); }

Route Noc::route(NodeId source, NodeId destination) {
  Route route;
  impl_->routing.walk(source, destination, [&](NodeId from, Direction, NodeId to) {
    ++(from.die == to.die ? route.hops : route.crossings);
  });
  return route;
}

std::vector<NodeId> Noc::path(NodeId source, NodeId destination) {
  std::vector<NodeId> nodes{source};
  impl_->routing.walk(source, destination,
                      [&](NodeId, Direction, NodeId to) { nodes.push_back(to); });
  return nodes;
}

std::uint64_t Noc::packets_carried(NodeId node, NodePort port) const {
  const auto& known = impl_->fabrics[node.die];
  return known ? known->port(node.node, port).carried() : 0;
}

std::uint64_t Noc::bytes_carried_by_edge(std::uint32_t die, Direction edge) const {
  const auto& known = impl_->fabrics[die];
  return known ? known->edges[static_cast<std::uint32_t>(edge)].carried() : 0;
}

std::uint32_t Noc::dies_in_use() const {
  return static_cast<std::uint32_t>(
      std::count_if(impl_->fabrics.begin(), impl_->fabrics.end(),
                    [](const std::unique_ptr<Fabric>& die) { return die != nullptr; }));
}

}  // namespace d1::emulator
