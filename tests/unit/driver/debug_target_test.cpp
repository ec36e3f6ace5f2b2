// SPDX-License-Identifier: Apache-2.0
// What DebugTarget asks of a device, and what it makes of answers, right and wrong ones.
#include <d1/driver/debug_target.hpp>
#include <gtest/gtest.h>

#include <cstring>

namespace d1::driver {
namespace {

class Scripted : public DebugTarget {
 public:
  std::string description() const override { return "a script"; }
  std::vector<std::byte> answer;
  d1_debug_request asked{};
  std::vector<std::byte> sent;

  template <typename Record>
  void append(const Record& record) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&record);
    answer.insert(answer.end(), bytes, bytes + sizeof record);
  }

 protected:
  Result<Answer> ask(const d1_debug_request& request, std::span<const std::byte> data) override {
    asked = request;
    sent.assign(data.begin(), data.end());
    return Answer{42, answer};
  }
};

TEST(DebugTarget, AsksForHartsOfNodesByTheirNumbers) {
  Scripted target;
  d1_debug_hart hart{};
  hart.report.die = 3;
  hart.report.node = 9;
  target.append(hart);
  const DebugPlace places[] = {{3, 9}, {4, 1}};
  const auto harts = target.harts(places);
  ASSERT_TRUE(harts);
  ASSERT_EQ(harts->size(), 1u);
  EXPECT_EQ(harts->front().report.node, 9u);
  EXPECT_EQ(target.asked.magic, D1_DEBUG_MAGIC);
  EXPECT_EQ(target.asked.verb, D1_DEBUG_HARTS);
  EXPECT_EQ(target.asked.bytes, 8u);
  std::uint32_t numbers[2];
  ASSERT_EQ(target.sent.size(), sizeof numbers);
  std::memcpy(numbers, target.sent.data(), sizeof numbers);
  EXPECT_EQ(numbers[0], 3u << 16 | 9);
  EXPECT_EQ(numbers[1], 4u << 16 | 1);
  EXPECT_EQ(target.cycle(), 42u);
}

TEST(DebugTarget, RefusesAnAnswerThatIsNoWholeNumberOfRecords) {
  Scripted target;
  target.append(d1_debug_node{});
  target.answer.pop_back();
  const auto nodes = target.nodes();
  ASSERT_FALSE(nodes);
  EXPECT_EQ(nodes.error().kind(), ErrorKind::Protocol);
  EXPECT_FALSE(target.machine());
  EXPECT_FALSE(target.node({0, 0}));
  EXPECT_EQ(target.read(0, 7).error().kind(), ErrorKind::Protocol);
}

TEST(DebugTarget, RefusesADeviceOfAnotherVersion) {
  Scripted target;
  target.append(std::uint32_t{D1_DEBUG_VERSION + 1});
  const auto machine = target.machine();
  ASSERT_FALSE(machine);
  EXPECT_EQ(machine.error().kind(), ErrorKind::Unsupported);
}

TEST(DebugTarget, SplitsRegistersAndTheCsrsBehindThem) {
  Scripted target;
  d1_debug_registers registers{};
  registers.pc = 0x1234;
  registers.csrs = 2;
  target.append(registers);
  target.append(d1_debug_csr{0x300, 0, 5});
  EXPECT_EQ(target.registers({1, 2}, 3).error().kind(), ErrorKind::Protocol);
  target.append(d1_debug_csr{0x301, 0, 6});
  const auto read = target.registers({1, 2}, 3);
  ASSERT_TRUE(read) << read.error().sentence();
  EXPECT_EQ(read->values.pc, 0x1234u);
  ASSERT_EQ(read->csrs.size(), 2u);
  EXPECT_EQ(read->csrs[1].value, 6u);
  EXPECT_EQ(target.asked.argument[2], 3u);
}

TEST(DebugTarget, SplitsAVerdictAndItsWaits) {
  Scripted target;
  d1_debug_verdict head{};
  head.state = D1_DEBUG_STANDS;
  head.waits = 1;
  target.append(head);
  d1_debug_wait wait{};
  wait.hart = 3;
  target.append(wait);
  const auto verdict = target.verdict();
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->head.state, std::uint32_t{D1_DEBUG_STANDS});
  EXPECT_EQ(verdict->waits.at(0).hart, 3u);
}

TEST(DebugTarget, TakesRegisterValuesOfTheirOwnSizeOnly) {
  Scripted target;
  const std::vector<std::byte> eight(8), wide(64);
  EXPECT_TRUE(target.set_register({0, 1}, 2, D1_DEBUG_SET_X, 5, eight));
  EXPECT_EQ(target.asked.argument[3], std::uint64_t{D1_DEBUG_SET_X} << 16 | 5);
  EXPECT_TRUE(target.set_register({0, 1}, 2, D1_DEBUG_SET_V, 5, wide));
  EXPECT_EQ(target.set_register({0, 1}, 2, D1_DEBUG_SET_X, 5, wide).error().kind(),
            ErrorKind::Invalid);
}

TEST(DebugTarget, AsksForNoMoreThanTheInterfaceCarries) {
  Scripted target;
  EXPECT_EQ(target.read(0, D1_DEBUG_MAX_BYTES + 1ull).error().kind(), ErrorKind::Invalid);
  EXPECT_EQ(target.asked.magic, 0u);
}

}  // namespace
}  // namespace d1::driver
