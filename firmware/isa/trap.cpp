// SPDX-License-Identifier: Apache-2.0
#include <d1/isa/trap.hpp>

#include <d1/isa/semantics/common.hpp>

namespace d1::isa {
namespace {

constexpr std::uint64_t kVectored = 1;  // mtvec, mode

// MPIE keeps MIE for mret; MPP is always M and kept nowhere.
void enter(Hart& hart, std::uint64_t cause, std::uint64_t value) noexcept {
  hart.mepc = hart.pc & ~std::uint64_t{1};
  hart.mcause = cause;
  hart.mtval = value;
  hart.mstatus &= ~kMstatusMpie;
  if (hart.mstatus & kMstatusMie) hart.mstatus |= kMstatusMpie;
  hart.mstatus &= ~kMstatusMie;
  hart.pc = hart.mtvec & ~std::uint64_t{3};
}

}  // namespace

void take_trap(Hart& hart) noexcept {
  enter(hart, static_cast<std::uint64_t>(hart.trap.cause), hart.trap.value);
}

void take_interrupt(Hart& hart, Interrupt interrupt) noexcept {
  enter(hart, kInterruptBit | static_cast<std::uint64_t>(interrupt), 0);
  if (hart.mtvec & kVectored) hart.pc += 4 * static_cast<std::uint64_t>(interrupt);
}

std::optional<Interrupt> pending_interrupt(const Hart& hart) noexcept {
  const std::uint64_t wanted = hart.mip & hart.mie;
  if (wanted == 0) return std::nullopt;
#define D1_INTERRUPT(id, number, meaning) \
  if (wanted & interrupt_bit(Interrupt::id)) return Interrupt::id;
#include <d1/isa/table/interrupt.def>
#undef D1_INTERRUPT
  return std::nullopt;
}

std::optional<Interrupt> interrupt_to_take(const Hart& hart) noexcept {
  if ((hart.mstatus & kMstatusMie) == 0) return std::nullopt;
  return pending_interrupt(hart);
}

void return_from_trap(Hart& hart) noexcept {
  hart.mstatus &= ~kMstatusMie;
  if (hart.mstatus & kMstatusMpie) hart.mstatus |= kMstatusMie;
  hart.mstatus |= kMstatusMpie;
  hart.pc = hart.mepc;
}

}  // namespace d1::isa
