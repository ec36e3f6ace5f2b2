// SPDX-License-Identifier: Apache-2.0
#include "fabric.hpp"

#include <algorithm>
#include <cstring>

#include <d1/isa/memory.hpp>

#include "fabric_wire.hpp"
#include "mix.hpp"

namespace d1::emulator {

using namespace wire;

namespace {

constexpr std::size_t kAhead = 8;  // own: packets, each some 100 ns, until what they need is here

std::uint64_t apply_amo(unsigned function, std::uint64_t old, std::uint64_t operand,
                        unsigned bytes) {
  const auto sign = [bytes](std::uint64_t value) {
    return bytes == 4 ? static_cast<std::int64_t>(static_cast<std::int32_t>(value))
                      : static_cast<std::int64_t>(value);
  };
  const auto zero = [bytes](std::uint64_t value) {
    return bytes == 4 ? value & 0xffffffff : value;
  };
  switch (function) {  // funct5 of the A extension
    case 0x00: return old + operand;
    case 0x01: return operand;
    case 0x04: return old ^ operand;
    case 0x08: return old | operand;
    case 0x0c: return old & operand;
    case 0x10: return sign(old) < sign(operand) ? old : operand;
    case 0x14: return sign(old) > sign(operand) ? old : operand;
    case 0x18: return zero(old) < zero(operand) ? old : operand;
    case 0x1c: return zero(old) > zero(operand) ? old : operand;
    default: return old;
  }
}

}  // namespace

Fabric::Fabric(MachineState& machine) : machine_(machine), noc_(machine.geometry()) {}

std::uint64_t Fabric::commit(std::vector<Outbox>& outboxes, std::uint64_t seed,
                             std::uint64_t trace, WorkerPool& pool) {
  // What is held back has its data elsewhere, and for a short time.
  copies_.share_with(seed == 0 ? &pool : nullptr);
  order_.sort(outboxes, seed);
  if (seed != 0) carry_out_held();
  if (order_.size() == 0) return trace;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    if (i + 2 * kAhead < order_.size()) __builtin_prefetch(&order_[i + 2 * kAhead]);
    if (i + kAhead < order_.size()) prefetch(order_[i + kAhead]);
    const Packet& packet = order_[i];
    trace = mix(trace ^ packet.departure) + packet.source;
    trace = mix(trace ^ packet.value) + (std::uint64_t{packet.destination} << 32 | packet.offset);
    HeldPackets::Entry* held =
        seed == 0 ? nullptr : held_.take(packet, launch_of(packet), seed);
    if (held == nullptr) carry_out(packet);
    else if (held->left) leave_source(*held);
  }
  copies_.finish();
  for (Outbox& outbox : outboxes) outbox.clear();
  return trace;
}

// What carrying the packet out begins with.
void Fabric::prefetch(const Packet& packet) const noexcept {
  machine_.prefetch(packet.source);
  if (packet.kind != PacketKind::Transfer) return;
  __builtin_prefetch(machine_.sram(packet.source) + packet.transfer.local);
  if (packet.transfer.kind != D1_TRANSFER_PUT || packet.destination >= machine_.positions()) return;
  machine_.prefetch(packet.destination);
  __builtin_prefetch(machine_.sram(packet.destination) + packet.offset, 1);
}

// The launch a packet is part of: of a post where it goes, of a transfer where it comes from.
std::uint64_t Fabric::launch_of(const Packet& packet) const {
  const Node* node =
      machine_.find(packet.kind == PacketKind::Post ? packet.destination : packet.source);
  const LaunchContext* launch = node != nullptr ? node->launch() : nullptr;
  return launch != nullptr ? launch->id : 0;
}

// What was held back and is due. What belongs to a launch that has ended meanwhile is gone with it.
void Fabric::carry_out_held() {
  for (HeldPackets::Entry& entry : held_.release()) {
    if (launch_of(entry.packet) != entry.launch) continue;
    entry.packet.departure = std::max(entry.packet.departure, retired_);
    if (!entry.left) {
      carry_out(entry.packet);
      continue;
    }
    ++packets_;
    LinkFaults::Passage way{.departure = entry.packet.departure};
    if (faults_ != nullptr) way = passage(entry.packet);  // it has left, and can still be hit
    if (way.lost) continue;
    entry.packet.departure = way.departure;
    const std::uint64_t arrival =
        put(entry.packet, {entry.packet.source, entry.packet.transfer.local, entry.data.data(),
                           entry.packet.transfer.row_bytes});
    if (way.corrupt) corrupt_arrived(entry.packet);
    machine_.node(entry.packet.source).transfer_far(entry.packet.hart, arrival);
    touched_.push_back(entry.packet.source);
  }
}

// The data of a put is on its way: it is complete at its source.
void Fabric::leave_source(HeldPackets::Entry& entry) {
  const d1_transfer& t = entry.packet.transfer;
  entry.data.resize(std::uint64_t{t.rows} * t.row_bytes);
  const std::uint8_t* const from = machine_.sram(entry.packet.source) + t.local;
  for (std::uint32_t row = 0; row < t.rows; ++row)
    std::memcpy(entry.data.data() + std::uint64_t{row} * t.row_bytes, from + row * t.local_pitch,
                t.row_bytes);
  source_free(entry.packet, taken_at(entry.packet));
}

void Fabric::carry_out(const Packet& packet) {
  ++packets_;
  if (faults_ == nullptr) carry_out_intact(packet);
  else carry_out_faulty(packet);
}

void Fabric::carry_out_intact(const Packet& packet) {
  switch (packet.kind) {
    case PacketKind::Load: case PacketKind::Store: case PacketKind::Amo:
      remote_access(packet);
      break;
    case PacketKind::Post:
      post(packet.destination, packet.offset, packet.value,
           deliver(packet.source, packet.destination, kPacketBytes, packet.departure));
      break;
    case PacketKind::Transfer:
      transfer(packet);
      break;
    case PacketKind::GridBarrier:
      grid_barrier(packet);
      break;
    case PacketKind::Complete:
      copies_.finish();  // the host may look
      sink_->node_completed(packet.source, packet.hart, packet.value, packet.departure);
      break;
    case PacketKind::Stopped:
      copies_.finish();
      sink_->node_completed(packet.source, packet.hart, 2, packet.departure);
      break;
    case PacketKind::Print:  // its text is there: those that print are never held back
      sink_->printed(packet.source, packet.hart, packet.departure,
                     std::string_view(*packet.text).substr(packet.text_at, packet.text_bytes));
      break;
  }
}

std::uint64_t Fabric::deliver(NodeIndex from, NodeIndex to, std::uint64_t bytes,
                              std::uint64_t departure) {
  bytes_ += bytes;
  return noc_.send(machine_.place(from), machine_.place(to), bytes, to_cycle(departure)) * kTicks;
}

// Without contention; the way back is as long.
std::uint64_t Fabric::latency(NodeId from, NodeId to) {
  const MachineDescription& machine = machine_.description();
  const Route route = noc_.route(from, to);
  return (machine.injection_cycles + std::uint64_t{route.hops} * machine.hop_cycles +
          route.crossings * machine.cycles(machine.die_crossing_ns)) *
         kTicks;
}

std::shared_ptr<const GridRoutes> Fabric::routes_of(const Grid& grid) {
  const NodeId port = machine_.geometry().dip_port(kCommandDip);
  const MachineDescription& machine = machine_.description();
  auto routes = std::make_shared<GridRoutes>();
  routes->plan = noc_.plan(port, grid.nodes());
  for (const NodeId node : grid.nodes()) {
    routes->to_dip.push_back(static_cast<std::uint32_t>(
        latency(port, node) + machine.cycles(machine.ttp_latency_ns) * kTicks));
    routes->from_first.push_back(static_cast<std::uint32_t>(latency(grid.node(0), node)));
  }
  return routes;
}

std::span<const std::uint64_t> Fabric::reach_from_dip(const Grid& grid, const GridRoutes& routes,
                                                      std::uint64_t departure) {
  arrivals_.resize(routes.plan.destination_count());
  noc_.multicast_from_dip(kCommandDip, DipEnd::Processor, routes.plan, kPacketBytes,
                          to_cycle(departure), arrivals_);
  if (faults_ == nullptr) return arrivals_;
  for (std::uint32_t rank = 0; rank < grid.size(); ++rank)
    if (unreached(machine_.geometry().dip_port(kCommandDip), grid.node(rank)))
      arrivals_[rank] = kNotReached;
  return arrivals_;
}

std::uint64_t Fabric::post_from_dip(const Grid& grid, const GridRoutes& routes, unsigned semaphore,
                                    std::uint64_t count, std::uint64_t departure) {
  const std::span<const std::uint64_t> arrivals = reach_from_dip(grid, routes, departure);
  std::uint64_t last = departure;
  for (std::uint32_t rank = 0; rank < grid.size(); ++rank) {
    if (arrivals[rank] == kNotReached) continue;
    last = std::max(last, arrivals[rank] * kTicks);
    post(machine_.id_of(grid.node(rank)), semaphore, count, arrivals[rank] * kTicks);
  }
  return last;
}

std::uint64_t Fabric::post_from_dip(NodeId node, unsigned semaphore, std::uint64_t count,
                                    std::uint64_t departure) {
  if (unreached(machine_.geometry().dip_port(kCommandDip), node)) return departure;
  const std::uint64_t arrival =
      noc_.send_from_dip(kCommandDip, DipEnd::Processor, node, kPacketBytes, to_cycle(departure)) *
      kTicks;
  post(machine_.id_of(node), semaphore, count, arrival);
  return arrival;
}

std::uint64_t Fabric::host_to_dip(std::uint64_t start) {
  return noc_.host_to_dip(kCommandDip, kCommandBytes, to_cycle(start)) * kTicks;
}

std::uint64_t Fabric::dip_copy(std::uint64_t bytes, CopyRoute route, std::uint64_t start) {
  const std::uint64_t cycle = to_cycle(start);
  switch (route) {
    case CopyRoute::FromHost:
      return noc_.host_to_hbm(kCommandDip, bytes, cycle) * kTicks;
    case CopyRoute::ToHost:
      return noc_.hbm_to_host(kCommandDip, bytes, cycle) * kTicks;
    case CopyRoute::Device:
      break;
  }
  // Read and written at the speed of one DIP's HBM.
  const auto& machine = machine_.description();
  const std::uint64_t bytes_a_cycle = machine.bytes_in(machine.hbm_bandwidth, 1);
  return (cycle + machine.cycles(machine.hbm_latency_ns) + 2 * bytes / bytes_a_cycle) * kTicks;
}

// A transfer changed bytes of the node: reservations on them end.
void Fabric::written(NodeIndex id, std::uint64_t offset, std::uint64_t bytes) {
  if (Node* node = machine_.find(id); node != nullptr) node->break_reservations(offset, bytes);
}

// A scalar access to another node or to HBM; the answer carries data or says that it is done.
void Fabric::remote_access(const Packet& packet) {
  copies_.finish();
  const bool hbm = packet.destination == kHbmDestination;
  const std::uint64_t hbm_offset = d1_address_hbm(packet.transfer.remote);
  const NodeId source = machine_.place(packet.source);
  if (hbm) bytes_ += 2 * kPacketBytes;
  const std::uint64_t there =
      hbm ? noc_.send_to_dip(source, dip_of(hbm_offset), DipEnd::Hbm, kPacketBytes,
                             to_cycle(packet.departure)) *
                kTicks
          : deliver(packet.source, packet.destination, kPacketBytes, packet.departure);
  std::uint8_t* at =
      hbm ? machine_.hbm() + hbm_offset : machine_.sram(packet.destination) + packet.offset;
  std::uint64_t old = 0;
  if (packet.kind == PacketKind::Store) {
    std::memcpy(at, &packet.value, packet.bytes);
  } else {
    std::memcpy(&old, at, packet.bytes);
    if (corrupt_value_)
      faults_->corrupt(reinterpret_cast<std::uint8_t*>(&old), packet.bytes);
    if (hbm) check_read(packet, hbm_offset, 0, packet.bytes, 1);
    if (packet.kind == PacketKind::Amo) {
      const std::uint64_t changed = apply_amo(packet.function, old, packet.value, packet.bytes);
      std::memcpy(at, &changed, packet.bytes);
    }
  }
  if (packet.kind != PacketKind::Load && !hbm)
    written(packet.destination, packet.offset, packet.bytes);
  const std::uint64_t back =
      hbm ? noc_.send_from_dip(dip_of(hbm_offset), DipEnd::Processor, source, kPacketBytes,
                               to_cycle(there)) *
                kTicks
          : deliver(packet.destination, packet.source, kPacketBytes, there);
  machine_.node(packet.source).deliver_response(packet.hart, old, back);
  touched_.push_back(packet.source);
}

void Fabric::finish(const Packet& packet, std::uint64_t local, std::uint64_t far) {
  source_free(packet, local);
  machine_.node(packet.source).transfer_far(packet.hart, far);
}

// Complete at the side that issued it: the source may be reused, or the data of a get is there.
void Fabric::source_free(const Packet& packet, std::uint64_t when) {
  machine_.node(packet.source).transfer_local(packet.hart, when);
  if (packet.transfer.local_semaphore != D1_NO_SEMAPHORE)
    post(packet.source, packet.transfer.local_semaphore, 1, when);
  touched_.push_back(packet.source);
}

PendingCopies::Place Fabric::sram(NodeIndex node, std::uint64_t offset,
                                  std::uint64_t pitch) const {
  return {node, offset, machine_.sram(node) + offset, pitch};
}

PendingCopies::Place Fabric::hbm(std::uint64_t offset, std::uint64_t pitch) const {
  return {kHbmDestination, offset, machine_.hbm() + offset, pitch};
}

void Fabric::transfer(const Packet& packet) {
  const d1_transfer& t = packet.transfer;
  if (t.kind == D1_TRANSFER_MULTICAST) return multicast(packet, wire_bytes(t));
  if (t.kind == D1_TRANSFER_GET) return get(packet);
  const std::uint64_t arrival = put(packet, sram(packet.source, t.local, t.local_pitch));
  finish(packet, std::min(taken_at(packet), arrival), arrival);
}

// Data and post of a put; when the last of it is there.
std::uint64_t Fabric::put(const Packet& packet, const PendingCopies::Place& from) {
  const d1_transfer& t = packet.transfer;
  const std::uint64_t bytes = wire_bytes(t);
  if (d1_address_kind(t.remote) == D1_ADDRESS_HBM) {
    const std::uint64_t offset = d1_address_hbm(t.remote);
    copies_.add(hbm(offset, t.remote_pitch), from, t.rows, t.row_bytes);
    bytes_ += bytes;
    return noc_.send_to_dip(machine_.place(packet.source), dip_of(offset), DipEnd::Hbm, bytes,
                            to_cycle(packet.departure)) *
           kTicks;
  }
  copies_.add(sram(packet.destination, packet.offset, t.remote_pitch), from, t.rows, t.row_bytes);
  written(packet.destination, packet.offset, extent(t, t.remote_pitch));
  const std::uint64_t arrival = deliver(packet.source, packet.destination, bytes, packet.departure);
  if (t.remote_semaphore != D1_NO_SEMAPHORE)
    post(packet.destination, t.remote_semaphore, 1, arrival);
  return arrival;
}

void Fabric::get(const Packet& packet) {
  const d1_transfer& t = packet.transfer;
  const std::uint64_t bytes = wire_bytes(t);
  const PendingCopies::Place local = sram(packet.source, t.local, t.local_pitch);
  std::uint64_t arrival;
  if (d1_address_kind(t.remote) == D1_ADDRESS_HBM) {
    const std::uint64_t offset = d1_address_hbm(t.remote);
    copies_.add(local, hbm(offset, t.remote_pitch), t.rows, t.row_bytes);
    check_read(packet, offset, t.remote_pitch, t.row_bytes, t.rows);
    bytes_ += bytes + kPacketBytes;
    const NodeId source = machine_.place(packet.source);
    const std::uint64_t asked = noc_.send_to_dip(source, dip_of(offset), DipEnd::Processor,
                                                 kPacketBytes, to_cycle(packet.departure));
    arrival = noc_.send_from_dip(dip_of(offset), DipEnd::Hbm, source, bytes, asked) * kTicks;
  } else {
    const std::uint64_t asked =
        deliver(packet.source, packet.destination, kPacketBytes, packet.departure);
    copies_.add(local, sram(packet.destination, packet.offset, t.remote_pitch), t.rows,
                t.row_bytes);
    arrival = deliver(packet.destination, packet.source, bytes, asked);
    if (t.remote_semaphore != D1_NO_SEMAPHORE)
      post(packet.destination, t.remote_semaphore, 1, asked + bytes / kPacketBytes * kTicks);
  }
  written(packet.source, t.local, extent(t, t.local_pitch));
  finish(packet, arrival, arrival);
}

std::uint32_t Fabric::dip_of(std::uint64_t hbm_offset) const {
  return static_cast<std::uint32_t>(hbm_offset / machine_.description().hbm_bytes);
}

}  // namespace d1::emulator
