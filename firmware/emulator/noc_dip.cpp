// SPDX-License-Identifier: Apache-2.0
// Transfers that begin or end at an interface processor.
#include <algorithm>
#include <cassert>

#include "d1/emulator/noc.hpp"
#include "noc_fabric.hpp"

namespace d1::emulator {

Noc::Dip& Noc::dip(std::uint32_t index) {
  assert(index < impl_->dip_calendars.size());
  auto& known = impl_->dip_calendars[index];
  if (!known) {
    const MachineDescription& machine = geometry_.machine();
    const std::uint32_t cycles = machine.bucket_cycles;
    const auto buckets = [&](std::uint64_t bandwidth) {
      return TimeBuckets(machine.bytes_in(bandwidth, cycles), cycles);
    };
    const std::size_t ports = geometry_.dips()[index].ports.size();
    known =
        std::make_unique<Dip>(Dip{buckets(machine.hbm_bandwidth), buckets(machine.ttp_bandwidth),
                                  buckets(machine.ttp_bandwidth), buckets(machine.pcie_bandwidth),
                                  buckets(machine.pcie_bandwidth), std::vector<PacketSlots>(ports),
                                  std::vector<PacketSlots>(ports)});
  }
  return *known;
}

// What lies behind the DIP, in the direction the data takes.
void Noc::access(Dip& dip, DipEnd end, bool towards_mesh, Train& train) {
  switch (end) {
    case DipEnd::Processor:
      break;
    case DipEnd::Hbm:
      train.pass(dip.hbm, watermark_);
      train.delay(cycles_.hbm);
      break;
    case DipEnd::Host:
      train.pass(towards_mesh ? dip.from_host : dip.to_host, watermark_);
      train.delay(cycles_.pcie);
      break;
  }
}

void Noc::enter_mesh(Dip& dip, std::uint32_t port, Train& train) {
  train.pass(dip.to_mesh, watermark_);
  train.pass(dip.entries[port].reserve(train.head, train.packets, watermark_));
  train.delay(cycles_.ttp);
}

void Noc::leave_mesh(Dip& dip, std::uint32_t port, Train& train) {
  const Passage passage = dip.exits[port].reserve(train.head, train.packets, watermark_);
  train.pass(passage);
  const std::uint64_t free_flow = train.tail;
  train.pass(dip.from_mesh, watermark_);
  // As at the border between dies: what is held up here is not overtaken.
  if (train.tail > free_flow) dip.exits[port].block(passage.first, train.tail, watermark_);
  train.delay(cycles_.ttp);
}

std::uint64_t Noc::send_to_dip(NodeId source, std::uint32_t index, DipEnd end, std::uint64_t bytes,
                               std::uint64_t departure) {
  assert(geometry_.usable(source));
  const std::uint32_t port = geometry_.nearest_dip_port(index, geometry_.mesh_row(source));
  Train train = this->train(bytes, departure);
  train.pass(fabric(source.die)
                 .port(source.node, NodePort::Out)
                 .reserve(train.head, train.packets, watermark_));
  train.delay(cycles_.injection);
  travel(source, geometry_.dips()[index].ports[port], train);
  leave_mesh(dip(index), port, train);
  access(dip(index), end, false, train);
  return train.tail;
}

std::uint64_t Noc::send_from_dip(std::uint32_t index, DipEnd end, NodeId destination,
                                 std::uint64_t bytes, std::uint64_t departure) {
  assert(geometry_.usable(destination));
  const std::uint32_t port = geometry_.nearest_dip_port(index, geometry_.mesh_row(destination));
  Train train = this->train(bytes, departure);
  access(dip(index), end, true, train);
  enter_mesh(dip(index), port, train);
  travel(geometry_.dips()[index].ports[port], destination, train);
  deliver(destination, train);
  return train.tail;
}

namespace {

// A transfer that never is in packets of the mesh: as fast as the slowest it passes.
std::uint64_t flow_of(const MachineDescription& machine, std::uint64_t bandwidth) {
  return machine.bytes_in(bandwidth, 1);
}

}  // namespace

std::uint64_t Noc::host_to_hbm(std::uint32_t index, std::uint64_t bytes, std::uint64_t departure) {
  const MachineDescription& machine = geometry_.machine();
  Train train = this->train(bytes, departure);
  train.tail = train.head;
  train.flow = flow_of(machine, std::min(machine.pcie_bandwidth, machine.hbm_bandwidth));
  access(dip(index), DipEnd::Host, true, train);
  access(dip(index), DipEnd::Hbm, false, train);
  return train.tail;
}

std::uint64_t Noc::hbm_to_host(std::uint32_t index, std::uint64_t bytes, std::uint64_t departure) {
  const MachineDescription& machine = geometry_.machine();
  Train train = this->train(bytes, departure);
  train.tail = train.head;
  train.flow = flow_of(machine, std::min(machine.pcie_bandwidth, machine.hbm_bandwidth));
  access(dip(index), DipEnd::Hbm, true, train);
  access(dip(index), DipEnd::Host, false, train);
  return train.tail;
}

std::uint64_t Noc::host_to_dip(std::uint32_t index, std::uint64_t bytes, std::uint64_t departure) {
  Train train = this->train(bytes, departure);
  train.tail = train.head;
  train.flow = flow_of(geometry_.machine(), geometry_.machine().pcie_bandwidth);
  access(dip(index), DipEnd::Host, true, train);
  return train.tail;
}

std::uint64_t Noc::dip_to_host(std::uint32_t index, std::uint64_t bytes, std::uint64_t departure) {
  Train train = this->train(bytes, departure);
  train.tail = train.head;
  train.flow = flow_of(geometry_.machine(), geometry_.machine().pcie_bandwidth);
  access(dip(index), DipEnd::Host, false, train);
  return train.tail;
}

}  // namespace d1::emulator
