// SPDX-License-Identifier: Apache-2.0
// Which part of a machine a text names, and what its user sees of it.
#include <d1/emulator/geometry.hpp>
#include <gtest/gtest.h>

#include "dpu.hpp"

namespace d1::server {
namespace {

using emulator::MachineDescription;

MachineDescription machine(const char* name) { return *emulator::load_machine(name); }

Dpu parsed(const char* text, const char* of = "tile") {
  auto dpu = parse_dpu(text, machine(of));
  EXPECT_TRUE(dpu) << dpu.error().to_string();
  return dpu ? *dpu : Dpu{};
}

TEST(Dpu, TwoDiesNameTheRectangleBetweenThem) {
  const Dpu dpu = parsed("train=tile0/die0..11");
  EXPECT_EQ(dpu.name, "train");
  EXPECT_EQ(dpu.dies, (Rectangle{0, 0, 3, 2}));
  EXPECT_EQ(parsed("a=tile0/die11..0").dies, dpu.dies) << "in either order";
  EXPECT_EQ(parsed("a=die12").dies, (Rectangle{2, 2, 1, 1})) << "the one tile may be left out";
}

TEST(Dpu, TilesOfLargerMachinesAreCountedRowByRow) {
  EXPECT_EQ(parsed("a=tile4/die6", "tray").dies, (Rectangle{6, 6, 1, 1}));
}

TEST(Dpu, NodesOfOneDieMakeARectangleToo) {
  const Dpu dpu = parsed("few=tile0/die3/n0,2..5,9");
  EXPECT_EQ(dpu.dies, (Rectangle{0, 3, 1, 1}));
  EXPECT_EQ(dpu.nodes, (Rectangle{0, 2, 6, 8}));
  EXPECT_EQ(parsed("few=n1,2..n3,4", "d1").nodes, (Rectangle{1, 2, 3, 3}));
}

TEST(Dpu, WhatNamesNothingIsRefusedWithWhatThereIs) {
  const auto refused = [](const char* text, const char* part) {
    const auto dpu = parse_dpu(text, machine("tile"));
    ASSERT_FALSE(dpu) << text;
    EXPECT_EQ(dpu.error().kind(), ErrorKind::Invalid);
    EXPECT_NE(dpu.error().sentence().find(part), std::string::npos) << dpu.error().sentence();
  };
  refused("die3", "NAME=PLACE");
  refused("a=", "NAME=PLACE");
  refused("a=die3x", "NAME=PLACE");
  refused("a b=die3", "letters, digits");
  refused("a=tile1/die0", "tiles are 0 to 0");
  refused("a=die25", "0 to 24");
  refused("a=die0..1/n0,0", "nodes of 2 dies");
  refused("a=die0/n18,0", "rows are 0 to 17");
}

TEST(Dpu, PartsThatShareANodeOverlap) {
  EXPECT_TRUE(overlap(parsed("a=die0..11"), parsed("b=die6")));
  EXPECT_FALSE(overlap(parsed("a=die0..11"), parsed("b=die12")));
  EXPECT_TRUE(overlap(parsed("a=die0/n0,0..5,5"), parsed("b=die0/n5,5..6,6")));
  EXPECT_FALSE(overlap(parsed("a=die0/n0,0..5,5"), parsed("b=die0/n6,0..7,5")));
  EXPECT_TRUE(overlap(parsed("a=die0/n0,0..5,5"), parsed("b=die0")));
}

TEST(Dpu, ItsUserSeesItsNodesAndItsShareOfTheMemory) {
  const MachineDescription tile = machine("tile");
  auto part = part_of(tile, parsed("a=die0..11"));
  ASSERT_TRUE(part) << part.error().to_string();
  EXPECT_EQ(part->die_count(), 6u);
  EXPECT_EQ(part->usable_nodes(), 6 * 354u);
  const auto bytes = [](const MachineDescription& of) {
    return of.hbm_bytes * emulator::Geometry(of).dips().size();
  };
  EXPECT_LE(bytes(*part), bytes(tile) * 6 / 25);
  EXPECT_GT(bytes(*part), bytes(tile) * 5 / 25);
}

TEST(Dpu, MissingNodesKeepTheirPlaces) {
  MachineDescription description = machine("d1");
  description.missing_sets = {{0, 21, 45}};  // rows and columns 0,0; 1,1; 2,5
  Dpu dpu;
  dpu.name = "a";
  dpu.place = "n1,0..2,9";
  dpu.nodes = {1, 0, 2, 10};
  auto part = part_of(description, dpu);
  ASSERT_TRUE(part) << part.error().to_string();
  EXPECT_EQ(part->missing(0), (emulator::MissingNodes{1, 15}));
  EXPECT_EQ(part->usable_nodes(), 18u);
}

}  // namespace
}  // namespace d1::server
