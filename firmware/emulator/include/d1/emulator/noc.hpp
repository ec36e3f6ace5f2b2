// SPDX-License-Identifier: Apache-2.0
// The time of data on the move: over the mesh of routers, between dies, and between the mesh, the
// interface processors with their HBM, and the host. No data passes through here: a call says when
// what left at some cycle has arrived whole, and takes the capacity for it.
//
// With nothing else on the way, `bytes` in p = max(1, ceil(bytes / link_bytes_per_cycle)) packets
// from node to node arrive, the last packet written, at
//
//   departure + injection_cycles + hops * hop_cycles + crossings * cycles(die_crossing_ns) + p - 1
//
// where hops are links inside dies and crossings are steps from die to die (firmware/emulator/
// README.md has the same for multicasts and interface processors, and what contention does).
//
// Results depend on the calls and their order only. Transfers of send() from one node to one node,
// called in order of departure, arrive in order: each is whole before the next one is.
// Who owns what: a Noc keeps a reference to the Geometry, which must outlive it. Nodes passed in
// are usable ones. One thread at a time; nothing blocks. Memory is taken per die at first use.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "d1/emulator/geometry.hpp"

namespace d1::emulator {

// What a transfer reads or writes behind an interface processor.
enum class DipEnd {
  Processor,  // the DIP itself: commands, completions, registers
  Hbm,
  Host  // host memory, over PCIe
};

struct Route {
  std::uint32_t hops = 0;       // links inside dies
  std::uint32_t crossings = 0;  // links between dies
};

// Links of a node that carry packets: the four of its router, and its SRAM's two ports to it.
enum class NodePort : std::uint8_t { East, West, South, North, Out, In };
inline constexpr std::uint32_t node_port_count = 6;

// The tree of a multicast, for those that send the same way again and again (a launch to its grid):
// made once by Noc::plan(), a plain value, valid as long as that Noc.
class MulticastPlan {
 public:
  [[nodiscard]] std::size_t destination_count() const { return destinations_.size(); }
  [[nodiscard]] std::size_t link_count() const { return links_.size(); }

 private:
  friend class Noc;
  static constexpr std::uint32_t at_source = UINT32_MAX;
  struct Link {
    NodeId from;
    NodeId to;
    Direction direction;
    std::uint32_t before;  // index of the link the packets came by, or at_source
  };
  struct Destination {
    NodeId node;
    std::uint32_t last;  // index of the link it is reached by, or at_source
  };
  NodeId source_;
  std::vector<Link> links_;  // each after the one before it
  std::vector<Destination> destinations_;
};

class Noc {
 public:
  explicit Noc(const Geometry& geometry);
  ~Noc();
  Noc(const Noc&) = delete;
  Noc& operator=(const Noc&) = delete;

  // The cycle in which the last packet of `bytes` has been written at the destination. 0 bytes
  // still are one packet.
  std::uint64_t send(NodeId source, NodeId destination, std::uint64_t bytes,
                     std::uint64_t departure);

  // The same to many at once: the packets pass each link of the routes' union once and are copied
  // where routes part. arrivals[i] is that of destinations[i].
  void multicast(NodeId source, std::span<const NodeId> destinations, std::uint64_t bytes,
                 std::uint64_t departure, std::span<std::uint64_t> arrivals);

  // The same in two steps; the second one costs some ns a link. `source` is a node, or the middle
  // port of a DIP.
  [[nodiscard]] MulticastPlan plan(NodeId source, std::span<const NodeId> destinations);
  void multicast(const MulticastPlan& plan, std::uint64_t bytes, std::uint64_t departure,
                 std::span<std::uint64_t> arrivals);

  // Between a node and what is behind a DIP, by the DIP's port nearest to the node's row.
  std::uint64_t send_to_dip(NodeId source, std::uint32_t dip, DipEnd end, std::uint64_t bytes,
                            std::uint64_t departure);
  std::uint64_t send_from_dip(std::uint32_t dip, DipEnd end, NodeId destination,
                              std::uint64_t bytes, std::uint64_t departure);
  // From a DIP to many, through its middle port.
  void multicast_from_dip(std::uint32_t dip, DipEnd end, std::span<const NodeId> destinations,
                          std::uint64_t bytes, std::uint64_t departure,
                          std::span<std::uint64_t> arrivals);

  // By a plan from geometry.dip_port(dip).
  void multicast_from_dip(std::uint32_t dip, DipEnd end, const MulticastPlan& plan,
                          std::uint64_t bytes, std::uint64_t departure,
                          std::span<std::uint64_t> arrivals);

  // Between HBM and host at one DIP, without the mesh.
  std::uint64_t host_to_hbm(std::uint32_t dip, std::uint64_t bytes, std::uint64_t departure);
  std::uint64_t hbm_to_host(std::uint32_t dip, std::uint64_t bytes, std::uint64_t departure);
  // Between the host and the DIP itself: commands, completions, interrupts.
  std::uint64_t host_to_dip(std::uint32_t dip, std::uint64_t bytes, std::uint64_t departure);
  std::uint64_t dip_to_host(std::uint32_t dip, std::uint64_t bytes, std::uint64_t departure);

  // No later call departs before `cycle`; what is older may be forgotten. Never changes a result.
  void retire_before(std::uint64_t cycle);
  [[nodiscard]] std::uint64_t watermark() const { return watermark_; }

  // For tools and checks.
  [[nodiscard]] Route route(NodeId source, NodeId destination);
  [[nodiscard]] std::vector<NodeId> path(NodeId source, NodeId destination);  // both ends included
  [[nodiscard]] std::uint64_t packets_of(std::uint64_t bytes) const;
  [[nodiscard]] std::uint64_t packets_carried(NodeId node, NodePort port) const;
  [[nodiscard]] std::uint64_t bytes_carried_by_edge(std::uint32_t die, Direction edge) const;
  [[nodiscard]] std::uint32_t dies_in_use() const;  // dies that have taken memory

 private:
  struct Fabric;     // calendars of one die
  struct Dip;        // calendars of one interface processor
  struct TileEdges;  // calendars of one tile's four edges
  struct Train;      // a transfer on its way: when its first and its last packet come next

  Fabric& fabric(std::uint32_t die);
  Dip& dip(std::uint32_t index);
  void hop(Fabric& die, NodeId from, Direction direction, Train& train);
  void cross(NodeId from, Direction direction, NodeId to, Train& train);
  void travel(NodeId source, NodeId destination, Train& train);
  void deliver(NodeId destination, Train& train);
  void spread(const MulticastPlan& plan, const Train& start, std::span<std::uint64_t> arrivals);
  void access(Dip& dip, DipEnd end, bool towards_mesh, Train& train);
  void enter_mesh(Dip& dip, std::uint32_t port, Train& train);
  void leave_mesh(Dip& dip, std::uint32_t port, Train& train);
  [[nodiscard]] Train train(std::uint64_t bytes, std::uint64_t departure) const;

  struct Cycles {  // the description's times, in cycles
    std::uint64_t injection, hop, crossing, ttp, hbm, pcie;
  };

  struct Impl;
  const Geometry& geometry_;
  std::uint64_t packet_bytes_;
  std::uint64_t watermark_ = 0;
  Cycles cycles_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace d1::emulator
