// SPDX-License-Identifier: Apache-2.0
// The boot ROM and its dispatch loop, run instruction by instruction.
#include <gtest/gtest.h>

#include "device/program_file.hpp"
#include "plain_grid.hpp"

namespace d1::test {
namespace {

class Rom : public testing::Test {
 protected:
  static constexpr std::uint64_t kOut = 0x80000;  // free SRAM
  Rom() { program.load_into(grid); }

  d1_launch launch_of(const std::string& kernel, std::uint32_t harts) {
    d1_launch launch{};
    launch.entry = program.kernels.at(kernel);
    launch.id = ++launches;
    launch.harts = harts;
    launch.stack_bytes = D1_STACK_BYTES;
    return launch;
  }
  std::uint64_t out(std::uint64_t index) {
    std::uint64_t value;
    std::memcpy(&value, &grid.node(0).sram[kOut + 8 * index], sizeof value);
    return value;
  }
  d1_trap_record record(unsigned hart) {
    d1_mailbox mailbox;
    std::memcpy(&mailbox, &grid.node(0).sram[D1_MAILBOX_ADDRESS], sizeof mailbox);
    return mailbox.trap[hart];
  }

  ProgramFile program = ProgramFile::open("kernel_probe");
  PlainGrid grid{1, 1, 1};
  std::uint64_t launches = 0;
};

}  // namespace

TEST_F(Rom, EveryInstructionIsOneTheTableKnows) {
  for (std::size_t at = 0; at < d1_rom_image_bytes;) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, d1_rom_image + at, std::min<std::size_t>(4, d1_rom_image_bytes - at));
    const isa::Instruction instruction = isa::decode(bits);
    ASSERT_NE(instruction.id, isa::InstructionId::Illegal) << "at " << at;
    at += instruction.length;
  }
}

TEST_F(Rom, AnEmptyLaunchRetiresFewerThan40Instructions) {
  ASSERT_TRUE(grid.launch(launch_of("empty", 1)));
  ASSERT_TRUE(grid.launch(launch_of("empty", 1)));  // the second one without the reset's code
  EXPECT_LT(grid.instructions(), 40u);
  EXPECT_GT(grid.instructions(), 10u);
}

TEST_F(Rom, AnEmptyLaunchStoresNothing) {
  ASSERT_TRUE(grid.launch(launch_of("empty", 1)));
  const auto before = grid.node(0).sram;
  d1_launch again = launch_of("empty", 1);
  again.id = launches - 1;
  ASSERT_TRUE(grid.launch(again));
  EXPECT_EQ(grid.node(0).sram, before);
}

TEST_F(Rom, HartsThatALaunchDoesNotNeedStayAsleep) {
  ASSERT_TRUE(grid.launch(launch_of("empty", 2)));
  const std::uint64_t asleep = grid.node(0).harts[3].instret;
  EXPECT_GT(grid.node(0).harts[1].instret, grid.node(0).harts[2].instret);
  ASSERT_TRUE(grid.launch(launch_of("empty", 2)));
  EXPECT_EQ(grid.node(0).harts[3].instret, asleep);
}

TEST_F(Rom, ArgumentsArriveInRegistersAndOnTheStackOfEachHart) {
  for (const std::uint32_t harts : {1u, 4u}) {
    d1_launch launch = launch_of("arguments", harts);
    launch.arguments = 11;
    launch.argument[0] = kOut;
    for (unsigned i = 1; i < 11; ++i) launch.argument[i] = 100 + i;
    const double x = 2000, y = 3000;
    std::memcpy(&launch.float_argument[0], &x, sizeof x);
    std::memcpy(&launch.float_argument[1], &y, sizeof y);
    launch.float_arguments = 2;
    ASSERT_TRUE(grid.launch(launch));
    for (unsigned hart = 0; hart < harts; ++hart) {
      const unsigned first = 16 * hart;
      for (unsigned i = 0; i < 10; ++i) EXPECT_EQ(out(first + i), 101 + i) << hart;
      EXPECT_EQ(out(first + 10), 2000u);
      EXPECT_EQ(out(first + 11), 3000u);
      const std::uint64_t top = D1_STACK_TOP - hart * D1_STACK_BYTES;
      EXPECT_LT(out(first + 12), top);
      EXPECT_GT(out(first + 12), top - 0x200);
      EXPECT_EQ(out(first + 14), harts);
    }
  }
}

TEST_F(Rom, EachLaunchStartsWithDefaultModes) {
  d1_launch launch = launch_of("modes", 1);
  launch.arguments = 1;
  launch.argument[0] = kOut;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(grid.launch(launch));
    EXPECT_EQ(out(0), 0u);
  }
}

TEST_F(Rom, ATrapLeavesItsRecordAndTellsTheInterfaceProcessor) {
  d1_launch launch = launch_of("null_store", 1);
  launch.id = 77;
  EXPECT_FALSE(grid.launch(launch));
  EXPECT_EQ(grid.node(0).completion, 2u);
  const d1_trap_record trap = record(0);
  EXPECT_EQ(trap.launch_id, 77u);
  EXPECT_EQ(trap.cause, static_cast<std::uint64_t>(isa::Cause::StoreAccess));
  EXPECT_EQ(trap.value, 8u);
  EXPECT_GE(trap.pc, launch.entry);
  EXPECT_LT(trap.pc, launch.entry + 16);
  EXPECT_LE(trap.sp, D1_STACK_TOP);
  EXPECT_GE(trap.ra, D1_ROM_BASE);
}

TEST_F(Rom, AFailedAssertionNamesItsLineAndExpression) {
  d1_launch launch = launch_of("broken_promise", 1);
  launch.arguments = 1;
  launch.argument[0] = 42;
  EXPECT_TRUE(grid.launch(launch));
  launch.argument[0] = 41;
  EXPECT_FALSE(grid.launch(launch));
  const d1_trap_record trap = record(0);
  EXPECT_EQ(trap.cause, static_cast<std::uint64_t>(isa::Cause::Assert));
  const std::string text = reinterpret_cast<const char*>(&grid.node(0).sram.at(trap.value));
  EXPECT_NE(text.find("probe.cpp:"), std::string::npos) << text;
  EXPECT_NE(text.find("assertion failed: value == 42"), std::string::npos) << text;
}

TEST_F(Rom, EachHartHasAnErrnoOfItsOwn) {
  d1_launch launch = launch_of("error_numbers", 4);
  launch.arguments = 1;
  launch.argument[0] = kOut;
  ASSERT_TRUE(grid.launch(launch));
  for (unsigned hart = 0; hart < 4; ++hart) EXPECT_EQ(out(hart) != 0, hart == 1) << hart;
}

TEST_F(Rom, PrintedTextIsOneRecordAndIsCutAtItsLimit) {
  d1_launch launch = launch_of("long_line", 1);
  launch.arguments = 1;
  launch.argument[0] = 4;
  EXPECT_TRUE(grid.launch(launch));
  EXPECT_EQ(grid.node(0).printed, "0007|1.414|end\n")
      << std::hex << record(0).pc << " " << record(0).cause << " " << record(0).value;
  grid.node(0).printed.clear();
  launch.argument[0] = 1020;
  EXPECT_TRUE(grid.launch(launch));
  EXPECT_EQ(grid.node(0).printed, std::string(1019, '0') + "7|...");
}

}  // namespace d1::test
