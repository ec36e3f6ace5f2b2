// SPDX-License-Identifier: Apache-2.0
#include "vector_machine.hpp"

namespace d1::isa::test {
namespace {

constexpr std::uint64_t kSeed = 7;
constexpr unsigned kTrials = 40;

// Runs `trial` under every SEW and LMUL, with random contents and a random length.
template <typename Trial>
void in_every_type(Trial trial) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  VectorMachine machine(kSeed);
  for (unsigned sew = 3; sew <= 6; ++sew)
    for (int lmul = static_cast<int>(sew) - 6; lmul <= 3; ++lmul)
      for (unsigned i = 0; i < kTrials; ++i) {
        SCOPED_TRACE("SEW " + std::to_string(1U << sew) + ", log2 LMUL " + std::to_string(lmul) +
                     ", trial " + std::to_string(i));
        machine.set_type(sew, lmul, 0);
        machine.hart.vl = machine.random_length();
        machine.fill_bits();
        // Sparse sources too: the first set bit is far then, or there is none.
        if (i % 3 == 0)
          for (unsigned bit = 0; bit < kVlenBits; ++bit)
            put_bit(machine.registers, 16, bit, machine.random() % 200 == 0);
        ASSERT_NO_FATAL_FAILURE(trial(machine, i % 2 == 0 ? Masked::Yes : Masked::No));
      }
}

[[nodiscard]] bool active(const VectorMachine& machine, Masked masked, unsigned index) {
  return masked == Masked::No || get_bit(machine.registers, 0, index);
}

struct Logic {
  const char* name;
  Semantics run;
  unsigned truth;  // bit 2 * vs2 + vs1 is the result
};

TEST(VectorMask, LogicFollowsTheTruthTableAndKeepsTheTail) {
  const Logic all[] = {{"vmand", exec::vmand_mm, 0b1000},   {"vmnand", exec::vmnand_mm, 0b0111},
                       {"vmandn", exec::vmandn_mm, 0b0100}, {"vmor", exec::vmor_mm, 0b1110},
                       {"vmnor", exec::vmnor_mm, 0b0001},   {"vmorn", exec::vmorn_mm, 0b1101},
                       {"vmxor", exec::vmxor_mm, 0b0110},   {"vmxnor", exec::vmxnor_mm, 0b1001}};
  for (const Logic& logic : all) {
    SCOPED_TRACE(logic.name);
    in_every_type([&](VectorMachine& machine, Masked) {
      machine.hart.vstart =
          machine.random() % 5 == 0 ? machine.random() % (machine.hart.vl + 1) : 0;
      VectorRegisters wanted = machine.registers;
      for (auto i = static_cast<unsigned>(machine.hart.vstart); i < machine.hart.vl; ++i) {
        const unsigned row =
            2U * get_bit(machine.registers, 16, i) + get_bit(machine.registers, 24, i);
        put_bit(wanted, 8, i, logic.truth >> row & 1);
      }
      ASSERT_EQ(machine.run(logic.run, {}, Masked::No), Outcome::Next);
      ASSERT_TRUE(same(machine.registers, wanted));
    });
  }
}

TEST(VectorMask, PopulationCountCountsActiveBitsBelowTheLength) {
  in_every_type([](VectorMachine& machine, Masked masked) {
    std::uint64_t count = 0;
    for (unsigned i = 0; i < machine.hart.vl; ++i)
      count += active(machine, masked, i) && get_bit(machine.registers, 16, i);
    ASSERT_EQ(machine.run(exec::vcpop_m, {.rd = 5}, masked), Outcome::Next);
    ASSERT_EQ(machine.hart.x[5], count);
  });
}

TEST(VectorMask, FindFirstGivesTheLowestActiveBitOrMinusOne) {
  in_every_type([](VectorMachine& machine, Masked masked) {
    std::uint64_t found = ~std::uint64_t{0};
    for (auto i = static_cast<unsigned>(machine.hart.vl); i-- > 0;)
      if (active(machine, masked, i) && get_bit(machine.registers, 16, i)) found = i;
    ASSERT_EQ(machine.run(exec::vfirst_m, {.rd = 5}, masked), Outcome::Next);
    ASSERT_EQ(machine.hart.x[5], found);
  });
}

TEST(VectorMask, SetBeforeIncludingAndOnlyFirstMarkElementsAroundTheFirstBit) {
  const struct {
    Semantics run;
    bool before, at;
  } all[] = {
      {exec::vmsbf_m, true, false}, {exec::vmsif_m, true, true}, {exec::vmsof_m, false, true}};
  for (const auto& kind : all) {
    in_every_type([&](VectorMachine& machine, Masked masked) {
      VectorRegisters wanted = machine.registers;
      bool found = false;
      for (unsigned i = 0; i < machine.hart.vl; ++i) {
        if (!active(machine, masked, i)) continue;
        const bool bit = get_bit(machine.registers, 16, i);
        put_bit(wanted, 8, i, !found && (bit ? kind.at : kind.before));
        found |= bit;
      }
      ASSERT_EQ(machine.run(kind.run, {}, masked), Outcome::Next);
      ASSERT_TRUE(same(machine.registers, wanted));
    });
  }
}

TEST(VectorMask, IotaCountsActiveBitsBeforeEachElement) {
  in_every_type([](VectorMachine& machine, Masked masked) {
    const unsigned sew = machine.hart.vtype.sew_log2;
    VectorRegisters wanted = machine.registers;
    std::uint64_t count = 0;
    for (unsigned i = 0; i < machine.hart.vl; ++i) {
      if (!active(machine, masked, i)) continue;
      put(wanted, 8, sew, i, count);
      count += get_bit(machine.registers, 16, i);
    }
    ASSERT_EQ(machine.run(exec::viota_m, {}, masked), Outcome::Next);
    ASSERT_TRUE(same(machine.registers, wanted));
  });
}

TEST(VectorMask, IdWritesEachElementsIndex) {
  in_every_type([](VectorMachine& machine, Masked masked) {
    VectorRegisters wanted = machine.registers;
    for (unsigned i = 0; i < machine.hart.vl; ++i)
      if (active(machine, masked, i)) put(wanted, 8, machine.hart.vtype.sew_log2, i, i);
    ASSERT_EQ(machine.run(exec::vid_v, {.rd = 8, .rs2 = 0}, masked), Outcome::Next);
    ASSERT_TRUE(same(machine.registers, wanted));
  });
}

TEST(VectorMask, WhatCannotResumeTrapsWhenVstartIsNotZero) {
  VectorMachine machine(kSeed);
  for (const Semantics run : {exec::vcpop_m, exec::vfirst_m, exec::vmsbf_m, exec::vmsif_m,
                              exec::vmsof_m, exec::viota_m, exec::vcompress_vm, exec::vredsum_vs,
                              exec::vwredsum_vs, exec::vfredosum_vs, exec::vfwredusum_vs}) {
    machine.set_type(5, 0, 16);
    machine.hart.vstart = 1;
    const VectorRegisters before = machine.registers;
    EXPECT_EQ(machine.run(run, {}, Masked::No), Outcome::Trap);
    EXPECT_EQ(machine.hart.trap.cause, Cause::IllegalInstruction);
    EXPECT_TRUE(same(machine.registers, before));
  }
}

TEST(VectorMask, ResultsMustNotShareTheSourceNorTheMaskWhenMasked) {
  VectorMachine machine(kSeed);
  machine.set_type(5, 1, 16);
  for (const Semantics run : {exec::vmsbf_m, exec::vmsif_m, exec::vmsof_m, exec::viota_m}) {
    EXPECT_EQ(machine.run(run, {.rd = 16, .rs2 = 16}, Masked::No), Outcome::Trap);
    EXPECT_EQ(machine.run(run, {.rd = 0, .rs2 = 16}, Masked::Yes), Outcome::Trap);
    EXPECT_EQ(machine.run(run, {.rd = 0, .rs2 = 16}, Masked::No), Outcome::Next);
  }
  EXPECT_EQ(machine.run(exec::viota_m, {.rd = 16, .rs2 = 17}, Masked::No), Outcome::Trap);
  EXPECT_EQ(machine.run(exec::viota_m, {.rd = 17, .rs2 = 8}, Masked::No), Outcome::Trap);
  EXPECT_EQ(machine.run(exec::vid_v, {.rd = 0}, Masked::Yes), Outcome::Trap);
}

}  // namespace
}  // namespace d1::isa::test
