// SPDX-License-Identifier: Apache-2.0
// The lockstep engine: that it asks the environment once, and that it tells of every difference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include <d1/isa/csr.hpp>
#include <d1/isa/memory.hpp>
#include <d1/isa/operands.hpp>
#include <d1/isa/semantics/vector.hpp>
#include <engine/hart_comparison.hpp>
#include <engine/lockstep.hpp>
#include <engine/shadow_memory.hpp>

namespace d1::emulator::test {
namespace {

using isa::Hart;
using isa::Operation;
using isa::Outcome;
using enum isa::InstructionId;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kBase = 0x1000, kBytes = 0x40000, kOutside = 0x80000;

// A hart with some memory, which runs words as its program. What lies outside answers loads by
// counting, and does worse where a test asks for it.
class Machine final : public isa::Environment {
 public:
  explicit Machine(std::vector<std::uint32_t> program, LockstepUnit unit = LockstepUnit::Block)
      : engine_(make_lockstep(
            {.kind = EngineKind::Lockstep, .runs_before_translation = 0, .lockstep_unit = unit},
            [this](const LockstepDifference& difference) { differences.push_back(difference); })) {
    for (Hart& each : harts_) {
      each.reservation = isa::kNoReservation;
      each.node_harts = harts_.data();
      each.v = &vectors_;
    }
    isa::csr_reset(hart());
    hart().memory = {memory_.data(), kBase, kBytes};
    hart().environment = this;
    hart().pc = kBase;
    program.push_back(isa::encode(d1_halt, {}));
    std::memcpy(memory_.data(), program.data(), 4 * program.size());
    code_.program =
        std::make_shared<CodeImage>(kBase, std::span<const std::uint8_t>(memory_.data(), kBytes));
  }

  Hart& hart() { return harts_[0]; }
  std::uint8_t& memory(std::uint64_t address) { return memory_.data()[address - kBase]; }
  TurnEnd run() { return engine_->run(hart(), code_, 1000); }

  std::vector<LockstepDifference> differences;
  int accesses = 0;
  bool changes_a_register = false, changes_memory = false, traps = false;

  Outcome access(Hart& hart, const Operation& operation, std::uint64_t address, unsigned bytes,
                 bool write, void* data) override {
    if (traps) return isa::trap(hart, operation, isa::Cause::LoadAccess, address);
    ++accesses;
    if (changes_a_register) hart.x[10] += 1;
    if (changes_memory) memory(kBase + 0x800) ^= 1;
    const std::uint64_t value = 100 + static_cast<unsigned>(accesses);
    if (!write) std::memcpy(data, &value, bytes);
    return Outcome::Next;
  }
  Outcome remote_amo(Hart& hart, const Operation& operation, std::uint64_t, unsigned, unsigned,
                     std::uint64_t, std::uint64_t&) override {
    return isa::illegal(hart, operation);
  }
  Outcome fence_i(Hart& hart, const Operation& operation) override {
    return isa::illegal(hart, operation);
  }
  Outcome fence(Hart&, const Operation&) override { return Outcome::Next; }
  Outcome wait_for_interrupt(Hart&, const Operation&) override { return Outcome::Next; }
  Outcome semaphore_wait(Hart& hart, const Operation& operation, std::uint64_t index,
                         std::uint64_t) override {
    hart.pc = operation.pc;
    hart.wait = {isa::WaitKind::Semaphore, static_cast<std::uint32_t>(index), 1, 0};
    return Outcome::Park;
  }
  Outcome semaphore_try(Hart&, const Operation&, std::uint64_t, std::uint64_t,
                        std::uint64_t&) override {
    return Outcome::Next;
  }
  Outcome semaphore_read(Hart&, const Operation&, std::uint64_t, std::uint64_t&) override {
    return Outcome::Next;
  }
  Outcome semaphore_post(Hart&, const Operation&, std::uint64_t, std::uint64_t) override {
    return Outcome::Next;
  }
  Outcome node_barrier(Hart&, const Operation&, std::uint64_t) override { return Outcome::Next; }
  Outcome grid_barrier(Hart&, const Operation&, std::uint64_t) override { return Outcome::Next; }
  Outcome transfer(Hart&, const Operation&, std::uint64_t, std::uint64_t) override {
    return Outcome::Next;
  }
  Outcome transfer_wait(Hart&, const Operation&) override { return Outcome::Next; }
  Outcome print(Hart&, const Operation&, std::uint64_t, std::uint64_t) override {
    return Outcome::Next;
  }
  Outcome stop(Hart& hart, const Operation& operation) override {
    hart.pc = operation.next_pc();
    return Outcome::Stop;
  }
  bool read_csr(const Hart&, unsigned, std::uint64_t&) override { return false; }
  bool write_csr(Hart&, unsigned, std::uint64_t) override { return false; }

 private:
  Reservation memory_{kBytes};
  std::array<Hart, isa::kHartsPerNode> harts_{};
  isa::VectorRegisters vectors_{};
  CodeView code_;
  std::unique_ptr<Engine> engine_;
};

std::uint32_t load_outside() {  // with its address in a1
  return isa::encode(ld, {.rd = 12, .rs1 = 11});
}
std::uint32_t count() { return isa::encode(addi, {.rd = 13, .rs1 = 13, .immediate = 1}); }

class Lockstep : public testing::TestWithParam<LockstepUnit> {};

TEST_P(Lockstep, AsksTheEnvironmentOnceAndGivesBothRunsItsAnswer) {
  Machine machine({load_outside(), count(), load_outside()}, GetParam());
  machine.hart().x[11] = kOutside;
  EXPECT_EQ(machine.run(), TurnEnd::Stopped);
  EXPECT_THAT(machine.differences, IsEmpty());
  EXPECT_EQ(machine.accesses, 2);
  EXPECT_EQ(machine.hart().x[12], 102u);
  EXPECT_EQ(machine.hart().instret, 4u);
}

TEST_P(Lockstep, ParksAHartOnceForBothRuns) {
  Machine machine({count(), isa::encode(d1_sem_wait, {.rs1 = 0, .rs2 = 0})}, GetParam());
  EXPECT_EQ(machine.run(), TurnEnd::Parked);
  EXPECT_THAT(machine.differences, IsEmpty());
  EXPECT_EQ(machine.hart().pc, kBase + 4);
  EXPECT_EQ(machine.hart().wait.kind, isa::WaitKind::Semaphore);
}

TEST_P(Lockstep, ComparesTheMemoryOfBothRuns) {
  Machine machine({isa::encode(sd, {.rs1 = 11, .rs2 = 12})}, GetParam());
  machine.hart().x[11] = kBase + 0x700;
  machine.hart().x[12] = 0x1234;
  EXPECT_EQ(machine.run(), TurnEnd::Stopped);
  EXPECT_THAT(machine.differences, IsEmpty());
  EXPECT_EQ(machine.memory(kBase + 0x700), 0x34);
}

// The change comes from an environment that misbehaves, so that one run alone sees it.
TEST_P(Lockstep, TellsOfARegisterThatDiffersWithBothValuesAndTheBlock) {
  Machine machine({count(), load_outside()}, GetParam());
  machine.hart().x[11] = kOutside;
  machine.hart().x[10] = 7;
  machine.changes_a_register = true;
  EXPECT_EQ(machine.run(), TurnEnd::Stopped);
  ASSERT_FALSE(machine.differences.empty());
  const LockstepDifference& difference = machine.differences.front();
  EXPECT_EQ(difference.pc, kBase);
  EXPECT_THAT(difference.differs,
              Contains("a0: interpreted 0x0000000000000008, translated 0x0000000000000007"));
  EXPECT_THAT(difference.to_string(), HasSubstr("ld a2, 0x0(a1)"));
}

TEST_P(Lockstep, TellsOfMemoryThatDiffers) {
  Machine machine({load_outside()}, GetParam());
  machine.hart().x[11] = kOutside;
  machine.changes_memory = true;
  EXPECT_EQ(machine.run(), TurnEnd::Stopped);
  ASSERT_EQ(machine.differences.size(), 1u);
  EXPECT_THAT(machine.differences.front().differs.front(), HasSubstr("memory at 0x1800"));
}

// Two loads of bytes, each of which ends before the memory does, and a store of as many as are
// left.
TEST_P(Lockstep, AgreesOnALengthThatLoadsShortenTwice) {
  constexpr std::int32_t kBytesTypeM1 = 0;
  const std::uint32_t unmasked = 1U << 25;
  Machine machine({isa::encode(vsetvli, {.rd = 13, .rs1 = 12, .immediate = kBytesTypeM1}),
                   isa::encode(vle8ff_v, {.rd = 8, .rs1 = 10, .bits = unmasked}),
                   isa::encode(vle8ff_v, {.rd = 9, .rs1 = 11, .bits = unmasked}),
                   isa::encode(vadd_vi, {.rd = 10, .rs2 = 9, .bits = unmasked}),
                   isa::encode(vadd_vi, {.rd = 11, .rs2 = 9, .bits = unmasked}),
                   isa::encode(vse8_v, {.rd = 9, .rs1 = 14, .bits = unmasked})},
                  GetParam());
  machine.traps = true;
  machine.hart().mstatus |= isa::kMstatusVs;
  machine.hart().x[10] = kBase + kBytes - 20;
  machine.hart().x[11] = kBase + kBytes - 10;
  machine.hart().x[12] = 40;
  machine.hart().x[14] = kBase + 0x700;
  for (unsigned i = 0; i < 64; ++i) machine.memory(kBase + 0x700 + i) = 0xee;
  EXPECT_EQ(machine.run(), TurnEnd::Stopped);
  EXPECT_THAT(machine.differences, IsEmpty());
  EXPECT_EQ(machine.hart().vl, 10u);
  EXPECT_EQ(machine.memory(kBase + 0x709), 0);
  EXPECT_EQ(machine.memory(kBase + 0x70a), 0xee);
}

// A loop of one block whose accesses are checked before its rounds, and which changes vtype: its
// second round is another code than its first.
TEST_P(Lockstep, AgreesOnALoopThatChangesTheVectorTypeBehindWhatDependsOnIt) {
  const std::uint32_t unmasked = 1U << 25;
  constexpr std::int32_t kBytesM1 = 0, kDoublesM4 = 3 << 3 | 2;
  Machine machine({isa::encode(vsetvli, {.rd = 13, .immediate = kBytesM1}),
                   isa::encode(jal, {.immediate = 4}),
                   isa::encode(vadd_vi, {.rd = 8, .rs2 = 8, .immediate = 1, .bits = unmasked}),
                   isa::encode(vsetvli, {.rd = 13, .immediate = kDoublesM4}),
                   isa::encode(sd, {.rs1 = 11, .rs2 = 12}),
                   isa::encode(addi, {.rd = 12, .rs1 = 12, .immediate = -1}),
                   isa::encode(bne, {.rs1 = 12, .rs2 = 0, .immediate = -16})},
                  GetParam());
  machine.hart().mstatus |= isa::kMstatusVs;
  machine.hart().x[11] = kBase + 0x700;
  machine.hart().x[12] = 10;
  EXPECT_EQ(machine.run(), TurnEnd::Stopped);
  EXPECT_THAT(machine.differences, IsEmpty());
  // One addition to bytes of the first register, nine to the doubles of four.
  EXPECT_EQ(machine.hart().v->bytes[8][0], 10);
  EXPECT_EQ(machine.hart().v->bytes[8][1], 1);
  EXPECT_EQ(machine.hart().v->bytes[11][0], 9);
}

// A NaN that a quotient of singles left as the host makes it, in what is half a double then.
TEST_P(Lockstep, NansOfSinglesAreCanonicalBeforeTheyAreReadAsDoubles) {
  constexpr std::uint64_t kNans = kBase + 0x700;
  constexpr std::int32_t kSingles = 0xd0, kDoubles = 0xd8;  // one register, agnostic
  constexpr std::uint32_t kUnmasked = 1u << 25;
  Machine machine({isa::encode(vsetvli, {.rd = 10, .immediate = kDoubles}),
                   isa::encode(vle64_v, {.rd = 8, .rs1 = 11, .bits = kUnmasked}),
                   isa::encode(vsetvli, {.rd = 10, .immediate = kSingles}),
                   isa::encode(vfdiv_vv, {.rd = 24, .rs1 = 8, .rs2 = 8, .bits = kUnmasked}),
                   isa::encode(vsetvli, {.rd = 10, .immediate = kDoubles}),
                   isa::encode(vfadd_vv, {.rd = 16, .rs1 = 24, .rs2 = 24, .bits = kUnmasked})},
                  GetParam());
  machine.hart().mstatus |= isa::kMstatusVs | isa::kMstatusFs;
  machine.hart().x[11] = kNans;
  // Of a NaN with other bits; the half below is a number.
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t value = 0xffc12345'3f800000;
    std::memcpy(&machine.memory(kNans + 8 * static_cast<unsigned>(i)), &value, sizeof value);
  }
  EXPECT_EQ(machine.run(), TurnEnd::Stopped);
  EXPECT_THAT(machine.differences, IsEmpty());
}

// As compilers round down: a mode for one conversion, then the one before. Host code computes on.
TEST_P(Lockstep, AgreesOnALoopThatChangesTheRoundingMode) {
  constexpr std::int32_t kFrm = 0x002;
  constexpr unsigned kDown = 2;
  constexpr std::uint32_t kDynamic = 7u << 12;
  Machine machine({isa::encode(csrrwi, {.rd = 10, .rs1 = kDown, .immediate = kFrm}),
                   isa::encode(fcvt_w_s, {.rd = 11, .rs1 = 8, .bits = kDynamic}),
                   isa::encode(csrrw, {.rd = 12, .rs1 = 10, .immediate = kFrm}),
                   isa::encode(fcvt_w_s, {.rd = 14, .rs1 = 8, .bits = kDynamic}),
                   isa::encode(addi, {.rd = 13, .rs1 = 13, .immediate = -1}),
                   isa::encode(bne, {.rs1 = 13, .rs2 = 0, .immediate = -20})},
                  GetParam());
  machine.hart().mstatus |= isa::kMstatusFs;
  machine.hart().f[8] = 0xffffffff'3f400000;  // 0.75
  machine.hart().x[13] = 10;
  EXPECT_EQ(machine.run(), TurnEnd::Stopped);
  EXPECT_THAT(machine.differences, IsEmpty());
  EXPECT_EQ(machine.hart().x[11], 0u);
  EXPECT_EQ(machine.hart().x[12], kDown);
  EXPECT_EQ(machine.hart().x[14], 1u);
}

INSTANTIATE_TEST_SUITE_P(Units, Lockstep, testing::Values(LockstepUnit::Block, LockstepUnit::Turn));

TEST(LockstepReport, EndsTheProcess) {
  const LockstepDifference difference{.pc = 0x40, .differs = {"a0: interpreted 0x1"}};
  EXPECT_DEATH(end_with_report(difference), "a0: interpreted 0x1");
}

TEST(HartComparison, SeesEveryByteOfTheStateThatInstructionsChange) {
  isa::VectorRegisters vectors{}, others{};
  Hart a{}, b{};
  a.v = &vectors, b.v = &others;
  a.node_harts = b.node_harts = &a;
  std::array<Hart, isa::kHartsPerNode> node{};
  a.node_harts = node.data(), b.node_harts = node.data();
  EXPECT_TRUE(same_state(a, b));
  others.bytes[31][63] = 1;
  EXPECT_FALSE(same_state(a, b));
  EXPECT_EQ(state_differences(a, b).size(), 1u);
  others = vectors;
  unsigned unseen = 0;
  for (std::size_t i = 0; i < sizeof(isa::HartState); ++i) {
    auto* const bytes = reinterpret_cast<unsigned char*>(static_cast<isa::HartState*>(&b));
    bytes[i] ^= 1;
    if (same_state(a, b)) ++unseen;
    bytes[i] ^= 1;
  }
  // The unused unit, the reservation (seen through node_harts), when a wait began, padding.
  EXPECT_LE(unseen, 4u + 8 + 8 + 16);
}

TEST(ShadowMemory, SeesAByteThatChangedOnEitherSideAndForgetsItWhenRenewed) {
  Reservation memory(std::size_t{64} << 20);
  const isa::MemoryWindow window{memory.data() + 256, 256, memory.bytes() - 256};
  ShadowMemory shadow;
  shadow.renew(window);
  EXPECT_FALSE(shadow.first_difference(window));
  memory.data()[5'000'000] = 1;
  EXPECT_EQ(shadow.first_difference(window), 5'000'000u);
  shadow.renew(window);
  EXPECT_FALSE(shadow.first_difference(window));
  shadow.data()[60'000'000 - 256] = 1;
  EXPECT_EQ(shadow.first_difference(window), 60'000'000u);
  shadow.renew(window);
  EXPECT_FALSE(shadow.first_difference(window));
}

}  // namespace
}  // namespace d1::emulator::test
