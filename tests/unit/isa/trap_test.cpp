// SPDX-License-Identifier: Apache-2.0
// Trap entry and return, interrupts, and the instructions of the environment.
#include "hart_fixture.hpp"

namespace d1::isa::test {
namespace {

using Trap = HartFixture;
using enum InstructionId;

constexpr std::uint64_t kHandler = HartFixture::kMemoryBase + 0x4000;

TEST_F(Trap, EntryRecordsWhatHappenedAndMasksInterrupts) {
  hart.mtvec = kHandler;
  hart.mstatus |= kMstatusMie;
  const Outcome outcome = run(0x9002);  // c.ebreak
  expect_trap(outcome, Cause::Breakpoint, kCode);
  take_trap(hart);
  EXPECT_EQ(hart.mepc, kCode);
  EXPECT_EQ(hart.mcause, 3u);
  EXPECT_EQ(hart.mtval, kCode);
  EXPECT_EQ(hart.pc, kHandler);
  EXPECT_EQ(hart.mstatus & (kMstatusMie | kMstatusMpie), kMstatusMpie);
}

TEST_F(Trap, AnIllegalCompressedInstructionLeavesItsTwoBytesAsValue) {
  hart.mstatus &= ~kMstatusFs;
  constexpr std::uint32_t kCompressedFld = 0x2000;  // c.fld fs0, 0(s0)
  expect_trap(run(kCompressedFld), Cause::IllegalInstruction, kCompressedFld);
}

TEST_F(Trap, ReturnRestoresPcAndInterruptEnable) {
  hart.mtvec = kHandler;
  hart.mstatus |= kMstatusMie;
  expect_trap(run(ecall, {}), Cause::EnvironmentCallM, 0);
  take_trap(hart);
  EXPECT_EQ(run(mret, {}), Outcome::Jump);
  EXPECT_EQ(hart.pc, kCode);
  EXPECT_EQ(hart.mstatus & (kMstatusMie | kMstatusMpie), kMstatusMie | kMstatusMpie);
  // A second return without a trap between them leaves interrupts enabled (MPIE is 1).
  EXPECT_EQ(run(mret, {}), Outcome::Jump);
  EXPECT_NE(hart.mstatus & kMstatusMie, 0u);
}

TEST_F(Trap, ATrapWithInterruptsOffReturnsWithInterruptsOff) {
  expect_trap(run(ecall, {}), Cause::EnvironmentCallM, 0);
  take_trap(hart);
  EXPECT_EQ(run(mret, {}), Outcome::Jump);
  EXPECT_EQ(hart.mstatus & kMstatusMie, 0u);
}

TEST_F(Trap, ExceptionsGoToTheBaseAndInterruptsToTheirSlotInVectoredMode) {
  hart.mtvec = kHandler | 1;
  expect_trap(run(ecall, {}), Cause::EnvironmentCallM, 0);
  take_trap(hart);
  EXPECT_EQ(hart.pc, kHandler);
  hart.pc = kData;
  take_interrupt(hart, Interrupt::Timer);
  EXPECT_EQ(hart.pc, kHandler + 4 * 7);
  EXPECT_EQ(hart.mepc, kData);
  EXPECT_EQ(hart.mcause, kInterruptBit | 7);
  EXPECT_EQ(hart.mtval, 0u);
}

TEST_F(Trap, InterruptsGoToTheBaseInDirectMode) {
  hart.mtvec = kHandler;
  take_interrupt(hart, Interrupt::Ecc);
  EXPECT_EQ(hart.pc, kHandler);
  EXPECT_EQ(hart.mcause, kInterruptBit | 16);
}

TEST_F(Trap, OfSeveralInterruptsTheMostUrgentIsTakenFirst) {
  hart.mie = hart.mip = ~std::uint64_t{0};
  hart.mstatus |= kMstatusMie;
  for (const Interrupt wanted :
       {Interrupt::Ecc, Interrupt::External, Interrupt::Software, Interrupt::Timer}) {
    EXPECT_EQ(interrupt_to_take(hart), wanted);
    hart.mip &= ~interrupt_bit(wanted);
  }
  EXPECT_EQ(interrupt_to_take(hart), std::nullopt);
}

TEST_F(Trap, AnInterruptIsTakenOnlyIfPendingAndEnabledBothHereAndGlobally) {
  hart.mip = interrupt_bit(Interrupt::Timer);
  hart.mie = interrupt_bit(Interrupt::Software);
  hart.mstatus |= kMstatusMie;
  EXPECT_EQ(interrupt_to_take(hart), std::nullopt);
  hart.mie |= interrupt_bit(Interrupt::Timer);
  EXPECT_EQ(interrupt_to_take(hart), Interrupt::Timer);
  hart.mstatus &= ~kMstatusMie;
  EXPECT_EQ(interrupt_to_take(hart), std::nullopt);
  EXPECT_EQ(pending_interrupt(hart), Interrupt::Timer);
}

// Counts what it is asked.
struct CountingEnvironment : FaultingEnvironment {
  Outcome fence(Hart&, const Operation&) override { return ++fences, Outcome::Next; }
  Outcome fence_i(Hart&, const Operation&) override { return ++fetch_fences, Outcome::Next; }
  Outcome wait_for_interrupt(Hart&, const Operation&) override { return ++waits, Outcome::Park; }
  unsigned fences = 0, fetch_fences = 0, waits = 0;
};

TEST_F(Trap, WaitForInterruptParksUnlessOneIsPendingAndEnabledInMie) {
  CountingEnvironment counting;
  use(counting);
  EXPECT_EQ(run(wfi, {}), Outcome::Park);
  hart.mip = hart.mie = interrupt_bit(Interrupt::Software);
  EXPECT_EQ(run(wfi, {}), Outcome::Next);  // though mstatus.MIE is 0
  EXPECT_EQ(counting.waits, 1u);
}

TEST_F(Trap, FencesReachTheEnvironmentIfTheyOrderEarlierWritesOrOutputs) {
  CountingEnvironment counting;
  use(counting);
  constexpr unsigned kO = 4, kR = 2, kW = 1;
  for (unsigned before = 0; before < 16; ++before) {
    const unsigned seen = counting.fences;
    EXPECT_EQ(run(fence, {.bits = before << 24 | kR << 20}), Outcome::Next);
    EXPECT_EQ(counting.fences - seen, (before & (kO | kW)) != 0 ? 1u : 0u) << before;
  }
  EXPECT_EQ(counting.fences, 12u);
}

TEST_F(Trap, PauseIsNoFence) {
  EXPECT_EQ(run(pause, {}), Outcome::Next);  // the environment would fault
}

TEST_F(Trap, InstructionFenceMakesTheEngineLookAgainBehindIt) {
  CountingEnvironment counting;
  use(counting);
  EXPECT_EQ(run(fence_i, {}), Outcome::Sync);
  EXPECT_EQ(hart.pc, kCode + 4);
  EXPECT_EQ(counting.fetch_fences, 1u);
}

}  // namespace
}  // namespace d1::isa::test
