// SPDX-License-Identifier: Apache-2.0
// Scalar floating point of single and double precision on host instructions, under the guest's
// MXCSR (kFloatReady): rounding and flags are the guest's. A NaN as a result goes to the semantics
// function, which makes it canonical and knows the flags that the host does not raise; so do values
// that are no NaN-boxed singles. Needs AVX2 and FMA.
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;

namespace {

constexpr unsigned kDynamicRounding = 7;
constexpr std::uint64_t kBox = 0xffff'ffff'0000'0000;

}  // namespace

// --- registers --------------------------------------------------------------------------------

Xbyak::Xmm RegionEmitter::read_float(unsigned guest, int scratch) {
  if ((pending_.unboxed >> guest & 1) != 0) {
    box(guest);
    pending_.unboxed &= ~(1u << guest);
    forms_.forget_float(guest);
  }
  return read_unboxed(guest, scratch);
}

void RegionEmitter::box(unsigned guest) {
  const Xbyak::Xmm host(floats_.host(guest));
  vorps(host, host, ptr[rip + constant128(kBox, 0)]);
}

Xbyak::Xmm RegionEmitter::read_unboxed(unsigned guest, int scratch) {
  floats_.note(guest);
  if (const int host = floats_.host(guest); host >= 0) return Xbyak::Xmm(host);
  const Xbyak::Xmm to(scratch);
  vmovsd(to, f_in_memory(guest));
  return to;
}

Xbyak::Xmm RegionEmitter::result_float(unsigned guest) {
  floats_.note(guest);
  floats_.note_write(guest);
  const int host = floats_.host(guest);
  return Xbyak::Xmm(host >= 0 ? host : kScratchVector);
}

void RegionEmitter::write_float(unsigned guest, const Xbyak::Xmm& from) {
  floats_.note_write(guest);
  pending_.unboxed &= ~(1u << guest);
  forms_.forget_float(guest);
  if (const int host = floats_.host(guest); host < 0) vmovsd(f_in_memory(guest), from);
  else if (host != from.getIdx()) vmovaps(Xbyak::Xmm(host), from);
}

// `slow` is taken if the register holds no NaN-boxed single. Uses rax.
void RegionEmitter::check_single(unsigned guest, Label& slow) {
  singles_read_ |= 1u << guest;
  if ((boxed_ >> guest & 1) != 0) return;
  if (const int host = floats_.host(guest); host >= 0) {
    vpextrd(eax, Xbyak::Xmm(host), 1);
    cmp(eax, -1);
  } else {
    cmp(upper_half_in_memory(guest), -1);
  }
  jne(slow, T_NEAR);
}

Xbyak::Xmm RegionEmitter::read_as(Format format, unsigned guest, int scratch, Label& slow) {
  if (format == Format::Single) check_single(guest, slow);
  return read_float(guest, scratch);
}

void RegionEmitter::note_float(const Operation& operation, Format format) {
  relies_on_ |= kFloatReady;
  const std::uint32_t bit = 1u << operation.rd;
  if (format == Format::Single) {
    boxed_ |= bit;
  } else {
    boxed_ &= ~bit;
    unboxed_writes_ |= bit;
  }
}

// --- arithmetic -------------------------------------------------------------------------------

// The result's own register, unless the semantics function would find an operand overwritten.
Xbyak::Xmm RegionEmitter::result_apart(const Operation& operation, bool has_third) {
  const unsigned to = operation.rd;
  const bool is_operand = to == operation.rs1 || to == operation.rs2 ||
                          (has_third && to == operation.rs3);
  return is_operand ? xmm14 : result_float(to);
}

void RegionEmitter::finish_float(const Operation& operation, Format format,
                                 const Xbyak::Xmm& value, Label& slow) {
  Label back;
  if (format == Format::Single) vucomiss(value, value);
  else vucomisd(value, value);
  jp(slow, T_NEAR);
  write_float(operation.rd, value);
  L(back);
  note_float(operation, format);
  slow_path(operation, slow, back);
}

// rd = f(rs1, second): emit computes into its first argument.
void RegionEmitter::float_binary(const Operation& operation, unsigned second, Format format,
                                 const FloatBinary& emit) {
  Label slow;
  const Xbyak::Xmm left = read_as(format, operation.rs1, kScratchVector, slow);
  const Xbyak::Xmm right = read_as(format, second, kSecondScratchVector, slow);
  const Xbyak::Xmm to = result_apart(operation, false);
  emit(to, left, right);
  finish_float(operation, format, to, slow);
}

// rd = rs1 < rs2 and the like. emit compares; NaNs are left to the semantics function.
void RegionEmitter::float_compare(const Operation& operation, Format format,
                                  Comparison comparison) {
  Label slow, back;
  const bool single = format == Format::Single;
  unsigned first = operation.rs1, second = operation.rs2;
  if (comparison != Comparison::Equal) std::swap(first, second);  // a < b as b > a: above
  const Xbyak::Xmm left = read_as(format, first, kScratchVector, slow);
  const Xbyak::Xmm right = read_as(format, second, kSecondScratchVector, slow);
  xor_(ecx, ecx);
  if (comparison == Comparison::Equal) single ? vucomiss(left, right) : vucomisd(left, right);
  else single ? vcomiss(left, right) : vcomisd(left, right);
  jp(slow, T_NEAR);
  switch (comparison) {
    case Comparison::Equal: sete(cl); break;
    case Comparison::Less: seta(cl); break;
    case Comparison::LessEqual: setae(cl); break;
  }
  write(operation.rd, rcx);
  L(back);
  relies_on_ |= kFloatReady;
  slow_path(operation, slow, back);
}

// The smaller or larger of two numbers; of zeros the one with (or without) a sign.
void RegionEmitter::float_select(const Operation& operation, Format format, bool smaller) {
  Label slow, back, equal, done;
  const bool single = format == Format::Single;
  const Xbyak::Xmm left = read_as(format, operation.rs1, kScratchVector, slow);
  const Xbyak::Xmm right = read_as(format, operation.rs2, kSecondScratchVector, slow);
  single ? vucomiss(left, right) : vucomisd(left, right);
  jp(slow, T_NEAR);
  je(equal);
  if (smaller) single ? vminss(xmm14, left, right) : vminsd(xmm14, left, right);
  else single ? vmaxss(xmm14, left, right) : vmaxsd(xmm14, left, right);
  jmp(done);
  L(equal);
  if (smaller) vorps(xmm14, left, right);
  else vandps(xmm14, left, right);
  L(done);
  write_float(operation.rd, xmm14);
  L(back);
  note_float(operation, format);
  slow_path(operation, slow, back);
}

// What fsgnj and its relatives do, by the last bits of their encodings.
void RegionEmitter::float_sign(const Operation& operation, Format format, unsigned kind) {
  Label slow, back;
  const bool single = format == Format::Single;
  const std::uint64_t sign = single ? 0x8000'0000 : 0x8000'0000'0000'0000;
  const bool same = operation.rs1 == operation.rs2;
  const Xbyak::Xmm magnitude = read_as(format, operation.rs1, kScratchVector, slow);
  if (same && kind == 0) {
    write_float(operation.rd, magnitude);
  } else if (same) {
    if (kind == 1) vxorps(xmm14, magnitude, ptr[rip + constant128(sign, 0)]);
    else vandps(xmm14, magnitude, ptr[rip + constant128(~sign, 0)]);
    write_float(operation.rd, xmm14);
  } else {
    const Xbyak::Xmm from = read_as(format, operation.rs2, kSecondScratchVector, slow);
    vandps(xmm13, from, ptr[rip + constant128(sign, 0)]);
    if (kind == 1) vxorps(xmm13, xmm13, ptr[rip + constant128(sign, 0)]);
    if (kind == 2) {
      vxorps(xmm14, magnitude, xmm13);
    } else {
      vandps(xmm14, magnitude, ptr[rip + constant128(~sign, 0)]);
      vorps(xmm14, xmm14, xmm13);
    }
    write_float(operation.rd, xmm14);
  }
  L(back);
  note_float(operation, format);
  if (single) slow_path(operation, slow, back);
}

// --- moves --------------------------------------------------------------------------------

void RegionEmitter::float_move(const Operation& operation) {
  using I = InstructionId;
  switch (operation.id) {
    case I::fmv_x_d:
      vmovq(rax, read_float(operation.rs1, kScratchVector));
      write(operation.rd, rax);
      break;
    case I::fmv_x_w:
      vmovd(eax, read_float(operation.rs1, kScratchVector));
      movsxd(rax, eax);
      write(operation.rd, rax);
      break;
    case I::fmv_d_x: {
      const Xbyak::Xmm to = result_float(operation.rd);
      vmovq(to, read(operation.rs1, rax));
      write_float(operation.rd, to);
      note_float(operation, Format::Double);
      break;
    }
    default:  // fmv.w.x
      mov(eax, read(operation.rs1, rax).cvt32());
      mov(rcx, kBox);
      or_(rax, rcx);
      vmovq(xmm14, rax);
      write_float(operation.rd, xmm14);
      note_float(operation, Format::Single);
      break;
  }
  relies_on_ |= kFloatReady;
}

void RegionEmitter::float_memory(const Operation& operation) {
  using I = InstructionId;
  const bool single = operation.id == I::flw || operation.id == I::fsw;
  Label slow, back;
  const Reg64 base = checked_address(operation, single ? 4 : 8, slow);
  const Xbyak::RegExp place = place_in_guest(base + static_cast<int>(operation.immediate));
  if (operation.id == I::fsw || operation.id == I::fsd) {
    const Xbyak::Xmm value = single ? read_unboxed(operation.rs2, kScratchVector)
                                    : read_float(operation.rs2, kScratchVector);
    guest_segment();
    if (single) vmovss(dword[place], value);
    else vmovsd(qword[place], value);
  } else if (spreads(operation)) {
    load_spread(operation, place);
  } else if (single) {
    guest_segment();
    vmovss(xmm14, dword[place]);
    const Xbyak::Xmm to = result_float(operation.rd);
    vorps(to, xmm14, ptr[rip + constant128(kBox, 0)]);
    write_float(operation.rd, to);
    note_float(operation, Format::Single);
  } else {
    const Xbyak::Xmm to = result_float(operation.rd);
    guest_segment();
    vmovsd(to, qword[place]);
    write_float(operation.rd, to);
    note_float(operation, Format::Double);
  }
  finish_access(operation, slow, back);
  relies_on_ |= kFloatReady;
}

// --- the table --------------------------------------------------------------------------------

bool RegionEmitter::emit_float_arithmetic(const Operation& operation) {
  using I = InstructionId;
  if (operation.rm() != kDynamicRounding) return false;
  const auto two = [&](Format format, auto single, auto twice) {
    // A square root has its operand in rs1 alone.
    const bool root = operation.id == I::fsqrt_s || operation.id == I::fsqrt_d;
    float_binary(operation, root ? operation.rs1 : operation.rs2, format,
                 [&](const Xbyak::Xmm& d, const Xbyak::Xmm& a, const Xbyak::Xmm& b) {
                   if (format == Format::Single) (this->*single)(d, a, b);
                   else (this->*twice)(d, a, b);
                 });
    return true;
  };
  const auto fused = [&](Format format, auto into_factor, auto into_addend) {
    const auto emit = [this](auto host) {
      return [this, host](const Xbyak::Xmm& d, const Xbyak::Xmm& b, const Xbyak::Operand& c) {
        (this->*host)(d, b, c);
      };
    };
    float_fused(operation, format, emit(into_factor), emit(into_addend));
    return true;
  };
  using E = RegionEmitter;
  switch (operation.id) {
    case I::fadd_s: return two(Format::Single, &E::vaddss, &E::vaddsd);
    case I::fadd_d: return two(Format::Double, &E::vaddss, &E::vaddsd);
    case I::fsub_s: return two(Format::Single, &E::vsubss, &E::vsubsd);
    case I::fsub_d: return two(Format::Double, &E::vsubss, &E::vsubsd);
    case I::fmul_s: return two(Format::Single, &E::vmulss, &E::vmulsd);
    case I::fmul_d: return two(Format::Double, &E::vmulss, &E::vmulsd);
    case I::fdiv_s: return two(Format::Single, &E::vdivss, &E::vdivsd);
    case I::fdiv_d: return two(Format::Double, &E::vdivss, &E::vdivsd);
    case I::fsqrt_s: return two(Format::Single, &E::vsqrtss, &E::vsqrtsd);
    case I::fsqrt_d: return two(Format::Double, &E::vsqrtss, &E::vsqrtsd);
    case I::fmadd_s: return fused(Format::Single, &E::vfmadd213ss, &E::vfmadd231ss);
    case I::fmadd_d: return fused(Format::Double, &E::vfmadd213sd, &E::vfmadd231sd);
    case I::fmsub_s: return fused(Format::Single, &E::vfmsub213ss, &E::vfmsub231ss);
    case I::fmsub_d: return fused(Format::Double, &E::vfmsub213sd, &E::vfmsub231sd);
    case I::fnmsub_s: return fused(Format::Single, &E::vfnmadd213ss, &E::vfnmadd231ss);
    case I::fnmsub_d: return fused(Format::Double, &E::vfnmadd213sd, &E::vfnmadd231sd);
    case I::fnmadd_s: return fused(Format::Single, &E::vfnmsub213ss, &E::vfnmsub231ss);
    case I::fnmadd_d: return fused(Format::Double, &E::vfnmsub213sd, &E::vfnmsub231sd);
    default: return false;
  }
}

bool RegionEmitter::emit_float(const Operation& operation) {
  using I = InstructionId;
  if (level() == HostLevel::Portable) return false;
  if (emit_float_arithmetic(operation) || emit_float_conversion(operation)) return true;
  switch (operation.id) {
    case I::flw: case I::fld: case I::fsw: case I::fsd: float_memory(operation); return true;
    case I::fmv_x_d: case I::fmv_x_w: case I::fmv_d_x: case I::fmv_w_x:
      float_move(operation);
      return true;
    case I::fsgnj_s: float_sign(operation, Format::Single, 0); return true;
    case I::fsgnj_d: float_sign(operation, Format::Double, 0); return true;
    case I::fsgnjn_s: float_sign(operation, Format::Single, 1); return true;
    case I::fsgnjn_d: float_sign(operation, Format::Double, 1); return true;
    case I::fsgnjx_s: float_sign(operation, Format::Single, 2); return true;
    case I::fsgnjx_d: float_sign(operation, Format::Double, 2); return true;
    case I::fmin_s: float_select(operation, Format::Single, true); return true;
    case I::fmin_d: float_select(operation, Format::Double, true); return true;
    case I::fmax_s: float_select(operation, Format::Single, false); return true;
    case I::fmax_d: float_select(operation, Format::Double, false); return true;
    case I::feq_s: float_compare(operation, Format::Single, Comparison::Equal); return true;
    case I::feq_d: float_compare(operation, Format::Double, Comparison::Equal); return true;
    case I::flt_s: float_compare(operation, Format::Single, Comparison::Less); return true;
    case I::flt_d: float_compare(operation, Format::Double, Comparison::Less); return true;
    case I::fle_s: float_compare(operation, Format::Single, Comparison::LessEqual); return true;
    case I::fle_d: float_compare(operation, Format::Double, Comparison::LessEqual); return true;
    default: return false;
  }
}

}  // namespace d1::emulator
