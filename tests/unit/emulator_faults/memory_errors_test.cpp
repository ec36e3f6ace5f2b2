// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>

#include "faults/memory_errors.hpp"

namespace d1::emulator {
namespace {

class Errors : public ::testing::Test {
 protected:
  alignas(64) std::array<std::uint8_t, 512> memory_{};
  MemoryErrors errors_;
};

TEST_F(Errors, ACorrectedOneIsCountedAndLeavesNoTrace) {
  errors_.add(&memory_[100], 3, true);
  EXPECT_EQ(memory_[100], 0);
  EXPECT_FALSE(errors_.any());
  EXPECT_EQ(errors_.corrected(), 1u);
  EXPECT_EQ(errors_.uncorrected(), 0u);
}

TEST_F(Errors, AnUncorrectedOneIsFoundByWhoReadsItsLine) {
  errors_.add(&memory_[100], 3, false);
  EXPECT_EQ(memory_[100], 8);
  EXPECT_EQ(errors_.find(&memory_[0], 64), nullptr);
  EXPECT_EQ(errors_.find(&memory_[0], 65), &memory_[64]);
  EXPECT_EQ(errors_.find(&memory_[127], 1), &memory_[127]);
  EXPECT_EQ(errors_.find(&memory_[128], 64), nullptr);
  EXPECT_EQ(errors_.find(&memory_[100], 0), nullptr);
}

TEST_F(Errors, ALineThatIsWrittenAnewIsSound) {
  errors_.add(&memory_[100], 3, false);
  errors_.add(&memory_[300], 0, false);
  memory_[70] = 1;
  EXPECT_EQ(errors_.find(&memory_[64], 64), nullptr);
  EXPECT_EQ(errors_.find(&memory_[0], 512), &memory_[256]);
  EXPECT_TRUE(errors_.any());
  memory_[300] = 0;
  EXPECT_EQ(errors_.find(&memory_[0], 512), nullptr);
  EXPECT_FALSE(errors_.any());
}

}  // namespace
}  // namespace d1::emulator
