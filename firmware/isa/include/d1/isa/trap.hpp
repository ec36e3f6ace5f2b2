// SPDX-License-Identifier: Apache-2.0
// Traps and interrupts of a hart with M-mode alone: entry, return, and which interrupt is next.
// Pure functions on the hart; the thread that runs the hart calls them.
#pragma once

#include <cstdint>
#include <optional>

#include <d1/isa/hart.hpp>

namespace d1::isa {

// Numbers of table/interrupt.def: bits of mie and mip.
enum class Interrupt : std::uint8_t {
#define D1_INTERRUPT(id, number, meaning) id = number,
#include <d1/isa/table/interrupt.def>
#undef D1_INTERRUPT
};

[[nodiscard]] constexpr std::uint64_t interrupt_bit(Interrupt interrupt) noexcept {
  return std::uint64_t{1} << static_cast<unsigned>(interrupt);
}

// Enters the trap handler after Outcome::Trap: cause and value from Hart::trap, mepc from pc.
void take_trap(Hart& hart) noexcept;

// Enters the trap handler for an interrupt; mepc is pc, the next instruction that would have run.
void take_interrupt(Hart& hart, Interrupt interrupt) noexcept;

// The most urgent interrupt that is pending and enabled in mie, whatever mstatus.MIE says: what
// ends a wfi.
[[nodiscard]] std::optional<Interrupt> pending_interrupt(const Hart& hart) noexcept;

// The interrupt to take before the next instruction, if any: pending and mstatus.MIE set.
[[nodiscard]] std::optional<Interrupt> interrupt_to_take(const Hart& hart) noexcept;

// What mret does: pc and mstatus.MIE are what they were before the trap.
void return_from_trap(Hart& hart) noexcept;

}  // namespace d1::isa
