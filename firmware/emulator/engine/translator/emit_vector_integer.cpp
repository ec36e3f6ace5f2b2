// SPDX-License-Identifier: Apache-2.0
// Vector integer arithmetic of one width: one host instruction a register, where there is one.
#include <unordered_map>

#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;
using Xbyak::CodeGenerator;
using Xbyak::Opmask;
using Xbyak::Zmm;

namespace {

using Three = void (CodeGenerator::*)(const Xbyak::Xmm&, const Xbyak::Xmm&, const Xbyak::Operand&);

enum class Kind : std::uint8_t {
  Add, Subtract, Reverse, And, Or, Xor, Multiply, Minimum, MinimumUnsigned, Maximum,
  MaximumUnsigned, ShiftLeft, ShiftRight, ShiftRightSigned, Count
};

enum class Second : std::uint8_t { Vector, Scalar, Immediate, UnsignedImmediate };

struct Form {
  Kind kind;
  Second second;
};

#define D1_VV(name, kind) {InstructionId::name##_vv, {Kind::kind, Second::Vector}},
#define D1_VX(name, kind) {InstructionId::name##_vx, {Kind::kind, Second::Scalar}},
#define D1_VI(name, kind) {InstructionId::name##_vi, {Kind::kind, Second::Immediate}},
#define D1_VU(name, kind) {InstructionId::name##_vi, {Kind::kind, Second::UnsignedImmediate}},
const std::unordered_map<InstructionId, Form> kForms = {
    D1_VV(vadd, Add) D1_VX(vadd, Add) D1_VI(vadd, Add)
    D1_VV(vsub, Subtract) D1_VX(vsub, Subtract)
    D1_VX(vrsub, Reverse) D1_VI(vrsub, Reverse)
    D1_VV(vand, And) D1_VX(vand, And) D1_VI(vand, And)
    D1_VV(vor, Or) D1_VX(vor, Or) D1_VI(vor, Or)
    D1_VV(vxor, Xor) D1_VX(vxor, Xor) D1_VI(vxor, Xor)
    D1_VV(vmul, Multiply) D1_VX(vmul, Multiply)
    D1_VV(vmin, Minimum) D1_VX(vmin, Minimum)
    D1_VV(vminu, MinimumUnsigned) D1_VX(vminu, MinimumUnsigned)
    D1_VV(vmax, Maximum) D1_VX(vmax, Maximum)
    D1_VV(vmaxu, MaximumUnsigned) D1_VX(vmaxu, MaximumUnsigned)
    D1_VV(vsll, ShiftLeft) D1_VX(vsll, ShiftLeft) D1_VU(vsll, ShiftLeft)
    D1_VV(vsrl, ShiftRight) D1_VX(vsrl, ShiftRight) D1_VU(vsrl, ShiftRight)
    D1_VV(vsra, ShiftRightSigned) D1_VX(vsra, ShiftRightSigned) D1_VU(vsra, ShiftRightSigned)
};
#undef D1_VV
#undef D1_VX
#undef D1_VI
#undef D1_VU

// By width. Null: the host has no such instruction.
struct HostInstruction {
  Three of[4];
  bool masks_narrow = true;  // elements of fewer than 32 bits
};

using G = CodeGenerator;
const HostInstruction kHost[static_cast<std::size_t>(Kind::Count)] = {
    {{&G::vpaddb, &G::vpaddw, &G::vpaddd, &G::vpaddq}},
    {{&G::vpsubb, &G::vpsubw, &G::vpsubd, &G::vpsubq}},
    {{&G::vpsubb, &G::vpsubw, &G::vpsubd, &G::vpsubq}},
    {{&G::vpandd, &G::vpandd, &G::vpandd, &G::vpandq}, false},
    {{&G::vpord, &G::vpord, &G::vpord, &G::vporq}, false},
    {{&G::vpxord, &G::vpxord, &G::vpxord, &G::vpxorq}, false},
    {{nullptr, &G::vpmullw, &G::vpmulld, &G::vpmullq}},
    {{&G::vpminsb, &G::vpminsw, &G::vpminsd, &G::vpminsq}},
    {{&G::vpminub, &G::vpminuw, &G::vpminud, &G::vpminuq}},
    {{&G::vpmaxsb, &G::vpmaxsw, &G::vpmaxsd, &G::vpmaxsq}},
    {{&G::vpmaxub, &G::vpmaxuw, &G::vpmaxud, &G::vpmaxuq}},
    {{nullptr, &G::vpsllvw, &G::vpsllvd, &G::vpsllvq}},
    {{nullptr, &G::vpsrlvw, &G::vpsrlvd, &G::vpsrlvq}},
    {{nullptr, &G::vpsravw, &G::vpsravd, &G::vpsravq}},
};

bool is_shift(Kind kind) noexcept { return kind >= Kind::ShiftLeft; }

}  // namespace

bool RegionEmitter::emit_vector_integer(const Operation& operation) {
  const auto found = kForms.find(operation.id);
  if (found == kForms.end()) return false;
  const auto [kind, second] = found->second;
  const unsigned n = state_.registers(), width = state_.sew_log2;
  const HostInstruction& host = kHost[static_cast<std::size_t>(kind)];
  const Three instruction = state_.known ? host.of[width - 3] : nullptr;
  if (instruction == nullptr || !destination_allowed(operation) ||
      !group_aligned(operation.rd, n) || !group_aligned(operation.rs2, n) ||
      (second == Second::Vector && !group_aligned(operation.rs1, n)))
    return false;
  // Only as many bits of a shift's amount count as the width needs.
  const unsigned amount_bits = (1u << width) - 1;
  switch (second) {
    case Second::Vector: break;
    case Second::Immediate: load_immediate(operation); break;
    case Second::UnsignedImmediate: mov(eax, operation.rs1); break;
    case Second::Scalar: load(rax, operation.rs1); break;
  }
  if (second != Second::Vector) {
    if (is_shift(kind)) and_(eax, amount_bits);
    splat(zmm13, width);
  }
  const bool direct = width >= 5 || host.masks_narrow;
  for_active(masking(operation), width, n, [&](unsigned i, const Opmask& active) {
    Zmm b = second == Second::Vector ? read_vector(operation.rs1 + i, kSecondScratchVector) : zmm13;
    if (is_shift(kind) && second == Second::Vector) {
      const std::uint64_t bits = amount_bits * (width == 4 ? 0x0001'0001'0001'0001
                                                : width == 5 ? 0x0000'0001'0000'0001 : 1);
      vpandq(zmm13, b, ptr_b[rip + constant128(bits, bits)]);
      b = zmm13;
    }
    const Zmm a = read_vector(operation.rs2 + i, kThirdScratchVector);
    const Zmm& left = kind == Kind::Reverse ? b : a;
    const Zmm& right = kind == Kind::Reverse ? a : b;
    if (direct) {
      const Zmm to = target_vector(operation.rd + i, active);
      (this->*instruction)(to | active, left, right);
      write_vector(operation.rd + i, to);
    } else {
      (this->*instruction)(zmm14, left, right);
      write_active(operation.rd + i, zmm14, active, width);
    }
  });
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
