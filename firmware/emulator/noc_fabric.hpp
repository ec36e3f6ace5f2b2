// SPDX-License-Identifier: Apache-2.0
// The calendars a Noc keeps: per die, per tile's edges and per interface processor, each made when
// the first transfer needs it. Owned by the Noc; one thread at a time.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "d1/emulator/noc.hpp"
#include "noc_routing.hpp"
#include "time_buckets.hpp"

namespace d1::emulator {

// A transfer under way: when its first and its last packet reach the next thing it passes. The
// packets between them are spread somehow; each resource takes the first free room from `head` on,
// and nothing is done with the last packet before `tail`.
struct Noc::Train {
  std::uint64_t head;
  std::uint64_t tail;
  std::uint64_t packets;
  std::uint64_t bytes;  // of all packets
  std::uint64_t flow;   // bytes a cycle it comes with at most

  void delay(std::uint64_t cycles) {
    head += cycles;
    tail += cycles;
  }
  void pass(Passage passage) {
    head = passage.first;
    tail = std::max(tail, passage.last);
  }
  void pass(TimeBuckets& buckets, std::uint64_t watermark) {
    pass(buckets.reserve(head, bytes, flow, watermark));
  }
};

struct Noc::Fabric {
  Fabric(std::uint32_t positions, const TimeBuckets& edge)
      : ports(std::size_t{positions} * node_port_count), edges{edge, edge, edge, edge} {}

  PacketSlots& port(std::uint32_t node, NodePort which) {
    return ports[node * node_port_count + static_cast<std::uint32_t>(which)];
  }
  PacketSlots& link(std::uint32_t node, Direction direction) {
    return ports[node * node_port_count + static_cast<std::uint32_t>(direction)];
  }

  // Which link of the plan numbered `plan` this is.
  struct Mark {
    std::uint64_t plan = 0;
    std::uint32_t link = 0;
  };

  std::vector<PacketSlots> ports;  // [node][NodePort]
  std::array<TimeBuckets, direction_count> edges;
  std::vector<Mark> marks;  // [node][Direction], made by the first plan that comes here
};

struct Noc::TileEdges {
  std::array<TimeBuckets, direction_count> edges;
};

struct Noc::Dip {
  TimeBuckets hbm;
  TimeBuckets from_mesh;
  TimeBuckets to_mesh;
  TimeBuckets from_host;
  TimeBuckets to_host;
  std::vector<PacketSlots> entries;  // by port: from the DIP to the border router
  std::vector<PacketSlots> exits;    // by port: from the border router to the DIP
};

struct Noc::Impl {
  Impl(const Geometry& geometry, std::size_t dies, std::size_t tiles, std::size_t dips)
      : routing(geometry), fabrics(dies), tile_edges(tiles), dip_calendars(dips) {}

  Routing routing;
  std::vector<std::unique_ptr<Fabric>> fabrics;
  std::vector<std::unique_ptr<TileEdges>> tile_edges;
  std::vector<std::unique_ptr<Dip>> dip_calendars;
  std::uint32_t tile_columns = 1;  // of the machine's grid of tiles
  std::uint64_t plans = 0;         // made so far
  std::vector<Train> trains;       // of the multicast under way, by link of its plan
};

}  // namespace d1::emulator
