// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <d1/inspect/place.hpp>

namespace d1::inspect {
namespace {

constexpr Mesh kDie{1, 1, 18, 20}, kTile{5, 5, 18, 20};

PlaceSet parsed(std::string_view text, const Mesh& mesh = kTile) {
  auto set = PlaceSet::parse(text, mesh);
  EXPECT_TRUE(set) << set.error().sentence();
  return set ? *set : PlaceSet(mesh);
}

std::string refusal(std::string_view text, const Mesh& mesh = kTile) {
  const auto set = PlaceSet::parse(text, mesh);
  return set ? "it was taken" : set.error().sentence();
}

TEST(Places, NameOneHartOfOneNode) {
  const PlaceSet set = parsed("die3/n7,12/h2");
  EXPECT_TRUE(set.contains(3, 7 * 20 + 12, 2));
  EXPECT_FALSE(set.contains(3, 7 * 20 + 12, 1));
  EXPECT_FALSE(set.contains(3, 7 * 20 + 11, 2));
  EXPECT_FALSE(set.contains(2, 7 * 20 + 12, 2));
  const auto one = set.one();
  ASSERT_TRUE(one);
  EXPECT_EQ(one->die, 3u);
  EXPECT_EQ(one->node, 152u);
  EXPECT_EQ(one->hart, 2u);
}

TEST(Places, WhatIsLeftOutMeansAll) {
  EXPECT_TRUE(parsed("n7,12").contains(24, 152, 3));
  EXPECT_TRUE(parsed("die4").contains(4, 0, 0));
  EXPECT_FALSE(parsed("die4").contains(5, 0, 0));
  EXPECT_TRUE(parsed("h1").contains(9, 9, 1));
  EXPECT_FALSE(parsed("h1").contains(9, 9, 0));
  for (const char* everything : {"all", "*", "tile0"})
    EXPECT_TRUE(parsed(everything).contains(24, 359, 3)) << everything;
  EXPECT_TRUE(PlaceSet(kTile).contains(24, 359, 3));
}

TEST(Places, RangesAndSetsAreTakenTogether) {
  const PlaceSet set = parsed("die0..2/n0..3,4..7+die9/n1,*");
  EXPECT_TRUE(set.contains(0, 4));
  EXPECT_TRUE(set.contains(2, 3 * 20 + 7));
  EXPECT_FALSE(set.contains(2, 3 * 20 + 8));
  EXPECT_FALSE(set.contains(3, 4));
  EXPECT_TRUE(set.contains(9, 20 + 19));
  EXPECT_FALSE(set.contains(9, 19));
  EXPECT_TRUE(set.contains_die(9));
  EXPECT_FALSE(set.contains_die(8));
}

TEST(Places, OneNodeIsEnoughWhereAHartIsNotNamed) {
  EXPECT_EQ(parsed("n2,3", kDie).one()->hart, 0u);
  EXPECT_FALSE(parsed("n2,3").one());  // of which die?
  EXPECT_FALSE(parsed("n2,3/h0..1", kDie).one());
  EXPECT_FALSE(parsed("n2,3+n2,4", kDie).one());
  EXPECT_EQ(parsed("n2,3..4", kDie).one().error().sentence(),
            "'n2,3..4' is more than one node, or hart; name one, as in n7,12/h2.");
}

TEST(Places, WhatCannotBeIsToldWithWhatCan) {
  EXPECT_EQ(refusal("die25/n0,0"),
            "'die25' in the place 'die25/n0,0' is not to be found: this device has die0 to die24, "
            "of n0,0 to n17,19 (row, column) with h0 to h3; write die3/n7,12/h2, ranges as "
            "n0..3,4..7, and join places by '+'.");
  for (const char* wrong : {"", "die", "die-1", "die2..1", "n7", "n7;12", "n18,0", "n0,20", "h4",
                            "die0/", "node3", "die0+", "n1,2,3", "die99999999999"})
    EXPECT_NE(refusal(wrong).find("is not to be found"), std::string::npos) << wrong;
}

TEST(Places, NamesAreReadAsTheyAreWritten) {
  EXPECT_EQ(name_of(kTile, 3, 152), "die3/n7,12");
  EXPECT_EQ(name_of(kTile, 3, 152, 2), "die3/n7,12/h2");
  const auto one = parsed(name_of(kTile, 24, 359, 3)).one();
  ASSERT_TRUE(one);
  EXPECT_EQ(one->node, 359u);
}

}  // namespace
}  // namespace d1::inspect
