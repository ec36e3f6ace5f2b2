// SPDX-License-Identifier: Apache-2.0
// Histories that cannot have been are told from those that can.
#include <gtest/gtest.h>

#include "history.hpp"

namespace d1::test {
namespace {

class Checker : public testing::Test {
 protected:
  std::size_t write(std::uint64_t value, unsigned stream = 0) {
    return history.begin(Asked::Write, 0, value, stream);
  }
  std::size_t read(unsigned stream = 0) { return history.begin(Asked::Read, 0, 0, stream); }
  void done(std::size_t number, std::uint64_t value = 0) {
    history.end(number, Outcome::Done, value);
  }
  void unknown(std::size_t number) { history.end(number, Outcome::Unknown); }
  void expect_fault(const std::string& part) {
    EXPECT_NE(history.fault().find(part), std::string::npos) << "'" << history.fault() << "'";
  }
  History history;
};

TEST_F(Checker, WhatWasWrittenLastIsFound) {
  done(write(5));
  done(read(1), 5);
  EXPECT_EQ(history.fault(), "");
}

TEST_F(Checker, AnOverlappingWriteMayBeFoundOrNot) {
  done(write(5));
  const auto second = write(6), one = read(1), two = read(2);
  done(one, 5);
  done(two, 6);
  done(second);
  EXPECT_EQ(history.fault(), "");
}

TEST_F(Checker, AnOldValueBehindANewOneIsAFault) {
  done(write(5));
  done(write(6));
  done(read(1), 5);
  expect_fault("overlooked the write of 6");
}

TEST_F(Checker, WithinAStreamTheOrderCountsThoughBothAreUnderWay) {
  const auto five = write(5), six = write(6), found = read();
  done(found, 5);
  done(six);
  done(five);
  expect_fault("overlooked the write of 6");
}

TEST_F(Checker, TheFirstZeroesAreLostOnceSomethingWasWritten) {
  done(write(5));
  done(read(1), 0);
  expect_fault("overlooked the write of 5");
}

TEST_F(Checker, AWriteWithoutAVerdictMayHaveBeenDoneOrNot) {
  done(write(5));
  unknown(write(6));
  done(read(1), 6);
  done(read(2), 6);
  EXPECT_EQ(history.fault(), "");
}

TEST_F(Checker, AWriteThatComesLaterIsNotFound) {
  done(read(1), 5);
  done(write(5));
  expect_fault("which came later");
}

TEST_F(Checker, WhatNobodyWroteIsAFault) {
  done(write(5));
  done(read(1), 77);
  expect_fault("nobody wrote");
}

TEST_F(Checker, ACountThatIsMissingOrThereTwiceIsAFault) {
  done(history.begin(Asked::Count, 0, 0, 0));
  unknown(history.begin(Asked::Count, 0, 0, 0));
  for (const std::uint64_t value : {1u, 2u})
    done(history.begin(Asked::ReadCounter, 0, 0, 0), value);
  EXPECT_EQ(history.fault(), "");
  done(history.begin(Asked::ReadCounter, 0, 0, 0), 3);
  expect_fault("counter 0 was 3");
  history = {};
  done(history.begin(Asked::Count, 0, 0, 0));
  done(history.begin(Asked::ReadCounter, 0, 0, 0), 0);
  expect_fault("counter 0 was 0");
}

}  // namespace
}  // namespace d1::test
