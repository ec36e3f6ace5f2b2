// SPDX-License-Identifier: Apache-2.0
// What engines tell of themselves.
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include <d1/emulator/bare_hart.hpp>
#include <d1/isa/operands.hpp>
#include <emulator_kernels_program.hpp>
#include <raw_host.hpp>

namespace d1::emulator {
namespace {

using enum isa::InstructionId;

constexpr std::uint64_t kBase = 0x8000'0000;
constexpr std::int32_t kRounds = 500;

// Until the program traps.
template <std::size_t Count>
EngineStatistics run(const std::array<std::uint32_t, Count>& program, EngineOptions engine) {
  std::array<std::uint8_t, 4 * Count> bytes;
  std::memcpy(bytes.data(), program.data(), bytes.size());
  BareHart hart(engine);
  EXPECT_TRUE(hart.add_memory(kBase, 0x1000));
  EXPECT_TRUE(hart.write(kBase, bytes));
  EXPECT_TRUE(hart.set_code(kBase, bytes.size()));
  hart.set_entry(kBase);
  EXPECT_EQ(hart.run(0).reason, BareExit::Reason::Trap);
  return hart.statistics();
}

// 500 rounds of a loop with one atomic addition, which no emitter translates; then the end.
EngineStatistics count_rounds(EngineOptions engine) {
  const std::array program = {isa::encode(addi, {.rd = 5, .immediate = kRounds}),
                              isa::encode(auipc, {.rd = 6}),
                              isa::encode(addi, {.rd = 6, .rs1 = 6, .immediate = 1024}),
                              isa::encode(amoadd_w, {.rd = 7, .rs1 = 6, .rs2 = 5}),
                              isa::encode(addi, {.rd = 5, .rs1 = 5, .immediate = -1}),
                              isa::encode(bne, {.rs1 = 5, .immediate = -8}),
                              isa::encode(ebreak, {})};
  return run(program, engine);
}

EngineOptions eager(bool count_execution) {
  return {.kind = EngineKind::Translator,
          .level = HostLevel::Avx2,
          .runs_before_translation = 0,
          .count_execution = count_execution};
}

std::uint64_t sum_of(const std::vector<NamedCount>& counts) {
  std::uint64_t sum = 0;
  for (const NamedCount& each : counts) sum += each.count;
  return sum;
}

TEST(EngineStatistics, TheInterpreterTellsWhatItDecodedAndRetired) {
  const EngineStatistics statistics = count_rounds({.kind = EngineKind::Interpreter});
  EXPECT_EQ(statistics.kind, EngineKind::Interpreter);
  EXPECT_EQ(statistics.blocks_decoded, 3u) << "the beginning with a round, a round, the end";
  EXPECT_EQ(statistics.retired, 3u + 3 * kRounds);
  EXPECT_FALSE(statistics.translation);
}

TEST(EngineStatistics, TheTranslatorTellsWhatItTranslated) {
  const EngineStatistics statistics = count_rounds(eager(false));
  EXPECT_EQ(statistics.kind, EngineKind::Translator);
  EXPECT_EQ(statistics.retired, 3u + 3 * kRounds);
  ASSERT_TRUE(statistics.translation);
  const TranslationStatistics& translation = *statistics.translation;
  EXPECT_LE(translation.level, HostLevel::Avx2);
  EXPECT_EQ(translation.regions, 1u) << "both blocks but for the end, which is a system's";
  EXPECT_EQ(translation.instructions, 6u + 3);
  EXPECT_EQ(translation.guest_bytes, 4 * translation.instructions);
  EXPECT_GT(translation.code_bytes, translation.guest_bytes);
  EXPECT_GT(translation.time.count(), 0);
  EXPECT_FALSE(translation.execution) << "nobody asked for it";
}

TEST(EngineStatistics, CallsOfSemanticsAndExitsAreCountedWhereAsked) {
  const EngineStatistics statistics = count_rounds(eager(true));
  const TranslatedExecution& execution = statistics.translation->execution.value();
  ASSERT_EQ(execution.helpers.size(), 1u);
  EXPECT_EQ(execution.helpers[0].name, "amoadd.w");
  EXPECT_EQ(execution.helpers[0].count, std::uint64_t{kRounds});
  EXPECT_EQ(execution.retired, statistics.retired) << "the end retires nothing";
  EXPECT_GE(sum_of(execution.exits), 1u);
  for (const NamedCount& each : execution.exits)
    EXPECT_TRUE(each.name == "link" || each.name == "budget") << each.name;
}

TEST(EngineStatistics, AJumpThatIsLedToAnotherRegionCountsOnce) {
  const std::array program = {isa::encode(addi, {.rd = 5, .immediate = kRounds}),
                              isa::encode(jal, {.rd = 1, .immediate = 16}),  // another function
                              isa::encode(addi, {.rd = 5, .rs1 = 5, .immediate = -1}),
                              isa::encode(bne, {.rs1 = 5, .immediate = -8}),
                              isa::encode(ebreak, {}), isa::encode(jalr, {.rs1 = 1})};
  const TranslationStatistics translation = *run(program, eager(false)).translation;
  EXPECT_EQ(translation.regions, 3u) << "from the beginning, the function, from its return on";
  EXPECT_EQ(translation.links, 2u) << "each of the regions with the call leads to the function";
}

// The rest of a block behind a vset* that gives less than VLMAX has code of its own then.
TEST(EngineStatistics, AShortVectorLoopLeavesTranslatedCodeOnceForEachWayIntoIt) {
  constexpr std::int32_t kVectorsOn = 0x600, kMstatus = 0x300, kSinglesM1 = 0xd0;
  const std::array program = {isa::encode(addi, {.rd = 5, .immediate = kVectorsOn}),
                              isa::encode(csrrs, {.rs1 = 5, .immediate = kMstatus}),
                              isa::encode(addi, {.rd = 5, .immediate = kRounds}),
                              isa::encode(addi, {.rd = 10, .immediate = 3}),
                              isa::encode(vsetvli, {.rs1 = 10, .immediate = kSinglesM1}),
                              isa::encode(vadd_vv, {.rd = 2, .rs1 = 1, .rs2 = 2}),
                              isa::encode(addi, {.rd = 5, .rs1 = 5, .immediate = -1}),
                              isa::encode(bne, {.rs1 = 5, .immediate = -12}),
                              isa::encode(ebreak, {})};
  EngineOptions engine = eager(true);
  engine.level = HostLevel::Avx512;
  const TranslationStatistics translation = *run(program, engine).translation;
  if (translation.level != HostLevel::Avx512) GTEST_SKIP() << "vectors are not translated here";
  EXPECT_LE(translation.regions, 5u) << "two beginnings, a round, the rests of two blocks";
  for (const NamedCount& each : translation.execution->exits)
    EXPECT_LE(each.count, each.name == "rest" ? 3u : 2u) << each.name;
}

TEST(EngineStatistics, AFullCacheIsCountedEachTimeItIsDropped) {
  const auto storm = [](std::size_t code_bytes) {
    DeviceOptions options;
    options.engine = eager(true);
    options.engine.code_bytes = code_bytes;
    test::RawHost host(options);
    host.load(emulator_kernels_program);
    EXPECT_EQ(host.launch("storm", 0, {0x80000, 60}, 2).status, D1_STATUS_OK);
    const EngineStatistics engine = host.device().statistics().engine;
    EXPECT_LE(engine.translation->execution->retired, engine.retired);
    return engine.translation->cache_drops;
  };
  EXPECT_EQ(storm(std::size_t{64} << 20), 0u);
  EXPECT_GT(storm(std::size_t{260} << 10), 0u);
}

TEST(EngineStatistics, LockstepTellsWhatItsTranslatorDid) {
  EngineOptions lockstep = eager(true);
  lockstep.kind = EngineKind::Lockstep;
  const EngineStatistics statistics = count_rounds(lockstep);
  EXPECT_EQ(statistics.kind, EngineKind::Lockstep);
  EXPECT_EQ(statistics.retired, 3u + 3 * kRounds);
  EXPECT_EQ(statistics.translation->execution->helpers.at(0).count, std::uint64_t{kRounds});
}

TEST(EngineStatistics, TheirDescriptionHasEveryGroupThatWasCounted) {
  const auto names = [](const Statistics& statistics) {
    std::vector<std::string> found;
    for (const StatisticGroup& each : statistics) found.push_back(each.name);
    return found;
  };
  using Names = std::vector<std::string>;
  const Statistics interpreted = describe(count_rounds({.kind = EngineKind::Interpreter}));
  EXPECT_EQ(names(interpreted), Names({"engine"}));
  EXPECT_EQ(number_of(interpreted, "engine", "instructions_retired"), 3 + 3 * kRounds);
  EXPECT_EQ(names(describe(count_rounds(eager(false)))), Names({"engine", "translation"}));
  const Statistics counted = describe(count_rounds(eager(true)));
  EXPECT_EQ(names(counted), Names({"engine", "translation", "exits", "helpers"}));
  EXPECT_EQ(number_of(counted, "helpers", "amoadd.w"), kRounds);
  EXPECT_NEAR(number_of(counted, "translation", "code_bytes_per_guest_byte"),
              number_of(counted, "translation", "code_bytes") /
                  number_of(counted, "translation", "guest_bytes"),
              1e-9);
  EXPECT_EQ(number_of(counted, "helpers", "no such instruction"), 0);
}

}  // namespace
}  // namespace d1::emulator
