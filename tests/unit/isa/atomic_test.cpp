// SPDX-License-Identifier: Apache-2.0
// AMOs, reservations, and where both go outside of the node's memory.
#include "hart_fixture.hpp"

namespace d1::isa::test {
namespace {

using enum InstructionId;

constexpr std::uint64_t kOnes = ~std::uint64_t{0};

class Atomic : public HartFixture {
 protected:
  // Runs an AMO of x11 on the data word and gives the register result.
  std::uint64_t amo(InstructionId id, std::uint64_t operand) {
    hart.x[10] = kData;
    hart.x[11] = operand;
    EXPECT_EQ(run(id, {.rd = 12, .rs1 = 10, .rs2 = 11}), Outcome::Next);
    return hart.x[12];
  }
  Outcome reserve(Hart& where, std::uint64_t address, InstructionId id = lr_w) {
    where.x[10] = address;
    return run_on(where, encode(id, {.rd = 12, .rs1 = 10}));
  }
  // 0 on success, as the register says.
  std::uint64_t conditional(Hart& where, std::uint64_t address, std::uint64_t value) {
    where.x[10] = address;
    where.x[11] = value;
    EXPECT_EQ(run_on(where, encode(sc_w, {.rd = 12, .rs1 = 10, .rs2 = 11})), Outcome::Next);
    return where.x[12];
  }
};

TEST_F(Atomic, WordOperationsReturnTheOldValueSignExtendedAndLeaveTheUpperWordAlone) {
  poke<std::uint64_t>(kData, 0x11223344'80000000);
  EXPECT_EQ(amo(amoadd_w, 0x7fffffff'80000001), 0xffffffff80000000u);
  EXPECT_EQ(peek<std::uint64_t>(kData), 0x11223344'00000001u);
}

TEST_F(Atomic, EachOperationCombinesAsNamed) {
  const auto after = [&](InstructionId id, std::uint64_t old, std::uint64_t operand) {
    poke<std::uint64_t>(kData, old);
    EXPECT_EQ(amo(id, operand), old);
    return peek<std::uint64_t>(kData);
  };
  EXPECT_EQ(after(amoswap_d, 1, kOnes), kOnes);
  EXPECT_EQ(after(amoadd_d, kOnes, 2), 1u);
  EXPECT_EQ(after(amoxor_d, 0xff00, 0x0ff0), 0xf0f0u);
  EXPECT_EQ(after(amoand_d, 0xff00, 0x0ff0), 0x0f00u);
  EXPECT_EQ(after(amoor_d, 0xff00, 0x0ff0), 0xfff0u);
  EXPECT_EQ(after(amomin_d, kOnes, 1), kOnes);
  EXPECT_EQ(after(amomax_d, kOnes, 1), 1u);
  EXPECT_EQ(after(amominu_d, kOnes, 1), 1u);
  EXPECT_EQ(after(amomaxu_d, kOnes, 1), kOnes);
}

TEST_F(Atomic, WordComparisonsUseTheLowWordsAlone) {
  const auto after = [&](InstructionId id, std::uint32_t old, std::uint64_t operand) {
    poke<std::uint32_t>(kData, old);
    amo(id, operand);
    return peek<std::uint32_t>(kData);
  };
  EXPECT_EQ(after(amomax_w, 0xffffffff, 0x1'00000000), 0u);
  EXPECT_EQ(after(amomin_w, 5, 0x7fffffff'80000000), 0x80000000u);
  EXPECT_EQ(after(amomaxu_w, 5, 0x80000000), 0x80000000u);
  EXPECT_EQ(after(amominu_w, 5, 0xffffffff'00000004), 4u);
}

TEST_F(Atomic, TheOldValueReachesTheDestinationWhenItIsAlsoASource) {
  poke<std::uint64_t>(kData, 5);
  hart.x[10] = kData;
  hart.x[11] = 7;
  EXPECT_EQ(run(amoadd_d, {.rd = 11, .rs1 = 10, .rs2 = 11}), Outcome::Next);
  EXPECT_EQ(hart.x[11], 5u);
  EXPECT_EQ(peek<std::uint64_t>(kData), 12u);
}

TEST_F(Atomic, MisalignedAddressesTrap) {
  hart.x[10] = kData + 4;
  expect_trap(run(amoadd_d, {.rd = 12, .rs1 = 10, .rs2 = 11}), Cause::StoreMisaligned, kData + 4);
  expect_trap(run(sc_d, {.rd = 12, .rs1 = 10, .rs2 = 11}), Cause::StoreMisaligned, kData + 4);
  expect_trap(run(lr_d, {.rd = 12, .rs1 = 10}), Cause::LoadMisaligned, kData + 4);
  hart.x[10] = kData + 2;
  expect_trap(run(lr_w, {.rd = 12, .rs1 = 10}), Cause::LoadMisaligned, kData + 2);
  EXPECT_EQ(hart.reservation, kNoReservation);
}

TEST_F(Atomic, ReservationsOutsideTheNodesMemoryFault) {
  expect_trap(reserve(hart, kOutside), Cause::LoadAccess, kOutside);
  hart.x[10] = kOutside;
  expect_trap(run(sc_w, {.rd = 12, .rs1 = 10, .rs2 = 11}), Cause::StoreAccess, kOutside);
}

TEST_F(Atomic, OperationsOutsideTheNodesMemoryGoToTheEnvironmentWithTheirFunction) {
  struct Remote : FaultingEnvironment {
    Outcome remote_amo(Hart&, const Operation&, std::uint64_t address, unsigned bytes,
                       unsigned function, std::uint64_t operand, std::uint64_t& result) override {
      asked = {address, bytes, function, operand};
      result = 0x80000000;
      return answer;
    }
    std::array<std::uint64_t, 4> asked{};
    Outcome answer = Outcome::Next;
  } remote;
  use(remote);
  hart.x[10] = kOutside;
  hart.x[11] = 9;
  EXPECT_EQ(run(amomaxu_w, {.rd = 12, .rs1 = 10, .rs2 = 11}), Outcome::Next);
  EXPECT_EQ(remote.asked, (std::array<std::uint64_t, 4>{kOutside, 4, 0b11100, 9}));
  EXPECT_EQ(hart.x[12], 0xffffffff80000000u);

  remote.answer = Outcome::Park;
  hart.x[12] = 1;
  EXPECT_EQ(run(amoadd_d, {.rd = 12, .rs1 = 10, .rs2 = 11}), Outcome::Park);
  EXPECT_EQ(hart.x[12], 1u);
}

TEST_F(Atomic, ConditionalStoreSucceedsOnceAfterItsReservation) {
  EXPECT_EQ(reserve(hart, kData), Outcome::Next);
  EXPECT_EQ(conditional(hart, kData, 3), 0u);
  EXPECT_EQ(peek<std::uint32_t>(kData), 3u);
  EXPECT_EQ(conditional(hart, kData, 4), 1u);
  EXPECT_EQ(peek<std::uint32_t>(kData), 3u);
  for (const Hart& each : harts) EXPECT_FALSE(each.reservations_held);
}

TEST_F(Atomic, AStoreOfAnotherHartToTheSameSixtyFourBytesEndsTheReservation) {
  EXPECT_EQ(reserve(hart, kData), Outcome::Next);
  EXPECT_TRUE(harts[2].reservations_held);
  harts[2].x[10] = kData + 63;
  EXPECT_EQ(run_on(harts[2], encode(sb, {.rs1 = 10, .rs2 = 0})), Outcome::Next);
  EXPECT_EQ(conditional(hart, kData, 4), 1u);
}

TEST_F(Atomic, AStoreAcrossTheSetsFirstByteEndsTheReservation) {
  EXPECT_EQ(reserve(hart, kData), Outcome::Next);
  harts[1].x[10] = kData - 7;
  EXPECT_EQ(run_on(harts[1], encode(sd, {.rs1 = 10, .rs2 = 0})), Outcome::Next);
  EXPECT_EQ(conditional(hart, kData, 4), 1u);
}

TEST_F(Atomic, StoresBesideTheSetLeaveTheReservation) {
  EXPECT_EQ(reserve(hart, kData), Outcome::Next);
  harts[1].x[10] = kData - 8;
  EXPECT_EQ(run_on(harts[1], encode(sd, {.rs1 = 10, .rs2 = 0})), Outcome::Next);
  harts[1].x[10] = kData + 64;
  EXPECT_EQ(run_on(harts[1], encode(sd, {.rs1 = 10, .rs2 = 0})), Outcome::Next);
  EXPECT_EQ(conditional(hart, kData, 4), 0u);
}

TEST_F(Atomic, AnAmoOfAnotherHartEndsTheReservation) {
  EXPECT_EQ(reserve(hart, kData), Outcome::Next);
  harts[3].x[10] = kData;
  EXPECT_EQ(run_on(harts[3], encode(amoor_w, {.rd = 0, .rs1 = 10, .rs2 = 0})), Outcome::Next);
  EXPECT_EQ(conditional(hart, kData, 4), 1u);
}

TEST_F(Atomic, OfTwoHartsWithTheSameReservationTheFirstToStoreWins) {
  EXPECT_EQ(reserve(harts[0], kData), Outcome::Next);
  EXPECT_EQ(reserve(harts[1], kData + 4), Outcome::Next);
  EXPECT_EQ(conditional(harts[1], kData + 4, 1), 0u);
  EXPECT_EQ(conditional(harts[0], kData, 1), 1u);
}

TEST_F(Atomic, AnUnrelatedConditionalStoreKeepsOthersReservations) {
  EXPECT_EQ(reserve(harts[0], kData), Outcome::Next);
  EXPECT_EQ(reserve(harts[1], kData + 128), Outcome::Next);
  EXPECT_EQ(conditional(harts[1], kData + 128, 1), 0u);
  EXPECT_TRUE(harts[1].reservations_held);
  EXPECT_EQ(conditional(harts[0], kData, 1), 0u);
}

TEST_F(Atomic, AReservationElsewhereDoesNotHelp) {
  EXPECT_EQ(reserve(hart, kData), Outcome::Next);
  EXPECT_EQ(conditional(hart, kData + 64, 4), 1u);
  EXPECT_EQ(hart.reservation, kNoReservation);
}

}  // namespace
}  // namespace d1::isa::test
