// SPDX-License-Identifier: Apache-2.0
// What vector floating point refuses, moves of scalars, and the checking mode for agnostic
// elements.
#include <bit>

#include "vector_machine.hpp"

namespace d1::isa::test {
namespace {

constexpr std::uint64_t kSeed = 17;

struct Named {
  const char* name;
  Semantics run;
};

const std::vector<Named>& all_float() {
  static const std::vector<Named> all = {
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) \
  {mnemonic, exec::id},
#include <d1/isa/table/vector_float.def>
#undef D1_INSTRUCTION
      {"vfmv.f.s", exec::vfmv_f_s},
      {"vfmv.s.f", exec::vfmv_s_f},
      {"vfslide1up.vf", exec::vfslide1up_vf},
      {"vfslide1down.vf", exec::vfslide1down_vf}};
  return all;
}

// Runs with registers that suit every form: masked, as vfmerge is always encoded so.
Outcome run(VectorMachine& machine, const Named& instruction) {
  return machine.run(instruction.run, {}, Masked::Yes);
}

TEST(VectorFloatRules, EveryInstructionRunsWithSew16) {
  VectorMachine machine(kSeed);
  for (const Named& instruction : all_float()) {
    machine.set_type(4, 0, 32);
    EXPECT_EQ(run(machine, instruction), Outcome::Next) << instruction.name;
  }
}

TEST(VectorFloatRules, AnInvalidRoundingModeMakesEveryInstructionIllegal) {
  VectorMachine machine(kSeed);
  for (const Named& instruction : all_float())
    for (std::uint8_t frm = 5; frm <= 7; ++frm) {
      machine.set_type(4, 0, 32);
      machine.hart.frm = frm;
      const VectorRegisters before = machine.registers;
      EXPECT_EQ(run(machine, instruction), Outcome::Trap) << instruction.name;
      EXPECT_EQ(machine.hart.trap.cause, Cause::IllegalInstruction);
      EXPECT_TRUE(same(machine.registers, before)) << instruction.name;
    }
}

TEST(VectorFloatRules, EveryInstructionNeedsBothUnitsOnAndAValidType) {
  VectorMachine machine(kSeed);
  for (const Named& instruction : all_float()) {
    machine.set_type(4, 0, 32);
    machine.hart.mstatus = kMstatusVs;
    EXPECT_EQ(run(machine, instruction), Outcome::Trap) << instruction.name;
    machine.hart.mstatus = kMstatusFs;
    EXPECT_EQ(run(machine, instruction), Outcome::Trap) << instruction.name;
    machine.hart.mstatus = kMstatusFs | kMstatusVs;
    machine.hart.vtype.ill = 1;
    EXPECT_EQ(run(machine, instruction), Outcome::Trap) << instruction.name;
  }
}

TEST(VectorFloatRules, OnlyConversionsOfIntegersKnowSew8) {
  VectorMachine machine(kSeed);
  for (const Named& instruction : all_float()) {
    const std::string_view name = instruction.name;
    const bool from = name.starts_with("vfwcvt.f.x"),
               to = name.starts_with("vfncvt.") && name.ends_with("x.f.w");
    const bool unsigned_to = name.starts_with("vfncvt.") && name.ends_with("xu.f.w");
    machine.set_type(3, 0, 64);
    EXPECT_EQ(run(machine, instruction), from || to || unsigned_to ? Outcome::Next : Outcome::Trap)
        << name;
  }
}

TEST(VectorFloatRules, WideAndNarrowFormsStopAtElenAndBrainFloatAtSew16) {
  VectorMachine machine(kSeed);
  for (const Named& instruction : all_float()) {
    const std::string_view name = instruction.name;
    const bool twice = name.starts_with("vfw") || name.starts_with("vfncvt");
    machine.set_type(6, 0, 8);
    EXPECT_EQ(run(machine, instruction), twice ? Outcome::Trap : Outcome::Next) << name;
    machine.set_type(5, 0, 16);
    EXPECT_EQ(run(machine, instruction),
              name.find("bf16") != name.npos ? Outcome::Trap : Outcome::Next)
        << name;
  }
}

TEST(VectorFloatRules, GroupsMustBeAlignedAndWideResultsCoverOnlyTheirUpperHalf) {
  VectorMachine machine(kSeed);
  machine.set_type(5, 1, 16);
  const auto trial = [&](Semantics semantics, unsigned rd, unsigned rs2, unsigned rs1) {
    return machine.run(semantics, {.rd = rd, .rs1 = rs1, .rs2 = rs2}, Masked::No);
  };
  EXPECT_EQ(trial(exec::vfadd_vv, 9, 16, 24), Outcome::Trap);
  EXPECT_EQ(trial(exec::vfadd_vv, 8, 17, 24), Outcome::Trap);
  EXPECT_EQ(trial(exec::vfadd_vv, 8, 16, 25), Outcome::Trap);
  EXPECT_EQ(trial(exec::vfadd_vf, 8, 16, 25), Outcome::Next);
  EXPECT_EQ(trial(exec::vfwadd_vv, 10, 16, 24), Outcome::Trap);
  EXPECT_EQ(trial(exec::vfwadd_vv, 8, 8, 24), Outcome::Trap);
  EXPECT_EQ(trial(exec::vfwadd_vv, 8, 10, 24), Outcome::Next);
  EXPECT_EQ(trial(exec::vfwadd_vv, 8, 16, 8), Outcome::Trap);
  EXPECT_EQ(trial(exec::vfwadd_wv, 8, 8, 24), Outcome::Next);
  EXPECT_EQ(trial(exec::vfwadd_wv, 8, 10, 24), Outcome::Trap);
  EXPECT_EQ(trial(exec::vfncvt_f_f_w, 8, 8, 0), Outcome::Next);
  EXPECT_EQ(trial(exec::vfncvt_f_f_w, 10, 8, 0), Outcome::Trap);
  EXPECT_EQ(trial(exec::vmflt_vv, 16, 16, 24), Outcome::Next);
  EXPECT_EQ(trial(exec::vmflt_vv, 17, 16, 24), Outcome::Trap);
  EXPECT_EQ(machine.run(exec::vfadd_vv, {.rd = 0}, Masked::Yes), Outcome::Trap);
  EXPECT_EQ(machine.run(exec::vmflt_vv, {.rd = 0}, Masked::Yes), Outcome::Next);
  machine.set_type(5, 3, 128);
  EXPECT_EQ(trial(exec::vfwadd_vv, 8, 16, 24), Outcome::Trap);
  EXPECT_EQ(trial(exec::vfncvt_f_f_w, 8, 16, 0), Outcome::Trap);
}

TEST(VectorFloatRules, WideResultsMayOverwriteTheSourceInTheirUpperHalf) {
  VectorMachine machine(kSeed);
  machine.set_type(5, 0, 16);
  for (unsigned i = 0; i < 16; ++i) {
    put(machine.registers, 9, 5, i, std::bit_cast<std::uint32_t>(static_cast<float>(i)));
    put(machine.registers, 24, 5, i, std::bit_cast<std::uint32_t>(0.5F));
  }
  ASSERT_EQ(machine.run(exec::vfwadd_vv, {.rd = 8, .rs2 = 9}, Masked::No), Outcome::Next);
  for (unsigned i = 0; i < 16; ++i)
    EXPECT_EQ(get(machine.registers, 8, 6, i), std::bit_cast<std::uint64_t>(i + 0.5));
}

TEST(VectorFloatRules, InfinityTimesZeroPlusQuietNanIsInvalid) {
  VectorMachine machine(kSeed);
  for (const unsigned length : {16U, 5U}) {  // a whole packet, part of one
    machine.set_type(5, 0, length);
    machine.hart.fflags = 0;
    for (unsigned i = 0; i < 16; ++i) {
      put(machine.registers, 8, 5, i, F32::kNan);
      put(machine.registers, 16, 5, i, std::bit_cast<std::uint32_t>(1.0F));
      put(machine.registers, 24, 5, i, std::bit_cast<std::uint32_t>(1.0F));
    }
    ASSERT_EQ(machine.run(exec::vfmacc_vv, {}, Masked::No), Outcome::Next);
    EXPECT_EQ(machine.hart.fflags, 0);
    put(machine.registers, 16, 5, 3, F32::kInfinity);
    put(machine.registers, 24, 5, 3, F32::kSign);
    ASSERT_EQ(machine.run(exec::vfmacc_vv, {}, Masked::No), Outcome::Next);
    EXPECT_EQ(machine.hart.fflags, kNv);
  }
}

TEST(VectorFloatRules, MergeAndSplatTakeTheScalar) {
  VectorMachine machine(kSeed);
  for (int lmul = -1; lmul <= 3; ++lmul) {
    machine.fill_bits();
    machine.set_type(5, lmul, 0);
    machine.hart.vl = machine.random_length();
    machine.hart.f[4] = 0xffffffff40490fdb;
    VectorRegisters wanted = machine.registers;
    for (unsigned i = 0; i < machine.hart.vl; ++i)
      put(wanted, 8, 5, i, get_bit(wanted, 0, i) ? 0x40490fdb : get(machine.registers, 16, 5, i));
    ASSERT_EQ(machine.run(exec::vfmerge_vfm, {.rs1 = 4}, Masked::Yes), Outcome::Next);
    ASSERT_TRUE(same(machine.registers, wanted));
    for (unsigned i = 0; i < machine.hart.vl; ++i) put(wanted, 8, 5, i, 0x40490fdb);
    ASSERT_EQ(machine.run(exec::vfmv_v_f, {.rs1 = 4, .rs2 = 0}, Masked::No), Outcome::Next);
    ASSERT_TRUE(same(machine.registers, wanted));
  }
}

// Sets the checking mode for one test.
class AgnosticFill {
 public:
  AgnosticFill() { agnostic_fill = true; }
  ~AgnosticFill() { agnostic_fill = false; }
  AgnosticFill(const AgnosticFill&) = delete;
  AgnosticFill& operator=(const AgnosticFill&) = delete;
};

TEST(VectorFloatRules, AgnosticElementsBecomeOnesInTheCheckingMode) {
  const AgnosticFill filling;
  VectorMachine machine(kSeed);
  machine.set_type(5, 0, 10);
  machine.hart.vtype.tail_agnostic = machine.hart.vtype.mask_agnostic = 1;
  const struct {
    Semantics run;
    unsigned width_log2, first;  // elements below `first` are no tail
  } all[] = {{exec::vfadd_vv, 5, 10},      {exec::vfredosum_vs, 5, 1}, {exec::vfwredosum_vs, 6, 1},
             {exec::vslidedown_vx, 5, 10}, {exec::vmv_s_x, 5, 1},      {exec::vfmv_s_f, 5, 1},
             {exec::vfcvt_x_f_v, 5, 10},   {exec::vredsum_vs, 5, 1},   {exec::vfwmul_vv, 6, 10}};
  for (const auto& test : all) {
    machine.fill_floats(5);
    machine.registers.bytes[0][0] = 0xfe;  // element 0 is masked off where masks count
    const unsigned elements =
        test.width_log2 == 6 && test.first == 10 ? 16 : 512U >> test.width_log2;
    ASSERT_EQ(machine.run(test.run, {}, Masked::Yes), Outcome::Next);
    const std::uint64_t ones = ~std::uint64_t{0} >> (64 - (1U << test.width_log2));
    for (unsigned i = test.first; i < elements; ++i)
      EXPECT_EQ(get(machine.registers, 8, test.width_log2, i), ones) << i;
    if (test.first == 10) {
      EXPECT_EQ(get(machine.registers, 8, test.width_log2, 0), ones);
    }
  }
}

}  // namespace
}  // namespace d1::isa::test
