// SPDX-License-Identifier: Apache-2.0
// Fetching commands and writing completions: the rings and their order.
#include <algorithm>
#include <cstring>

#include "dip/dip.hpp"

namespace d1::emulator {

namespace {

// Time in ticks from the doorbell's ring to a command's start: fetching it across PCIe.
constexpr std::uint64_t kTicks = isa::kTicksPerCycle;

bool power_of_two(std::uint64_t value) { return value != 0 && (value & (value - 1)) == 0; }

}  // namespace

Dip::Dip(MachineState& machine, Fabric& fabric, Scheduler& scheduler, const LivePage& live,
         FaultInjector& faults)
    : machine_(machine),
      fabric_(fabric),
      scheduler_(scheduler),
      log_(live),
      faults_(faults),
      events_(D1_EVENTS) {
  grids_[0].grid = std::make_shared<const Grid>(Grid::all(machine.geometry()));
  fabric_.set_sink(this);
}

void Dip::write_queue(unsigned index, unsigned reg, std::uint64_t value) {
  Queue& queue = queues_[index];
  switch (reg) {
    case D1_QUEUE_SUBMISSION: queue.submission = value; break;
    case D1_QUEUE_COMPLETION: queue.completion = value; break;
    case D1_QUEUE_ENTRIES: queue.entries = value; break;
    case D1_QUEUE_VECTOR: queue.vector = value; break;
    case D1_QUEUE_ENABLE:
      if (queue.busy) {  // the command in hand is given up, without a completion
        queue.busy = false;
        set_delayed(queue, std::nullopt);
        for (std::size_t i = 0; i < launches_.size(); ++i)
          if (launches_[i]->queue == index) {
            stop_launch(*launches_[i], {CommandResult::Done, D1_STATUS_ABORTED, 0, 0});
            break;
          }
      }
      queue.enabled = value == 1 && power_of_two(queue.entries) && queue.entries >= 2 &&
                      queue.entries <= D1_QUEUE_MAX_ENTRIES && queue.vector < D1_MSIX_VECTORS &&
                      queue.submission % sizeof(Command) == 0 &&
                      queue.completion % sizeof(d1_completion) == 0;
      queue.head = 0;
      queue.completed = 0;
      queue.tail.store(0);
      queue.consumed.store(0);
      break;
    default: break;
  }
}

std::uint64_t Dip::read_queue(unsigned index, unsigned reg) const {
  const Queue& queue = queues_[index];
  switch (reg) {
    case D1_QUEUE_SUBMISSION: return queue.submission;
    case D1_QUEUE_COMPLETION: return queue.completion;
    case D1_QUEUE_ENTRIES: return queue.entries;
    case D1_QUEUE_VECTOR: return queue.vector;
    case D1_QUEUE_ENABLE: return queue.enabled ? 1 : 0;
    case D1_QUEUE_HEAD: return queue.head;
    default: return 0;
  }
}

void Dip::ring_submission(unsigned queue, std::uint32_t tail) noexcept {
  // Commands were written before the bell: pairs with the acquire in process_queue().
  queues_[queue].tail.store(tail, std::memory_order_release);
  rung_.fetch_add(1, std::memory_order_seq_cst);
}

void Dip::ring_completion(unsigned queue, std::uint32_t head) noexcept {
  queues_[queue].consumed.store(head, std::memory_order_seq_cst);
  // Only a queue that stalled for want of room has to be looked at again; both orders of this and
  // of process_queue() are seq_cst, so one of us sees the other.
  if (queues_[queue].stalled.load(std::memory_order_seq_cst))
    rung_.fetch_add(1, std::memory_order_seq_cst);
}

// The host's head is modulo entries; one entry always stays free, so that full and empty differ.
bool Dip::completion_full(const Queue& queue) const {
  if (queue.entries == 0) return true;
  const std::uint64_t mask = queue.entries - 1;
  return ((queue.completed + 1) & mask) ==
         (queue.consumed.load(std::memory_order_seq_cst) & mask);
}

bool Dip::process() {
  seen_.store(rung_.load(std::memory_order_seq_cst), std::memory_order_relaxed);
  if (log_.waiting()) log_.flush(dma_);
  bool any = check_limits();
  // Until nothing moves: a signal on one queue may release another.
  for (bool moved = true; moved;) {
    moved = false;
    for (unsigned index = 0; index < queues_.size(); ++index)
      if (queues_[index].enabled && process_queue(index)) moved = true;
    any = any || moved;
  }
  return any;
}

bool Dip::process_queue(unsigned index) {
  Queue& queue = queues_[index];
  bool any = false;
  while (queue.enabled) {
    if (queue.busy) {
      if (!finish_waiting(index)) return any;
      any = true;
      continue;
    }
    if (faults_.armed() && (faults_.stuck(index) || faults_.retraining())) return any;
    const std::uint32_t tail = queue.tail.load(std::memory_order_acquire);
    if (queue.head == tail || tail >= queue.entries) return any;
    queue.stalled.store(true, std::memory_order_seq_cst);
    if (completion_full(queue)) return any;
    queue.stalled.store(false, std::memory_order_relaxed);
    const std::uint8_t* entry = dma_.find(queue.submission + queue.head * sizeof(Command),
                                          sizeof(Command), DmaAccess::Read);
    if (entry == nullptr) {  // the ring itself is not mapped: nothing can be said on it
      queue.enabled = false;
      return any;
    }
    Command command;
    std::memcpy(&command, entry, sizeof(command));
    queue.head = static_cast<std::uint32_t>((queue.head + 1) & (queue.entries - 1));
    queue.current = command.header;
    // Host input enters at a quantum's end and is stamped there.
    queue.started = std::max(queue.clock, scheduler_.frontier());
    queue.busy = true;
    any = true;
    queue.faults = {};
    if (faults_.armed()) {
      queue.faults = faults_.command(index, command.header, uses_host_memory(command));
      if (!queue.enabled) return any;  // the device was removed
    }
    const CommandResult result =
        queue.faults.dma_error
            ? CommandResult{CommandResult::Done, D1_STATUS_DMA_ERROR, command.header.opcode, 0}
            : execute(index, command);
    if (result.state == CommandResult::Done && queue.busy) complete(index, result);
  }
  return any;
}

// A command that was not complete when it was carried out may be now.
bool Dip::finish_waiting(unsigned index) {
  Queue& queue = queues_[index];
  if (queue.delayed) {
    if (std::chrono::steady_clock::now() < queue.due) return false;
    const CommandResult result = *queue.delayed;  // complete() forgets it
    complete(index, result);
    return true;
  }
  if (queue.current.opcode != D1_COMMAND_WAIT) return false;
  const Event& event = events_[queue.waiting.event];
  if (event.value < queue.waiting.value) return false;
  complete(index, {CommandResult::Done, D1_STATUS_OK, 0, std::max(event.when, queue.started)});
  return true;
}

void Dip::set_delayed(Queue& queue, std::optional<CommandResult> delayed) noexcept {
  if (queue.delayed && !delayed) delayed_.fetch_sub(1);
  if (!queue.delayed && delayed) delayed_.fetch_add(1);
  queue.delayed = delayed;
}

void Dip::complete(unsigned index, const CommandResult& result) {
  Queue& queue = queues_[index];
  if (queue.faults.delay.count() != 0) {
    queue.due = std::chrono::steady_clock::now() + queue.faults.delay;
    queue.faults.delay = {};
    set_delayed(queue, result);
    return;
  }
  set_delayed(queue, std::nullopt);
  queue.busy = false;
  queue.clock = std::max(queue.started, result.end);
  d1_completion entry{};
  entry.start_cycle = queue.started / kTicks;
  entry.end_cycle = queue.clock / kTicks;
  entry.detail = result.detail;
  entry.id = queue.current.id;
  entry.head = static_cast<std::uint16_t>(queue.head);
  entry.status = result.status;
  const std::uint64_t at = queue.completed & (queue.entries - 1);
  const bool even_turn = (queue.completed / queue.entries) % 2 == 0;
  dma_.flush();  // what the command wrote is there before it is said to be
  std::uint8_t* place = dma_.find(queue.completion + at * sizeof(entry), sizeof(entry),
                                  DmaAccess::Write);
  // A host may map memory of any alignment; the phase has to be written in one piece.
  constexpr std::uintptr_t kAlignment = std::atomic_ref<std::uint16_t>::required_alignment;
  if (place == nullptr || reinterpret_cast<std::uintptr_t>(place) % kAlignment != 0) {
    queue.enabled = false;
    return;
  }
  std::memcpy(place, &entry, offsetof(d1_completion, phase));
  // The host sees the phase last: pairs with its acquire load.
  std::atomic_ref<std::uint16_t>(*reinterpret_cast<std::uint16_t*>(
                                     place + offsetof(d1_completion, phase)))
      .store(even_turn ? 1 : 0, std::memory_order_release);
  dma_.flush();
  ++queue.completed;
  for (unsigned i = 0; interrupt_ && i < queue.faults.interrupts; ++i)
    interrupt_(static_cast<unsigned>(queue.vector));
}

// Launches that used up their emulated time.
bool Dip::check_limits() {
  bool any = false;
  for (std::size_t i = 0; i < launches_.size();) {
    Launch& launch = *launches_[i];
    if (launch.cycle_limit == 0 ||
        scheduler_.frontier() <= launch.start + launch.cycle_limit * kTicks) {
      ++i;
      continue;
    }
    stop_launch(launch, {CommandResult::Done, D1_STATUS_TIMEOUT, 0, scheduler_.frontier()});
    any = true;
  }
  return any;
}

void Dip::shut_down() {
  while (!launches_.empty())
    stop_launch(*launches_.back(), {CommandResult::Done, D1_STATUS_ABORTED, 0, 0});
  for (unsigned index = 0; index < queues_.size(); ++index)
    write_queue(index, D1_QUEUE_ENABLE, 0);
}

void Dip::detach() {
  shut_down();
  std::ranges::fill(events_, Event{});
  std::fill(grids_.begin() + 1, grids_.end(), KnownGrid{});
  log_.configure(0, 0);
}

void Dip::cut_off() {
  for (Queue& queue : queues_) {
    queue.busy = false;
    set_delayed(queue, std::nullopt);
  }
  for (const auto& launch : launches_) launch->report = 0;
  detach();
}

bool Dip::waits_for_faults() const noexcept {
  if (!launches_.empty()) return true;
  for (unsigned index = 0; index < queues_.size(); ++index)
    if (queues_[index].enabled && faults_.stuck(index) &&
        queues_[index].head != queues_[index].tail.load())
      return true;
  return false;
}

void Dip::printed(NodeIndex node, unsigned hart, std::uint64_t time, std::string_view text) {
  const NodeId place = machine_.place(node);
  const LaunchContext* launch = machine_.node(node).launch();
  d1_log_record record{};
  record.die = place.die;
  record.node = place.node;
  record.rank = launch != nullptr ? launch->grid->rank(place).value_or(0) : 0;
  record.hart = hart;
  record.launch_id = launch != nullptr ? launch->id : 0;
  record.cycle = time / kTicks;
  log_.append(dma_, record, text);
}

}  // namespace d1::emulator
