// SPDX-License-Identifier: Apache-2.0
// The quantum's end: everything nodes sent is put in one order and carried out, data and time. Also
// the way by which the DIP reaches nodes. Only the committing thread comes here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <d1/emulator/noc.hpp>

#include "faults/link_faults.hpp"
#include "faults/memory_errors.hpp"
#include "held_packets.hpp"
#include "machine_state.hpp"
#include "packet.hpp"
#include "packet_order.hpp"
#include "pending_copies.hpp"

namespace d1::emulator {

// What nodes tell the DIP. Times in ticks: when it left the node.
class DipSink {
 public:
  virtual void node_completed(NodeIndex node, unsigned hart, std::uint64_t value,
                              std::uint64_t time) = 0;
  virtual void printed(NodeIndex node, unsigned hart, std::uint64_t time,
                       std::string_view text) = 0;

 protected:
  ~DipSink() = default;
};

class Fabric {
 public:
  explicit Fabric(MachineState& machine);

  void set_sink(DipSink* sink) noexcept { sink_ = sink; }
  // Faulty links, null while there are none; memory with errors.
  void set_faults(LinkFaults* faults) noexcept { faults_ = faults; }
  void set_errors(MemoryErrors* errors) noexcept { errors_ = errors; }

  // Sorts and carries out all packets, empties the outboxes; continues the trace hash. A seed other
  // than 0 holds some of them back for later commits. The pool's threads share what is copied.
  std::uint64_t commit(std::vector<Outbox>& outboxes, std::uint64_t seed, std::uint64_t trace,
                       WorkerPool& pool);

  // Packets are held back: somebody may wait for them, so commits must go on.
  [[nodiscard]] bool holding() const noexcept { return !held_.empty(); }
  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }

  // Nodes that got something since clear_touched(): they may be able to run.
  [[nodiscard]] const std::vector<NodeIndex>& touched() const noexcept { return touched_; }
  void clear_touched() noexcept { touched_.clear(); }

  [[nodiscard]] std::shared_ptr<const GridRoutes> routes_of(const Grid& grid);
  // A post arrives at the node, which counts as touched.
  void post(NodeIndex node, unsigned semaphore, std::uint64_t count, std::uint64_t arrival) {
    machine_.node(node).deliver_post(semaphore, count, arrival);
    touched_.push_back(node);
  }
  // When a packet that leaves the DIP at `departure` is at each node of a grid: cycles, by rank,
  // until the next call. kNotReached: a fault is in its way.
  static constexpr std::uint64_t kNotReached = ~std::uint64_t{0};
  std::span<const std::uint64_t> reach_from_dip(const Grid& grid, const GridRoutes& routes,
                                                std::uint64_t departure);
  // From the DIP, times in ticks: the same post to all nodes of a grid, or to one node, leaving at
  // `departure`; the last arrival. The nodes count as touched.
  std::uint64_t post_from_dip(const Grid& grid, const GridRoutes& routes, unsigned semaphore,
                              std::uint64_t count, std::uint64_t departure);
  std::uint64_t post_from_dip(NodeId node, unsigned semaphore, std::uint64_t count,
                              std::uint64_t departure);
  // When a command rung at `start` has been fetched from the host.
  std::uint64_t host_to_dip(std::uint64_t start);
  // When a copy of the DIP that began at `start` is done.
  enum class CopyRoute : std::uint8_t { FromHost, ToHost, Device };
  std::uint64_t dip_copy(std::uint64_t bytes, CopyRoute route, std::uint64_t start);

  // No packet will depart before (ticks): the NoC may forget what is older.
  void retire_before(std::uint64_t ticks) {
    retired_ = std::max(retired_, ticks);
    noc_.retire_before(ticks / isa::kTicksPerCycle);
  }
  [[nodiscard]] Noc& noc() noexcept { return noc_; }
  [[nodiscard]] std::uint64_t packets() const noexcept { return packets_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  [[nodiscard]] std::uint64_t launch_of(const Packet& packet) const;
  void carry_out_held();
  void prefetch(const Packet& packet) const noexcept;
  void carry_out(const Packet& packet);
  void carry_out_intact(const Packet& packet);
  // fabric_faults.cpp: what faulty links do to a packet.
  void carry_out_faulty(Packet packet);
  [[nodiscard]] LinkFaults::Passage passage(const Packet& packet);
  [[nodiscard]] LinkFaults::Passage passage_of_transfer(const Packet& packet);
  [[nodiscard]] bool unreached(NodeId from, NodeId to) {
    return faults_ != nullptr && !faults_->reaches(from, to);
  }
  void lose(const Packet& packet);
  [[nodiscard]] NodeId port_for(const Packet& packet) const;
  void corrupt_arrived(const Packet& packet);
  void corrupt(NodeIndex where, std::uint64_t offset, std::uint64_t bytes);
  void check_read(const Packet& reader, std::uint64_t hbm_offset, std::uint64_t pitch,
                  std::uint64_t row_bytes, std::uint32_t rows);
  void remote_access(const Packet& packet);
  void transfer(const Packet& packet);
  std::uint64_t put(const Packet& packet, const PendingCopies::Place& from);
  [[nodiscard]] PendingCopies::Place sram(NodeIndex node, std::uint64_t offset,
                                          std::uint64_t pitch) const;
  [[nodiscard]] PendingCopies::Place hbm(std::uint64_t offset, std::uint64_t pitch) const;
  void get(const Packet& packet);
  [[nodiscard]] std::uint32_t dip_of(std::uint64_t hbm_offset) const;
  void leave_source(HeldPackets::Entry& entry);
  void source_free(const Packet& packet, std::uint64_t when);
  void multicast(const Packet& packet, std::uint64_t bytes);
  [[nodiscard]] const LaunchContext::Multicast& tree_of(const Packet& packet,
                                                        LaunchContext& launch);
  void grid_barrier(const Packet& packet);
  void finish(const Packet& packet, std::uint64_t local, std::uint64_t far);
  void written(NodeIndex node, std::uint64_t offset, std::uint64_t bytes);
  [[nodiscard]] std::uint64_t latency(NodeId from, NodeId to);
  std::uint64_t deliver(NodeIndex from, NodeIndex to, std::uint64_t bytes, std::uint64_t departure);

  MachineState& machine_;
  Noc noc_;
  DipSink* sink_ = nullptr;
  LinkFaults* faults_ = nullptr;
  MemoryErrors* errors_ = nullptr;
  bool corrupt_value_ = false;  // of the access that is carried out
  HeldPackets held_;
  PendingCopies copies_;
  std::uint64_t retired_ = 0;  // ticks
  std::vector<NodeIndex> touched_;
  PacketOrder order_;
  std::vector<std::uint64_t> arrivals_;
  std::uint64_t packets_ = 0, bytes_ = 0;
};

}  // namespace d1::emulator
