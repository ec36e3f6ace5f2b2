// SPDX-License-Identifier: Apache-2.0
// What faulty links and lost dies do to messages (faults/). Routers protect what steers a message;
// its data they do not.
#include <algorithm>
#include <cstring>

#include "fabric.hpp"
#include "fabric_wire.hpp"

namespace d1::emulator {

using namespace wire;

LinkFaults::Passage Fabric::passage(const Packet& packet) {
  const NodeId source = machine_.place(packet.source);
  const NodeId dip = machine_.geometry().dip_port(kCommandDip);
  const auto both_ways = [&](NodeId other) {
    LinkFaults::Passage way = faults_->pass(source, other, kPacketBytes, packet.departure);
    const LinkFaults::Passage back = faults_->pass(other, source, kPacketBytes, way.departure);
    return LinkFaults::Passage{way.lost || back.lost, way.corrupt || back.corrupt, back.departure};
  };
  switch (packet.kind) {
    case PacketKind::Load: case PacketKind::Store: case PacketKind::Amo:
      return both_ways(packet.destination == kHbmDestination ? port_for(packet)
                                                             : machine_.place(packet.destination));
    case PacketKind::Post:
      return faults_->pass(source, machine_.place(packet.destination), kPacketBytes,
                           packet.departure);
    case PacketKind::Transfer:
      return passage_of_transfer(packet);
    case PacketKind::GridBarrier: {
      const LaunchContext* launch = machine_.node(packet.source).launch();
      if (launch == nullptr) return {.departure = packet.departure};
      return faults_->pass(source, launch->grid->node(0), kPacketBytes, packet.departure);
    }
    case PacketKind::Complete: case PacketKind::Stopped: case PacketKind::Print:
      return faults_->pass(source, dip, kPacketBytes, packet.departure);
  }
  return {.departure = packet.departure};
}

LinkFaults::Passage Fabric::passage_of_transfer(const Packet& packet) {
  const d1_transfer& t = packet.transfer;
  const NodeId source = machine_.place(packet.source);
  const std::uint64_t bytes = wire_bytes(t);
  if (t.kind == D1_TRANSFER_MULTICAST) {
    LaunchContext* launch = machine_.node(packet.source).launch();
    if (launch == nullptr) return {.departure = packet.departure};
    std::vector<NodeId> targets;
    for (const NodeIndex id : tree_of(packet, *launch).targets)
      targets.push_back(machine_.place(id));
    // Who is lost or gets wrong data is seen target by target.
    return {.departure = faults_->pass(source, targets, bytes, packet.departure).departure};
  }
  const bool hbm = d1_address_kind(t.remote) == D1_ADDRESS_HBM;
  const NodeId other = hbm ? port_for(packet) : machine_.place(packet.destination);
  if (t.kind == D1_TRANSFER_PUT) return faults_->pass(source, other, bytes, packet.departure);
  const auto asked = faults_->pass(source, other, kPacketBytes, packet.departure);
  const auto data = faults_->pass(other, source, bytes, asked.departure);
  return {asked.lost || data.lost, data.corrupt, data.departure};
}

// Where a message to HBM leaves the mesh.
NodeId Fabric::port_for(const Packet& packet) const {
  const std::uint32_t dip = dip_of(d1_address_hbm(packet.transfer.remote));
  const Geometry& geometry = machine_.geometry();
  const std::uint32_t row = geometry.mesh_row(machine_.place(packet.source));
  return geometry.dips()[dip].ports[geometry.nearest_dip_port(dip, row)];
}

void Fabric::carry_out_faulty(Packet packet) {
  const LinkFaults::Passage way = passage(packet);
  packet.departure = way.departure;
  if (way.lost) return lose(packet);
  if (way.corrupt && packet.kind == PacketKind::Store)
    faults_->corrupt(reinterpret_cast<std::uint8_t*>(&packet.value), packet.bytes);
  corrupt_value_ = way.corrupt;
  carry_out_intact(packet);
  corrupt_value_ = false;
  if (way.corrupt && packet.kind == PacketKind::Transfer) corrupt_arrived(packet);
}

// A put that is lost was complete at its source all the same; nobody hears of anything else.
void Fabric::lose(const Packet& packet) {
  if (packet.kind == PacketKind::Transfer && packet.transfer.kind == D1_TRANSFER_PUT)
    source_free(packet, taken_at(packet));
}

void Fabric::corrupt_arrived(const Packet& packet) {
  const d1_transfer& t = packet.transfer;
  if (t.kind == D1_TRANSFER_GET) corrupt(packet.source, t.local, t.row_bytes);
  else if (d1_address_kind(t.remote) != D1_ADDRESS_HBM)
    corrupt(packet.destination, packet.offset, t.row_bytes);
  else corrupt(kHbmDestination, d1_address_hbm(t.remote), t.row_bytes);
}

void Fabric::corrupt(NodeIndex where, std::uint64_t offset, std::uint64_t bytes) {
  copies_.finish();
  std::uint8_t* const memory = where == kHbmDestination ? machine_.hbm() : machine_.sram(where);
  faults_->corrupt(memory + offset, bytes);
}

// A hart reads HBM: if that has an uncorrected error, the hart learns of it.
void Fabric::check_read(const Packet& reader, std::uint64_t hbm_offset, std::uint64_t pitch,
                        std::uint64_t row_bytes, std::uint32_t rows) {
  if (errors_ == nullptr || !errors_->any()) return;
  copies_.finish();
  for (std::uint32_t row = 0; row < rows; ++row) {
    const std::uint8_t* const begin = machine_.hbm() + hbm_offset + row * pitch;
    const std::uint8_t* const bad = errors_->find(begin, row_bytes);
    if (bad == nullptr) continue;
    machine_.node(reader.source)
        .memory_error(1u << reader.hart,
                      d1_hbm_address(static_cast<std::uint64_t>(bad - machine_.hbm())), retired_);
    touched_.push_back(reader.source);
    return;
  }
}

}  // namespace d1::emulator
