// SPDX-License-Identifier: Apache-2.0
// Vector integer arithmetic of one width: one host instruction a register where there is one.
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

enum class Kind : std::uint8_t {
  Add, Subtract, Reverse, And, Or, Xor, Multiply, Minimum, MinimumUnsigned, Maximum,
  MaximumUnsigned, ShiftLeft, ShiftRight, ShiftRightSigned, Count
};

const VectorForms<Kind> kForms = {
    D1_FORM_VV(vadd, Add) D1_FORM_VX(vadd, Add) D1_FORM_VI(vadd, Add)
    D1_FORM_VV(vsub, Subtract) D1_FORM_VX(vsub, Subtract)
    D1_FORM_VX(vrsub, Reverse) D1_FORM_VI(vrsub, Reverse)
    D1_FORM_VV(vand, And) D1_FORM_VX(vand, And) D1_FORM_VI(vand, And)
    D1_FORM_VV(vor, Or) D1_FORM_VX(vor, Or) D1_FORM_VI(vor, Or)
    D1_FORM_VV(vxor, Xor) D1_FORM_VX(vxor, Xor) D1_FORM_VI(vxor, Xor)
    D1_FORM_VV(vmul, Multiply) D1_FORM_VX(vmul, Multiply)
    D1_FORM_VV(vmin, Minimum) D1_FORM_VX(vmin, Minimum)
    D1_FORM_VV(vminu, MinimumUnsigned) D1_FORM_VX(vminu, MinimumUnsigned)
    D1_FORM_VV(vmax, Maximum) D1_FORM_VX(vmax, Maximum)
    D1_FORM_VV(vmaxu, MaximumUnsigned) D1_FORM_VX(vmaxu, MaximumUnsigned)
    D1_FORM_VV(vsll, ShiftLeft) D1_FORM_VX(vsll, ShiftLeft) D1_FORM_VU(vsll, ShiftLeft)
    D1_FORM_VV(vsrl, ShiftRight) D1_FORM_VX(vsrl, ShiftRight) D1_FORM_VU(vsrl, ShiftRight)
    D1_FORM_VV(vsra, ShiftRightSigned) D1_FORM_VX(vsra, ShiftRightSigned)
    D1_FORM_VU(vsra, ShiftRightSigned)
};

// Null: the host has no such instruction.
struct HostInstruction {
  HostBinaries of;
  bool masks_narrow = true;  // elements of fewer than 32 bits
};

using G = Xbyak::CodeGenerator;
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

constexpr std::uint64_t kLowBytes = in_each_element(0x00ff, 4);
constexpr std::uint64_t kHighBytes = in_each_element(0xff00, 4);
// vpternlog: its second operand where the third has ones, else its first.
constexpr std::uint8_t kSelect = 0xd8;

}  // namespace

// --- bytes, which the host neither multiplies nor shifts: by words ------------------------------

void RegionEmitter::multiply_bytes(const Zmm& to, const Zmm& a, const Zmm& b) {
  const Zmm odd = extra_scratch(0), factor = extra_scratch(1);
  const auto high_bytes = ptr_b[rip + constant128(kHighBytes, 0)];
  vpsrlw(odd, a, 8);
  vpandq(factor, b, high_bytes);
  vpmullw(odd, odd, factor);
  vpmullw(to, a, b);
  vpternlogq(to, odd, high_bytes, kSelect);
}

void RegionEmitter::shift_bytes(const Zmm& to, const Zmm& a, const Zmm& amounts, unsigned kind) {
  const Zmm even = extra_scratch(0), odd = extra_scratch(1);
  const auto low_bytes = ptr_b[rip + constant128(kLowBytes, 0)];
  const auto high_bytes = ptr_b[rip + constant128(kHighBytes, 0)];
  vpandq(even, amounts, low_bytes);
  vpsrlw(odd, amounts, 8);
  switch (static_cast<Kind>(kind)) {
    case Kind::ShiftLeft:
      vpsllvw(even, a, even);
      vpandq(to, a, high_bytes);
      vpsllvw(odd, to, odd);
      break;
    case Kind::ShiftRight:
      vpandq(to, a, low_bytes);
      vpsrlvw(even, to, even);
      vpsrlvw(odd, a, odd);
      break;
    default:
      vpsllw(to, a, 8);
      vpsravw(even, to, even);
      vpsrlw(even, even, 8);
      vpsravw(odd, a, odd);
      break;
  }
  vpternlogq(even, odd, high_bytes, kSelect);
  vmovdqa64(to, even);
}

bool RegionEmitter::emit_vector_integer(const Operation& operation) {
  const auto found = kForms.find(operation.id);
  if (found == kForms.end()) return false;
  const auto [kind, second] = found->second;
  if (!same_width_allowed(operation, second)) return false;
  const unsigned width = state_.sew_log2;
  const HostInstruction& host = kHost[static_cast<std::size_t>(kind)];
  const HostBinary instruction = host.of[width - 3];
  const bool direct = instruction != nullptr && (width >= 5 || host.masks_narrow);
  // Only as many bits of a shift's amount count as the width needs.
  const std::uint32_t amount_bits = (1u << width) - 1;
  load_second(operation, second);
  if (second != Second::Vector) {
    if (is_shift(kind)) and_(eax, amount_bits);
    splat(zmm13, width);
  }
  for_active(masking(operation), width, state_.registers(), [&](unsigned i, const Opmask& active) {
    Zmm b = second_vector(operation, second, i);
    if (is_shift(kind) && second == Second::Vector) {
      vpandq(zmm13, b, ptr_b[rip + constant128(in_each_element(amount_bits, width), 0)]);
      b = zmm13;
    }
    const Zmm a = read_vector(operation.rs2 + i, kThirdScratchVector);
    const Zmm& left = kind == Kind::Reverse ? b : a;
    const Zmm& right = kind == Kind::Reverse ? a : b;
    if (direct) {
      const Zmm to = target_vector(operation.rd + i, active);
      (this->*instruction)(to | active, left, right);
      write_vector(operation.rd + i, to);
      return;
    }
    if (instruction != nullptr) (this->*instruction)(zmm14, left, right);
    else if (is_shift(kind)) shift_bytes(zmm14, a, b, static_cast<unsigned>(kind));
    else multiply_bytes(zmm14, a, b);
    write_active(operation.rd + i, zmm14, active, width);
  });
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
