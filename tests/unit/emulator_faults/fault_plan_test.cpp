// SPDX-License-Identifier: Apache-2.0
#include <d1/abi/commands.h>
#include <d1/emulator/fault_plan.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace d1::emulator {
namespace {

using testing::HasSubstr;

FaultPlan parsed(const std::string& text) {
  auto plan = parse_fault_plan(text, "plan");
  if (!plan) ADD_FAILURE() << plan.error().to_string();
  return plan.value_or(FaultPlan{});
}

std::string error_of(const std::string& text) {
  auto plan = parse_fault_plan(text, "plan");
  if (plan) {
    ADD_FAILURE() << "accepted: " << text;
    return {};
  }
  EXPECT_EQ(plan.error().kind(), ErrorKind::Invalid);
  return plan.error().sentence();
}

std::string fault(const std::string& lines) { return "[[fault]]\n" + lines + "\n"; }

TEST(FaultPlan, ReadsPlacesTimesAndLengths) {
  const FaultPlan plan = parsed(
      "seed = 9\n" +
      fault("kind = 'hart_stuck'\nnode = 'die3/n7,12'\nhart = 2\nat_cycle = [10, 20]\n"
            "for_cycles = 30") +
      fault("kind = 'dma_error'\nopcode = 'copy'\nqueue = 4\nat_command = 17\ntimes = 2") +
      fault("kind = 'link_slow'\nlink = 'n1,2/south'\nfactor = 9\nat_ms = 5\nfor_ms = 6"));
  ASSERT_EQ(plan.faults.size(), 3u);
  EXPECT_EQ(plan.seed, 9u);
  const Fault& hart = plan.faults[0];
  EXPECT_EQ(hart.kind, FaultKind::HartStuck);
  EXPECT_EQ(hart.node->die, 3u);
  EXPECT_EQ(hart.node->row, 7u);
  EXPECT_EQ(hart.node->column, 12u);
  EXPECT_EQ(hart.hart, 2u);
  EXPECT_EQ(hart.at_cycle->first, 10u);
  EXPECT_EQ(hart.at_cycle->last, 20u);
  EXPECT_EQ(hart.for_cycles, 30u);
  const Fault& error = plan.faults[1];
  EXPECT_EQ(error.opcode, D1_COMMAND_COPY);
  EXPECT_EQ(error.queue, 4u);
  EXPECT_EQ(error.at_command->first, 17u);
  EXPECT_EQ(error.times, 2u);
  const Fault& link = plan.faults[2];
  EXPECT_EQ(link.node->die, 0u);
  EXPECT_EQ(link.direction, Direction::South);
  EXPECT_EQ(link.factor, 9u);
  EXPECT_EQ(link.at_ms, std::chrono::milliseconds(5));
  EXPECT_EQ(link.for_ms, std::chrono::milliseconds(6));
}

TEST(FaultPlan, EveryKindIsKnownByItsName) {
  for (const FaultKindInfo& kind : fault_kinds()) {
    std::string lines = "kind = '" + std::string(kind.name) + "'";
    if (kind.kind == FaultKind::PcieRetrain) lines += "\nfor_ms = 1";
    const FaultPlan plan = parsed(fault(lines));
    ASSERT_EQ(plan.faults.size(), 1u) << kind.name;
    EXPECT_EQ(plan.faults[0].kind, kind.kind);
    EXPECT_EQ(&info_of(kind.kind), &kind);
    EXPECT_FALSE(kind.what.empty());
    EXPECT_FALSE(kind.seen.empty());
  }
}

TEST(FaultPlan, SaysWhereAndWhatIsWrong) {
  const std::pair<std::string, const char*> wrong[] = {
      {"", "plan:1:1: A fault plan has a table for each fault"},
      {"fault = 3\n", "A fault plan has a table for each fault"},
      {"speed = 1\n", "plan:1:1: Unknown key speed in a fault plan; its keys are seed and"},
      {"seed = -1\n" + fault("kind = 'die_lost'"), "plan:1:8: seed must be a whole number"},
      {"[[fault]\n", "This is not TOML"},
      {fault("node = 'n0,0'"), "plan:1:1: A [[fault]] needs a kind"},
      {fault("kind = 3"), "plan:2:8: A [[fault]] needs a kind"},
      {fault("kind = 'x'"), "plan:2:8: There is no kind of fault 'x'"},
      {fault("kind = 'die_lost'\nhart = 1"),
       "plan:3:1: A fault of kind die_lost has no key hart; its keys are die, at_cycle"},
      {fault("kind = 'node_stop'\nnode = 'n1'"), "node is written as \"die0/n7,12\""},
      {fault("kind = 'node_stop'\nnode = 'die1n1,1'"), "node is written as"},
      {fault("kind = 'node_stop'\nnode = 'die/n1,1'"), "node is written as"},
      {fault("kind = 'node_stop'\nnode = 'n1,1 '"), "node is written as"},
      {fault("kind = 'node_stop'\nnode = 'n,1'"), "node is written as"},
      {fault("kind = 'node_stop'\nnode = 'n1,'"), "node is written as"},
      {fault("kind = 'node_stop'\nnode = '1,1'"), "node is written as"},
      {fault("kind = 'node_stop'\nnode = 7"), "node is written as"},
      {fault("kind = 'link_lost'\nlink = 'n1,1'"), "link is written as"},
      {fault("kind = 'link_lost'\nlink = 'n1,1/up'"), "link is written as"},
      {fault("kind = 'hart_stuck'\nhart = 4"), "hart must be a whole number from 0 to 3"},
      {fault("kind = 'sram_flip'\nbit = 8"), "bit must be a whole number from 0 to 7"},
      {fault("kind = 'sram_flip'\ncorrected = 1"), "corrected is true or false"},
      {fault("kind = 'queue_stuck'\nqueue = 16"), "queue must be a whole number from 0 to 15"},
      {fault("kind = 'clock_throttle'\nfactor = 1"), "factor must be a whole number from 2"},
      {fault("kind = 'completion_delay'\ndelay_ms = 0"), "delay_ms must be a whole number"},
      {fault("kind = 'dma_error'\nopcode = 'dance'"), "opcode is one of fence, copy, grid"},
      {fault("kind = 'dma_error'\nchance = 0"), "chance is a number above 0, up to 1"},
      {fault("kind = 'dma_error'\nchance = 1.5"), "chance is a number above 0, up to 1"},
      {fault("kind = 'dma_error'\nat_command = 0"), "at_command must be a whole number from 1"},
      {fault("kind = 'dma_error'\nat_command = [1, 2, 3]"), "at_command is a number, or a range"},
      {fault("kind = 'dma_error'\nat_command = [5, 2]"),
       "at_command must be a whole number from 5"},
      {fault("kind = 'dma_error'\nat_command = ['a', 2]"), "at_command must be a whole number"},
      {fault("kind = 'dma_error'\nat_cycle = 1\nat_ms = 1"), "A fault begins at one time"},
      {fault("kind = 'node_stop'\nfor_cycles = 1\nfor_ms = 1"), "A fault ends once"},
      {fault("kind = 'node_stop'\nfor_cycles = 0"), "for_cycles must be a whole number from 1"},
      {fault("kind = 'node_stop'\ntimes = 2"), "begins once; times is for those that begin by"},
      {fault("kind = 'dma_error'\nfor_ms = 2"), "has no key for_ms"},
      {fault("kind = 'pcie_retrain'"), "pcie_retrain needs for_ms"},
      {fault("kind = 'daemon_stop'\nfor_cycles = 5"), "no emulated time passes"},
  };
  for (const auto& [text, part] : wrong) EXPECT_THAT(error_of(text), HasSubstr(part)) << text;
}

TEST(FaultPlan, HasLimits) {
  std::string many;
  for (int i = 0; i < 1025; ++i) many += fault("kind = 'dma_error'");
  EXPECT_THAT(error_of(many), HasSubstr("1025 faults are too many; a plan has 1024 at most"));
  EXPECT_THAT(error_of(std::string((1 << 20) + 1, '#')), HasSubstr("at most 1048576 are read"));
  const auto missing = load_fault_plan("/nowhere/plan.toml");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().sentence(), HasSubstr("/nowhere/plan.toml cannot be read"));
  EXPECT_FALSE(load_fault_plan("/tmp"));
}

}  // namespace
}  // namespace d1::emulator
