// SPDX-License-Identifier: Apache-2.0
#include <d1/driver/device.hpp>
#include <d1/driver/queue_pair.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

namespace d1::driver {
namespace {

// An id is a slot and a generation: the largest ring leaves 4 bits for it.
constexpr unsigned kSlotBits = 12;
static_assert((1u << kSlotBits) >= D1_QUEUE_MAX_ENTRIES);

constexpr std::uint16_t make_id(std::uint32_t slot, std::uint8_t generation) {
  return static_cast<std::uint16_t>(slot | (static_cast<unsigned>(generation) << kSlotBits));
}

}  // namespace

QueuePair::QueuePair(Device& device, unsigned index, std::uint32_t entries, DmaBuffer rings)
    : device_(device),
      index_(index),
      entries_(entries),
      rings_(std::move(rings)),
      submissions_(reinterpret_cast<CommandBytes*>(rings_.data())),
      completions_(
          reinterpret_cast<d1_completion*>(rings_.data() + entries * sizeof(CommandBytes))),
      slots_(entries - 1) {
  // One entry of a ring stays empty, so that full and empty differ.
  free_slots_.reserve(slots_.size());
  for (std::size_t slot = slots_.size(); slot-- > 0;) {
    free_slots_.push_back(static_cast<std::uint16_t>(slot));
  }
}

QueuePair::~QueuePair() {
  close();
  device_.forget(*this);
}

std::uint32_t QueuePair::register_offset(unsigned queue_register) const noexcept {
  return D1_REG_QUEUE_BASE + D1_QUEUE_STRIDE * index_ + queue_register;
}

Result<> QueuePair::enable() {
  Transport& transport = device_.transport();
  transport.write_register64(register_offset(D1_QUEUE_SUBMISSION), rings_.iova());
  transport.write_register64(register_offset(D1_QUEUE_COMPLETION),
                             rings_.iova() + entries_ * sizeof(CommandBytes));
  transport.write_register64(register_offset(D1_QUEUE_ENTRIES), entries_);
  transport.write_register64(register_offset(D1_QUEUE_VECTOR), index_ % D1_MSIX_VECTORS);
  transport.write_register64(register_offset(D1_QUEUE_ENABLE), 1);
  const auto enabled = transport.read_register64(register_offset(D1_QUEUE_ENABLE));
  if (enabled == ~std::uint64_t{0}) {
    return fail(ErrorKind::DeviceLost,
                fmt::format("The device went away while queue {} was set up: its registers read "
                            "all ones.",
                            index_));
  }
  if (enabled != 1) {
    return fail(ErrorKind::Protocol,
                fmt::format("The device did not enable queue {} with {} entries (its enable "
                            "register reads {:#x}).",
                            index_, entries_, enabled));
  }
  return {};
}

Result<std::uint16_t> QueuePair::post(const CommandBytes& command, CompletionFunction function,
                                      void* context) {
  if (device_.lost()) return std::unexpected(device_.lost_error());
  std::lock_guard lock(post_mutex_);
  if (closed_) {
    return fail(ErrorKind::Cancelled, fmt::format("Queue {} is closed.", index_));
  }
  if (free_slots_.empty()) {
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("Queue {} is full: {} commands are in flight, its limit; reap "
                            "completions first.",
                            index_, capacity()));
  }
  const std::uint32_t in_flight = capacity() - static_cast<std::uint32_t>(free_slots_.size());
  if (in_flight + unacknowledged_ >= capacity()) {
    // The completion ring must have room for the answer: give back what was reaped. Otherwise this
    // doorbell is left out, since nothing depends on it.
    device_.transport().ring_doorbell32(D1_REG_DOORBELL_BASE + 8 * index_ + 4, acknowledged_head_);
    unacknowledged_ = 0;
  }
  const std::uint16_t number = free_slots_.back();
  free_slots_.pop_back();
  Slot& slot = slots_[number];
  slot.function = function;
  slot.context = context;
  slot.opcode = command.bytes[0];
  slot.in_flight = true;
  const std::uint16_t id = make_id(number, slot.generation);
  CommandBytes& entry = submissions_[tail_];
  entry = command;
  std::memcpy(entry.bytes + offsetof(d1_command_header, id), &id, sizeof id);
  tail_ = (tail_ + 1) & (entries_ - 1);
  return id;
}

void QueuePair::ring() {
  std::lock_guard lock(post_mutex_);
  if (closed_ || rung_ == tail_) return;
  rung_ = tail_;
  // Pairs with the device's acquire when it reads the doorbell: the entries are written by then.
  std::atomic_thread_fence(std::memory_order_release);
  device_.transport().ring_doorbell32(D1_REG_DOORBELL_BASE + 8 * index_, tail_);
}

unsigned QueuePair::reap_ring() {
  // reap_mutex_ is held.
  unsigned count = 0;
  for (;;) {
    d1_completion& entry = completions_[head_];
    // Pairs with the device's release of `phase`, which it writes after everything else.
    if (std::atomic_ref(entry.phase).load(std::memory_order_acquire) != phase_) break;
    Completion completion;
    completion.id = entry.id;
    completion.status = entry.status;
    completion.detail = entry.detail;
    completion.start_cycle = entry.start_cycle;
    completion.end_cycle = entry.end_cycle;
    head_ = (head_ + 1) & (entries_ - 1);
    if (head_ == 0) phase_ ^= 1;

    const std::uint32_t number = completion.id & ((1u << kSlotBits) - 1);
    CompletionFunction function = nullptr;
    void* context = nullptr;
    {
      std::lock_guard lock(post_mutex_);
      acknowledged_head_ = head_;
      ++unacknowledged_;
      if (number < slots_.size()) {
        Slot& slot = slots_[number];
        if (slot.in_flight && make_id(number, slot.generation) == completion.id) {
          function = slot.function;
          context = slot.context;
          completion.opcode = slot.opcode;
          slot.in_flight = false;
          slot.generation = (slot.generation + 1) & 0xf;
          free_slots_.push_back(static_cast<std::uint16_t>(number));
        }
      }
      if (!function) {
        device_.mark_lost(Error(
            ErrorKind::Protocol,
            fmt::format("The device completed command {:#06x} on queue {}, which is not in flight.",
                        completion.id, index_)));
        break;
      }
    }
    function(context, completion);
    ++count;
  }
  return count;
}

unsigned QueuePair::reap() {
  {
    std::lock_guard reaping(reap_mutex_);
    const unsigned count = reap_ring();
    if (!device_.lost()) return count;
  }
  fail_all(CompletionKind::DeviceLost);
  return 0;
}

void QueuePair::fail_all(CompletionKind kind) {
  std::lock_guard reaping(reap_mutex_);
  for (std::size_t number = 0; number < slots_.size(); ++number) {
    Slot taken;
    {
      std::lock_guard lock(post_mutex_);
      if (!slots_[number].in_flight) continue;
      taken = slots_[number];
      slots_[number].in_flight = false;
      slots_[number].generation = (slots_[number].generation + 1) & 0xf;
      free_slots_.push_back(static_cast<std::uint16_t>(number));
    }
    Completion completion;
    completion.kind = kind;
    completion.opcode = taken.opcode;
    completion.id = make_id(static_cast<std::uint32_t>(number), taken.generation);
    taken.function(taken.context, completion);
  }
}

std::uint64_t QueuePair::interrupts() const noexcept {
  return device_.transport().interrupt_count(index_ % D1_MSIX_VECTORS);
}

bool QueuePair::wait_step(std::uint64_t seen, Deadline deadline) {
  const auto now = Clock::now();
  if (now >= deadline) return false;
  {
    std::lock_guard lock(post_mutex_);
    if (closed_) return false;
  }
  if (device_.lost()) {
    // reap() has completed everything by now; what `done` waits for will never come.
    return false;
  }
  const auto step = now + std::min<Clock::duration>(limits::kLivenessPoll, deadline - now);
  device_.transport().wait_for_interrupt(index_ % D1_MSIX_VECTORS, seen, step);
  device_.check_alive();
  return true;
}

void QueuePair::close() {
  {
    std::lock_guard lock(post_mutex_);
    if (closed_) return;
    closed_ = true;
  }
  Transport& transport = device_.transport();
  bool agreed = true;
  if (!device_.lost() && !transport.lost()) {
    transport.write_register64(register_offset(D1_QUEUE_ENABLE), 0);
    const auto deadline = after(limits::kQueueDisableTimeout);
    while (transport.read_register64(register_offset(D1_QUEUE_ENABLE)) != 0) {
      if (transport.lost()) break;
      if (Clock::now() >= deadline) {
        agreed = false;
        break;
      }
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    std::lock_guard reaping(reap_mutex_);
    reap_ring();
  }
  fail_all(device_.lost() ? CompletionKind::DeviceLost : CompletionKind::Cancelled);
  if (!agreed) device_.retire(std::move(rings_));
}

std::uint32_t QueuePair::in_flight() const {
  std::lock_guard lock(post_mutex_);
  return capacity() - static_cast<std::uint32_t>(free_slots_.size());
}

}  // namespace d1::driver
