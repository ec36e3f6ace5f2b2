// SPDX-License-Identifier: Apache-2.0
// Vector integer arithmetic, unmasked and of full length: one host instruction a register.
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;
using Xbyak::Zmm;

bool RegionEmitter::emit_vector_integer(const Operation& operation) {
  using I = InstructionId;
  enum class Kind : std::uint8_t {
    Add, Subtract, Reverse, And, Or, Xor, Multiply,
    Minimum, MinimumUnsigned, Maximum, MaximumUnsigned
  } kind;
  enum class From : std::uint8_t { Vector, Scalar, Immediate } from = From::Vector;
  switch (operation.id) {
    case I::vadd_vv: kind = Kind::Add; break;
    case I::vadd_vx: kind = Kind::Add; from = From::Scalar; break;
    case I::vadd_vi: kind = Kind::Add; from = From::Immediate; break;
    case I::vsub_vv: kind = Kind::Subtract; break;
    case I::vsub_vx: kind = Kind::Subtract; from = From::Scalar; break;
    case I::vrsub_vx: kind = Kind::Reverse; from = From::Scalar; break;
    case I::vrsub_vi: kind = Kind::Reverse; from = From::Immediate; break;
    case I::vand_vv: kind = Kind::And; break;
    case I::vand_vx: kind = Kind::And; from = From::Scalar; break;
    case I::vand_vi: kind = Kind::And; from = From::Immediate; break;
    case I::vor_vv: kind = Kind::Or; break;
    case I::vor_vx: kind = Kind::Or; from = From::Scalar; break;
    case I::vor_vi: kind = Kind::Or; from = From::Immediate; break;
    case I::vxor_vv: kind = Kind::Xor; break;
    case I::vxor_vx: kind = Kind::Xor; from = From::Scalar; break;
    case I::vxor_vi: kind = Kind::Xor; from = From::Immediate; break;
    case I::vmul_vv: kind = Kind::Multiply; break;
    case I::vmul_vx: kind = Kind::Multiply; from = From::Scalar; break;
    case I::vmin_vv: kind = Kind::Minimum; break;
    case I::vmin_vx: kind = Kind::Minimum; from = From::Scalar; break;
    case I::vminu_vv: kind = Kind::MinimumUnsigned; break;
    case I::vminu_vx: kind = Kind::MinimumUnsigned; from = From::Scalar; break;
    case I::vmax_vv: kind = Kind::Maximum; break;
    case I::vmax_vx: kind = Kind::Maximum; from = From::Scalar; break;
    case I::vmaxu_vv: kind = Kind::MaximumUnsigned; break;
    case I::vmaxu_vx: kind = Kind::MaximumUnsigned; from = From::Scalar; break;
    default: return false;
  }
  const unsigned n = state_.registers(), sew = state_.sew_log2;
  if (!state_.full || !operation.vm() || !group_aligned(operation.rd, n) ||
      !group_aligned(operation.rs2, n) ||
      (from == From::Vector && !group_aligned(operation.rs1, n)) ||
      (kind == Kind::Multiply && sew == 3))  // the host multiplies no bytes
    return false;
  use_state();
  if (from == From::Immediate) {
    const int value = operation.rs1 >= 16 ? operation.rs1 - 32 : operation.rs1;
    mov(rax, static_cast<std::int64_t>(value));
  } else if (from == From::Scalar) {
    load(rax, operation.rs1);
  }
  if (from != From::Vector) splat(zmm13, sew);
  const auto by_width = [&](auto b, auto w, auto d, auto q, const Zmm& x, const Zmm& y) {
    switch (sew) {
      case 3: (this->*b)(zmm14, x, y); break;
      case 4: (this->*w)(zmm14, x, y); break;
      case 5: (this->*d)(zmm14, x, y); break;
      default: (this->*q)(zmm14, x, y); break;
    }
  };
  using E = RegionEmitter;
  for (unsigned i = 0; i < n; ++i) {
    const Zmm b = from == From::Vector ? read_vector(operation.rs1 + i, kSecondScratchVector)
                                       : zmm13;
    const Zmm a = read_vector(operation.rs2 + i, kScratchVector);
    switch (kind) {
      case Kind::Add: by_width(&E::vpaddb, &E::vpaddw, &E::vpaddd, &E::vpaddq, a, b); break;
      case Kind::Subtract: by_width(&E::vpsubb, &E::vpsubw, &E::vpsubd, &E::vpsubq, a, b); break;
      case Kind::Reverse: by_width(&E::vpsubb, &E::vpsubw, &E::vpsubd, &E::vpsubq, b, a); break;
      case Kind::And: vpandq(zmm14, a, b); break;
      case Kind::Or: vporq(zmm14, a, b); break;
      case Kind::Xor: vpxorq(zmm14, a, b); break;
      case Kind::Multiply:
        by_width(&E::vpmullw, &E::vpmullw, &E::vpmulld, &E::vpmullq, a, b);
        break;
      case Kind::Minimum: by_width(&E::vpminsb, &E::vpminsw, &E::vpminsd, &E::vpminsq, a, b); break;
      case Kind::MinimumUnsigned:
        by_width(&E::vpminub, &E::vpminuw, &E::vpminud, &E::vpminuq, a, b);
        break;
      case Kind::Maximum: by_width(&E::vpmaxsb, &E::vpmaxsw, &E::vpmaxsd, &E::vpmaxsq, a, b); break;
      case Kind::MaximumUnsigned:
        by_width(&E::vpmaxub, &E::vpmaxuw, &E::vpmaxud, &E::vpmaxuq, a, b);
        break;
    }
    write_vector(operation.rd + i, zmm14);
  }
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
