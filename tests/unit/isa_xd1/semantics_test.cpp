// SPDX-License-Identifier: Apache-2.0
#include <random>
#include <string>

#include <gtest/gtest.h>

#include <d1/isa/semantics/xd1.hpp>
#include <d1/isa/xd1_numerics.hpp>
#include <hart_fixture.hpp>

#include "reference.hpp"

namespace d1::isa {
namespace {

constexpr InstructionId kVector[] = {
#define D1_XD1_VECTOR(id, vd, vs1, vs2, cycles) InstructionId::id,
#include <d1/isa/table/xd1_vector.def>
#undef D1_XD1_VECTOR
};

constexpr InstructionId kXd1[] = {
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) InstructionId::id,
#include <d1/isa/table/xd1.def>
#undef D1_INSTRUCTION
};

class Xd1Semantics : public test::HartFixture {
 protected:
  void fill_registers(std::uint64_t seed) {
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    std::mt19937_64 random(seed);
    for (auto& reg : hart.v->bytes)
      for (auto& byte : reg) byte = static_cast<std::uint8_t>(random());
  }
  static std::string name(InstructionId id) { return std::string(facts(id).mnemonic); }
};

bool stochastic(InstructionId id) { return facts(id).mnemonic.ends_with(".sr"); }

TEST_F(Xd1Semantics, EveryVectorLineOfTheTableHasGroupsAndEverySystemLineHasNone) {
  unsigned vector_lines = 0;
  for (const InstructionId id : kXd1) {
    const Xd1Groups groups = xd1_groups(id);
    EXPECT_EQ(groups.vd != 0, facts(id).operands.starts_with("vd")) << name(id);
    EXPECT_EQ(groups.vs2 != 0, facts(id).operands.ends_with("vs2")) << name(id);
    vector_lines += groups.vd != 0;
  }
  EXPECT_EQ(vector_lines, std::size(kVector));
}

TEST_F(Xd1Semantics, AGroupThatStartsElsewhereThanAtAMultipleOfItsSizeIsIllegal) {
  for (const InstructionId id : kVector) {
    const Xd1Groups groups = xd1_groups(id);
    const unsigned vs2 = groups.vs2 != 0 ? 31 : 0;
    for (unsigned number = 0; number < 32; ++number) {
      EXPECT_EQ(run(id, {.rd = number, .rs1 = 0, .rs2 = vs2}) == Outcome::Next,
                number % groups.vd == 0)
          << name(id) << " vd " << number;
      EXPECT_EQ(run(id, {.rd = 0, .rs1 = number, .rs2 = vs2}) == Outcome::Next,
                number % groups.vs1 == 0)
          << name(id) << " vs1 " << number;
    }
  }
}

TEST_F(Xd1Semantics, AnIllegalOneChangesNothing) {
  for (const InstructionId id : kVector) {
    fill_registers(1);
    hart.d1_seed = 77;
    hart.mstatus &= ~kMstatusVs;
    const VectorRegisters before = *hart.v;
    const auto raw = encode(id, {.rd = 8, .rs1 = 16, .rs2 = 0});
    expect_trap(run(raw), Cause::IllegalInstruction, raw);
    EXPECT_EQ(std::memcmp(&before, hart.v, sizeof before), 0) << name(id);
    EXPECT_EQ(hart.d1_seed, 77u) << name(id);
    EXPECT_EQ(hart.mstatus & kMstatusVs, 0u);
  }
}

TEST_F(Xd1Semantics, VlVtypeVstartAndFloatStatusPlayNoPart) {
  for (const InstructionId id : kVector) {
    fill_registers(2);
    const VectorRegisters before = *hart.v;
    const EncodingFields fields{.rd = 8, .rs1 = 16, .rs2 = xd1_groups(id).vs2 != 0 ? 25u : 0u};
    hart.d1_seed = 5;
    hart.vl = 64;
    ASSERT_EQ(run(id, fields), Outcome::Next);
    const VectorRegisters expected = *hart.v;
    EXPECT_EQ(hart.mstatus & kMstatusVs, kMstatusVs) << "VS is dirty after " << name(id);

    *hart.v = before;
    hart.d1_seed = 5;
    hart.vl = 0;
    hart.vstart = 3;
    hart.vtype.ill = 1;
    hart.mstatus &= ~kMstatusFs;
    hart.frm = 7;
    hart.fflags = 0x15;
    ASSERT_EQ(run(id, fields), Outcome::Next);
    EXPECT_EQ(std::memcmp(&expected, hart.v, sizeof expected), 0) << name(id);
    EXPECT_EQ(hart.vstart, 3u);
    EXPECT_EQ(hart.vl, 0u);
    EXPECT_EQ(hart.fflags, 0x15);
  }
}

TEST_F(Xd1Semantics, SourcesAreReadBeforeTheResultIsWritten) {
  for (const InstructionId id : kVector) {
    const Xd1Groups groups = xd1_groups(id);
    fill_registers(3);
    // The sources at 8, copied to 16 too: a result written over either must be the same.
    std::memcpy(hart.v->bytes[16], hart.v->bytes[8], std::size_t{8} * kVlenBytes);
    std::memcpy(hart.v->bytes[24], hart.v->bytes[8], std::size_t{8} * kVlenBytes);
    hart.d1_seed = 9;
    const auto vs2 = [&](unsigned at) { return groups.vs2 != 0 ? at : 0; };
    ASSERT_EQ(run(id, {.rd = 16, .rs1 = 8, .rs2 = vs2(9)}), Outcome::Next);
    hart.d1_seed = 9;
    ASSERT_EQ(run(id, {.rd = 24, .rs1 = 24, .rs2 = vs2(25)}), Outcome::Next);
    EXPECT_EQ(std::memcmp(hart.v->bytes[16], hart.v->bytes[24], groups.vd * kVlenBytes), 0)
        << name(id);
  }
}

TEST_F(Xd1Semantics, OnlyTheRegistersOfTheResultChange) {
  for (const InstructionId id : kVector) {
    fill_registers(4);
    VectorRegisters before = *hart.v;
    ASSERT_EQ(run(id, {.rd = 8, .rs1 = 16, .rs2 = xd1_groups(id).vs2 != 0 ? 27u : 0u}),
              Outcome::Next);
    const std::size_t size = xd1_groups(id).vd * std::size_t{kVlenBytes};
    EXPECT_NE(std::memcmp(before.bytes[8], hart.v->bytes[8], size), 0) << name(id);
    std::memcpy(before.bytes[8], hart.v->bytes[8], size);
    EXPECT_EQ(std::memcmp(&before, hart.v, sizeof before), 0) << name(id);
  }
}

TEST_F(Xd1Semantics, StochasticOnesMoveTheSeedOnByTheSameStepAndOthersLeaveIt) {
  for (const InstructionId id : kVector) {
    hart.d1_seed = 0x123456789abcdef0;
    ASSERT_EQ(run(id, {.rd = 8, .rs1 = 16}), Outcome::Next);
    EXPECT_EQ(hart.d1_seed,
              stochastic(id) ? reference::next_seed(0x123456789abcdef0) : 0x123456789abcdef0)
        << name(id);
  }
}

// ---- formats and biases come from the CSRs -----------------------------------------------------

TEST_F(Xd1Semantics, TheCsrsHoldTheFieldsTheSemanticsReadAndNoOthers) {
  const auto write_ones = [this](std::int32_t number) {
    hart.x[10] = ~std::uint64_t{0};
    EXPECT_NE(run(InstructionId::csrrw, {.rd = 0, .rs1 = 10, .immediate = number}), Outcome::Trap);
  };
  write_ones(0x800);
  EXPECT_EQ(hart.float_formats,
            kFormatA152 | kFormatB152 | kFormatIeeeDenormals | kFormatAUhp | kFormatBUhp);
  write_ones(0x801);
  EXPECT_EQ(hart.d1_bias, std::uint64_t{63} << kBiasA | std::uint64_t{63} << kBiasB |
                              std::uint64_t{63} << kBiasSource | std::uint64_t{63} << kBiasResult);
  write_ones(0x802);
  EXPECT_EQ(hart.d1_seed, ~std::uint64_t{0});
}

TEST_F(Xd1Semantics, AWriteOfD1modesLeavesTheModesAKernelBeginsWith) {
  constexpr std::uint64_t kInitial = std::uint64_t{1} << 13 | std::uint64_t{1} << 9;
  hart.mstatus = ~std::uint64_t{0};
  hart.frm = 4;
  hart.fflags = hart.float_formats = 31;
  hart.vxrm = 2;
  hart.vxsat = 1;
  hart.vl = hart.vstart = hart.d1_bias = hart.d1_seed = 7;
  hart.vtype = {.sew_log2 = 5, .lmul_log2 = 2, .tail_agnostic = 0, .mask_agnostic = 0, .ill = 1};
  // What follows may round and decode in another way.
  EXPECT_EQ(run(InstructionId::csrrw, {.rd = 0, .rs1 = 0, .immediate = 0x803}), Outcome::Sync);
  EXPECT_EQ(hart.mstatus, kInitial);
  const std::pair<unsigned, std::uint64_t> expected[] = {
      {0x003, 0}, {0x008, 0},  {0x00f, 0}, {0xc20, 0}, {0xc21, 0xc0},
      {0x800, 0}, {0x801, 0}, {0x802, 0}, {0x803, 0}};
  for (const auto& [number, wanted] : expected) {
    std::uint64_t value = ~std::uint64_t{0};
    EXPECT_TRUE(csr_read(hart, number, value));
    EXPECT_EQ(value, wanted) << csr_name(number);
  }
}

TEST_F(Xd1Semantics, ConversionsTakeTheirOwnBiasFieldsAndTheDenormalSwitch) {
  hart.d1_bias = std::uint64_t{11} << kBiasSource | std::uint64_t{22} << kBiasResult |
                 std::uint64_t{33} << kBiasA | std::uint64_t{44} << kBiasB;
  for (const bool ieee : {false, true}) {
    hart.float_formats = ieee ? kFormatIeeeDenormals : 0;
    for (unsigned code = 0; code < 256; code += 64) {
      for (unsigned i = 0; i < 64; ++i) hart.v->bytes[1][i] = static_cast<std::uint8_t>(code + i);
      ASSERT_EQ(run(InstructionId::cvt_f32_cf143, {.rd = 4, .rs1 = 1}), Outcome::Next);
      ASSERT_EQ(run(InstructionId::cvt_cf152_f32_rn, {.rd = 2, .rs1 = 4}), Outcome::Next);
      const reference::Narrower narrower(reference::cf152(22, ieee));
      for (unsigned i = 0; i < 64; ++i) {
        std::uint32_t wide = 0;
        std::memcpy(&wide, hart.v->bytes[4] + 4 * std::size_t{i}, sizeof wide);
        ASSERT_EQ(wide, reference::widen(reference::cf143(11, ieee), code + i));
        ASSERT_EQ(hart.v->bytes[2][i], narrower.nearest(wide));
      }
    }
  }
}

// One product, 1.5 of A times 1.25 of B by their codes, in every format the CSR can choose.
TEST_F(Xd1Semantics, MatrixOperandsTakeFormatAndBiasFromTheCsrs) {
  for (const unsigned formats : {0u, 1u, 2u, 3u}) {
    const bool a152 = (formats & kFormatA152) != 0, b152 = (formats & kFormatB152) != 0;
    hart.float_formats = static_cast<std::uint8_t>(formats);
    hart.d1_bias = std::uint64_t{5} << kBiasA | std::uint64_t{9} << kBiasB;
    *hart.v = {};
    hart.v->bytes[1][0] = a152 ? 7 << 2 | 2 : 7 << 3 | 4;  // 1.5 x 2^(7 - 5)
    hart.v->bytes[2][0] = b152 ? 8 << 2 | 1 : 8 << 3 | 2;  // 1.25 x 2^(8 - 9)
    ASSERT_EQ(run(InstructionId::mma_cf8, {.rd = 4, .rs1 = 1, .rs2 = 2}), Outcome::Next);
    float c = 0;
    std::memcpy(&c, hart.v->bytes[4], sizeof c);
    EXPECT_EQ(c, 1.5f * 4 * 1.25f / 2) << formats;
  }
  for (const unsigned formats : {0u, 8u, 16u, 24u}) {
    const bool a_uhp = (formats & kFormatAUhp) != 0, b_uhp = (formats & kFormatBUhp) != 0;
    hart.float_formats = static_cast<std::uint8_t>(formats);
    *hart.v = {};
    const auto a = static_cast<std::uint16_t>((a_uhp ? 33 : 7) << 10 | 1 << 9);  // 1.5 x 2^2
    const auto b = static_cast<std::uint16_t>((b_uhp ? 30 : 8) << 10 | 1 << 8);  // 1.25 / 2
    std::memcpy(hart.v->bytes[1], &a, sizeof a);
    std::memcpy(hart.v->bytes[2], &b, sizeof b);
    ASSERT_EQ(run(InstructionId::mma_cf16, {.rd = 4, .rs1 = 1, .rs2 = 2}), Outcome::Next);
    float c = 0;
    std::memcpy(&c, hart.v->bytes[4], sizeof c);
    EXPECT_EQ(c, 1.5f * 4 * 1.25f / 2) << formats;
  }
}

// ---- the system instructions hand their operands to the environment -----------------------------

class Recorder final : public test::FaultingEnvironment {
 public:
  std::string calls;
  Outcome next = Outcome::Next;

  Outcome semaphore_wait(Hart&, const Operation&, std::uint64_t index,
                         std::uint64_t count) override {
    return note("wait", index, count);
  }
  Outcome semaphore_try(Hart&, const Operation&, std::uint64_t index, std::uint64_t count,
                        std::uint64_t& taken) override {
    taken = 1;
    return note("try", index, count);
  }
  Outcome semaphore_read(Hart&, const Operation&, std::uint64_t index,
                         std::uint64_t& value) override {
    value = 42;
    return note("read", index, 0);
  }
  Outcome semaphore_post(Hart&, const Operation&, std::uint64_t target,
                         std::uint64_t count) override {
    return note("post", target, count);
  }
  Outcome node_barrier(Hart&, const Operation&, std::uint64_t harts) override {
    return note("node", harts, 0);
  }
  Outcome grid_barrier(Hart&, const Operation&, std::uint64_t harts) override {
    return note("grid", harts, 0);
  }
  Outcome transfer(Hart&, const Operation&, std::uint64_t list, std::uint64_t count) override {
    return note("transfer", list, count);
  }
  Outcome transfer_wait(Hart&, const Operation&) override { return note("transfer_wait", 0, 0); }
  Outcome print(Hart&, const Operation&, std::uint64_t text, std::uint64_t bytes) override {
    return note("print", text, bytes);
  }
  Outcome zone(Hart&, const Operation&, std::uint64_t mark) override {
    return note("zone", mark, 0);
  }
  Outcome stop(Hart& hart, const Operation&) override {
    note("stop", hart.pc, 0);
    return Outcome::Stop;
  }

 private:
  Outcome note(const char* what, std::uint64_t a, std::uint64_t b) {
    calls += std::string(what) + ' ' + std::to_string(a) + ' ' + std::to_string(b) + ';';
    return next;
  }
};

TEST_F(Xd1Semantics, SystemInstructionsHandTheirOperandsOver) {
  Recorder recorder;
  use(recorder);
  hart.mstatus = 0;  // no unit is needed
  hart.x[10] = 1000;
  hart.x[11] = 2000;
  const EncodingFields two{.rs1 = 10, .rs2 = 11}, one{.rs1 = 10}, none{};
  EXPECT_EQ(run(InstructionId::d1_sem_wait, two), Outcome::Next);
  EXPECT_EQ(run(InstructionId::d1_sem_try, {.rd = 5, .rs1 = 10, .rs2 = 11}), Outcome::Next);
  EXPECT_EQ(hart.x[5], 1u);
  EXPECT_EQ(run(InstructionId::d1_sem_read, {.rd = 6, .rs1 = 10}), Outcome::Next);
  EXPECT_EQ(hart.x[6], 42u);
  EXPECT_EQ(run(InstructionId::d1_sem_read, {.rd = 0, .rs1 = 10}), Outcome::Next);
  EXPECT_EQ(hart.x[0], 0u);
  EXPECT_EQ(run(InstructionId::d1_sem_post, two), Outcome::Next);
  EXPECT_EQ(run(InstructionId::d1_bar_node, one), Outcome::Next);
  EXPECT_EQ(run(InstructionId::d1_bar_grid, one), Outcome::Next);
  EXPECT_EQ(run(InstructionId::d1_xfer, two), Outcome::Next);
  EXPECT_EQ(run(InstructionId::d1_xfer_wait, none), Outcome::Next);
  EXPECT_EQ(run(InstructionId::d1_print, two), Outcome::Next);
  EXPECT_EQ(run(InstructionId::d1_zone, one), Outcome::Next);
  EXPECT_EQ(recorder.calls,
            "wait 1000 2000;try 1000 2000;read 1000 0;read 1000 0;post 1000 2000;node 1000 0;"
            "grid 1000 0;transfer 1000 2000;transfer_wait 0 0;print 1000 2000;zone 1000 0;");
}

TEST_F(Xd1Semantics, AHartThatParksKeepsItsPcAndItsRegisters) {
  Recorder recorder;
  recorder.next = Outcome::Park;
  use(recorder);
  hart.x[5] = 7;
  for (const auto id :
       {InstructionId::d1_sem_wait, InstructionId::d1_sem_try, InstructionId::d1_sem_read,
        InstructionId::d1_bar_node, InstructionId::d1_bar_grid, InstructionId::d1_xfer_wait}) {
    const bool has_result = facts(id).operands.starts_with("rd");
    EXPECT_EQ(run(id, {.rd = has_result ? 5u : 0u}), Outcome::Park);
    EXPECT_EQ(hart.pc, kCode);
    EXPECT_EQ(hart.x[5], 7u);
  }
}

TEST_F(Xd1Semantics, HaltStopsBehindItselfAndTrapNamesItsText) {
  Recorder recorder;
  use(recorder);
  hart.x[10] = 0x1234;
  expect_trap(run(InstructionId::d1_trap, {.rs1 = 10}), Cause::Assert, 0x1234);
  EXPECT_EQ(hart.pc, kCode);
  EXPECT_EQ(run(InstructionId::d1_halt, {}), Outcome::Stop);
  EXPECT_EQ(hart.pc, kCode + 4);
  EXPECT_EQ(recorder.calls, "stop " + std::to_string(kCode + 4) + " 0;");
}

TEST_F(Xd1Semantics, AnEnvironmentWithoutProfilerTakesZonesAsNothing) {
  EXPECT_EQ(run(InstructionId::d1_zone, {.rs1 = 10}), Outcome::Next);
}

}  // namespace
}  // namespace d1::isa
