// SPDX-License-Identifier: Apache-2.0
#include "emitters.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "block_generator.hpp"

namespace d1::difftest {

namespace {

using enum isa::InstructionId;
using Statistics = emulator::EngineStatistics;

constexpr unsigned kTries = 1;  // under each vtype
constexpr unsigned kScalarTries = 12;
constexpr unsigned kMostTries = 1000;  // to see code run that exists

// Whether a block with it is translated at all: what looks at the time, waits, or leaves the node
// is not.
bool may_be_translated(InstructionId id) {
  const auto& facts = isa::facts(id);
  const bool system = facts.extension == isa::Extension::Xd1 && facts.unit != isa::Unit::Simd &&
                      facts.unit != isa::Unit::Matrix;
  return !system && facts.extension != isa::Extension::Zicsr &&
         facts.extension != isa::Extension::Privileged && id != fence && id != fence_i &&
         id != ecall && id != ebreak && id != lr_w && id != lr_d && id != sc_w && id != sc_d;
}

bool takes_part_in_control(InstructionId id) {
  return id == jal || id == jalr || has_operand(id, Operand::imm_b);
}

// One instruction and a jump, then the end.
Program make_probe(Random& random, InstructionId id, std::pair<int, int> type) {
  Program program;
  BlockGenerator blocks(random, Profile::Mixed, program);
  blocks.set_type(type.first, type.second);
  if (id == jalr) {
    blocks.address(blocks.address_register(), 2);
    blocks.jump_register(blocks.link_register(), blocks.address_register());
  } else if (id == jal) {
    blocks.jump(blocks.link_register(), 1);
  } else if (takes_part_in_control(id)) {
    blocks.branch(id, blocks.data_register(), blocks.data_register(), 1);
  } else {
    blocks.instruction(id);
    blocks.jump(0, 2);
  }
  Assembler(blocks.item().code).op(d1_halt, {});
  program.pointers = blocks.pointers();
  program.data_seed = random.bits();
  program.rounds = {
      {.state_seed = random.bits(), .budgets = {1000}, .interrupts = false, .type = type}};
  return program;
}

struct Counted {
  std::uint64_t retired = 0, helpers = 0;
};

Counted counted(const Statistics& statistics) {
  Counted result;
  result.retired = statistics.translation->execution->retired;
  for (const auto& each : statistics.translation->execution->helpers) result.helpers += each.count;
  return result;
}

class Prober {
 public:
  Prober(emulator::HostLevel level, std::uint64_t seed)
      : random_(seed),
        runner_({.level = level, .unit = emulator::LockstepUnit::Block, .count_execution = true}) {}

  std::map<std::string, EmitterUse> run() {
    for (unsigned number = 1; number < static_cast<unsigned>(InstructionId::Count); ++number)
      if (const auto id = static_cast<InstructionId>(number); may_be_translated(id)) probe(id);
    const Statistics statistics = runner_.statistics();
    for (const auto& each : statistics.translation->emitted)
      uses_[each.name].in_line = each.in_line;
    for (const auto& each : statistics.translation->execution->helpers)
      uses_[each.name].called = each.count;
    return std::move(uses_);
  }

 private:
  void probe(InstructionId id) {
    const std::string name(isa::facts(id).mnemonic);
    const bool vectors = is_vector(id) || isa::facts(id).unit == isa::Unit::Simd;
    std::vector<std::pair<int, int>> types;
    for (int sew = 3; sew <= 6; ++sew)
      for (int lmul = -1; lmul <= 3; ++lmul) types.emplace_back(sew, lmul);
    if (!vectors) types = {{5, 0}};
    const std::uint64_t before = translated(name);
    for (const auto& type : types)
      for (unsigned i = 0; i < (vectors ? kTries : kScalarTries); ++i) (void)run_once(id, type);
    EmitterUse& use = uses_[name];
    if (translated(name) == before) return;
    for (unsigned i = 0; i < kMostTries && use.ran_in_line == 0; ++i)
      if (runs_in_line(id, types[i % types.size()])) ++use.ran_in_line;
  }

  std::uint64_t translated(const std::string& name) {
    const Statistics statistics = runner_.statistics();
    for (const auto& each : statistics.translation->emitted)
      if (each.name == name) return each.in_line;
    return 0;
  }

  ProgramRunner::Result run_once(InstructionId id, std::pair<int, int> type) {
    const Program program = make_probe(random_, id, type);
    ProgramRunner::Result result = runner_.run(program);
    if (result.difference)
      throw std::runtime_error(result.difference->to_string() + to_text(program));
    return result;
  }

  // All but the end is retired by translated code without a helper, and nothing traps.
  bool runs_in_line(InstructionId id, std::pair<int, int> type) {
    const Counted before = counted(runner_.statistics());
    const auto result = run_once(id, type);
    const Counted after = counted(runner_.statistics());
    return after.helpers == before.helpers && result.traps == 0 &&
           after.retired - before.retired == result.instructions - 1;
  }

  Random random_;
  ProgramRunner runner_;
  std::map<std::string, EmitterUse> uses_;
};

}  // namespace

std::map<std::string, EmitterUse> try_emitters(emulator::HostLevel level, std::uint64_t seed) {
  return Prober(level, seed).run();
}

}  // namespace d1::difftest
