// SPDX-License-Identifier: Apache-2.0
// Integer instructions whose result is wider than an operand.
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

enum class Work : std::uint8_t { Add, Subtract, Multiply, Accumulate };

// How vs2 and the operand in the field rs1 become wide.
struct Kind {
  Work work;
  Extend first, second;
};

#define D1_WIDEN(id, work, first, second, from) \
  {InstructionId::id, {{Work::work, Extend::first, Extend::second}, Second::from}},
#define D1_WIDEN_VX(name, work, first, second)       \
  D1_WIDEN(name##v, work, first, second, Vector) \
  D1_WIDEN(name##x, work, first, second, Scalar)
const VectorForms<Kind> kForms = {
    D1_WIDEN_VX(vwaddu_v, Add, Zero, Zero)
    D1_WIDEN_VX(vwadd_v, Add, Sign, Sign)
    D1_WIDEN_VX(vwsubu_v, Subtract, Zero, Zero)
    D1_WIDEN_VX(vwsub_v, Subtract, Sign, Sign)
    D1_WIDEN_VX(vwaddu_w, Add, None, Zero)
    D1_WIDEN_VX(vwadd_w, Add, None, Sign)
    D1_WIDEN_VX(vwsubu_w, Subtract, None, Zero)
    D1_WIDEN_VX(vwsub_w, Subtract, None, Sign)
    D1_WIDEN_VX(vwmulu_v, Multiply, Zero, Zero)
    D1_WIDEN_VX(vwmul_v, Multiply, Sign, Sign)
    D1_WIDEN_VX(vwmulsu_v, Multiply, Sign, Zero)
    D1_WIDEN_VX(vwmaccu_v, Accumulate, Zero, Zero)
    D1_WIDEN_VX(vwmacc_v, Accumulate, Sign, Sign)
    D1_WIDEN_VX(vwmaccsu_v, Accumulate, Zero, Sign)
    D1_WIDEN(vwmaccus_vx, Accumulate, Sign, Zero, Scalar)
};
#undef D1_WIDEN_VX
#undef D1_WIDEN

using Extension = void (Xbyak::CodeGenerator::*)(const Xmm&, const Xbyak::Operand&);
using G = Xbyak::CodeGenerator;
// By the logarithm of the factor less 1, then by the result's width: 16, 32, 64.
constexpr Extension kSigned[3][3] = {{&G::vpmovsxbw, &G::vpmovsxwd, &G::vpmovsxdq},
                                     {nullptr, &G::vpmovsxbd, &G::vpmovsxwq},
                                     {nullptr, nullptr, &G::vpmovsxbq}};
constexpr Extension kUnsigned[3][3] = {{&G::vpmovzxbw, &G::vpmovzxwd, &G::vpmovzxdq},
                                       {nullptr, &G::vpmovzxbd, &G::vpmovzxwq},
                                       {nullptr, nullptr, &G::vpmovzxbq}};

}  // namespace

// Where those elements of a group lie that make the given register of a group 1 << factor_log2
// times as wide: in memory, or in `scratch` after a move.
const Xbyak::Operand& RegionEmitter::narrow_part(unsigned group, unsigned chunk,
                                                 unsigned factor_log2, int scratch) {
  const unsigned bytes = 64u >> factor_log2, offset = chunk * bytes;
  const unsigned guest = group + offset / 64, inside = offset % 64;
  if (pending_.contains(guest)) settle_group(guest, 1);
  vectors_.note(guest);
  const int host = vectors_.host(guest);
  if (host < 0) {
    point_to_vectors();
    memory_part_ = ptr[rdx + static_cast<int>(guest * isa::kVlenBytes + inside)];
    return memory_part_;
  }
  int place = host;
  if (inside != 0) {
    place = scratch;
    if (factor_log2 == 1) vextracti64x4(Ymm(scratch), Zmm(host), 1);
    else vextracti32x4(Xmm(scratch), Zmm(host), static_cast<std::uint8_t>(inside / 16));
    if (inside % 16 != 0) vpsrldq(Xmm(scratch), Xmm(scratch), 8);
  }
  if (factor_log2 == 1) register_part_ = Ymm(place);
  else register_part_ = Xmm(place);
  return register_part_;
}

void RegionEmitter::extend(const Zmm& to, unsigned group, unsigned chunk, unsigned width_log2,
                           unsigned factor_log2, Extend kind) {
  const auto& table = kind == Extend::Sign ? kSigned : kUnsigned;
  const Xbyak::Operand& from = narrow_part(group, chunk, factor_log2, to.getIdx());
  (this->*table[factor_log2 - 1][width_log2 - 4])(to, from);
}

bool RegionEmitter::emit_vector_extension(const Operation& operation) {
  using I = InstructionId;
  unsigned factor = 0;
  Extend kind = Extend::Sign;
  switch (operation.id) {
    case I::vzext_vf2: kind = Extend::Zero; [[fallthrough]];
    case I::vsext_vf2: factor = 1; break;
    case I::vzext_vf4: kind = Extend::Zero; [[fallthrough]];
    case I::vsext_vf4: factor = 2; break;
    case I::vzext_vf8: kind = Extend::Zero; [[fallthrough]];
    case I::vsext_vf8: factor = 3; break;
    default: return false;
  }
  const unsigned width = state_.sew_log2;
  const int lmul = state_.lmul_log2, narrow = lmul - static_cast<int>(factor);
  if (!state_.known || width < 3 + factor || narrow < -3 || !destination_allowed(operation) ||
      !group_aligned(operation.rd, state_.registers()) ||
      !group_aligned(operation.rs2, registers_of_group(narrow)) ||
      !widening_allowed(operation.rd, lmul, operation.rs2, narrow))
    return false;
  for_active(masking(operation), width, state_.registers(), [&](unsigned i, const Opmask& active) {
    extend(zmm14, operation.rs2, i, width, factor, kind);
    write_active(operation.rd + i, zmm14, active, width);
  });
  note_vector(operation);
  return true;
}

// A scalar of SEW, as a number of twice the width, to all elements of zmm13.
void RegionEmitter::splat_extended(const Operation& operation, Extend kind) {
  load(rax, operation.rs1);
  const bool is_signed = kind == Extend::Sign;
  switch (state_.sew_log2) {
    case 3: is_signed ? movsx(eax, al) : movzx(eax, al); break;
    case 4: is_signed ? movsx(eax, ax) : movzx(eax, ax); break;
    default: is_signed ? movsxd(rax, eax) : mov(eax, eax); break;
  }
  splat(zmm13, state_.sew_log2 + 1u);
}

bool RegionEmitter::emit_vector_widening(const Operation& operation) {
  const auto found = kForms.find(operation.id);
  if (found == kForms.end()) return false;
  const auto [kind, second] = found->second;
  const unsigned width = state_.sew_log2 + 1u;
  const int lmul = state_.lmul_log2, wide = lmul + 1;
  const bool from_vector = second == Second::Vector, first_is_wide = kind.first == Extend::None;
  if (!state_.known || width > 6 || wide > 3 || !destination_allowed(operation) ||
      !group_aligned(operation.rd, registers_of_group(wide)) ||
      !group_aligned(operation.rs2, registers_of_group(first_is_wide ? wide : lmul)) ||
      (from_vector && !group_aligned(operation.rs1, registers_of_group(lmul))) ||
      (!first_is_wide && !widening_allowed(operation.rd, wide, operation.rs2, lmul)) ||
      (from_vector && !widening_allowed(operation.rd, wide, operation.rs1, lmul)))
    return false;
  if (!from_vector) splat_extended(operation, kind.second);
  const unsigned n = registers_of_group(wide);
  for_active(masking(operation), width, n, [&](unsigned i, const Opmask& active) {
    if (from_vector) extend(zmm13, operation.rs1, i, width, 1, kind.second);
    Zmm a = zmm12;
    if (first_is_wide) a = read_vector(operation.rs2 + i, kThirdScratchVector);
    else extend(zmm12, operation.rs2, i, width, 1, kind.first);
    switch (kind.work) {
      case Work::Add: add_elements(zmm14, a, zmm13, width); break;
      case Work::Subtract: subtract_elements(zmm14, a, zmm13, width); break;
      default:
        if (width < 6 || kind.first != kind.second) multiply(zmm14, a, zmm13, width);
        else if (kind.first == Extend::Sign) vpmuldq(zmm14, a, zmm13);
        else vpmuludq(zmm14, a, zmm13);
        break;
    }
    if (kind.work == Work::Accumulate)
      add_elements(zmm14, zmm14, read_vector(operation.rd + i, kThirdScratchVector), width);
    write_active(operation.rd + i, zmm14, active, width);
  });
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
