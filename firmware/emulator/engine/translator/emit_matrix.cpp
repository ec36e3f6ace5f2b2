// SPDX-License-Identifier: Apache-2.0
// mma.bf16 as eight vdpbf16ps, which sum each pair as Xd1 does: the odd element first, rounded to
// nearest, denormals flushed. matrix_registers.hpp says how its operands lie in host registers.
// NaNs among the sums become canonical when they leave their registers: to the host a NaN is a NaN.
#include <d1/isa/semantics/xd1.hpp>

#include "engine/register_use.hpp"
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;
using Xbyak::Zmm;

namespace {

constexpr int kLaneBytes = 16;

std::uint32_t bit(unsigned group) noexcept { return 1u << group; }

// In the vector registers' memory.
int vector_offset(unsigned guest) noexcept { return static_cast<int>(guest * isa::kVlenBytes); }
int sum_offset(unsigned group, unsigned row) noexcept {
  return vector_offset(group * kSumRegisters + row);
}

// Which lanes vshufi32x4 takes: two of its first source, then two of its second.
constexpr std::uint8_t kFirstLanes = 0x44, kLastLanes = 0xee, kEvenLanes = 0x88, kOddLanes = 0xdd;

}  // namespace

// --- sums --------------------------------------------------------------------------------------

// From memory, as the guest has them, to their host registers. rdx points to the vector registers.
void RegionEmitter::load_sums(unsigned group) {
  const Zmm scratch(kScratchVector), t0(kLeftForms), t1(kLeftForms + 1), t2(kLeftForms + 2),
      t3(kLeftForms + 3);
  const auto row = [this, group](unsigned i) { return zword[rdx + sum_offset(group, i)]; };
  vmovdqa64(scratch, row(0));
  vshufi32x4(t0, scratch, row(1), kFirstLanes);
  vshufi32x4(t2, scratch, row(1), kLastLanes);
  vmovdqa64(scratch, row(2));
  vshufi32x4(t1, scratch, row(3), kFirstLanes);
  vshufi32x4(t3, scratch, row(3), kLastLanes);
  const int host = matrix_.sums.host(group);
  vshufi32x4(Zmm(host), t0, t1, kEvenLanes);
  vshufi32x4(Zmm(host + 1), t0, t1, kOddLanes);
  vshufi32x4(Zmm(host + 2), t2, t3, kEvenLanes);
  vshufi32x4(Zmm(host + 3), t2, t3, kOddLanes);
  forms_.left = OperandForms::kNone;
}

// Four registers, lane by lane: gives register i of the result to `take`, in zmm14.
void RegionEmitter::transpose_lanes(int first,
                                    const FunctionReference<void(unsigned, const Zmm&)>& take) {
  const Zmm result(kScratchVector), t0(kLeftForms), t1(kLeftForms + 1), t2(kLeftForms + 2),
      t3(kLeftForms + 3);
  vshufi32x4(t0, Zmm(first), Zmm(first + 1), kFirstLanes);
  vshufi32x4(t2, Zmm(first), Zmm(first + 1), kLastLanes);
  vshufi32x4(t1, Zmm(first + 2), Zmm(first + 3), kFirstLanes);
  vshufi32x4(t3, Zmm(first + 2), Zmm(first + 3), kLastLanes);
  const auto row = [&](unsigned i, const Zmm& a, const Zmm& b, std::uint8_t lanes) {
    vshufi32x4(result, a, b, lanes);
    take(i, result);
  };
  row(0, t0, t1, kEvenLanes);
  row(1, t0, t1, kOddLanes);
  row(2, t2, t3, kEvenLanes);
  row(3, t2, t3, kOddLanes);
  forms_.left = OperandForms::kNone;
}

// The way back. The transposition is its own inverse.
void RegionEmitter::store_sums(unsigned group) {
  transpose_lanes(matrix_.sums.host(group), [this, group](unsigned i, const Zmm& value) {
    vmovdqa64(zword[rdx + sum_offset(group, i)], value);
  });
}

void RegionEmitter::settle_sums(int host) {
  for (int i = 0; i < static_cast<int>(kSumRegisters); ++i) {
    compare_unordered(Format::Single, k1, Zmm(host + i), Zmm(host + i));
    blend_canonical(Format::Single, k1, Zmm(host + i));
  }
}

// For an instruction that reads them, or changes some of them only.
void RegionEmitter::sums_to_memory(unsigned group) {
  if ((sums_here_.in_memory & bit(group)) != 0) return;
  if ((sums_here_.unsettled & bit(group)) != 0) {
    settle_sums(matrix_.sums.host(group));
  } else if ((sums_here_.settled & bit(group)) == 0) {
    Label unsettled, back;
    test(unsettled_groups(), bit(group));
    jnz(unsettled, T_NEAR);
    L(back);
    out_of_line([this, group, unsettled, back]() mutable {
      L(unsettled);
      settle_sums(matrix_.sums.host(group));
      jmp(back, T_NEAR);
    });
  }
  sums_here_.settle(bit(group));
  point_to_vectors();
  store_sums(group);
  sums_here_.in_memory |= bit(group);
}

void RegionEmitter::sums_to_host(std::uint32_t groups) {
  groups &= matrix_.sums.all_kept() & ~sums_here_.in_host;
  if (groups == 0) return;
  point_to_vectors();
  for (unsigned group = 0; group < kSumGroups; ++group)
    if ((groups & bit(group)) != 0) load_sums(group);
  sums_here_.in_host |= groups;
}

// A load into some registers that will stay in memory; of `whole` ones nothing stays as it is.
void RegionEmitter::prepare_sums_for_load(unsigned first, unsigned registers, bool whole) {
  for (unsigned group = 0; group < kSumGroups; ++group) {
    const unsigned begin = group * kSumRegisters, end = begin + kSumRegisters;
    if (!matrix_.sums.kept(group) || first >= end || first + registers <= begin) continue;
    const bool all = whole && first <= begin && first + registers >= end;
    if (!all) sums_to_memory(group);
    sums_here_.settle(bit(group));
    sums_here_.in_host &= ~bit(group);
    sums_here_.in_memory |= bit(group);
  }
}

// What the code that runs next cannot know.
void RegionEmitter::record_sums() {
  const std::uint32_t kept = matrix_.sums.all_kept(), unsettled = sums_here_.unsettled & kept,
                      settled = sums_here_.settled & kept;
  if (kept == 0) return;
  if ((unsettled | settled) == kept) {
    mov(unsettled_groups(), unsettled);
    return;
  }
  if (unsettled != 0) or_(unsettled_groups(), unsettled);
  if (settled != 0) and_(unsettled_groups(), ~settled);
}

void RegionEmitter::end_sums() {
  sums_to_host(~0u);
  record_sums();
}

// Sums that the operation reads or changes are in memory then; forms that it makes invalid are
// forgotten. mma itself takes C where it is.
void RegionEmitter::prepare_sums(const Operation& operation) {
  if (matrix_.sums.all_kept() == 0) return;
  const RegisterUse use = register_use(operation, {state_.known, state_.type()});
  const bool is_product = operation.id == InstructionId::mma_bf16;
  const VectorAccessForm access = vector_access(operation.id);
  const bool is_load = access.kind != VectorAccess::None && !access.store;
  const auto each = [](const RegisterRange& range, const auto& visit) {
    for (unsigned i = 0; i < range.count; ++i)
      if (range.first >= kVectorScoreboard) visit(range.first + i - kVectorScoreboard);
  };
  const auto to_memory = [&](unsigned guest) {
    const unsigned group = sum_group_of(guest);
    const bool is_sum = is_product && group == sum_group_of(operation.rd);
    if (matrix_.sums.kept(group) && !is_sum) sums_to_memory(group);
  };
  for (unsigned i = 0; i < use.read_count; ++i) each(use.reads[i], to_memory);
  each(use.write, [&](unsigned guest) {
    forms_.forget(guest);
    // vector_memory() knows what of a group it overwrites.
    if (is_load || is_product || !matrix_.sums.kept(sum_group_of(guest))) return;
    to_memory(guest);
    sums_here_.in_host &= ~bit(sum_group_of(guest));
  });
}

// --- forms of A and B --------------------------------------------------------------------------

void RegionEmitter::load_left_forms(unsigned guest) {
  vmovdqa64(zmm12, zword[rdx + vector_offset(guest)]);
  for (int element = 0; element < 4; ++element)
    vpshufd(Zmm(kLeftForms + element), zmm12, static_cast<std::uint8_t>(element * 0x55));
  forms_.left = static_cast<int>(guest);
}

void RegionEmitter::load_right_forms(unsigned guest, std::size_t place) {
  for (int lane = 0; lane < 4; ++lane)
    vbroadcasti32x4(Zmm(matrix_.right_forms[place] + lane),
                    ptr[rdx + vector_offset(guest) + kLaneBytes * lane]);
  forms_.right[place] = static_cast<int>(guest);
}

// After registers were lost.
void RegionEmitter::restore_forms(const OperandForms& forms) {
  for_each_bit(forms.spread_singles, [this](unsigned guest) {
    vbroadcastss(Zmm(floats_.host(guest)), Xbyak::Xmm(floats_.host(guest)));
  });
  for_each_bit(forms.spread_doubles, [this](unsigned guest) {
    vbroadcastsd(Zmm(floats_.host(guest)), Xbyak::Xmm(floats_.host(guest)));
  });
  if (forms.left == OperandForms::kNone && forms.right == OperandForms{}.right) return;
  point_to_vectors();
  if (forms.left != OperandForms::kNone) load_left_forms(static_cast<unsigned>(forms.left));
  for (std::size_t place = 0; place < forms.right.size(); ++place)
    if (forms.right[place] != OperandForms::kNone)
      load_right_forms(static_cast<unsigned>(forms.right[place]), place);
}

// The first register of B's forms; kNone if there is no room for them.
int RegionEmitter::find_right_forms(unsigned guest) {
  for (std::size_t place = 0; place < matrix_.right_forms.size(); ++place)
    if (forms_.right[place] == static_cast<int>(guest)) return matrix_.right_forms[place];
  if (matrix_.right_forms.empty()) return OperandForms::kNone;
  const std::size_t place = forms_.next_right++ % matrix_.right_forms.size();
  point_to_vectors();
  load_right_forms(guest, place);
  return matrix_.right_forms[place];
}

// --- products ----------------------------------------------------------------------------------

void RegionEmitter::product_in_registers(unsigned group, unsigned a, unsigned b) {
  sums_to_host(bit(group));
  const int sums = matrix_.sums.host(group);
  if (forms_.left != static_cast<int>(a)) {
    point_to_vectors();
    load_left_forms(a);
  }
  const int right = find_right_forms(b);
  if (right == OperandForms::kNone) point_to_vectors();
  for (int lane = 0; lane < 4; ++lane) {  // of B: pair lane / 2, half lane % 2 of the columns
    const Zmm columns(right != OperandForms::kNone ? right + lane : kSecondScratchVector);
    if (right == OperandForms::kNone)
      vbroadcasti32x4(columns, ptr[rdx + vector_offset(b) + kLaneBytes * lane]);
    for (int odd = 0; odd < 2; ++odd)
      vdpbf16ps(Zmm(sums + 2 * odd + lane % 2), Zmm(kLeftForms + 2 * odd + lane / 2), columns);
  }
  sums_here_.in_memory &= ~bit(group);
  sums_here_.unsettled |= bit(group);
  sums_here_.settled &= ~bit(group);
}

// Sums for which no registers are left: gathered lane by lane in the registers of A's forms.
void RegionEmitter::product_in_memory(unsigned group, unsigned a, unsigned b) {
  point_to_vectors();
  const auto lane = [this, group](int host, unsigned row) {
    return ptr[rdx + sum_offset(group, row) + kLaneBytes * host];
  };
  for (int host = 0; host < 4; ++host) {
    vmovdqa(Xbyak::Xmm(kLeftForms + host), lane(host, 0));
    for (unsigned row = 1; row < kSumRegisters; ++row)
      vinserti32x4(Zmm(kLeftForms + host), Zmm(kLeftForms + host), lane(host, row),
                   static_cast<std::uint8_t>(row));
  }
  for (int right = 0; right < 4; ++right) {
    vbroadcasti32x4(zmm13, ptr[rdx + vector_offset(b) + kLaneBytes * right]);
    for (int odd = 0; odd < 2; ++odd) {
      const int element = 2 * odd + right / 2;
      vpshufd(zmm12, zword[rdx + vector_offset(a)], static_cast<std::uint8_t>(element * 0x55));
      vdpbf16ps(Zmm(kLeftForms + 2 * odd + right % 2), zmm12, zmm13);
    }
  }
  settle_sums(kLeftForms);
  for (int host = 0; host < 4; ++host)
    for (unsigned row = 0; row < kSumRegisters; ++row)
      vextracti32x4(lane(host, row), Zmm(kLeftForms + host), static_cast<std::uint8_t>(row));
  forms_.left = OperandForms::kNone;
}

bool RegionEmitter::emit_matrix(const Operation& operation) {
  if (!is_translated_product(operation)) return false;
  const unsigned c = operation.rd, a = operation.rs1, b = operation.rs2;
  const unsigned group = sum_group_of(c);
  matrix_.sums.note(group);
  vectors_.exclude(a);
  vectors_.exclude(b);
  for (unsigned i = 0; i < kSumRegisters; ++i) vectors_.exclude(c + i);
  if (matrix_.sums.kept(group)) product_in_registers(group, a, b);
  else product_in_memory(group, a, b);
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
