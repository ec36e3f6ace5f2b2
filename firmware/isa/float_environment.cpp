// SPDX-License-Identifier: Apache-2.0
#include <d1/isa/float_environment.hpp>

namespace d1::isa {
namespace {

// MXCSR.RC counts nearest, down, up, zero; RISC-V nearest, zero, down, up.
std::uint32_t mxcsr_rounding(RoundingMode rounding) noexcept {
  constexpr std::uint8_t kControl[] = {0, 3, 1, 2};
  return std::uint32_t{kControl[static_cast<unsigned>(rounding)]} << detail::kMxcsrRoundingShift;
}

// The sticky flags in the order of fcsr; MXCSR's flag for denormal operands has no counterpart.
std::uint8_t float_flags(std::uint32_t mxcsr) noexcept {
  enum : std::uint32_t {
    kInvalid = 1,
    kZeroDivide = 4,
    kOverflow = 8,
    kUnderflow = 16,
    kPrecision = 32
  };
  return static_cast<std::uint8_t>((mxcsr & kInvalid ? kNv : 0) | (mxcsr & kZeroDivide ? kDz : 0) |
                                   (mxcsr & kOverflow ? kOf : 0) | (mxcsr & kUnderflow ? kUf : 0) |
                                   (mxcsr & kPrecision ? kNx : 0));
}

void take_flags(Hart& hart, std::uint32_t mxcsr) noexcept {
  hart.fflags = static_cast<std::uint8_t>(hart.fflags | float_flags(mxcsr));
}

}  // namespace

namespace detail {

bool prepare_guest_float(Hart& hart, RoundingMode rounding) noexcept {
  if (rounding == RoundingMode::Dyn) return false;  // illegal: nothing will be computed
  const bool loaded = hart.float_rounding != 0;
  if (rounding == RoundingMode::Rmm) {
    // Ties away from zero are computed in integers; what is exact still uses host instructions.
    if (loaded) return false;
    rounding = RoundingMode::Rne;
  }
  const std::uint32_t before = read_mxcsr();
  if (!loaded) hart.host_mxcsr = static_cast<std::uint16_t>(before);
  const std::uint32_t sticky = loaded ? before & kMxcsrSticky : 0;
  write_mxcsr(kMxcsrMasked | mxcsr_rounding(rounding) | sticky);
  hart.float_rounding = static_cast<std::uint8_t>(static_cast<unsigned>(rounding) + 1);
  return !loaded && !hart.float_turn;
}

}  // namespace detail

void leave_guest_float(Hart& hart) noexcept {
  hart.float_turn = false;
  if (hart.float_rounding == 0) return;
  take_flags(hart, detail::read_mxcsr());
  detail::write_mxcsr(hart.host_mxcsr);
  hart.float_rounding = 0;
}

void collect_float_flags(Hart& hart) noexcept {
  if (hart.float_rounding == 0) return;
  const std::uint32_t mxcsr = detail::read_mxcsr();
  if ((mxcsr & detail::kMxcsrSticky) == 0) return;
  take_flags(hart, mxcsr);
  detail::write_mxcsr(mxcsr & ~detail::kMxcsrSticky);
}

}  // namespace d1::isa
