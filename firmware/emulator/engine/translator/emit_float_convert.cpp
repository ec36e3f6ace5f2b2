// SPDX-License-Identifier: Apache-2.0
// Conversions of scalar floating-point numbers. What the host answers otherwise than the guest is
// left to the semantics: numbers that do not fit, and rounding modes that the host lacks.
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;

namespace {

// Modes of rounding: the host has the first four.
constexpr unsigned kTowardsZero = 1, kMostHostMode = 3, kMostMode = 4, kDynamicRounding = 7;
constexpr std::uint8_t kHostModes[] = {0, 3, 1, 2};  // by the guest's: nearest, zero, down, up

}  // namespace

// The number in `from` as an integral one, by the rounding mode in the instruction; of those that
// are none already, which are small.
Xbyak::Xmm RegionEmitter::rounded(const Operation& operation, Format format,
                                  const Xbyak::Xmm& from) {
  if (operation.rm() == kDynamicRounding || operation.rm() == kTowardsZero) return from;
  const bool single = format == Format::Single;
  const std::uint8_t mode = kHostModes[operation.rm()];
  if (level() == HostLevel::Avx512)
    single ? vrndscaless(xmm14, from, from, mode) : vrndscalesd(xmm14, from, from, mode);
  else
    single ? vroundss(xmm14, from, from, mode) : vroundsd(xmm14, from, from, mode);
  return xmm14;
}

void RegionEmitter::float_to_integer(const Operation& operation, Format format, Width width) {
  Label slow, back;
  const bool single = format == Format::Single, truncates = operation.rm() != kDynamicRounding;
  const Xbyak::Xmm from =
      rounded(operation, format, read_as(format, operation.rs1, kScratchVector, slow));
  // The host's answer to what does not fit: the most negative number.
  if (width == Width::Word) {
    if (truncates) single ? vcvttss2si(ecx, from) : vcvttsd2si(ecx, from);
    else single ? vcvtss2si(ecx, from) : vcvtsd2si(ecx, from);
    cmp(ecx, 0x8000'0000);
    je(slow, T_NEAR);
    movsxd(rcx, ecx);
  } else {
    if (truncates) single ? vcvttss2si(rcx, from) : vcvttsd2si(rcx, from);
    else single ? vcvtss2si(rcx, from) : vcvtsd2si(rcx, from);
    mov(rax, 0x8000'0000'0000'0000);
    cmp(rcx, rax);
    je(slow, T_NEAR);
  }
  write(operation.rd, rcx);
  L(back);
  relies_on_ |= kFloatReady;
  slow_path(operation, slow, back);
}

// With AVX-512, which has such conversions. Its answer to what does not fit: the largest number.
void RegionEmitter::float_to_unsigned(const Operation& operation, Format format, Width width) {
  Label slow, back;
  const bool single = format == Format::Single, truncates = operation.rm() != kDynamicRounding;
  const Xbyak::Xmm from = read_as(format, operation.rs1, kScratchVector, slow);
  const auto convert = [&](const Xbyak::Reg32e& to) {
    if (truncates) single ? vcvttss2usi(to, from) : vcvttsd2usi(to, from);
    else single ? vcvtss2usi(to, from) : vcvtsd2usi(to, from);
    cmp(to, -1);
    je(slow, T_NEAR);
  };
  width == Width::Word ? convert(ecx) : convert(rcx);
  if (width == Width::Word) movsxd(rcx, ecx);
  write(operation.rd, rcx);
  L(back);
  relies_on_ |= kFloatReady;
  slow_path(operation, slow, back);
}

void RegionEmitter::float_from_integer(const Operation& operation, Format format, Width width,
                                       bool is_signed) {
  const bool single = format == Format::Single;
  const Reg64 from = read(operation.rs1, rcx);
  Xbyak::Reg32e source = width == Width::Word ? Xbyak::Reg32e(from.cvt32()) : Xbyak::Reg32e(from);
  if (!is_signed) {  // 32 bits: the same number in 64
    mov(eax, from.cvt32());
    source = rax;
  }
  // Ones around the result: the box of a single, and no wait for what was there.
  vpcmpeqd(xmm14, xmm14, xmm14);
  if (single) vcvtsi2ss(xmm14, xmm14, source);
  else vcvtsi2sd(xmm14, xmm14, source);
  write_float(operation.rd, xmm14);
  note_float(operation, format);
}

// By a rounding mode in the instruction: in line where the number is so small that it needs none.
void RegionEmitter::float_from_small(const Operation& operation, Format format, Width width) {
  Label slow, back;
  const std::int64_t limit = std::int64_t{1} << (format == Format::Single ? 24 : 53);
  const Reg64 from = read(operation.rs1, rcx);
  mov(rax, limit);
  mov(rdx, 2 * limit);
  if (width == Width::Word) {
    add(eax, from.cvt32());
    cmp(eax, edx);
  } else {
    add(rax, from);
    cmp(rax, rdx);
  }
  ja(slow, T_NEAR);
  float_from_integer(operation, format, width, true);
  L(back);
  relies_on_ |= kFloatReady;
  slow_path(operation, slow, back);
}

void RegionEmitter::float_change_format(const Operation& operation, Format to) {
  Label slow;
  if (to == Format::Single) {
    const Xbyak::Xmm from = read_float(operation.rs1, kSecondScratchVector);
    vpcmpeqd(xmm14, xmm14, xmm14);
    vcvtsd2ss(xmm14, xmm14, from);
  } else {
    const Xbyak::Xmm from = read_as(Format::Single, operation.rs1, kSecondScratchVector, slow);
    vcvtss2sd(xmm14, from, from);
  }
  finish_float(operation, to, xmm14, slow);
}

bool RegionEmitter::emit_float_conversion(const Operation& operation) {
  using I = InstructionId;
  const unsigned mode = operation.rm();
  const bool dynamic = mode == kDynamicRounding;
  const auto from_integer = [&](Format format, Width width) {
    if (!dynamic && mode > kMostMode) return false;
    if (dynamic) float_from_integer(operation, format, width, true);
    else float_from_small(operation, format, width);
    return true;
  };
  const auto to_integer = [&](Format format, Width width, bool is_signed) {
    // What is rounded before it turns out not to fit would raise a flag too many.
    const bool fits_first = is_signed && (format == Format::Single || width == Width::Double);
    if (!dynamic && (mode > kMostHostMode || (mode != kTowardsZero && !fits_first))) return false;
    if (!is_signed && level() != HostLevel::Avx512) return false;
    if (is_signed) float_to_integer(operation, format, width);
    else float_to_unsigned(operation, format, width);
    return true;
  };
  switch (operation.id) {
    case I::fcvt_s_w: return from_integer(Format::Single, Width::Word);
    case I::fcvt_s_l: return from_integer(Format::Single, Width::Double);
    case I::fcvt_d_l: return from_integer(Format::Double, Width::Double);
    case I::fcvt_s_wu:
      if (!dynamic) return false;
      float_from_integer(operation, Format::Single, Width::Double, false);
      return true;
    case I::fcvt_d_w: case I::fcvt_d_wu:  // exact whatever the rounding mode, if it is one
      if (!dynamic && mode > kMostMode) return false;
      float_from_integer(operation, Format::Double,
                         operation.id == I::fcvt_d_w ? Width::Word : Width::Double,
                         operation.id == I::fcvt_d_w);
      return true;
    case I::fcvt_d_s:
      if (!dynamic && mode > kMostMode) return false;
      float_change_format(operation, Format::Double);
      return true;
    case I::fcvt_s_d:
      if (!dynamic) return false;
      float_change_format(operation, Format::Single);
      return true;
    case I::fcvt_w_s: return to_integer(Format::Single, Width::Word, true);
    case I::fcvt_l_s: return to_integer(Format::Single, Width::Double, true);
    case I::fcvt_w_d: return to_integer(Format::Double, Width::Word, true);
    case I::fcvt_l_d: return to_integer(Format::Double, Width::Double, true);
    case I::fcvt_wu_s: return to_integer(Format::Single, Width::Word, false);
    case I::fcvt_lu_s: return to_integer(Format::Single, Width::Double, false);
    case I::fcvt_wu_d: return to_integer(Format::Double, Width::Word, false);
    case I::fcvt_lu_d: return to_integer(Format::Double, Width::Double, false);
    default: return false;
  }
}

}  // namespace d1::emulator
