// SPDX-License-Identifier: Apache-2.0
// A node's life: wake, turns, what arrives from outside. Its instructions' side is
// node_environment.cpp.
#include "node.hpp"

#include <algorithm>
#include <cstring>

#include <d1/isa/csr.hpp>
#include <d1/isa/memory.hpp>
#include <d1/isa/trap.hpp>

#include "engine/block_run.hpp"
#include "machine_state.hpp"

namespace d1::emulator {

using isa::Hart;
using isa::HartStatus;
using isa::WaitKind;

Node::Node(const MachineState& machine, NodeIndex id) : machine_(machine), id_(id) {
  ready_at_.fill(kNever);
  waits_at_.fill(kNowhere);
  code_.rom = &machine.rom();
  for (unsigned i = 0; i < isa::kHartsPerNode; ++i) {
    Hart& hart = harts_[i];
    hart.hart_id = static_cast<std::uint8_t>(i);
    hart.reservation = isa::kNoReservation;
    hart.memory = {machine.sram(id) + D1_NULL_BYTES, D1_NULL_BYTES, D1_SRAM_BYTES - D1_NULL_BYTES};
    hart.v = machine.vectors(id) + i;
    hart.environment = this;
    hart.node_harts = harts_.data();
  }
}

void Node::reset() {
  for (Hart& hart : harts_) set_status(hart, HartStatus::Reset);
  semaphores_.fill(0);
  pending_.clear();
  transfers_ = {};
  node_barrier_ = {};
  grid_barrier_ = {};
  set_launch(nullptr);
}

void Node::fill_mailbox() noexcept {
  mailbox_due_ = false;
  std::uint8_t* const mailbox = machine_.sram(id_) + D1_MAILBOX_ADDRESS;
  std::memcpy(mailbox, &launch_->parameters, launch_->parameter_bytes);
  std::memcpy(mailbox + offsetof(d1_launch, rank), &rank_, sizeof(rank_));
  break_reservations(D1_MAILBOX_ADDRESS, launch_->parameter_bytes);
}

// From reset: everything zero but identity, time and counters.
void Node::start_hart(unsigned index, std::uint64_t when) {
  Hart& hart = harts_[index];
  const std::uint64_t clock = std::max(hart.clock, when);
  const std::uint64_t instret = hart.instret;
  static_cast<isa::HartState&>(hart) = {};
  hart.hart_id = static_cast<std::uint8_t>(index);
  hart.reservation = isa::kNoReservation;
  isa::csr_reset(hart);
  hart.clock = clock;
  hart.instret = instret;
  hart.pc = D1_ROM_BASE;
  set_status(hart, HartStatus::Runnable);
  transfers_[index] = {};
}

void Node::wake(Hart& hart, std::uint64_t when) noexcept {
  // In its own turn a hart's account is still open: the clock moves when the turn is settled.
  if (hart.status == HartStatus::Runnable) {
    wake_at_[hart.hart_id] = std::max<std::uint64_t>(when, 1);
    return;
  }
  hart.clock = std::max(hart.clock, when);
  hart.wait.kind = WaitKind::None;
  set_status(hart, HartStatus::Runnable);
}

// With the hart's clock and what it waits for as they are.
void Node::set_status(Hart& hart, HartStatus status) noexcept {
  hart.status = status;
  const bool held = (held_harts_ >> hart.hart_id & 1) != 0;
  ready_at_[hart.hart_id] = status == HartStatus::Runnable && !held ? hart.clock : kNever;
  std::uint8_t& place = waits_at_[hart.hart_id];
  place = kNowhere;
  if (status != HartStatus::Parked) return;
  if (hart.wait.kind == WaitKind::Semaphore) place = static_cast<std::uint8_t>(hart.wait.index);
  if (hart.wait.kind == WaitKind::GridBarrier) place = kGridBarrier;
}

void Node::hold(unsigned harts, std::uint64_t now) noexcept {
  const unsigned released = held_harts_ & ~harts;
  held_harts_ = static_cast<std::uint8_t>(harts);
  for (Hart& hart : harts_) {
    if ((released >> hart.hart_id & 1) != 0) hart.clock = std::max(hart.clock, now);
    set_status(hart, hart.status);
  }
}

// Not to be masked: what runs on cannot trust its memory. Software that has its own handler for the
// ECC interrupt gets it there.
void Node::memory_error(unsigned harts, std::uint64_t address, std::uint64_t now) noexcept {
  for (Hart& hart : harts_) {
    const bool alive = hart.status == HartStatus::Runnable || hart.status == HartStatus::Parked;
    if ((harts >> hart.hart_id & 1) == 0 || !alive || hart.mtvec == 0) continue;
    hart.mip |= isa::interrupt_bit(isa::Interrupt::Ecc);
    isa::take_interrupt(hart, isa::Interrupt::Ecc);
    hart.mtval = address;
    hart.response_valid = 0;
    hart.wait.kind = WaitKind::None;
    hart.clock = std::max(hart.clock, now);
    set_status(hart, HartStatus::Runnable);
  }
}

unsigned Node::run(Engine& engine, Outbox& outbox, std::uint64_t end, std::uint64_t slice,
                   bool lone) {
  outbox_ = &outbox;
  if (mailbox_due_) fill_mailbox();
  const std::size_t sent = outbox.packets.size();
  unsigned ran = 0;
  for (;;) {
    unsigned first = 0;
    std::uint64_t second = end;
    for (unsigned i = 1; i < isa::kHartsPerNode; ++i) {
      const bool earlier = ready_at_[i] < ready_at_[first];
      second = std::min(second, ready_at_[earlier ? first : i]);
      if (earlier) first = i;
    }
    const std::uint64_t start = ready_at_[first];
    if (start >= end) break;
    if (lone && outbox.packets.size() != sent) break;
    // A turn is no longer than a slice, however far the others are ahead: what harts share is
    // accounted turn by turn, and long turns would drive them further and further apart.
    const std::uint64_t budget = end - start;
    ran |= 1u << first;
    if (second == end) run_turn(engine, harts_[first], budget, end);
    else run_turn(engine, harts_[first], std::min(budget, slice), start);
  }
  outbox_ = nullptr;
  return ran;
}

namespace {

// All lines of the host's cache from `first` to before `last`.
void prefetch_lines(const void* first, const void* last) noexcept {
  constexpr std::uintptr_t kLine = 64;
  for (auto line = reinterpret_cast<std::uintptr_t>(first) & ~(kLine - 1);
       line < reinterpret_cast<std::uintptr_t>(last); line += kLine)
    __builtin_prefetch(reinterpret_cast<const void*>(line), 1);
}

}  // namespace

void Node::prefetch() const noexcept {
  prefetch_lines(this, &transfers_);
  __builtin_prefetch(&units_.busy, 1);
}

void Node::prefetch_harts(std::uint64_t end) const noexcept {
  // Hart 0 wakes those that a launch needs.
  const unsigned woken = mailbox_due_ ? launch_->parameters.harts : 0;
  for (unsigned i = 0; i < isa::kHartsPerNode; ++i) {
    if (ready_at_[i] >= end && i >= woken) continue;
    const Hart& hart = harts_[i];
    prefetch_lines(&hart, &hart.mepc);
    prefetch_lines(&hart.memory, &hart.length_mask);
    const std::uint64_t span = ready_at_[i] / UnitShare::kSpanTicks % UnitShare::kSpans;
    __builtin_prefetch(&units_.taken[span], 1);
  }
  __builtin_prefetch(&units_.first, 1);
  __builtin_prefetch(&semaphores_[D1_SEMAPHORE_LAUNCH], 1);
  if (!pending_.empty()) __builtin_prefetch(pending_.data(), 1);
}

void Node::prefetch_sram(std::uint64_t end) const noexcept {
  std::uint8_t* const sram = machine_.sram(id_);
  for (unsigned i = 0; i < isa::kHartsPerNode; ++i) {
    if (ready_at_[i] >= end) continue;
    const Hart& hart = harts_[i];
    const std::uint64_t stack = hart.x[2];
    const bool in_kernel = hart.pc - D1_PROGRAM_BASE < D1_SRAM_BYTES - D1_PROGRAM_BASE;
    __builtin_prefetch(sram + (in_kernel && stack < D1_SRAM_BYTES ? stack : D1_MAILBOX_ADDRESS));
  }
}

void Node::prefetch_launch() const noexcept {
  const Hart& first = harts_[0];
  for (const void* part : {static_cast<const void*>(&first.clock),
                           static_cast<const void*>(&first.status),
                           static_cast<const void*>(&first.wait)})
    __builtin_prefetch(part, 1);
  __builtin_prefetch(&semaphores_[D1_SEMAPHORE_LAUNCH], 1);
  if (!pending_.empty()) __builtin_prefetch(pending_.data(), 1);
}

// Whether a turn may go on behind its budget, which counts issue and units one after the other:
// that of a hart that has the node to itself until then, and has sent nothing.
bool Node::goes_on(const Hart& hart, std::uint64_t until, std::size_t sent) const noexcept {
  if (isa::ticks_now(hart) >= until || outbox_->packets.size() != sent) return false;
  for (unsigned i = 0; i < isa::kHartsPerNode; ++i)
    if (i != hart.hart_id && ready_at_[i] < until) return false;
  return true;
}

void Node::run_turn(Engine& engine, Hart& hart, std::uint64_t budget, std::uint64_t until) {
  wake_at_[hart.hart_id] = 0;
  // A switch of harts ends the reservation of the one that ran before.
  if (last_hart_ != hart.hart_id) {
    harts_[last_hart_].reservation = isa::kNoReservation;
    last_hart_ = hart.hart_id;
  }
  const std::size_t before = outbox_->packets.size();
  const std::uint64_t instret = hart.instret, began = hart.clock;
  if (slowness_ != 1) budget = std::max<std::uint64_t>(1, budget / slowness_);
  TurnEnd end = engine.run(hart, code_, budget);
  while (end == TurnEnd::Budget && slowness_ == 1 && goes_on(hart, until, before)) {
    // As much as takes the time that is left, if it goes on as it did.
    const std::uint64_t now = isa::ticks_now(hart), elapsed = now - hart.clock;
    end = engine.run(hart, code_, (until - now) * work_done(hart) / elapsed);
  }
  retired_ += hart.instret - instret;
  settle(hart, units_);
  if (slowness_ != 1) hart.clock += (hart.clock - began) * (slowness_ - 1u);
  switch (end) {
    case TurnEnd::Budget: case TurnEnd::Block: set_status(hart, HartStatus::Runnable); break;
    case TurnEnd::Parked: {
      set_status(hart, HartStatus::Parked);
      hart.wait.since = hart.clock;
      // A remote access leaves when the hart stops for it.
      if (hart.wait.kind == WaitKind::RemoteAccess && outbox_->packets.size() > before)
        outbox_->packets.back().departure = hart.clock;
      if (const std::uint64_t when = wake_at_[hart.hart_id]; when != 0) wake(hart, when);
      break;
    }
    case TurnEnd::Stopped: set_status(hart, HartStatus::Reset); break;
    case TurnEnd::Unhandled: note_unhandled_trap(hart); break;
  }
}

// The record that the firmware's handler would have written.
void Node::note_unhandled_trap(Hart& hart) {
  set_status(hart, HartStatus::Stopped);
  d1_trap_record record{};
  record.launch_id = launch_ != nullptr ? launch_->id : 0;
  record.cause = static_cast<std::uint64_t>(hart.trap.cause);
  record.value = hart.trap.value;
  record.pc = hart.pc;
  record.ra = hart.x[1];
  record.sp = hart.x[2];
  std::memcpy(machine_.sram(id_) + D1_MAILBOX_ADDRESS + offsetof(d1_mailbox, trap) +
                  hart.hart_id * sizeof(record),
              &record, sizeof(record));
  Packet& packet = send(hart, PacketKind::Stopped);
  packet.departure = hart.clock;
}

Packet& Node::send(const Hart& hart, PacketKind kind) {
  Packet& packet = outbox_->packets.add();
  packet.departure = isa::ticks_now(hart);
  packet.source = id_;
  packet.sequence = sequence_++;
  packet.hart = hart.hart_id;
  packet.kind = kind;
  return packet;
}

// --- semaphores ---------------------------------------------------------------------------------

// Posts count from their arrival on, hart by hart: one whose clock is behind that does not see
// them, though another, ahead of it, did.
std::uint64_t Node::value_at(unsigned semaphore, std::uint64_t now) const {
  std::uint64_t value = semaphores_[semaphore];
  for (const PendingPost& post : pending_) {
    if (post.arrival > now) break;
    if (post.semaphore == semaphore) value += post.count;
  }
  return std::min<std::uint64_t>(D1_SEMAPHORE_MAX_COUNT, value);
}

// What had arrived first is taken first; the value then is at least `count`.
void Node::take(unsigned semaphore, std::uint64_t count) {
  const auto old =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(count, semaphores_[semaphore]));
  semaphores_[semaphore] -= old;
  auto left = static_cast<std::uint32_t>(count) - old;
  for (auto post = pending_.begin(); left != 0;) {
    if (post->semaphore != semaphore) {
      ++post;
      continue;
    }
    const std::uint32_t taken = std::min(left, post->count);
    left -= taken;
    post->count -= taken;
    post = post->count == 0 ? pending_.erase(post) : post + 1;
  }
}

// Forgets when posts arrived that all running harts see.
void Node::settle_posts() {
  const std::uint64_t seen = next_time();
  auto end = pending_.begin();
  for (; end != pending_.end() && end->arrival <= seen; ++end) {
    auto& value = semaphores_[end->semaphore];
    value = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(D1_SEMAPHORE_MAX_COUNT, std::uint64_t{value} + end->count));
  }
  pending_.erase(pending_.begin(), end);
}

// When the semaphore holds `count`, by what has been posted so far; kNever if that is not enough.
std::uint64_t Node::satisfied_at(unsigned semaphore, std::uint64_t count) const {
  std::uint64_t value = semaphores_[semaphore];
  if (value >= count) return 0;
  for (const PendingPost& post : pending_) {
    if (post.semaphore != semaphore) continue;
    value += post.count;
    if (value >= count) return post.arrival;
  }
  return kNever;
}

void Node::wake_waiters(unsigned semaphore, std::uint64_t now) {
  for (unsigned i = 0; i < isa::kHartsPerNode; ++i) {
    if (waits_at_[i] != semaphore) continue;
    const std::uint64_t when = satisfied_at(semaphore, harts_[i].wait.amount);
    if (when != kNever) wake(harts_[i], std::max(now, when));
  }
}

bool Node::deliver_post(unsigned semaphore, std::uint64_t count, std::uint64_t arrival) {
  const bool fits = count <= D1_SEMAPHORE_MAX_COUNT;
  if (pending_.size() >= kSettlePosts) settle_posts();
  const PendingPost post{
      arrival, static_cast<std::uint32_t>(std::min<std::uint64_t>(count, D1_SEMAPHORE_MAX_COUNT)),
      static_cast<std::uint8_t>(semaphore)};
  pending_.insert(std::upper_bound(pending_.begin(), pending_.end(), post,
                                   [](const PendingPost& a, const PendingPost& b) {
                                     return a.arrival < b.arrival;
                                   }),
                  post);
  // The posts that start harts: the launch starts hart 0, dispatch starts its workers.
  if (semaphore >= D1_SEMAPHORE_LAUNCH && harts_[semaphore - D1_SEMAPHORE_LAUNCH].status ==
                                              HartStatus::Reset)
    start_hart(semaphore - D1_SEMAPHORE_LAUNCH, arrival);
  wake_waiters(semaphore, 0);
  return fits;
}

void Node::deliver_response(unsigned index, std::uint64_t data, std::uint64_t arrival) {
  Hart& hart = harts_[index];
  if (hart.status != HartStatus::Parked || hart.wait.kind != WaitKind::RemoteAccess) return;
  hart.response = data;
  hart.response_valid = 1;
  wake(hart, arrival);
}

void Node::deliver_barrier(std::uint64_t arrival) {
  for (unsigned i = 0; i < isa::kHartsPerNode; ++i) {
    if (waits_at_[i] != kGridBarrier) continue;
    harts_[i].response_valid = 1;
    wake(harts_[i], arrival);
  }
}

void Node::transfer_local(unsigned index, std::uint64_t when) {
  TransferState& state = transfers_[index];
  Hart& hart = harts_[index];
  if (hart.status == HartStatus::Reset || state.local_pending == 0) return;
  state.local_done = std::max(state.local_done, when);
  if (--state.local_pending == 0 && hart.status == HartStatus::Parked &&
      hart.wait.kind == WaitKind::Transfer && hart.wait.index == 0)
    wake(hart, state.local_done);
}

void Node::transfer_far(unsigned index, std::uint64_t when) {
  TransferState& state = transfers_[index];
  Hart& hart = harts_[index];
  if (hart.status == HartStatus::Reset || state.far_pending == 0) return;
  state.far_done = std::max(state.far_done, when);
  if (--state.far_pending == 0 && hart.status == HartStatus::Parked &&
      hart.wait.kind == WaitKind::Transfer && hart.wait.index == 1)
    wake(hart, state.far_done);
}

}  // namespace d1::emulator
