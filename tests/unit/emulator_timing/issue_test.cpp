// SPDX-License-Identifier: Apache-2.0
// What the time model charges: stalls from whole register groups, occupancy of units, and the
// sharing of a node's units by its harts.
#include <algorithm>
#include <gtest/gtest.h>

#include <d1/isa/csr.hpp>
#include <d1/isa/operands.hpp>
#include <d1/isa/semantics/table.hpp>
#include <d1/isa/semantics/vector.hpp>
#include <d1/isa/semantics/xd1.hpp>
#include <string>
#include <vector>

#include "engine/register_use.hpp"
#include "engine/timing.hpp"

namespace d1::emulator {
namespace {

using isa::InstructionId;
using isa::Operation;
using isa::Unit;

constexpr std::uint32_t kUnmasked = 1u << 25;
constexpr std::uint16_t kTicks = isa::kTicksPerCycle;

Operation make(InstructionId id, isa::EncodingFields fields) {
  if (isa::facts(id).extension != isa::Extension::Xd1) fields.bits |= kUnmasked;
  const isa::Instruction instruction = isa::decode(isa::encode(id, fields));
  EXPECT_EQ(instruction.id, id);
  return isa::make_operation(instruction, 0x1000);
}

Operation vector(InstructionId id, unsigned vd, unsigned vs1, unsigned vs2) {
  return make(id, {.rd = vd, .rs1 = vs1, .rs2 = vs2});
}

Operation set_type(unsigned sew_log2, int lmul_log2) {
  isa::VectorType type{};
  type.sew_log2 = static_cast<std::uint8_t>(sew_log2);
  type.lmul_log2 = static_cast<std::int8_t>(lmul_log2);
  return make(InstructionId::vsetvli,
              {.rd = 5, .rs1 = 0, .immediate = static_cast<std::int32_t>(isa::encode_vtype(type))});
}

// Issue ticks of the last operation of a stretch.
unsigned last_ticks(const std::vector<Operation>& stretch) {
  std::vector<std::uint16_t> ticks(stretch.size());
  issue_costs(stretch, ticks);
  return ticks.back();
}

unsigned latency_ticks(InstructionId id) { return isa::facts(id).latency * kTicks; }

TEST(Issue, AProductWaitsForTheAccumulatorOfTheOneBefore) {
  const Operation mma = vector(InstructionId::mma_bf16, 0, 8, 9);
  EXPECT_EQ(last_ticks({mma}), 1u);
  EXPECT_EQ(last_ticks({mma, mma}), latency_ticks(InstructionId::mma_bf16));
}

TEST(Issue, EveryRegisterOfAnXd1GroupCounts) {
  const Operation mma = vector(InstructionId::mma_bf16, 0, 8, 9);
  for (unsigned last = 0; last < 4; ++last)
    EXPECT_EQ(last_ticks({mma, make(InstructionId::vs1r_v, {.rd = last, .rs1 = 10})}),
              latency_ticks(InstructionId::mma_bf16))
        << "v" << last;
  EXPECT_EQ(last_ticks({mma, make(InstructionId::vs1r_v, {.rd = 4, .rs1 = 10})}), 1u);
}

TEST(Issue, GroupsOfVCountWhereTheStretchKnowsLmul) {
  const Operation add = vector(InstructionId::vfadd_vv, 0, 8, 12);
  const Operation store = make(InstructionId::vs1r_v, {.rd = 3, .rs1 = 10});
  EXPECT_EQ(last_ticks({set_type(5, 2), add, store}), latency_ticks(InstructionId::vfadd_vv));
  EXPECT_EQ(last_ticks({set_type(5, 1), add, store}), 1u) << "LMUL 2 ends at v1";
  EXPECT_EQ(last_ticks({add, store}), 1u) << "LMUL unknown: v0 alone";
  const Operation unknown = make(InstructionId::vsetvl, {.rd = 5, .rs1 = 0, .rs2 = 6});
  EXPECT_EQ(last_ticks({set_type(5, 2), unknown, add, store}), 1u) << "vsetvl hides it again";
}

TEST(Issue, WideningAndNarrowingDoubleOneSide) {
  const Operation wide = vector(InstructionId::vwadd_vv, 0, 8, 12);
  const auto store = [](unsigned reg) {
    return make(InstructionId::vs1r_v, {.rd = reg, .rs1 = 10});
  };
  EXPECT_GT(last_ticks({set_type(4, 1), wide, store(3)}), 1u);
  EXPECT_EQ(last_ticks({set_type(4, 1), wide, store(4)}), 1u);
  const Operation load = make(InstructionId::vl1re8_v, {.rd = 15, .rs1 = 10});
  const Operation narrow = vector(InstructionId::vnclip_wv, 0, 8, 12);
  EXPECT_EQ(last_ticks({set_type(4, 1), load, narrow}), latency_ticks(InstructionId::vl1re8_v));
  EXPECT_EQ(last_ticks({set_type(4, 0), load, narrow}), 1u);
}

TEST(Issue, LoadsCountTheRegistersTheyFill) {
  const Operation load = make(InstructionId::vle64_v, {.rd = 0, .rs1 = 10});
  const auto store = [](unsigned reg) {
    return make(InstructionId::vs1r_v, {.rd = reg, .rs1 = 10});
  };
  // SEW 32, LMUL 2: as many elements of 64 bits fill four registers.
  EXPECT_GT(last_ticks({set_type(5, 1), load, store(3)}), 1u);
  EXPECT_EQ(last_ticks({set_type(5, 1), load, store(4)}), 1u);
  const Operation segments = make(InstructionId::vle32_v, {.rd = 0, .rs1 = 10, .bits = 2u << 29});
  EXPECT_GT(last_ticks({set_type(5, 0), segments, store(2)}), 1u);
  EXPECT_EQ(last_ticks({set_type(5, 0), segments, store(3)}), 1u);
}

TEST(Issue, AMaskIsWaitedFor) {
  const Operation compare = vector(InstructionId::vmseq_vv, 0, 8, 12);
  Operation masked = vector(InstructionId::vadd_vv, 16, 20, 24);
  EXPECT_EQ(last_ticks({compare, masked}), 1u);
  masked.full &= ~kUnmasked;
  EXPECT_EQ(last_ticks({compare, masked}), latency_ticks(InstructionId::vmseq_vv));
}

// The standard's names say which instructions add to their destination; the model goes by the order
// of their operands.
TEST(Issue, ExactlyTheMultiplyAccumulatesReadTheirDestination) {
  unsigned accumulating = 0;
  for (unsigned i = 1; i < static_cast<unsigned>(InstructionId::Count); ++i) {
    const auto id = static_cast<InstructionId>(i);
    const std::string name(isa::facts(id).mnemonic);
    bool expected = name.starts_with("mma.");
    for (const char* part : {"macc", "msac", "madd", "msub"})
      expected |= name.starts_with("v") && name.find(part) != std::string::npos;
    Operation operation;
    operation.id = id;
    operation.full = isa::facts(id).match | kUnmasked;
    operation.rd = 4;
    operation.rs1 = 8;
    operation.rs2 = 12;
    const RegisterUse use = register_use(operation, {});
    bool reads_destination = false;
    for (unsigned r = 0; r < use.read_count; ++r) reads_destination |= use.reads[r].first == 64 + 4;
    const bool store = vector_access(id).store;
    EXPECT_EQ(reads_destination, expected || store) << name;
    accumulating += expected ? 1 : 0;
  }
  EXPECT_GT(accumulating, 40u);
}

TEST(Occupancy, Xd1HoldsItsUnitAsItsTableSays) {
  unsigned seen = 0;
  for (unsigned i = 1; i < static_cast<unsigned>(InstructionId::Count); ++i) {
    const auto id = static_cast<InstructionId>(i);
    const isa::Xd1Groups groups = isa::xd1_groups(id);
    if (groups.vd == 0) continue;
    ++seen;
    EXPECT_EQ(unit_cost(id).scale, Scale::Fixed);
    EXPECT_EQ(unit_cost(id).unit_ticks, groups.cycles * kTicks) << isa::facts(id).mnemonic;
  }
  EXPECT_EQ(seen, 44u);
}

struct Charge {
  unsigned simd, address, load, store;
  bool operator==(const Charge&) const = default;
};

Charge charge(InstructionId id, unsigned sew_log2, int lmul_log2, std::uint64_t vl,
              std::uint32_t bits = 0) {
  isa::Hart hart{};
  hart.vtype.sew_log2 = static_cast<std::uint8_t>(sew_log2);
  hart.vtype.lmul_log2 = static_cast<std::int8_t>(lmul_log2);
  hart.vl = vl;
  charge_units(hart, make(id, {.rd = 0, .rs1 = 8, .rs2 = 16, .bits = bits}));
  const auto at = [&](Unit unit) { return hart.units[static_cast<unsigned>(unit)]; };
  return {at(Unit::Simd), at(Unit::Address), at(Unit::LoadPort), at(Unit::StorePort)};
}

TEST(Occupancy, VectorInstructionsPayForThePacketsOfTheirWiderSide) {
  EXPECT_EQ(charge(InstructionId::vfmacc_vv, 5, 0, 16), (Charge{kTicks, 0, 0, 0}));
  EXPECT_EQ(charge(InstructionId::vfmacc_vv, 5, 3, 128), (Charge{8 * kTicks, 0, 0, 0}));
  EXPECT_EQ(charge(InstructionId::vfmacc_vv, 5, -1, 8), (Charge{kTicks, 0, 0, 0}));
  EXPECT_EQ(charge(InstructionId::vwadd_vv, 4, 1, 64), (Charge{4 * kTicks, 0, 0, 0}));
  EXPECT_EQ(charge(InstructionId::vmv8r_v, 5, 0, 16), (Charge{8 * kTicks, 0, 0, 0}));
  EXPECT_EQ(charge(InstructionId::vmand_mm, 5, 3, 128), (Charge{kTicks, 0, 0, 0}));
}

TEST(Occupancy, AccessesPayForAddressesAndPackets) {
  EXPECT_EQ(charge(InstructionId::vle32_v, 5, 2, 64), (Charge{0, 2, 4 * kTicks / 2, 0}));
  EXPECT_EQ(charge(InstructionId::vse32_v, 5, 2, 64), (Charge{0, 2, 0, 4 * kTicks}));
  EXPECT_EQ(charge(InstructionId::vl8re64_v, 5, 0, 16), (Charge{0, 2, 8 * kTicks / 2, 0}));
  EXPECT_EQ(charge(InstructionId::vle32_v, 5, 0, 16, 3u << 29), (Charge{0, 2, 4 * kTicks / 2, 0}));
  EXPECT_EQ(charge(InstructionId::vlse32_v, 5, 0, 16), (Charge{0, 32, 32, 0}));
  EXPECT_EQ(charge(InstructionId::vluxei8_v, 5, 0, 7), (Charge{0, 14, 14, 0}));
}

TEST(Settlement, FourHartsShareOneUnit) {
  UnitShare share;
  std::uint64_t last = 0;
  for (unsigned turn = 0; turn < 4; ++turn) {
    isa::Hart hart{};
    hart.clock = 1000;
    hart.units[static_cast<unsigned>(Unit::Matrix)] = 400;
    settle(hart, share);
    last = hart.clock;
  }
  // Idle time before the turns counts as far as it lies in the span in which they begin.
  EXPECT_LE(last, 1000u + 4 * 400);
  EXPECT_GE(last + UnitShare::kSpanTicks, 1000u + 4 * 400);
  EXPECT_EQ(share.busy[static_cast<unsigned>(Unit::Matrix)], 1600u);
}

TEST(Settlement, TimeInWhichAUnitStoodStillIsNotSavedUp) {
  UnitShare share;
  isa::Hart early{}, late{}, later{};
  early.units[static_cast<unsigned>(Unit::Matrix)] = 4;
  settle(early, share);
  late.clock = later.clock = 5000;
  late.units[static_cast<unsigned>(Unit::Matrix)] = 300;
  later.units = late.units;
  settle(late, share);
  settle(later, share);
  EXPECT_EQ(late.clock, 5300u);
  EXPECT_LE(later.clock, 5600u);
  EXPECT_GE(later.clock + UnitShare::kSpanTicks, 5600u);
}

TEST(Settlement, AHartThatGoesOnBehindAnotherFindsTheUnitAsItWasThen) {
  UnitShare share;
  isa::Hart ahead{}, behind{};
  ahead.work = 8000;  // a turn that used the unit a quarter of the time
  ahead.units[static_cast<unsigned>(Unit::Alu)] = 2000;
  settle(ahead, share);
  behind.clock = 1500;
  behind.units[static_cast<unsigned>(Unit::Alu)] = 600;
  settle(behind, share);
  EXPECT_EQ(ahead.clock, 8000u);
  EXPECT_LT(behind.clock, 1500u + 600 + 600) << "must not wait for what the other did later";
}

TEST(Settlement, NoSpanHoldsMoreThanTheUnitCanDo) {
  UnitShare share;
  std::uint64_t first = ~std::uint64_t{0}, last = 0, work = 0, state = 1;
  std::array<std::uint64_t, 4> clocks{};
  for (unsigned turn = 0; turn < 400; ++turn) {
    isa::Hart hart{};
    std::uint64_t& clock = *std::min_element(clocks.begin(), clocks.end());
    state = state * 6364136223846793005u + 1442695040888963407u;
    hart.clock = clock;
    const auto ticks = static_cast<std::uint32_t>(1 + (state >> 40) % 1500);
    hart.units[static_cast<unsigned>(Unit::Simd)] = ticks;
    first = std::min(first, clock);
    settle(hart, share);
    clock = hart.clock;
    last = std::max(last, clock);
    work += ticks;
  }
  EXPECT_GE(last - first, work);
  EXPECT_LE(last - first, work + work / 10) << "the unit stood idle though harts wanted it";
}

TEST(Settlement, AHartBoundByIssueDoesNotWaitForUnits) {
  UnitShare share;
  isa::Hart hart{};
  hart.work = 500;
  hart.units[static_cast<unsigned>(Unit::Alu)] = 100;
  settle(hart, share);
  EXPECT_EQ(hart.clock, 500u);
}

}  // namespace
}  // namespace d1::emulator
