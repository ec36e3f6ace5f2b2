// SPDX-License-Identifier: Apache-2.0
// Fused multiplication and addition of scalars: rd = +-(rs1 * rs2) +- rs3.
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::Operation;

// Where the result goes over an operand in its register. What was there stays in xmm14 for the
// semantics function.
bool RegionEmitter::float_fused_in_place(const Operation& operation, Format format,
                                         const FloatFused& into_factor,
                                         const FloatFused& into_addend) {
  const auto host = [this](unsigned guest) { return Xbyak::Xmm(floats_.host(guest)); };
  const unsigned to = operation.rd, first = operation.rs1, second = operation.rs2;
  const bool is_operand = to == first || to == second || to == operation.rs3;
  for (const unsigned guest : {first, second, unsigned{operation.rs3}})
    if (!is_operand || floats_.host(guest) < 0) return false;
  Label slow, back;
  vmovaps(xmm14, host(to));
  for (const unsigned guest : {first, second, unsigned{operation.rs3}}) {
    (void)read_as(format, guest, kScratchVector, slow);
  }
  floats_.note_write(to);
  if (to == operation.rs3) into_addend(host(to), host(first), host(second));
  else into_factor(host(to), host(to == first ? second : first), host(operation.rs3));
  if (format == Format::Single) vucomiss(host(to), host(to));
  else vucomisd(host(to), host(to));
  jp(slow, T_NEAR);
  L(back);
  note_float(operation, format);
  slow_path(make_site(operation), slow, back, host(to));
  return true;
}

void RegionEmitter::float_fused(const Operation& operation, Format format,
                                const FloatFused& emit, const FloatFused& into_addend) {
  if (float_fused_in_place(operation, format, emit, into_addend)) return;
  Label slow;
  const bool single = format == Format::Single;
  const Xbyak::Xmm left = read_as(format, operation.rs1, kScratchVector, slow);
  const Xbyak::Xmm right = read_as(format, operation.rs2, kSecondScratchVector, slow);
  if (single) check_single(operation.rs3, slow);
  const Xbyak::Xmm to = result_apart(operation, true);
  if (left.getIdx() != to.getIdx()) vmovaps(to, left);
  // Only the last operand may stand in memory.
  if (floats_.host(operation.rs3) >= 0) {
    emit(to, right, read_float(operation.rs3, kScratchVector));
  } else {
    floats_.note(operation.rs3);
    emit(to, right, f_in_memory(operation.rs3));
  }
  finish_float(operation, format, to, slow);
}

}  // namespace d1::emulator
