// SPDX-License-Identifier: Apache-2.0
// CSRs: access rules, masks, counters, and what the instructions that reach them do.
#include "hart_fixture.hpp"

namespace d1::isa::test {
namespace {

using enum InstructionId;

constexpr std::uint64_t kOnes = ~std::uint64_t{0};
constexpr unsigned kFflags = 0x001, kFrm = 0x002, kFcsr = 0x003, kVstart = 0x008, kVcsr = 0x00f,
                   kMstatus = 0x300, kMisaNumber = 0x301, kMedeleg = 0x302, kMie = 0x304,
                   kMtvec = 0x305, kMcountinhibit = 0x320, kMscratch = 0x340, kMepc = 0x341,
                   kMip = 0x344, kSatp = 0x180, kPmpcfg0 = 0x3a0, kMcycle = 0xb00,
                   kMinstret = 0xb02, kCycle = 0xc00, kInstret = 0xc02, kVl = 0xc20, kVtype = 0xc21,
                   kVlenb = 0xc22, kMvendorid = 0xf11, kMhartid = 0xf14, kD1fmt = 0x800,
                   kD1bias = 0x801;

class Csr : public HartFixture {
 protected:
  std::uint64_t read(unsigned number) {
    std::uint64_t value = 0;
    EXPECT_TRUE(csr_read(hart, number, value)) << csr_name(number);
    return value;
  }
  void write(unsigned number, std::uint64_t value) {
    EXPECT_TRUE(csr_write(hart, number, value)) << csr_name(number);
  }
  // Runs a CSR instruction: rd = 12, source x11 (or its number as immediate).
  Outcome run_csr(InstructionId id, unsigned number, unsigned rd, unsigned rs1) {
    return run(id, {.rd = rd, .rs1 = rs1, .immediate = static_cast<std::int32_t>(number)});
  }
  bool illegal_read(unsigned number) {
    std::uint64_t value;
    return !csr_read(hart, number, value);
  }
};

TEST_F(Csr, ResetGivesEveryRegisterItsValueInTheTable) {
  hart.mstatus = hart.mie = hart.mtvec = kOnes;
  hart.mcountinhibit = 5;
  hart.d1_seed = 1;
  csr_reset(hart);
  hart.mstatus |= kMstatusFs | kMstatusVs;  // makes them readable
  for (unsigned number = 0; number < 4096; ++number) {
    const CsrFacts* const what = csr_facts(number);
    if (what == nullptr || what->keeper != CsrKeeper::Hart || number == kMstatus) continue;
    EXPECT_EQ(read(number), what->reset) << csr_name(number);
  }
}

TEST_F(Csr, ResetTurnsFloatingPointAndVectorsOff) {
  csr_reset(hart);
  EXPECT_EQ(read(kMstatus), kMstatusMpp);
  EXPECT_TRUE(illegal_read(kFcsr));
  EXPECT_TRUE(illegal_read(kVlenb));
}

TEST_F(Csr, WritesChangeTheWritableBitsAlone) {
  for (unsigned number = 0; number < 0xc00; ++number) {
    const CsrFacts* const what = csr_facts(number);
    if (what == nullptr || what->keeper != CsrKeeper::Hart) continue;
    if (number == kMstatus || number == kMcycle || number == kMinstret) continue;
    write(number, kOnes);
    EXPECT_EQ(read(number), what->writable) << csr_name(number);
    write(number, 0);
    EXPECT_EQ(read(number), 0u) << csr_name(number);
  }
}

TEST_F(Csr, ConstantsIgnoreWrites) {
  write(kMisaNumber, 0);
  EXPECT_EQ(read(kMisaNumber), 0x8000000000a0112du);
  write(0x323, kOnes);  // mhpmevent3
  EXPECT_EQ(read(0x323), 0u);
}

TEST_F(Csr, RegistersOfOtherPrivilegeModesDoNotExist) {
  for (const unsigned number : {kMedeleg, kSatp, kPmpcfg0, 0x303u, 0x306u, 0x30au, 0x3b0u, 0x100u})
    EXPECT_TRUE(illegal_read(number)) << number;
}

TEST_F(Csr, NumbersFromC00OnCannotBeWritten) {
  for (const unsigned number : {kCycle, kVl, kVtype, kVlenb, kMvendorid})
    EXPECT_FALSE(csr_write(hart, number, 0)) << csr_name(number);
}

TEST_F(Csr, RegistersOfAUnitThatIsOffAreIllegal) {
  hart.mstatus &= ~kMstatusFs;
  EXPECT_TRUE(illegal_read(kFflags));
  EXPECT_FALSE(csr_write(hart, kFrm, 0));
  hart.mstatus &= ~kMstatusVs;
  EXPECT_TRUE(illegal_read(kVstart));
  EXPECT_FALSE(csr_write(hart, kVcsr, 0));
}

TEST_F(Csr, WritesToAUnitsRegistersMarkItDirty) {
  EXPECT_EQ(read(kMstatus) >> 63, 0u);
  write(kFrm, 0);
  EXPECT_EQ(hart.mstatus & kMstatusFs, kMstatusFs);
  EXPECT_EQ(read(kMstatus) >> 63, 1u);
  write(kVstart, 0);
  EXPECT_EQ(hart.mstatus & kMstatusVs, kMstatusVs);
}

TEST_F(Csr, StatusKeepsMachineModeAsPreviousPrivilege) {
  write(kMstatus, 0);
  EXPECT_EQ(read(kMstatus), kMstatusMpp);
  write(kMstatus, kOnes);
  EXPECT_EQ(read(kMstatus), 0x8000000000007e88u);
}

TEST_F(Csr, CombinedRegistersShowTheirParts) {
  write(kFcsr, 0x1ff);
  EXPECT_EQ(read(kFrm), 7u);
  EXPECT_EQ(read(kFflags), 31u);
  write(kFflags, 0x12);
  EXPECT_EQ(read(kFcsr), 0xf2u);
  write(kVcsr, 5);
  EXPECT_EQ(read(0x009), 1u);  // vxsat
  EXPECT_EQ(read(0x00a), 2u);  // vxrm
}

TEST_F(Csr, VectorTypeAfterResetIsIll) {
  EXPECT_EQ(read(kVtype), std::uint64_t{1} << 63);
  EXPECT_EQ(read(kVlenb), 64u);
}

TEST_F(Csr, TrapVectorAndExceptionPcHoldLegalValuesOnly) {
  write(kMtvec, 0x1003);
  EXPECT_EQ(read(kMtvec), 0x1001u);
  write(kMepc, 0x1003);
  EXPECT_EQ(read(kMepc), 0x1002u);
}

TEST_F(Csr, SoftwareCannotMakeTheNodesInterruptsPending) {
  hart.mip = interrupt_bit(Interrupt::Timer);
  write(kMip, interrupt_bit(Interrupt::Software) | interrupt_bit(Interrupt::Ecc));
  EXPECT_EQ(read(kMip), interrupt_bit(Interrupt::Timer) | interrupt_bit(Interrupt::Ecc));
}

TEST_F(Csr, EveryInterruptCanBeEnabled) {
  write(kMie, kOnes);
  std::uint64_t all = 0;
#define D1_INTERRUPT(id, number, meaning) all |= interrupt_bit(Interrupt::id);
#include <d1/isa/table/interrupt.def>
#undef D1_INTERRUPT
  EXPECT_EQ(read(kMie), all);
}

TEST_F(Csr, FormatRegisterOfXd1HoldsItsDefinedBits) {
  write(kD1fmt, kOnes);
  EXPECT_EQ(hart.float_formats, 0x1f);
  write(kD1bias, kOnes);
  EXPECT_EQ(hart.d1_bias, 0x3f3f3f3fu);
}

TEST_F(Csr, CycleCountsEmulatedTimeAndItsOffset) {
  hart.clock = 100 * kTicksPerCycle;
  hart.work = 7 * kTicksPerCycle;
  EXPECT_EQ(read(kCycle), 107u);
  write(kMcycle, 5);
  hart.work += 2 * kTicksPerCycle;
  EXPECT_EQ(read(kCycle), 7u);
}

TEST_F(Csr, InstructionCounterReadsTheInstructionsBefore) {
  hart.instret = 41;
  EXPECT_EQ(run_csr(csrrs, kInstret, 12, 0), Outcome::Next);
  EXPECT_EQ(hart.x[12], 41u);
  EXPECT_EQ(run_csr(csrrs, kInstret, 12, 0), Outcome::Next);
  EXPECT_EQ(hart.x[12], 42u);
}

TEST_F(Csr, AWriteToTheInstructionCounterIsWhatTheNextInstructionReads) {
  hart.instret = 41;
  hart.x[11] = 1000;
  EXPECT_EQ(run_csr(csrrw, kMinstret, 12, 11), Outcome::Next);
  EXPECT_EQ(hart.x[12], 41u);
  EXPECT_EQ(run_csr(csrrs, kInstret, 12, 0), Outcome::Next);
  EXPECT_EQ(hart.x[12], 1000u);
}

TEST_F(Csr, InhibitedCountersKeepTheirValueAndGoOnFromIt) {
  hart.instret = 10;
  hart.clock = 50 * kTicksPerCycle;
  EXPECT_EQ(run_csr(csrrwi, kMcountinhibit, 0, 5), Outcome::Next);
  hart.instret += 100;
  hart.clock += 100 * kTicksPerCycle;
  EXPECT_EQ(read(kCycle), 50u);
  EXPECT_EQ(read(kInstret), 11u);  // the instruction that inhibits is counted
  EXPECT_EQ(run_csr(csrrwi, kMcountinhibit, 0, 0), Outcome::Next);
  EXPECT_EQ(read(kInstret), 11u);
  EXPECT_EQ(read(kCycle), 50u);
  hart.instret += 1;
  hart.clock += kTicksPerCycle;
  EXPECT_EQ(read(kInstret), 12u);
  EXPECT_EQ(read(kCycle), 51u);
}

TEST_F(Csr, AnInhibitedCounterHoldsWhatIsWrittenToIt) {
  write(kMcountinhibit, 5);
  write(kMinstret, 77);
  write(kMcycle, 78);
  hart.instret += 10;
  hart.clock += 10 * kTicksPerCycle;
  EXPECT_EQ(read(kInstret), 77u);
  EXPECT_EQ(read(kCycle), 78u);
}

TEST_F(Csr, WriteExchangesAndSetAndClearCombine) {
  hart.mscratch = 0xf0;
  hart.x[11] = 0x3c;
  EXPECT_EQ(run_csr(csrrs, kMscratch, 12, 11), Outcome::Next);
  EXPECT_EQ(hart.x[12], 0xf0u);
  EXPECT_EQ(hart.mscratch, 0xfcu);
  EXPECT_EQ(run_csr(csrrc, kMscratch, 12, 11), Outcome::Next);
  EXPECT_EQ(hart.mscratch, 0xc0u);
  EXPECT_EQ(run_csr(csrrw, kMscratch, 11, 11), Outcome::Next);
  EXPECT_EQ(hart.x[11], 0xc0u);
  EXPECT_EQ(hart.mscratch, 0x3cu);
  EXPECT_EQ(run_csr(csrrwi, kMscratch, 0, 31), Outcome::Next);
  EXPECT_EQ(run_csr(csrrci, kMscratch, 12, 1), Outcome::Next);
  EXPECT_EQ(hart.mscratch, 30u);
  EXPECT_EQ(run_csr(csrrsi, kMscratch, 12, 1), Outcome::Next);
  EXPECT_EQ(hart.mscratch, 31u);
}

TEST_F(Csr, SettingNothingDoesNotWriteSoReadOnlyRegistersCanBeRead) {
  EXPECT_EQ(run_csr(csrrs, kMvendorid, 12, 0), Outcome::Next);
  EXPECT_EQ(run_csr(csrrci, kMvendorid, 12, 0), Outcome::Next);
  hart.x[11] = 0;  // a register that holds 0 still writes
  EXPECT_EQ(run_csr(csrrs, kMvendorid, 12, 11), Outcome::Trap);
  EXPECT_EQ(run_csr(csrrw, kMvendorid, 0, 0), Outcome::Trap);
}

TEST_F(Csr, AnIllegalAccessTrapsWithTheEncodingAndChangesNothing) {
  hart.x[12] = 9;
  const std::uint32_t raw = encode(csrrw, {.rd = 12, .rs1 = 11, .immediate = kMedeleg});
  expect_trap(run(raw), Cause::IllegalInstruction, raw);
  EXPECT_EQ(hart.x[12], 9u);
  EXPECT_EQ(hart.pc, kCode);
}

TEST_F(Csr, WritesThatChangeHowOthersRunAskTheEngineToLookAgain) {
  for (const unsigned number : {kMstatus, kMie, kMip, kFcsr, kFrm, kD1fmt}) {
    hart.pc = kCode;
    EXPECT_EQ(run_csr(csrrsi, number, 0, 1), Outcome::Sync) << csr_name(number);
    EXPECT_EQ(hart.pc, kCode + 4);
    EXPECT_EQ(run_csr(csrrs, number, 12, 0), Outcome::Next) << csr_name(number);
  }
}

TEST_F(Csr, NodeLevelRegistersComeFromTheEnvironment) {
  EXPECT_TRUE(illegal_read(kMhartid));
  struct Node : FaultingEnvironment {
    bool read_csr(const Hart& asking, unsigned number, std::uint64_t& value) override {
      value = 1000 + asking.hart_id;
      return number == kMhartid;
    }
  } node;
  use(node);
  EXPECT_EQ(read(kMhartid), 1000u);
  EXPECT_TRUE(illegal_read(0xcc0));
}

}  // namespace
}  // namespace d1::isa::test
