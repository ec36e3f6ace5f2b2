// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/register_survey.hpp"

#include <algorithm>
#include <vector>

#include <d1/isa/operands.hpp>

#include "engine/register_use.hpp"
#include "engine/translator/translation.hpp"

namespace d1::emulator {

using isa::Extension;
using isa::InstructionId;
using isa::Operation;

namespace {

// Own: how many times a loop's body is thought to run for each time the loop is reached.
constexpr std::uint32_t kRounds = 16;

// How often each block runs when the region runs once, about.
std::vector<std::uint32_t> runs_of_blocks(const Region& region) {
  std::vector<std::uint32_t> runs(region.blocks.size(), 1);
  for (const Block* back : region.blocks) {
    const Successors after = successors_of(*back);
    if (!after.has_taken || after.call || after.taken > back->start) continue;
    for (std::size_t i = 0; i < runs.size(); ++i)  // loops are contiguous, mostly
      if (region.blocks[i]->start >= after.taken && region.blocks[i]->start <= back->start)
        runs[i] = std::min(runs[i] * kRounds, kRounds * kRounds * kRounds);
  }
  return runs;
}

bool is_scalar_float(Extension extension) noexcept {
  return extension == Extension::F || extension == Extension::D;
}

class Survey {
 public:
  Survey(RegisterSurvey& result, HostLevel level) : result_(result), level_(level) {}

  void add(const Operation& operation, const VectorState& state, std::uint32_t runs) {
    const bool vector = is_vector(operation.id);
    const bool scalar_float = is_scalar_float(isa::facts(operation.id).extension);
    const InHost in_host{
        .floats = scalar_float ? level_ != HostLevel::Portable
                               : vector && level_ == HostLevel::Avx512,
        .vectors = vector && level_ == HostLevel::Avx512 &&
                   (state.known || needs_no_state(operation.id))};
    const RegisterUse use = register_use(operation, {state.known, state.type()});
    for (unsigned i = 0; i < use.read_count; ++i) note(use.reads[i], in_host, runs);
    note(use.write, in_host, runs);
    if (accesses_rounding_mode(operation)) result_.relies_on |= kFloatReady;
    if (level_ == HostLevel::Portable) return;
    if (scalar_float) {
      result_.relies_on |= kFloatReady;
      if (reads_singles(operation.id)) add_singles(use);
    }
    if (use.write.count != 0 && in_floats(use.write) && !writes_single(operation, state))
      result_.unboxed_writes |= 1u << (use.write.first - kFloats);
    if (level_ != HostLevel::Avx512 || !vector) return;
    if (state.known && state.sew_log2 == 5) add_singles(use);
    add_vector(operation, runs);
  }

 private:
  static constexpr unsigned kFloats = kFloatScoreboard, kVectors = kVectorScoreboard;

  static bool in_floats(const RegisterRange& range) noexcept {
    return range.first >= kFloats && range.first < kVectors;
  }

  // Stores and moves take whatever is there.
  static bool reads_singles(InstructionId id) noexcept {
    return (isa::facts(id).extension == Extension::F && id != InstructionId::fsw &&
            id != InstructionId::fmv_x_w) ||
           id == InstructionId::fcvt_d_s;
  }
  static bool writes_single(const Operation& operation, const VectorState& state) noexcept {
    if (operation.id == InstructionId::vfmv_f_s) return state.known && state.sew_log2 == 5;
    return isa::facts(operation.id).extension == Extension::F ||
           operation.id == InstructionId::fcvt_s_d;
  }

  void add_singles(const RegisterUse& use) noexcept {
    for (unsigned i = 0; i < use.read_count; ++i)
      if (in_floats(use.reads[i])) result_.singles_read |= 1u << (use.reads[i].first - kFloats);
  }

  // What of an operation's registers may be in those of the host; integer registers always.
  struct InHost {
    bool floats, vectors;
  };
  void note(const RegisterRange& range, InHost in_host, std::uint32_t runs) noexcept {
    for (unsigned i = 0; i < range.count; ++i) {
      const unsigned number = range.first + i;
      if (number < kFloats) result_.integers[number] += runs;
      else if (number >= kVectors && in_host.vectors) result_.vectors.note(number - kVectors, runs);
      else if (number < kVectors && in_host.floats) result_.floats.note(number - kFloats, runs);
    }
  }
  static bool needs_no_state(InstructionId id) noexcept {
    return isa::facts(id).extension == Extension::Xd1 ||
           vector_access(id).kind == VectorAccess::WholeRegister || whole_move_registers(id) != 0;
  }

  void add_vector(const Operation& operation, std::uint32_t runs) {
    result_.relies_on |= kVectorReady;
    if (is_of_floats(operation.id)) result_.relies_on |= kFloatReady;
    if (is_translated_product(operation)) {
      result_.sums.note(sum_group_of(operation.rd), runs);
      result_.vectors.exclude(operation.rs1);
      result_.vectors.exclude(operation.rs2);
      for (unsigned i = 0; i < kSumRegisters; ++i) result_.vectors.exclude(operation.rd + i);
      return;
    }
    exclude_masks(operation);
  }

  // Masks are read and written where they are in memory.
  void exclude_masks(const Operation& operation) {
    for (const isa::Operand each : isa::operands_of(operation.id))
      if ((each == isa::Operand::vm && !operation.vm()) || each == isa::Operand::v0)
        result_.vectors.exclude(0);
    const VectorFunction function(operation.id);
    if (function.number < 0x18 || function.number > 0x1f) return;
    result_.vectors.exclude(operation.rd);  // of a compare, or of logic on masks
    if (function.category != VectorFunction::kMvv) return;
    result_.vectors.exclude(operation.rs1);
    result_.vectors.exclude(operation.rs2);
  }

  // Fields of the encoding (RISC-V "V", section 10); of another instruction the number is 64.
  struct VectorFunction {
    static constexpr unsigned kFvv = 1, kMvv = 2, kFvf = 5;
    unsigned category = 0, number = 64;

    explicit VectorFunction(InstructionId id) noexcept {
      const std::uint32_t match = isa::facts(id).match;
      if ((match & 0x7f) != 0x57 || (match >> 12 & 7) == 7) return;
      category = match >> 12 & 7;
      number = match >> 26;
    }
  };
  static bool is_of_floats(InstructionId id) noexcept {
    const VectorFunction function(id);
    return function.category == VectorFunction::kFvv || function.category == VectorFunction::kFvf;
  }

  RegisterSurvey& result_;
  HostLevel level_;
};

}  // namespace

bool is_translated_product(const Operation& operation) noexcept {
  static const bool host_has_it = __builtin_cpu_supports("avx512bf16") != 0;
  const unsigned sums = sum_group_of(operation.rd);
  return operation.id == InstructionId::mma_bf16 && host_has_it &&
         operation.rd % kSumRegisters == 0 && sum_group_of(operation.rs1) != sums &&
         sum_group_of(operation.rs2) != sums;
}

RegisterSurvey survey_registers(const Region& region, const VectorState& state,
                                HostLevel level) {
  RegisterSurvey result;
  Survey survey(result, level);
  const std::vector<std::uint32_t> runs = runs_of_blocks(region);
  // Blocks come behind one that leads to them. Its state is theirs here, though others lead there.
  std::vector<VectorState> states(region.blocks.size());
  states[0] = state;
  const auto hand_on = [&](std::uint64_t pc, const VectorState& after) {
    for (std::size_t i = 1; i < states.size(); ++i)
      if (region.blocks[i]->start == pc && !states[i].known) states[i] = after;
  };
  for (std::size_t i = 0; i < region.blocks.size(); ++i) {
    const Block& block = *region.blocks[i];
    VectorState here = states[i];
    for (unsigned n = 0; n < block.count; ++n) {
      const Operation& operation = block.operations[n];
      survey.add(operation, here, runs[i]);
      if (is_vector(operation.id)) here = state_after(operation, here, Length::Most);
    }
    const Successors after = successors_of(block);
    if (after.has_next) hand_on(after.next, here);
    if (after.has_taken && !after.call) hand_on(after.taken, here);
  }
  return result;
}

}  // namespace d1::emulator
