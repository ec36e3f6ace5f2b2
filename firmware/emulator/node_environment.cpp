// SPDX-License-Identifier: Apache-2.0
// What a node answers to its instructions: addresses outside the window, semaphores, barriers,
// transfers, the DIP. Everything that leaves the node goes to the outbox.
#include <algorithm>
#include <cstring>

#include <d1/abi/log.h>
#include <d1/isa/csr.hpp>
#include <d1/isa/memory.hpp>

#include "machine_state.hpp"
#include "node.hpp"

namespace d1::emulator {

using isa::Cause;
using isa::Hart;
using isa::Operation;
using isa::Outcome;
using isa::WaitKind;

Outcome Node::park(Hart& hart, const Operation& operation, WaitKind kind, std::uint64_t index,
                   std::uint64_t amount) {
  hart.pc = operation.pc;
  hart.wait = {kind, static_cast<std::uint32_t>(index), amount, 0};
  return Outcome::Park;
}

// Which node, and where in it, a global address names; checked against the machine and the launch.
Node::Target Node::resolve(std::uint64_t address) const {
  const std::uint32_t offset = d1_address_offset(address);
  switch (d1_address_kind(address)) {
    case D1_ADDRESS_LOCAL:
      return {address <= 0xffffffff ? Target::Own : Target::Bad, id_,
              static_cast<std::uint32_t>(address)};
    case D1_ADDRESS_NODE: {
      const std::uint32_t die = d1_address_die(address), node = d1_address_node(address);
      if (address >> 62 != D1_ADDRESS_NODE || (address << 2 >> 49) != 0 ||
          !machine_.usable(die, node))
        return {Target::Bad, 0, 0};
      const NodeIndex id = machine_.id_of(die, node);
      return {id == id_ ? Target::Own : Target::Remote, id, offset};
    }
    case D1_ADDRESS_GRID: {
      const std::uint64_t rank = address << 2 >> (2 + D1_OFFSET_BITS);
      if (launch_ == nullptr || rank >= launch_->grid->size()) return {Target::Bad, 0, 0};
      const NodeIndex id = machine_.id_of(launch_->grid->node(static_cast<std::uint32_t>(rank)));
      return {id == id_ ? Target::Own : Target::Remote, id, offset};
    }
    default:
      if (address == D1_DIP_COMPLETION_ADDRESS) return {Target::Dip, 0, 0};
      return {address == d1_hbm_address(d1_address_hbm(address)) ? Target::Hbm : Target::Bad,
              kHbmDestination, 0};
  }
}

// Whether one packet can read or write these bytes of what is not this hart's window.
bool Node::reachable(const Target& target, std::uint64_t address, unsigned bytes) const {
  switch (target.kind) {
    case Target::Own:
    case Target::Remote:
      return target.offset >= D1_NULL_BYTES && target.offset < D1_SRAM_BYTES &&
             bytes <= D1_SRAM_BYTES - target.offset;
    case Target::Hbm:
      return d1_address_hbm(address) < machine_.hbm_bytes() &&
             bytes <= machine_.hbm_bytes() - d1_address_hbm(address);
    case Target::Dip:
    case Target::Bad:
      return false;
  }
  return false;
}

namespace {

Outcome access_fault(Hart& hart, const Operation& operation, std::uint64_t address, bool write) {
  if (d1_address_kind(address) == D1_ADDRESS_GRID)
    return isa::trap(hart, operation, Cause::GridFault, address);
  return isa::trap(hart, operation, write ? Cause::StoreAccess : Cause::LoadAccess, address);
}

}  // namespace

Outcome Node::access(Hart& hart, const Operation& operation, std::uint64_t address, unsigned bytes,
                     bool write, void* data) {
  if (hart.response_valid != 0) {  // the packet came back and the instruction runs again
    hart.response_valid = 0;
    if (!write) std::memcpy(data, &hart.response, bytes);
    return Outcome::Next;
  }
  const Target target = resolve(address);
  if (target.kind == Target::Own) {
    if (reachable(target, address, bytes)) {
      std::uint8_t* at = machine_.sram(id_) + target.offset;
      if (write) {
        std::memcpy(at, data, bytes);
        if (hart.reservations_held) isa::break_reservations(hart, target.offset, bytes);
      } else {
        std::memcpy(data, at, bytes);
      }
      return Outcome::Next;
    }
    const CodeImage& rom = machine_.rom();
    const std::uint64_t in_rom = target.offset - rom.base();
    if (!write && in_rom < rom.bytes().size() && bytes <= rom.bytes().size() - in_rom) {
      std::memcpy(data, rom.bytes().data() + in_rom, bytes);
      return Outcome::Next;
    }
    return access_fault(hart, operation, address, write);
  }
  const bool vector = isa::facts(operation.id).extension == isa::Extension::V;
  if (vector || !reachable(target, address, bytes))
    return access_fault(hart, operation, address, write);
  Packet& packet = send(hart, write ? PacketKind::Store : PacketKind::Load);
  packet.destination = target.node;
  packet.offset = target.offset;
  packet.transfer.remote = address;
  packet.bytes = static_cast<std::uint8_t>(bytes);
  if (write) std::memcpy(&packet.value, data, bytes);
  return park(hart, operation, WaitKind::RemoteAccess, 0, address);
}

Outcome Node::remote_amo(Hart& hart, const Operation& operation, std::uint64_t address,
                         unsigned bytes, unsigned function, std::uint64_t operand,
                         std::uint64_t& result) {
  if (hart.response_valid != 0) {
    hart.response_valid = 0;
    result = hart.response;
    return Outcome::Next;
  }
  const Target target = resolve(address);
  if (!reachable(target, address, bytes)) return access_fault(hart, operation, address, true);
  Packet& packet = send(hart, PacketKind::Amo);
  packet.destination = target.node;
  packet.offset = target.offset;
  packet.transfer.remote = address;
  packet.bytes = static_cast<std::uint8_t>(bytes);
  packet.function = static_cast<std::uint8_t>(function);
  packet.value = operand;
  return park(hart, operation, WaitKind::RemoteAccess, 0, address);
}

// The node's executable bytes become what its SRAM holds now: all of it, since a kernel may have
// written code anywhere.
Outcome Node::fence_i(Hart& hart, const Operation& operation) {
  // The block that holds this instruction is still in use: its image lives until the next one.
  previous_program_ = std::move(code_.program);
  code_.program = std::make_shared<CodeImage>(
      D1_NULL_BYTES, std::span(machine_.sram(id_) + D1_NULL_BYTES, D1_SRAM_BYTES - D1_NULL_BYTES),
      machine_.blocks_decoded());
  if (previous_program_ != nullptr) {
    code_.program->set_names(previous_program_->names());
    code_.program->set_elf(previous_program_->elf());
  }
  hart.pc = operation.next_pc();
  return Outcome::Sync;
}

Outcome Node::fence(Hart& hart, const Operation& operation) {
  const TransferState& state = transfers_[hart.hart_id];
  if (state.far_pending == 0) {
    if (isa::ticks_now(hart) >= state.far_done) return Outcome::Next;
    wake_at_[hart.hart_id] = state.far_done;
  }
  return park(hart, operation, WaitKind::Transfer, 1, 0);
}

Outcome Node::transfer_wait(Hart& hart, const Operation& operation) {
  const TransferState& state = transfers_[hart.hart_id];
  if (state.local_pending == 0) {
    if (isa::ticks_now(hart) >= state.local_done) return Outcome::Next;
    wake_at_[hart.hart_id] = state.local_done;
  }
  return park(hart, operation, WaitKind::Transfer, 0, 0);
}

Outcome Node::wait_for_interrupt(Hart& hart, const Operation& operation) {
  if ((hart.mip & hart.mie) != 0) return Outcome::Next;
  return park(hart, operation, WaitKind::Interrupt, 0, 0);
}

// --- semaphores and barriers --------------------------------------------------------------------

Outcome Node::semaphore_wait(Hart& hart, const Operation& operation, std::uint64_t index,
                             std::uint64_t count) {
  if (index >= D1_SEMAPHORES) return isa::trap(hart, operation, Cause::SemaphoreFault, index);
  if (count > D1_SEMAPHORE_MAX_COUNT)
    return isa::trap(hart, operation, Cause::SemaphoreFault, count);
  if (value_at(static_cast<unsigned>(index), isa::ticks_now(hart)) >= count) {
    take(static_cast<unsigned>(index), count);
    return Outcome::Next;
  }
  const std::uint64_t when = satisfied_at(static_cast<unsigned>(index), count);
  if (when != kNever) wake_at_[hart.hart_id] = when;
  return park(hart, operation, WaitKind::Semaphore, index, count);
}

Outcome Node::semaphore_try(Hart& hart, const Operation& operation, std::uint64_t index,
                            std::uint64_t count, std::uint64_t& taken) {
  if (index >= D1_SEMAPHORES) return isa::trap(hart, operation, Cause::SemaphoreFault, index);
  if (count > D1_SEMAPHORE_MAX_COUNT)
    return isa::trap(hart, operation, Cause::SemaphoreFault, count);
  taken = value_at(static_cast<unsigned>(index), isa::ticks_now(hart)) >= count ? 1 : 0;
  if (taken != 0) take(static_cast<unsigned>(index), count);
  return Outcome::Next;
}

Outcome Node::semaphore_read(Hart& hart, const Operation& operation, std::uint64_t index,
                             std::uint64_t& value) {
  if (index >= D1_SEMAPHORES) return isa::trap(hart, operation, Cause::SemaphoreFault, index);
  value = value_at(static_cast<unsigned>(index), isa::ticks_now(hart));
  return Outcome::Next;
}

Outcome Node::semaphore_post(Hart& hart, const Operation& operation, std::uint64_t target,
                             std::uint64_t count) {
  if (count > D1_SEMAPHORE_MAX_COUNT)
    return isa::trap(hart, operation, Cause::SemaphoreFault, count);
  if (target < D1_SEMAPHORES) {  // the node's own
    deliver_post(static_cast<unsigned>(target), count, isa::ticks_now(hart));
    return Outcome::Next;
  }
  const Target place = resolve(target);
  if (place.kind == Target::Dip) {
    send(hart, PacketKind::Complete).value = count;
    return Outcome::Next;
  }
  if (place.kind == Target::Bad || place.kind == Target::Hbm)
    return access_fault(hart, operation, target, true);
  if (place.offset >= D1_SEMAPHORES)
    return isa::trap(hart, operation, Cause::SemaphoreFault, place.offset);
  if (place.kind == Target::Own) {
    deliver_post(place.offset, count, isa::ticks_now(hart));
    return Outcome::Next;
  }
  Packet& packet = send(hart, PacketKind::Post);
  packet.destination = place.node;
  packet.offset = place.offset;
  packet.value = count;
  return Outcome::Next;
}

// Common to both barriers: the last hart of `harts` to arrive finds all others parked.
Outcome Node::arrive(Hart& hart, const Operation& operation, Barrier& barrier, WaitKind kind,
                     std::uint64_t harts) {
  if (harts == 0 || harts > isa::kHartsPerNode)
    return isa::trap(hart, operation, Cause::SemaphoreFault, harts);
  barrier.arrived |= 1u << hart.hart_id;
  barrier.latest = std::max(barrier.latest, isa::ticks_now(hart));
  return park(hart, operation, kind, 0, harts);
}

Outcome Node::node_barrier(Hart& hart, const Operation& operation, std::uint64_t harts) {
  if (hart.response_valid != 0) {
    hart.response_valid = 0;
    return Outcome::Next;
  }
  const Outcome outcome = arrive(hart, operation, node_barrier_, WaitKind::NodeBarrier, harts);
  if (outcome != Outcome::Park ||
      static_cast<std::uint64_t>(__builtin_popcount(node_barrier_.arrived)) < harts)
    return outcome;
  for (Hart& other : harts_) {
    if ((node_barrier_.arrived >> other.hart_id & 1) == 0) continue;
    other.response_valid = 1;
    wake(other, node_barrier_.latest);
  }
  node_barrier_ = {};
  return outcome;
}

Outcome Node::grid_barrier(Hart& hart, const Operation& operation, std::uint64_t harts) {
  if (hart.response_valid != 0) {
    hart.response_valid = 0;
    return Outcome::Next;
  }
  if (launch_ == nullptr) return isa::trap(hart, operation, Cause::GridFault, 0);
  const Outcome outcome = arrive(hart, operation, grid_barrier_, WaitKind::GridBarrier, harts);
  if (outcome != Outcome::Park ||
      static_cast<std::uint64_t>(__builtin_popcount(grid_barrier_.arrived)) < harts)
    return outcome;
  send(hart, PacketKind::GridBarrier).departure = grid_barrier_.latest;
  grid_barrier_ = {};
  return outcome;
}

// --- transfers ----------------------------------------------------------------------------------

namespace {

bool rows_inside(std::uint64_t start, std::uint64_t pitch, const d1_transfer& transfer,
                 std::uint64_t low, std::uint64_t high) {
  if (start < low || start > high) return false;
  // Of 32-bit factors: this never wraps around.
  const std::uint64_t extent = (transfer.rows - 1) * pitch + transfer.row_bytes;
  return extent <= high - start;
}

}  // namespace

Outcome Node::check_transfer(Hart& hart, const Operation& operation, const d1_transfer& transfer,
                             std::uint64_t at, Packet& packet) {
  const auto bad = [&] { return isa::trap(hart, operation, Cause::DescriptorFault, at); };
  const auto semaphore_fits = [](std::uint8_t s) {
    return s < D1_SEMAPHORES || s == D1_NO_SEMAPHORE;
  };
  if (transfer.kind < D1_TRANSFER_PUT || transfer.kind > D1_TRANSFER_MULTICAST ||
      transfer.reserved0 != 0 || transfer.reserved1 != 0 || transfer.reserved2 != 0 ||
      transfer.row_bytes == 0 || transfer.rows == 0 ||
      std::uint64_t{transfer.rows} * transfer.row_bytes > D1_SRAM_BYTES ||
      !semaphore_fits(transfer.local_semaphore) ||
      !semaphore_fits(transfer.remote_semaphore))
    return bad();
  if (!rows_inside(transfer.local, transfer.local_pitch, transfer, D1_NULL_BYTES, D1_SRAM_BYTES))
    return bad();
  if (transfer.kind == D1_TRANSFER_MULTICAST) {
    if (launch_ == nullptr || transfer.grid_rows == 0 || transfer.grid_columns == 0 ||
        std::uint64_t{transfer.first_row} + transfer.grid_rows > launch_->grid->rows() ||
        std::uint64_t{transfer.first_column} + transfer.grid_columns > launch_->grid->columns() ||
        !rows_inside(transfer.remote, transfer.remote_pitch, transfer, D1_NULL_BYTES,
                     D1_SRAM_BYTES))
      return bad();
    return Outcome::Next;
  }
  if (d1_address_kind(transfer.remote) == D1_ADDRESS_HBM) {
    const std::uint64_t offset = d1_address_hbm(transfer.remote);
    if (transfer.remote != d1_hbm_address(offset) ||
        !rows_inside(offset, transfer.remote_pitch, transfer, 0, machine_.hbm_bytes()) ||
        transfer.remote_semaphore != D1_NO_SEMAPHORE)
      return bad();
    return Outcome::Next;
  }
  const Target target = resolve(transfer.remote);
  if ((target.kind != Target::Own && target.kind != Target::Remote) ||
      !rows_inside(target.offset, transfer.remote_pitch, transfer, D1_NULL_BYTES, D1_SRAM_BYTES))
    return bad();
  packet.destination = target.node;
  packet.offset = target.offset;
  return Outcome::Next;
}

Outcome Node::transfer(Hart& hart, const Operation& operation, std::uint64_t descriptors,
                       std::uint64_t count) {
  const std::uint64_t room = (D1_SRAM_BYTES - D1_NULL_BYTES) / sizeof(d1_transfer);
  if (count > room || descriptors % 8 != 0 ||
      !isa::in_window(hart, descriptors, count * sizeof(d1_transfer)))
    return isa::trap(hart, operation, Cause::DescriptorFault, descriptors);
  // A bad descriptor takes back those before it, so the list as a whole changes nothing.
  const std::size_t sent = outbox_->packets.size();
  const std::uint32_t sequence = sequence_;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = descriptors + i * sizeof(d1_transfer);
    Packet& packet = send(hart, PacketKind::Transfer);
    std::memcpy(&packet.transfer, machine_.sram(id_) + at, sizeof(d1_transfer));
    const Outcome checked = check_transfer(hart, operation, packet.transfer, at, packet);
    if (checked == Outcome::Next) continue;
    outbox_->packets.truncate(sent);
    sequence_ = sequence;
    return checked;
  }
  transfers_[hart.hart_id].local_pending += static_cast<std::uint32_t>(count);
  transfers_[hart.hart_id].far_pending += static_cast<std::uint32_t>(count);
  return Outcome::Next;
}

// --- the rest -----------------------------------------------------------------------------------

Outcome Node::print(Hart& hart, const Operation& operation, std::uint64_t text,
                    std::uint64_t bytes) {
  const std::uint64_t taken = std::min<std::uint64_t>(bytes, D1_LOG_TEXT_BYTES);
  if (taken != 0 && !isa::in_window(hart, text, taken))
    return isa::trap(hart, operation, Cause::LoadAccess, text);
  Packet& packet = send(hart, PacketKind::Print);
  packet.text = &outbox_->text;
  packet.text_at = static_cast<std::uint32_t>(outbox_->text.size());
  packet.text_bytes = static_cast<std::uint32_t>(taken);
  if (taken != 0)
    outbox_->text.append(reinterpret_cast<const char*>(machine_.sram(id_) + text), taken);
  return Outcome::Next;
}

Outcome Node::stop(Hart& hart, const Operation& operation) {
  hart.pc = operation.next_pc();
  return Outcome::Stop;
}

bool Node::read_csr(const Hart& hart, unsigned number, std::uint64_t& value) {
  const NodeId place = machine_.place(id_);
  const std::uint32_t columns = machine_.description().die_columns;
  const Grid* grid = launch_ != nullptr ? launch_->grid.get() : nullptr;
  switch (number) {
    case 0xf14:  // mhartid
      value = (std::uint64_t{place.die} << D1_NODE_BITS | place.node) << 2 | hart.hart_id;
      return true;
    case 0xcc0: value = rank_; return true;
    case 0xcc1: value = grid != nullptr ? grid->size() : 0; return true;
    case 0xcc2:
      value = grid != nullptr ? std::uint64_t{grid->rows()} << 32 | grid->columns() : 0;
      return true;
    case 0xcc3: value = place.die; return true;
    case 0xcc4:
      value = std::uint64_t{place.node / columns} << 16 | place.node % columns;
      return true;
    case 0xcc5: value = launch_ != nullptr ? launch_->parameters.harts : 0; return true;
    default: return false;
  }
}

bool Node::write_csr(Hart&, unsigned, std::uint64_t) { return false; }

}  // namespace d1::emulator
