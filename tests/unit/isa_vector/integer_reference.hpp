// SPDX-License-Identifier: Apache-2.0
// The element-wise definition of the integer vector instructions in 128-bit arithmetic, written
// without regard to speed and apart from the semantics it checks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace d1::isa::test {

__extension__ typedef __int128 Int;
__extension__ typedef unsigned __int128 Uint;

// What an instruction does with widths and registers.
enum class Shape : std::uint8_t {
  Same,             // vd, vs2 and the second operand of SEW bits
  Widen,            // vd of 2 SEW; vs2 of SEW (forms .v*) or 2 SEW (forms .w*)
  Narrow,           // vs2 of 2 SEW
  Compare,          // vd a mask
  CarryIn,          // v0 is an operand, nothing is masked off
  CarryOut,         // the same, vd a mask
  WidenAccumulate,  // vd of 2 SEW is an operand, too
  Extend            // vs2 of SEW / factor
};

struct Operands {
  unsigned bits;  // SEW
  Uint a, b;      // vs2 and the second operand, zero-extended
  Int sa, sb;     // sign-extended, each from its own width
  Uint d;         // vd before
  unsigned carry;
  unsigned rounding;  // vxrm
  bool saturated = false;
};

struct Reference {
  std::string_view base;  // "vadd" of vadd.vv
  Shape shape;
  bool unsigned_immediate;
  Uint (*result)(Operands&);
};

// The definition of the instruction with that mnemonic; null if there is none.
[[nodiscard]] const Reference* reference_for(std::string_view mnemonic);

}  // namespace d1::isa::test
