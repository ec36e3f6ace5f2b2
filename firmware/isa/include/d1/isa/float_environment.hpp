// SPDX-License-Identifier: Apache-2.0
// Who owns the host's floating-point state (MXCSR), and under which rounding an operation runs.
//
// Guest floating point runs on host instructions: between enter_guest_float and leave_guest_float,
// a hart's turn, MXCSR may belong to the guest: exceptions masked, nothing flushed to zero, RC the
// rounding mode last used, the sticky flags those the guest raised since they were last collected.
// The switch is made by the first operation that needs it, so turns without floating point pay
// nothing. The host must not compute with floating point inside a turn. Flags that host
// instructions raise stay in MXCSR; those that helpers raise go to Hart::fflags: only
// collect_float_flags() makes Hart::fflags complete, so call it before fflags is read or written.
// A write to frm needs no call. MXCSR is a thread's own: a turn begins and ends on one thread.
#pragma once

#include <d1/isa/instruction.hpp>

namespace d1::isa {

// How host instructions are to round, and the flags that helpers raised. Helpers (integer code)
// use nothing else; host instructions also need MXCSR set up, which is FloatScope's work.
struct FloatContext {
  RoundingMode rounding = RoundingMode::Rne;  // never Dyn
  std::uint8_t flags = 0;                     // FloatFlag bits

  void raise(unsigned raised) noexcept { flags = static_cast<std::uint8_t>(flags | raised); }
};

namespace detail {
inline constexpr std::uint32_t kMxcsrMasked = 0x1f80;  // all exceptions masked, RC = nearest
inline constexpr std::uint32_t kMxcsrSticky = 0x3f;
inline constexpr unsigned kMxcsrRoundingShift = 13;

// Written as volatile asm, like every host float operation of float_arithmetic.hpp: the compiler
// keeps volatile asm in order, but moves its own float operations across changes of MXCSR.
inline std::uint32_t read_mxcsr() noexcept {
  std::uint32_t value;
  asm volatile("stmxcsr %0" : "=m"(value) : : "memory");
  return value;
}
inline void write_mxcsr(std::uint32_t value) noexcept {
  asm volatile("ldmxcsr %0" : : "m"(value) : "memory");
}

// Loads the guest's MXCSR, or another rounding into it. True if the hart is in no turn: then the
// caller has to call leave_guest_float when the operation is over.
[[nodiscard]] bool prepare_guest_float(Hart& hart, RoundingMode rounding) noexcept;
}  // namespace detail

// A hart's turn begins and ends. Cheap if the turn used no floating point.
inline void enter_guest_float(Hart& hart) noexcept { hart.float_turn = true; }
void leave_guest_float(Hart& hart) noexcept;

// Moves the sticky flags of MXCSR to hart.fflags, in or out of a turn.
void collect_float_flags(Hart& hart) noexcept;

// The rounding mode an instruction asks for by its rm field: Dyn if it is none (illegal).
[[nodiscard]] inline RoundingMode resolve_rounding(const Hart& hart, unsigned rm) noexcept {
  const unsigned mode = rm == static_cast<unsigned>(RoundingMode::Dyn) ? hart.frm : rm;
  return mode <= static_cast<unsigned>(RoundingMode::Rmm) ? static_cast<RoundingMode>(mode)
                                                          : RoundingMode::Dyn;
}

// The floating-point state for one instruction: all host float operations happen in its lifetime.
// One compare if the rounding is the one in use. Outside of a turn (unit tests) it switches to the
// guest's MXCSR and back by itself, and leaves hart.fflags complete.
//   FloatScope scope(hart, operation.rm());   vector instructions: FloatScope scope(hart, kDynamic)
//   if (!scope.valid()) return illegal(hart, operation);
inline constexpr unsigned kDynamic = static_cast<unsigned>(RoundingMode::Dyn);

class FloatScope : public FloatContext {
 public:
  FloatScope(Hart& hart, unsigned rm) noexcept
      : FloatContext{resolve_rounding(hart, rm), 0}, hart_(hart) {
    if (static_cast<unsigned>(rounding) + 1 != hart.float_rounding) [[unlikely]]
      alone_ = detail::prepare_guest_float(hart, rounding);
  }
  ~FloatScope() {
    hart_.fflags = static_cast<std::uint8_t>(hart_.fflags | flags);
    if (alone_) [[unlikely]]
      leave_guest_float(hart_);
  }
  FloatScope(const FloatScope&) = delete;
  FloatScope& operator=(const FloatScope&) = delete;

  [[nodiscard]] bool valid() const noexcept { return rounding != RoundingMode::Dyn; }

 private:
  Hart& hart_;
  bool alone_ = false;
};

}  // namespace d1::isa
