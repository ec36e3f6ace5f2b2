// SPDX-License-Identifier: Apache-2.0
#include "program_run.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <stdexcept>

#include <d1/isa/csr.hpp>
#include <d1/isa/memory.hpp>

#include "../differential/random_state.hpp"
#include "../differential/vector_form.hpp"
#include "reservation.hpp"

namespace d1::difftest {

using emulator::TurnEnd;
using isa::Cause;
using isa::Hart;
using isa::Operation;
using isa::Outcome;

namespace {

constexpr unsigned kHartIdCsr = 0xf14;
constexpr std::uint64_t kInterruptsEnabled = 8;  // in mstatus

}  // namespace

std::string name_of(const Variant& variant) {
  return fmt::format("{}, memory by {}, by {}, translated after {} runs",
                     emulator::name_of(variant.level), emulator::name_of(variant.base),
                     variant.unit == emulator::LockstepUnit::Block ? "blocks" : "turns",
                     variant.runs_before_translation);
}

// A hart, its memory, and an environment with a little memory of its own and no node.
class ProgramRunner::Machine final : public isa::Environment {
 public:
  explicit Machine(const Variant& variant)
      : memory_(kMemoryEnd - kDataBase),
        engine_(emulator::make_lockstep({.kind = emulator::EngineKind::Lockstep,
                                         .level = variant.level,
                                         .memory_base = variant.base,
                                         .runs_before_translation = variant.runs_before_translation,
                                         .code_bytes = variant.code_bytes,
                                         .lockstep_unit = variant.unit,
                                         .count_execution = variant.count_execution},
                                        [this](const emulator::LockstepDifference& difference) {
                                          if (!difference_) difference_ = difference;
                                        })) {
    if (engine_ == nullptr)
      throw std::runtime_error("This host runs no translated code; nothing can be compared.");
  }

  ProgramRunner::Result run(const Program& program);
  emulator::EngineStatistics statistics() { return engine_->statistics(); }

  // --- Environment ----------------------------------------------------------------------------
  Outcome access(Hart& hart, const Operation& operation, std::uint64_t address, unsigned bytes,
                 bool write, void* data) override {
    const std::uint64_t offset = address - kOutside;
    if (offset >= kOutsideBytes || bytes > kOutsideBytes - offset)
      return isa::trap(hart, operation, write ? Cause::StoreAccess : Cause::LoadAccess, address);
    if (write)
      std::memcpy(outside_.data() + offset, data, bytes);
    else
      std::memcpy(data, outside_.data() + offset, bytes);
    return Outcome::Next;
  }
  Outcome remote_amo(Hart& hart, const Operation& operation, std::uint64_t address, unsigned,
                     unsigned, std::uint64_t operand, std::uint64_t& result) override {
    if (address - kOutside >= kOutsideBytes)
      return isa::trap(hart, operation, Cause::StoreAccess, address);
    result = operand ^ address;
    return Outcome::Next;
  }
  Outcome fence_i(Hart& hart, const Operation& operation) override {
    snapshot();
    hart.pc = operation.next_pc();
    return Outcome::Sync;
  }
  Outcome fence(Hart&, const Operation&) override { return Outcome::Next; }
  Outcome wait_for_interrupt(Hart& hart, const Operation& operation) override {
    hart.pc = operation.pc;
    hart.wait.kind = isa::WaitKind::Interrupt;
    return Outcome::Park;
  }
  Outcome semaphore_wait(Hart& hart, const Operation& operation, std::uint64_t,
                         std::uint64_t) override {
    return isa::illegal(hart, operation);
  }
  Outcome semaphore_try(Hart&, const Operation&, std::uint64_t index, std::uint64_t count,
                        std::uint64_t& taken) override {
    taken = index ^ count;
    return Outcome::Next;
  }
  Outcome semaphore_read(Hart&, const Operation&, std::uint64_t index,
                         std::uint64_t& value) override {
    value = index * 3;
    return Outcome::Next;
  }
  Outcome semaphore_post(Hart&, const Operation&, std::uint64_t, std::uint64_t) override {
    return Outcome::Next;
  }
  Outcome node_barrier(Hart& hart, const Operation& operation, std::uint64_t) override {
    return isa::illegal(hart, operation);
  }
  Outcome grid_barrier(Hart& hart, const Operation& operation, std::uint64_t) override {
    return isa::illegal(hart, operation);
  }
  Outcome transfer(Hart& hart, const Operation& operation, std::uint64_t, std::uint64_t) override {
    return isa::illegal(hart, operation);
  }
  Outcome transfer_wait(Hart&, const Operation&) override { return Outcome::Next; }
  Outcome print(Hart&, const Operation&, std::uint64_t, std::uint64_t) override {
    return Outcome::Next;
  }
  Outcome stop(Hart& hart, const Operation& operation) override {
    hart.pc = operation.next_pc();
    return Outcome::Stop;
  }
  bool read_csr(const Hart&, unsigned number, std::uint64_t& value) override {
    value = number;
    if (number == kHartIdCsr) ++traps_;  // the handler reads it
    return number == kHartIdCsr || (number >= 0xcc0 && number <= 0xcc5);
  }
  bool write_csr(Hart&, unsigned, std::uint64_t) override { return false; }

 private:
  void load(const Program& program, const Assembled& assembled);
  void begin_round(const Program& program, const Assembled& assembled, const Round& round);
  std::uint8_t* at(std::uint64_t address) { return memory_.data() + (address - kDataBase); }
  void snapshot() {
    previous_ = std::move(code_.program);  // its block with the fence.i is still in use
    code_.program = std::make_shared<emulator::CodeImage>(
        kProgramBase, std::span<const std::uint8_t>(at(kProgramBase), kProgramBytes));
  }

  emulator::Reservation memory_;
  std::array<std::uint8_t, kOutsideBytes> outside_{};
  std::uint64_t traps_ = 0;
  std::array<Hart, isa::kHartsPerNode> harts_{};
  isa::VectorRegisters vectors_{};
  emulator::CodeView code_;
  std::shared_ptr<emulator::CodeImage> previous_;
  std::optional<emulator::LockstepDifference> difference_;
  std::unique_ptr<emulator::Engine> engine_;
};

namespace {

void fill(Random& random, std::uint8_t* to, std::uint64_t bytes, unsigned width_log2) {
  const unsigned width = width_log2 != 0 ? width_log2 : 6;
  const unsigned step = 1U << (width - 3);
  for (std::uint64_t i = 0; i < bytes; i += step) {
    const std::uint64_t value = interesting_value(random, width);
    std::memcpy(to + i, &value, step);
  }
}

// Indices of indexed vector accesses, by width: see kTableBase.
void fill_tables(Random& random, std::uint8_t* tables) {
  for (unsigned width = 0; width < 4; ++width)
    for (unsigned i = 0; i < kTableVariants * kTableBytes; i += 1U << width) {
      const std::uint64_t index = random.below(width == 0 ? 256 : kIndexLimit);
      std::memcpy(tables + width * kTableVariants * kTableBytes + i, &index, 1U << width);
    }
}

}  // namespace

void ProgramRunner::Machine::load(const Program& program, const Assembled& assembled) {
  difference_.reset();
  traps_ = 0;
  memory_.discard(0, memory_.bytes());
  Random random(program.data_seed);
  fill(random, at(kDataBase), 4096, program.width_log2);
  fill_tables(random, at(kTableBase));
  fill(random, at(kMiddleArena), kMiddleArenaBytes, program.width_log2);
  fill(random, at(kMemoryEnd - 4096), 4096, program.width_log2);
  fill(random, outside_.data(), kOutsideBytes, program.width_log2);
  std::memcpy(at(kProgramBase), assembled.bytes.data(), assembled.bytes.size());
  snapshot();
}

void ProgramRunner::Machine::begin_round(const Program& program, const Assembled& assembled,
                                         const Round& round) {
  Random random(round.state_seed);
  Block block{};
  fill_state(random, program.width_log2, block);
  const std::uint64_t instret = harts_[0].instret, clock = harts_[0].clock;
  for (unsigned i = 0; i < harts_.size(); ++i) {
    harts_[i] = {};
    harts_[i].hart_id = static_cast<std::uint8_t>(i);
    harts_[i].reservation = isa::kNoReservation;
    harts_[i].node_harts = harts_.data();
    harts_[i].v = &vectors_;
  }
  Hart& hart = harts_[0];
  isa::csr_reset(hart);
  hart.instret = instret;
  hart.clock = clock;
  hart.memory = {memory_.data(), kDataBase, memory_.bytes()};
  hart.environment = this;
  hart.status = isa::HartStatus::Runnable;
  hart.x = block.x;
  hart.x[0] = 0;
  hart.f = block.f;
  std::memcpy(vectors_.bytes, block.v.data(), sizeof vectors_.bytes);
  // Units Dirty, but now and then Initial, Clean or Off.
  const unsigned float_state = random.one_in(8) ? random.below(4) : 3;
  const unsigned vector_state = random.one_in(8) ? random.below(4) : 3;
  hart.mstatus |= float_state << 13 | vector_state << 9;
  hart.mtvec = kProgramBase;
  hart.mscratch = kSaveArea;
  hart.frm = static_cast<std::uint8_t>(random.one_in(2) ? 0 : block.fcsr >> 5);
  hart.fflags = random.one_in(2) ? 0 : static_cast<std::uint8_t>(block.fcsr & 31);
  hart.vxrm = static_cast<std::uint8_t>(block.vcsr >> 1);
  hart.vtype = {static_cast<std::uint8_t>(3 + (block.vtype >> 3 & 7)),
                static_cast<std::int8_t>(block.vtype & 7), 0, 0, 0};
  hart.vl = random.one_in(2) ? block.vl : 512u << hart.vtype.lmul_log2 >> hart.vtype.sew_log2;
  if (round.type) {
    hart.vtype = {static_cast<std::uint8_t>(round.type->first),
                  static_cast<std::int8_t>(round.type->second), 0, 0, 0};
    hart.vl = vlmax(round.type->first, round.type->second);
  }
  hart.d1_bias = random.bits() & 0x3f3f3f3f;
  hart.d1_seed = random.bits();
  // The first pointer is aligned, in the middle; others lie at the window's edges, or outside.
  for (std::size_t i = 0; i < program.pointers.size(); ++i) {
    std::uint64_t& pointer = hart.x[program.pointers[i]];
    pointer = kMiddleArena + 2048 + random.below(64) * 64;
    if (i == 1) pointer = kMemoryEnd - random.below(random.one_in(2) ? 4096 : 96);
    if (i == 2 && random.one_in(2)) pointer = kDataBase + random.below(2048);
    if (i == 3 && random.one_in(4)) pointer = kOutside + random.below(kOutsideBytes);
  }
  hart.pc = assembled.addresses[static_cast<unsigned>(round.entry)];
  std::memcpy(at(kSaveArea + 24), &hart.pc, sizeof hart.pc);  // where fetch faults go on
}

ProgramRunner::Result ProgramRunner::Machine::run(const Program& program) {
  const Assembled assembled = assemble(program);
  load(program, assembled);
  ProgramRunner::Result result;
  const std::uint64_t first = harts_[0].instret;
  for (const Round& round : program.rounds) {
    begin_round(program, assembled, round);
    if (round.interrupts) {
      harts_[0].mie = kInterrupt;
      harts_[0].mstatus |= kInterruptsEnabled;
    }
    for (const std::uint32_t budget : round.budgets) {
      if (round.interrupts && budget % 3 == 0) harts_[0].mip = kInterrupt;
      const TurnEnd end = engine_->run(harts_[0], code_, budget);
      ++result.turns;
      emulator::UnitShare units;
      settle(harts_[0], units);
      if (difference_ || end != TurnEnd::Budget) break;
    }
    if (difference_) break;
  }
  result.traps = traps_;
  result.instructions = harts_[0].instret - first;
  result.difference = difference_;
  return result;
}

ProgramRunner::ProgramRunner(const Variant& variant)
    : machine_(std::make_unique<Machine>(variant)) {}
ProgramRunner::~ProgramRunner() = default;

ProgramRunner::Result ProgramRunner::run(const Program& program) { return machine_->run(program); }
emulator::EngineStatistics ProgramRunner::statistics() const { return machine_->statistics(); }

}  // namespace d1::difftest
