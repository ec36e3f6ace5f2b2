// SPDX-License-Identifier: Apache-2.0
// NaNs as results of vector floating point. The host makes others than the canonical one, and where
// a fused multiplication is of zero by infinity and a quiet NaN is added it leaves out a flag.
//
// Results of whole groups in kept registers stay as the host makes them until something other than
// arithmetic reads them: to arithmetic one quiet NaN is like another. Blocks that loop to
// themselves hand such pending registers to a version of themselves; nobody else ever finds them.
#include <algorithm>
#include <utility>

#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

void RegionEmitter::compare_unordered(Format format, const Opmask& mask, const Zmm& a,
                                      const Zmm& b) {
  constexpr int kUnordered = 3;
  if (format == Format::Single) vcmpps(mask, a, b, kUnordered);
  else vcmppd(mask, a, b, kUnordered);
}

void RegionEmitter::blend_canonical(Format format, const Opmask& where, const Zmm& value) {
  if (format == Format::Single)
    vpblendmd(value | where, value, ptr_b[rip + constant128(0x7fc00000'7fc00000, 0)]);
  else
    vpblendmq(value | where, value, ptr_b[rip + constant128(0x7ff80000'00000000, 0)]);
}

// --- pending registers ---------------------------------------------------------------------------

bool RegionEmitter::result_may_be_pending(const Operation& operation) const {
  if (!state_.full() || !operation.vm()) return false;
  for (unsigned i = 0; i < state_.registers(); ++i)
    if (vectors_.host(operation.rd + i) < 0) return false;
  return true;
}

void RegionEmitter::note_pending(const Operation& operation, Format format) {
  for (unsigned i = 0; i < state_.registers(); ++i) {
    vectors_.note(operation.rd + i);
    vectors_.note_write(operation.rd + i);
    pending_.forget(operation.rd + i);
    pending_.of(format == Format::Single) |= 1u << (operation.rd + i);
  }
}

// As an operand of arithmetic in a format: what is a NaN of another is not one of this.
Zmm RegionEmitter::read_number(unsigned guest, int scratch) {
  return read_number(state_.sew_log2 == 6 ? Format::Double : Format::Single, guest, scratch);
}
Zmm RegionEmitter::read_number(Format format, unsigned guest, int scratch) {
  if ((pending_.of(format != Format::Single) >> guest & 1) != 0) settle_group(guest, 1);
  vectors_.note(guest);
  if (const int host = vectors_.host(guest); host >= 0) return Zmm(host);
  vmovdqa64(Zmm(scratch), v_in_memory(guest));
  return Zmm(scratch);
}

// Looks at two registers at a time.
void RegionEmitter::settle(Format format, std::uint32_t guests) {
  if (guests == 0) return;
  Label nan, settled;
  for (std::uint32_t left = guests; left != 0;) {
    const auto next = [&] {
      const Zmm value(vectors_.host(static_cast<unsigned>(std::countr_zero(left))));
      left &= left - 1;
      return value;
    };
    const bool first = left == guests;
    const Zmm a = next(), b = left != 0 ? next() : a;
    compare_unordered(format, first ? k2 : k3, a, b);
    if (!first) korw(k2, k2, k3);
  }
  kortestw(k2, k2);
  jnz(nan, T_NEAR);
  L(settled);
  out_of_line([this, format, guests, nan, settled]() mutable {
    L(nan);
    for_each_bit(guests, [&](unsigned guest) {
      const Zmm value(vectors_.host(guest));
      compare_unordered(format, k2, value, value);
      blend_canonical(format, k2, value);
    });
    jmp(settled, T_NEAR);
  });
}

void RegionEmitter::settle(const PendingResults& pending) {
  settle(Format::Single, pending.singles);
  settle(Format::Double, pending.doubles);
  for_each_bit(pending.unboxed, [this](unsigned guest) { box(guest); });
}

void RegionEmitter::call_settle(const PendingResults& pending) {
  if (pending.any()) call(settlers_[pending]);
}

void RegionEmitter::settle_group(unsigned first, unsigned registers) {
  const auto group = static_cast<std::uint32_t>(((std::uint64_t{1} << registers) - 1) << first);
  settle({pending_.singles & group, pending_.doubles & group, 0});
  pending_.singles &= ~group;
  pending_.doubles &= ~group;
}

void RegionEmitter::settle_all() {
  if (pending_.unboxed != 0) forms_.spread_singles = 0;
  settle(std::exchange(pending_, {}));
}

// --- results that are looked at at once ----------------------------------------------------------

// The flag NV of the products where the mask is set, and no other flag. zmm14 may hold the results:
// the products go over it only where those are NaNs.
void RegionEmitter::raise_invalid_product(Format format, const Opmask& where, unsigned left,
                                          unsigned right) {
  constexpr std::uint32_t kInvalid = 1, kSticky = 0x3f;
  const auto factor = [this](unsigned guest, int scratch) {
    if (guest == kSplatted) return Zmm(kSecondScratchVector);
    if (guest == kConverted) return Zmm(kThirdScratchVector);
    if (const int host = vectors_.host(guest); host >= 0) return Zmm(host);
    vmovdqa64(Zmm(scratch), v_in_memory(guest));
    return Zmm(scratch);
  };
  sub(rsp, 16);
  stmxcsr(dword[rsp]);
  mov(eax, dword[rsp]);
  and_(eax, ~kSticky);
  mov(dword[rsp + 4], eax);
  ldmxcsr(dword[rsp + 4]);
  const Zmm a = factor(left, kThirdScratchVector);
  const Zmm b = factor(right, kSecondScratchVector);
  if (format == Format::Single) vmulps(zmm14 | where, a, b);
  else vmulpd(zmm14 | where, a, b);
  stmxcsr(dword[rsp + 4]);
  mov(eax, dword[rsp + 4]);
  and_(eax, kInvalid);
  or_(dword[rsp], eax);
  ldmxcsr(dword[rsp]);
  add(rsp, 16);
}

// What is a NaN in zmm14 becomes canonical, out of line, where `product` may emit what raises the
// flag of the factors.
void RegionEmitter::canonical_result(Format format, const RaiseProduct& product) {
  Label nan, back;
  compare_unordered(format, k2, zmm14, zmm14);
  kortestw(k2, k2);
  jnz(nan, T_NEAR);
  L(back);
  out_of_line([this, format, product, nan, back]() mutable {
    L(nan);
    if (product) product(k2);
    blend_canonical(format, k2, zmm14);
    jmp(back, T_NEAR);
  });
}

}  // namespace d1::emulator
