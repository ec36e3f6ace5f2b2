// SPDX-License-Identifier: Apache-2.0
// Both engines on vector loops over special values: memory, flags and the trace are the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include <d1/isa/hart.hpp>
#include <emulator_kernels_program.hpp>
#include <raw_host.hpp>

namespace d1::emulator::test {
namespace {

constexpr std::uint32_t kIn = 0x80000, kOut = 0xa0000, kSmall = 1;  // 2 x 2
constexpr std::uint64_t kBytes = 4096 + 40;

// Bit patterns that arithmetic treats specially, half of the time; else random ones.
template <typename Bits>
void fill(std::mt19937_64& random, std::span<std::uint8_t> bytes, bool with_nans) {
  constexpr unsigned kFraction = sizeof(Bits) == 4 ? 23 : 52;
  constexpr Bits kSign = Bits{1} << (8 * sizeof(Bits) - 1);
  constexpr Bits kInfinity = static_cast<Bits>((kSign - 1) >> kFraction << kFraction);
  const Bits special[] = {0, kInfinity, 1, kInfinity - 1, Bits{1} << kFraction,
                          kInfinity | Bits{1} << (kFraction - 1), kInfinity | 5};
  for (std::size_t at = 0; at + sizeof(Bits) <= bytes.size(); at += sizeof(Bits)) {
    Bits value = static_cast<Bits>(random());
    if (random() % 2 == 0) value = special[random() % std::size(special)] | (random() % 2 * kSign);
    if (!with_nans && (value & ~kSign) > kInfinity) value = kInfinity;
    std::memcpy(&bytes[at], &value, sizeof value);
  }
}

// Factors are ones, but for some in the middle that are zero times infinity, and addends are quiet
// NaNs: nothing but those products can raise NV, and they are met neither in the first rounds nor
// in the last one, which are interpreted.
template <typename Bits>
std::vector<std::uint8_t> invalid_products() {
  constexpr unsigned kFraction = sizeof(Bits) == 4 ? 23 : 52;
  constexpr Bits kSign = Bits{1} << (8 * sizeof(Bits) - 1);
  constexpr Bits kInfinity = static_cast<Bits>((kSign - 1) >> kFraction << kFraction);
  constexpr Bits kOne = (kInfinity >> 1) & kInfinity, kQuiet = Bits{1} << (kFraction - 1);
  std::vector<std::uint8_t> bytes(3 * kBytes);
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(Bits)) {
    const std::size_t input = at / kBytes, place = at % kBytes;
    Bits value = input == 2 ? kInfinity | kQuiet | 3 : kOne;
    if (place >= 2048 && place < 2304 && input < 2) value = input == 0 ? 0 : kInfinity;
    std::memcpy(&bytes[at], &value, sizeof value);
  }
  return bytes;
}

struct Observed {
  std::vector<std::uint8_t> memory;
  std::uint64_t trace, instructions;
};

Observed run(const std::vector<std::uint8_t>& input, EngineOptions engine,
             const char* kernel = "vectors", std::uint64_t third = kBytes) {
  DeviceOptions options;
  options.host_threads = 1;
  options.engine = engine;
  RawHost host(options);
  host.load(emulator_kernels_program);
  EXPECT_EQ(host.define_grid(kSmall, 2, 2).status, D1_STATUS_OK);
  Observed observed{};
  for (const auto node : host.topology(kSmall)) host.write_bytes(node, kIn, input);
  EXPECT_EQ(host.launch(kernel, kSmall, {kIn, kOut, third}).status, D1_STATUS_OK);
  observed.memory.resize(8 * kBytes + 32);
  host.read_bytes(host.topology(kSmall)[1], kOut, observed.memory);
  observed.trace = host.device().statistics().trace_hash;
  observed.instructions = host.report().instructions;
  return observed;
}

void expect_agreement(const std::vector<std::uint8_t>& input, const char* kernel = "vectors",
                      std::uint64_t third = kBytes) {
  const Observed reference = run(input, {.kind = EngineKind::Interpreter}, kernel, third);
  for (const HostLevel level : {HostLevel::Portable, HostLevel::Avx2, HostLevel::Avx512})
    for (const MemoryBase base : {MemoryBase::Segment, MemoryBase::Register}) {
      const Observed translated = run(input,
                                      {.kind = EngineKind::Translator,
                                       .level = level,
                                       .memory_base = base,
                                       .runs_before_translation = 1},
                                      kernel, third);
      EXPECT_EQ(translated.memory, reference.memory) << name_of(level) << ' ' << name_of(base);
      EXPECT_EQ(translated.trace, reference.trace) << name_of(level) << ' ' << name_of(base);
      EXPECT_EQ(translated.instructions, reference.instructions);
    }
}

class VectorLoops : public testing::TestWithParam<std::tuple<int, bool, bool>> {};

TEST_P(VectorLoops, AgreeOnVectorLoopsToTheLastBit) {
  const auto [seed, doubles, with_nans] = GetParam();
  std::mt19937_64 random(static_cast<unsigned>(seed));
  std::vector<std::uint8_t> input(3 * kBytes);
  if (doubles) fill<std::uint64_t>(random, input, with_nans);
  else fill<std::uint32_t>(random, input, with_nans);
  expect_agreement(input);
}

// A NaN that comes from zero times infinity plus a quiet NaN raises NV, which hosts do not.
TEST(Engines, AgreeOnTheFlagOfAnInvalidProductWithANanForAddend) {
  for (const auto& input : {invalid_products<std::uint32_t>(), invalid_products<std::uint64_t>()})
    expect_agreement(input);
  // The first two words of flags are those of the fused loops over singles and doubles.
  const EngineOptions interpreter{.kind = EngineKind::Interpreter};
  const Observed singles = run(invalid_products<std::uint32_t>(), interpreter);
  const Observed doubles = run(invalid_products<std::uint64_t>(), interpreter);
  std::uint64_t of_singles, of_doubles;
  std::memcpy(&of_singles, &singles.memory[8 * kBytes], sizeof of_singles);
  std::memcpy(&of_doubles, &doubles.memory[8 * kBytes + 8], sizeof of_doubles);
  EXPECT_EQ(of_singles, isa::kNv);
  EXPECT_EQ(of_doubles, isa::kNv);
}

TEST_P(VectorLoops, AgreeOnProductsByScalarsThatAreLoaded) {
  const auto [seed, doubles, with_nans] = GetParam();
  std::mt19937_64 random(static_cast<unsigned>(seed));
  std::vector<std::uint8_t> input(3 * kBytes);
  if (doubles) fill<std::uint64_t>(random, input, with_nans);
  else fill<std::uint32_t>(random, input, with_nans);
  expect_agreement(input, "outer_products");
}

// Blocks in which zero meets infinity, and others.
TEST(Engines, AgreeOnTheFlagOfAnInvalidProductByAScalarThatIsLoaded) {
  constexpr std::size_t kBlocks = 16;
  const std::vector<std::uint8_t> inputs[] = {invalid_products<std::uint32_t>(),
                                              invalid_products<std::uint64_t>()};
  for (std::size_t i = 0; i < std::size(inputs); ++i) {
    expect_agreement(inputs[i], "outer_products");
    const Observed reference =
        run(inputs[i], {.kind = EngineKind::Interpreter}, "outer_products");
    std::uint64_t flags[kBlocks];
    std::memcpy(flags, &reference.memory[2 * kBlocks * 1024 + i * sizeof flags], sizeof flags);
    EXPECT_THAT(flags, testing::Each(testing::AnyOf(0, isa::kNv)));
    EXPECT_THAT(flags, testing::Contains(isa::kNv));
    EXPECT_THAT(flags, testing::Contains(0));
  }
}

TEST(Engines, AgreeOnSumsThatAreStoredByWayOfAGlobalAddress) {
  std::mt19937_64 random(7);
  std::vector<std::uint8_t> input(3 * kBytes);
  fill<std::uint32_t>(random, input, true);
  expect_agreement(input, "sums_by_alias", 20);
}

TEST(Engines, AgreeOnShufflesOfMatrixOperandsAndResults) {
  std::mt19937_64 random(11);
  std::vector<std::uint8_t> input(3 * kBytes);
  fill<std::uint32_t>(random, input, true);
  expect_agreement(input, "shuffles", 60);
}

enum class Values { Tame, Special, WithNans };

class MatrixProducts : public testing::TestWithParam<std::tuple<int, Values>> {};

TEST_P(MatrixProducts, AgreeOnSumsHoweverTheyAreUsedBesides) {
  const auto [seed, values] = GetParam();
  std::mt19937_64 random(static_cast<unsigned>(seed));
  std::vector<std::uint8_t> input(3 * kBytes);
  fill<std::uint32_t>(random, input, values == Values::WithNans);
  // Of magnitude 1 to 2, as singles and as BF16: no sum of theirs ends up as a NaN.
  if (values == Values::Tame)
    for (std::size_t at = 0; at < input.size(); at += 2) {
      input[at] = static_cast<std::uint8_t>(random() % 128 | 0x80);
      input[at + 1] = static_cast<std::uint8_t>(random() % 2 == 0 ? 0x3f : 0xbf);
    }
  expect_agreement(input, "products_of_four", 112);
  expect_agreement(input, "products_of_seven", 112);
}

INSTANTIATE_TEST_SUITE_P(Inputs, MatrixProducts,
                         testing::Combine(testing::Range(1, 4),
                                          testing::Values(Values::Tame, Values::Special,
                                                          Values::WithNans)));

// A difference would end this process.
TEST(Engines, RunInLockstepThroughALaunch) {
  std::mt19937_64 random(8);
  std::vector<std::uint8_t> input(3 * kBytes);
  fill<std::uint32_t>(random, input, true);
  const Observed reference = run(input, {.kind = EngineKind::Interpreter});
  for (const LockstepUnit unit : {LockstepUnit::Block, LockstepUnit::Turn}) {
    const Observed both = run(input, {.kind = EngineKind::Lockstep,
                                      .runs_before_translation = 1,
                                      .lockstep_unit = unit});
    EXPECT_EQ(both.memory, reference.memory);
    EXPECT_EQ(both.trace, reference.trace);
    EXPECT_EQ(both.instructions, reference.instructions);
  }
}

INSTANTIATE_TEST_SUITE_P(Inputs, VectorLoops,
                         testing::Combine(testing::Range(1, 5), testing::Bool(),
                                          testing::Bool()));

}  // namespace
}  // namespace d1::emulator::test
