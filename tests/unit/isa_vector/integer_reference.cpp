// SPDX-License-Identifier: Apache-2.0
#include "integer_reference.hpp"

namespace d1::isa::test {
namespace {

// floor(value / 2^shift), rounded as vxrm says.
Int rounded(Int value, unsigned shift, unsigned rounding) {
  if (shift == 0) return value;
  const Int divisor = Int{1} << shift;
  Int quotient = value / divisor;
  if (quotient * divisor > value) --quotient;
  const Int rest = value - quotient * divisor, half = divisor / 2;
  if (rounding == 0 && rest >= half) return quotient + 1;
  if (rounding == 1 && (rest > half || (rest == half && quotient % 2 != 0))) return quotient + 1;
  if (rounding == 3 && rest != 0 && quotient % 2 == 0) return quotient + 1;
  return quotient;
}

Uint clamped(Operands& o, Int value, Int low, Int high) {
  if (value < low || value > high) o.saturated = true;
  return static_cast<Uint>(value < low ? low : value > high ? high : value);
}
Uint clamped_signed(Operands& o, Int value) {
  const Int limit = Int{1} << (o.bits - 1);
  return clamped(o, value, -limit, limit - 1);
}
Uint clamped_unsigned(Operands& o, Int value) {
  return clamped(o, value, 0, (Int{1} << o.bits) - 1);
}

unsigned amount(const Operands& o) { return static_cast<unsigned>(o.b % o.bits); }
unsigned wide_amount(const Operands& o) { return static_cast<unsigned>(o.b % (2 * o.bits)); }
Int as_signed(Uint value) { return static_cast<Int>(value); }
Uint raw(Int value) { return static_cast<Uint>(value); }

#define RESULT(expression) [](Operands& o) -> Uint { return (expression); }

constexpr Reference kReferences[] = {
    {"vadd", Shape::Same, false, RESULT(o.a + o.b)},
    {"vsub", Shape::Same, false, RESULT(o.a - o.b)},
    {"vrsub", Shape::Same, false, RESULT(o.b - o.a)},
    {"vminu", Shape::Same, false, RESULT(o.a < o.b ? o.a : o.b)},
    {"vmin", Shape::Same, false, RESULT(raw(o.sa < o.sb ? o.sa : o.sb))},
    {"vmaxu", Shape::Same, false, RESULT(o.a > o.b ? o.a : o.b)},
    {"vmax", Shape::Same, false, RESULT(raw(o.sa > o.sb ? o.sa : o.sb))},
    {"vand", Shape::Same, false, RESULT(o.a& o.b)},
    {"vor", Shape::Same, false, RESULT(o.a | o.b)},
    {"vxor", Shape::Same, false, RESULT(o.a ^ o.b)},
    {"vsll", Shape::Same, true, RESULT(o.a << amount(o))},
    {"vsrl", Shape::Same, true, RESULT(o.a >> amount(o))},
    {"vsra", Shape::Same, true, RESULT(raw(o.sa >> amount(o)))},
    {"vmv", Shape::Same, false, RESULT(o.b)},
    {"vadc", Shape::CarryIn, false, RESULT(o.a + o.b + o.carry)},
    {"vsbc", Shape::CarryIn, false, RESULT(o.a - o.b - o.carry)},
    {"vmerge", Shape::CarryIn, false, RESULT(o.carry != 0 ? o.b : o.a)},
    {"vmadc", Shape::CarryOut, false, RESULT((o.a + o.b + o.carry) >> o.bits & 1)},
    {"vmsbc", Shape::CarryOut, false, RESULT(o.a < o.b + o.carry ? 1 : 0)},
    {"vmseq", Shape::Compare, false, RESULT(o.a == o.b ? 1 : 0)},
    {"vmsne", Shape::Compare, false, RESULT(o.a != o.b ? 1 : 0)},
    {"vmsltu", Shape::Compare, false, RESULT(o.a < o.b ? 1 : 0)},
    {"vmslt", Shape::Compare, false, RESULT(o.sa < o.sb ? 1 : 0)},
    {"vmsleu", Shape::Compare, false, RESULT(o.a <= o.b ? 1 : 0)},
    {"vmsle", Shape::Compare, false, RESULT(o.sa <= o.sb ? 1 : 0)},
    {"vmsgtu", Shape::Compare, false, RESULT(o.a > o.b ? 1 : 0)},
    {"vmsgt", Shape::Compare, false, RESULT(o.sa > o.sb ? 1 : 0)},
    {"vmul", Shape::Same, false, RESULT(o.a* o.b)},
    {"vmulhu", Shape::Same, false, RESULT((o.a * o.b) >> o.bits)},
    {"vmulh", Shape::Same, false, RESULT(raw((o.sa * o.sb) >> o.bits))},
    {"vmulhsu", Shape::Same, false, RESULT(raw((o.sa * as_signed(o.b)) >> o.bits))},
    {"vdivu", Shape::Same, false, RESULT(o.b == 0 ? ~Uint{0} : o.a / o.b)},
    {"vdiv", Shape::Same, false, RESULT(o.sb == 0 ? ~Uint{0} : raw(o.sa / o.sb))},
    {"vremu", Shape::Same, false, RESULT(o.b == 0 ? o.a : o.a % o.b)},
    {"vrem", Shape::Same, false, RESULT(o.sb == 0 ? o.a : raw(o.sa % o.sb))},
    {"vmacc", Shape::Same, false, RESULT(o.d + o.a * o.b)},
    {"vnmsac", Shape::Same, false, RESULT(o.d - o.a * o.b)},
    {"vmadd", Shape::Same, false, RESULT(o.b* o.d + o.a)},
    {"vnmsub", Shape::Same, false, RESULT(o.a - o.b * o.d)},
    {"vwaddu", Shape::Widen, false, RESULT(o.a + o.b)},
    {"vwadd", Shape::Widen, false, RESULT(raw(o.sa + o.sb))},
    {"vwsubu", Shape::Widen, false, RESULT(o.a - o.b)},
    {"vwsub", Shape::Widen, false, RESULT(raw(o.sa - o.sb))},
    {"vwmulu", Shape::Widen, false, RESULT(o.a* o.b)},
    {"vwmul", Shape::Widen, false, RESULT(raw(o.sa* o.sb))},
    {"vwmulsu", Shape::Widen, false, RESULT(raw(o.sa* as_signed(o.b)))},
    {"vwmaccu", Shape::WidenAccumulate, false, RESULT(o.d + o.a * o.b)},
    {"vwmacc", Shape::WidenAccumulate, false, RESULT(o.d + raw(o.sa * o.sb))},
    {"vwmaccsu", Shape::WidenAccumulate, false, RESULT(o.d + raw(as_signed(o.a) * o.sb))},
    {"vwmaccus", Shape::WidenAccumulate, false, RESULT(o.d + raw(o.sa * as_signed(o.b)))},
    {"vzext", Shape::Extend, false, RESULT(o.a)},
    {"vsext", Shape::Extend, false, RESULT(raw(o.sa))},
    {"vsaddu", Shape::Same, false, RESULT(clamped_unsigned(o, as_signed(o.a + o.b)))},
    {"vsadd", Shape::Same, false, RESULT(clamped_signed(o, o.sa + o.sb))},
    {"vssubu", Shape::Same, false, RESULT(clamped_unsigned(o, as_signed(o.a - o.b)))},
    {"vssub", Shape::Same, false, RESULT(clamped_signed(o, o.sa - o.sb))},
    {"vaaddu", Shape::Same, false, RESULT(raw(rounded(as_signed(o.a + o.b), 1, o.rounding)))},
    {"vaadd", Shape::Same, false, RESULT(raw(rounded(o.sa + o.sb, 1, o.rounding)))},
    {"vasubu", Shape::Same, false, RESULT(raw(rounded(as_signed(o.a - o.b), 1, o.rounding)))},
    {"vasub", Shape::Same, false, RESULT(raw(rounded(o.sa - o.sb, 1, o.rounding)))},
    {"vsmul", Shape::Same, false,
     RESULT(clamped_signed(o, rounded(o.sa* o.sb, o.bits - 1, o.rounding)))},
    {"vssrl", Shape::Same, true, RESULT(raw(rounded(as_signed(o.a), amount(o), o.rounding)))},
    {"vssra", Shape::Same, true, RESULT(raw(rounded(o.sa, amount(o), o.rounding)))},
    {"vnsrl", Shape::Narrow, true, RESULT(o.a >> wide_amount(o))},
    {"vnsra", Shape::Narrow, true, RESULT(raw(o.sa >> wide_amount(o)))},
    {"vnclipu", Shape::Narrow, true,
     RESULT(clamped_unsigned(o, rounded(as_signed(o.a), wide_amount(o), o.rounding)))},
    {"vnclip", Shape::Narrow, true,
     RESULT(clamped_signed(o, rounded(o.sa, wide_amount(o), o.rounding)))},
};

#undef RESULT

}  // namespace

const Reference* reference_for(std::string_view mnemonic) {
  const std::string_view base = mnemonic.substr(0, mnemonic.find('.'));
  for (const Reference& reference : kReferences)
    if (reference.base == base) return &reference;
  return nullptr;
}

}  // namespace d1::isa::test
