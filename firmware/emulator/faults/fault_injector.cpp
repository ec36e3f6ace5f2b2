// SPDX-License-Identifier: Apache-2.0
// A fault's life: it waits, it is there, it is over. Places are fault_places.cpp.
#include "faults/fault_injector.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mix.hpp"

namespace d1::emulator {

namespace {

constexpr std::uint64_t kTicks = isa::kTicksPerCycle;
constexpr std::uint64_t kNever = ~std::uint64_t{0};

// From a number of 64 bits to one from 0 up to 1.
double fraction(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

std::string_view command_name(std::uint8_t opcode) {
  switch (opcode) {
#define D1_NAME(code, name) \
  case code: return name;
    D1_COMMAND_NAMES(D1_NAME)
#undef D1_NAME
    default: return "unknown";
  }
}

}  // namespace

FaultInjector::FaultInjector(MachineState& machine, Fabric& fabric, Scheduler& scheduler,
                             FaultSink& sink)
    : machine_(machine),
      fabric_(fabric),
      scheduler_(scheduler),
      sink_(sink),
      links_(fabric.noc(), machine.geometry().die_count()) {}

void FaultInjector::clear() {
  for (Armed& armed : faults_)
    if (armed.state == State::Active) end(armed);
  faults_.clear();
  apply();
}

bool FaultInjector::due(const Armed& armed, Clock::time_point now) const {
  const Fault& fault = armed.fault;
  if (fault.at_command || fault.chance) return false;  // a command begins it
  if (fault.at_cycle) return scheduler_.reached() >= fault.at_cycle->first * kTicks;
  if (fault.at_ms) return now >= armed.begins_when;
  return true;
}

void FaultInjector::poll() {
  const auto now = timed() ? Clock::now() : Clock::time_point{};
  bool changed = false;
  for (Armed& armed : faults_) {
    if (armed.state == State::Waiting && due(armed, now)) {
      begin(armed);
      changed = true;
    }
    if (armed.state != State::Active) continue;
    const bool passed = scheduler_.reached() >= armed.ends_at;
    if (passed || now >= armed.ends_when) {
      if (passed) scheduler_.pass_until(armed.ends_at);
      end(armed);
      changed = true;
    }
  }
  if (changed) apply();
}

bool FaultInjector::pass_time() {
  std::uint64_t first = kNever;
  for (const Armed& armed : faults_)
    if (armed.state == State::Active) first = std::min(first, armed.ends_at);
  if (first == kNever) return false;
  scheduler_.pass_until(first);
  poll();
  return true;
}

bool FaultInjector::matches(const Armed& armed, unsigned queue, const d1_command_header& header,
                            bool uses_host_memory) const {
  const Fault& fault = armed.fault;
  return armed.state != State::Over && (!fault.queue || *fault.queue == queue) &&
         (!fault.opcode || *fault.opcode == header.opcode) &&
         (fault.kind != FaultKind::DmaError || uses_host_memory);
}

CommandFaults FaultInjector::command(unsigned queue, const d1_command_header& header,
                                     bool uses_host_memory) {
  CommandFaults hits;
  bool changed = false;
  for (Armed& armed : faults_) {
    if (!matches(armed, queue, header, uses_host_memory)) continue;
    const Fault& fault = armed.fault;
    ++armed.commands;
    bool now = armed.state == State::Active;
    if (fault.at_command) now = armed.commands >= fault.at_command->first;
    if (fault.chance) now = fraction(mix(armed.seed ^ mix(armed.commands))) < *fault.chance;
    if (!now) continue;
    if (info_of(fault.kind).lasts == FaultKindInfo::Hits) {
      hit(armed, hits, queue, header);
    } else if (armed.state == State::Waiting) {
      begin(armed);
      changed = true;
    }
  }
  if (changed) apply();
  else forget_those_over();
  return hits;
}

void FaultInjector::hit(Armed& armed, CommandFaults& faults, unsigned queue,
                        const d1_command_header& header) {
  switch (armed.fault.kind) {
    case FaultKind::DmaError: faults.dma_error = true; break;
    case FaultKind::CompletionDelay: faults.delay += armed.fault.delay; break;
    case FaultKind::InterruptLost: faults.interrupts = 0; break;
    case FaultKind::InterruptDouble: faults.interrupts = 2; break;
    default: break;
  }
  tell(armed, FaultEvent::Hits,
       fmt::format("hits command {} ({}) of queue {}", armed.commands, command_name(header.opcode),
                   queue));
  // By chance it goes on hitting, else once, unless the plan says how often.
  const std::uint64_t times = armed.fault.times.value_or(armed.fault.chance ? kNever : 1);
  if (++armed.hits >= times) armed.state = State::Over;
}

void FaultInjector::begin(Armed& armed) {
  const Fault& fault = armed.fault;
  const FaultKindInfo& info = info_of(fault.kind);
  armed.state = State::Active;
  if (info.lasts == FaultKindInfo::Hits) return;  // it has not done anything yet
  ++armed.hits;
  if (fault.for_cycles) armed.ends_at = scheduler_.reached() + *fault.for_cycles * kTicks;
  if (fault.for_ms) armed.ends_when = Clock::now() + *fault.for_ms;
  tell(armed, FaultEvent::Begins, "begins");
  switch (fault.kind) {
    case FaultKind::SramFlip: case FaultKind::HbmFlip: flip(armed); break;
    case FaultKind::PcieRetrain: retrains_.fetch_add(1); break;
    default: break;
  }
  if (info.lasts == FaultKindInfo::Instant) end(armed);
}

void FaultInjector::end(Armed& armed) {
  const Fault& fault = armed.fault;
  const bool again = fault.chance && armed.hits < fault.times.value_or(kNever);
  armed.state = again ? State::Waiting : State::Over;
  armed.ends_at = kNever;
  armed.ends_when = Clock::time_point::max();
  if (info_of(fault.kind).lasts == FaultKindInfo::Span) tell(armed, FaultEvent::Ends, "ends");
}

void FaultInjector::flip(const Armed& armed) {
  const Fault& fault = armed.fault;
  const bool hbm = fault.kind == FaultKind::HbmFlip;
  std::uint8_t* const memory = hbm ? machine_.hbm() : machine_.sram(armed.node);
  errors_.add(memory + *fault.address, *fault.bit, fault.corrected);
  if (hbm || fault.corrected) return;
  Node& node = machine_.node(armed.node);
  node.memory_error(Node::kAllHarts, *fault.address, scheduler_.frontier());
  scheduler_.activate(armed.node);
}

// What all faults that are there now come to.
void FaultInjector::apply() {
  LinkFaults::Links links;
  std::vector<bool> lost(machine_.geometry().die_count());
  std::map<NodeIndex, unsigned> held;
  std::uint32_t stuck = 0, slowest = 1;
  bool retraining = false, gone = false, timed = false;
  for (const Armed& armed : faults_) {
    const Fault& fault = armed.fault;
    timed = timed || (armed.state == State::Waiting && fault.at_ms) ||
            (armed.state == State::Active && fault.for_ms);
    if (armed.state != State::Active) continue;
    const auto link = [&]() -> LinkFaults::Link& {
      return links[{machine_.place(armed.node), armed.link_end}];
    };
    switch (fault.kind) {
      case FaultKind::NodeStop: held[armed.node] = Node::kAllHarts; break;
      case FaultKind::HartStuck: held[armed.node] |= 1u << *fault.hart; break;
      case FaultKind::LinkLost: link().lost = true; break;
      case FaultKind::LinkCorrupt: link().corrupt = true; break;
      case FaultKind::LinkSlow: link().factor = std::max(link().factor, fault.factor); break;
      case FaultKind::DieLost: lost[*fault.die] = true; break;
      case FaultKind::QueueStuck: stuck |= fault.queue ? 1u << *fault.queue : ~0u; break;
      case FaultKind::ClockThrottle: slowest = std::max(slowest, fault.factor); break;
      case FaultKind::PcieRetrain: retraining = true; break;
      case FaultKind::SurpriseRemoval: gone = true; break;
      default: break;
    }
  }
  std::vector<std::uint32_t> died, revived;
  for (std::uint32_t die = 0; die < lost.size(); ++die) {
    if (lost[die] && !links_.die_lost(die)) died.push_back(die);
    if (!lost[die] && links_.die_lost(die)) revived.push_back(die);
    if (!lost[die]) continue;
    for (std::uint32_t node = 0; node < machine_.geometry().node_positions(); ++node)
      if (machine_.usable(die, node)) held[machine_.id_of(die, node)] = Node::kAllHarts;
  }
  links_.set(std::move(links), std::move(lost));
  fabric_.set_faults(links_.any() ? &links_ : nullptr);
  for (const std::uint32_t die : died) sink_.die_lost(die);
  for (const std::uint32_t die : revived) power_on(die);
  hold(std::move(held));
  stuck_queues_ = stuck;
  if (machine_.set_slowness(slowest)) sink_.throttled(slowest != 1);
  retraining_.store(retraining);
  timed_.store(timed);
  if (gone != gone_.load()) {
    gone_.store(gone);
    if (gone) sink_.removed();
    else sink_.restored();
  }
  forget_those_over();
}

// A die that comes back has lost everything.
void FaultInjector::power_on(std::uint32_t die) {
  for (std::uint32_t index = 0; index < machine_.geometry().node_positions(); ++index) {
    if (!machine_.usable(die, index)) continue;
    const NodeIndex id = machine_.id_of(die, index);
    machine_.node(id).reset();
    machine_.discard_sram(id);
  }
}

void FaultInjector::hold(std::map<NodeIndex, unsigned> held) {
  for (const auto& [id, harts] : held_)
    if (!held.contains(id)) held[id] = 0;
  for (const auto& [id, harts] : held) {
    machine_.node(id).hold(harts, scheduler_.frontier());
    scheduler_.activate(id);
  }
  std::erase_if(held, [](const auto& entry) { return entry.second == 0; });
  held_ = std::move(held);
}

void FaultInjector::forget_those_over() {
  std::erase_if(faults_, [](const Armed& armed) { return armed.state == State::Over; });
  std::uint64_t next = kNever;
  for (const Armed& armed : faults_) {
    if (armed.state == State::Active) next = std::min(next, armed.ends_at);
    else if (armed.fault.at_cycle) next = std::min(next, armed.fault.at_cycle->first * kTicks);
  }
  scheduler_.set_boundary(next);
}

void FaultInjector::tell(const Armed& armed, FaultEvent::Phase phase, std::string what) {
  const std::uint64_t cycle = scheduler_.reached() / kTicks;
  sink_.told({armed.fault.kind, phase, armed.number, cycle, armed.fault.for_ms,
              fmt::format("fault {} ({}) {} at cycle {}", armed.number, armed.name, what, cycle)});
}

}  // namespace d1::emulator
