// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <d1/base/code_names.hpp>

namespace d1 {
namespace {

TEST(CodeNames, TellTheFunctionAnAddressIsInAndHowFar) {
  const CodeNames names({{"second", 0x200, 0x10}, {"first", 0x100, 0x20}});
  EXPECT_EQ(names.place(0x100), "first");
  EXPECT_EQ(names.place(0x11e), "first+0x1e");
  EXPECT_EQ(names.place(0x208), "second+0x8");
}

TEST(CodeNames, SayNothingOfPlacesBetweenFunctions) {
  const CodeNames names({{"first", 0x100, 0x20}, {"second", 0x200, 0x10}});
  for (const std::uint64_t address : {0x0, 0xff, 0x120, 0x1ff, 0x210})
    EXPECT_EQ(names.place(address), "") << address;
}

TEST(CodeNames, AFunctionWithoutASizeReachesToTheNext) {
  const CodeNames names({{"open", 0x100, 0}, {"next", 0x200, 4}});
  EXPECT_EQ(names.place(0x1ff), "open+0xff");
  EXPECT_EQ(names.place(0x200), "next");
}

TEST(CodeNames, NamesOfCppAreToldAsPeopleWriteThem) {
  const CodeNames names({{"_ZN2d17kernels8multiplyEi", 0x100, 8}, {"_Zebra", 0x200, 8}});
  EXPECT_EQ(names.place(0x104), "d1::kernels::multiply(int)+0x4");
  EXPECT_EQ(names.place(0x200), "_Zebra");
}

}  // namespace
}  // namespace d1
