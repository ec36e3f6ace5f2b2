// SPDX-License-Identifier: Apache-2.0
#include "d1/emulator/geometry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace d1::emulator {
namespace {

using testing::HasSubstr;

Geometry built_in(const std::string& name) { return Geometry(load_machine(name).value()); }

Geometry from_toml(const std::string& toml) {
  auto machine = parse_machine(toml, "test.toml");
  if (!machine) ADD_FAILURE() << machine.error().to_string();
  return Geometry(machine.value_or(MachineDescription{}));
}

std::uint32_t mesh_distance(const Geometry& geometry, NodeId a, NodeId b) {
  const auto apart = [](std::uint32_t x, std::uint32_t y) { return x > y ? x - y : y - x; };
  return apart(geometry.mesh_row(a), geometry.mesh_row(b)) +
         apart(geometry.mesh_column(a), geometry.mesh_column(b));
}

TEST(Geometry, NumbersEveryPositionOfTheMeshOnce) {
  const Geometry geometry = built_in("tile");
  EXPECT_EQ(geometry.mesh_rows(), 90u);
  EXPECT_EQ(geometry.mesh_columns(), 100u);
  std::set<NodeId> seen;
  std::uint32_t usable = 0;
  for (std::uint32_t row = 0; row < geometry.mesh_rows(); ++row) {
    for (std::uint32_t column = 0; column < geometry.mesh_columns(); ++column) {
      const NodeId id = geometry.at(row, column);
      EXPECT_TRUE(seen.insert(id).second);
      EXPECT_EQ(geometry.mesh_row(id), row);
      EXPECT_EQ(geometry.mesh_column(id), column);
      usable += geometry.usable(id);
    }
  }
  EXPECT_EQ(usable, 8850u);
}

TEST(Geometry, CallsNoNumberOutsideTheMachineUsable) {
  const Geometry geometry = built_in("d1");
  EXPECT_TRUE(geometry.usable(0, 359));
  EXPECT_FALSE(geometry.usable(0, 360));
  EXPECT_FALSE(geometry.usable(1, 0));
  EXPECT_FALSE(geometry.usable(0, 1 * 20 + 4));  // a spare
  EXPECT_FALSE(geometry.usable(UINT32_MAX, UINT32_MAX));
}

TEST(Dips, AreAsManyAsPublishedForEachLevel) {
  EXPECT_EQ(built_in("d1").dips().size(), 1u);
  EXPECT_EQ(built_in("tile").dips().size(), 10u);
  EXPECT_EQ(built_in("tray").dips().size(), 20u);     // published: 20 a tray
  EXPECT_EQ(built_in("exapod").dips().size(), 400u);  // 12.8 of the published 13 TB HBM
}

TEST(Dips, ShareTheBorderRowsOfTheirEdgeWithoutGaps) {
  const Geometry geometry = built_in("tray");
  std::set<std::pair<Direction, std::uint32_t>> rows;
  for (const DipPlace& dip : geometry.dips()) {
    EXPECT_EQ(dip.last_row - dip.first_row + 1, 18u);
    for (const NodeId port : dip.ports) {
      EXPECT_TRUE(geometry.usable(port));
      EXPECT_EQ(geometry.mesh_column(port), dip.edge == Direction::West ? 0u : 299u);
      EXPECT_TRUE(rows.emplace(dip.edge, geometry.mesh_row(port)).second);
    }
  }
  EXPECT_EQ(rows.size(), 2u * 180);
}

TEST(Dips, OfferThePortNearestToARow) {
  const Geometry geometry = from_toml("missing = [[3, 0], [4, 0], [5, 0]]\n");
  const auto& ports = geometry.dips()[0].ports;
  const auto port_row = [&](std::uint32_t row) {
    return geometry.mesh_row(ports[geometry.nearest_dip_port(0, row)]);
  };
  EXPECT_EQ(port_row(0), 0u);
  EXPECT_EQ(port_row(3), 2u);
  EXPECT_EQ(port_row(4), 2u);
  EXPECT_EQ(port_row(5), 6u);
  EXPECT_EQ(port_row(17), 17u);
  EXPECT_EQ(port_row(1000), 17u);
}

TEST(Dips, WithoutAUsableBorderNodeMakeAMachineImpossible) {
  auto machine = parse_machine("missing = [[0, 0], [1, 0]]\n[parameters]\ndie_rows = 2\n", "m");
  ASSERT_FALSE(machine);
  EXPECT_THAT(machine.error().to_string(), HasSubstr("Interface processor 0"));
}

TEST(Grid, OfARectangleSkipsMissingNodesAlongItsRows) {
  const Geometry geometry = built_in("d1");
  auto grid = Grid::rectangle(geometry, 18, 19);
  ASSERT_TRUE(grid) << grid.error().to_string();
  EXPECT_EQ(grid->size(), 342u);
  EXPECT_EQ(grid->node(1 * 19 + 3).node, 1 * 20 + 3);
  EXPECT_EQ(grid->node(1 * 19 + 4).node, 1 * 20 + 5);  // column 4 of row 1 is missing
  EXPECT_EQ(grid->node(2 * 19 + 18).node, 2 * 20 + 18);
}

TEST(Grid, MapsRanksToNodesAndBack) {
  const Geometry geometry = built_in("tile");
  const Grid grids[] = {Grid::all(geometry), Grid::rectangle(geometry, 30, 45, 10, 15).value(),
                        Grid::rectangle(geometry, 1, 1, 89, 99).value()};
  for (const Grid& grid : grids) {
    std::set<NodeId> members;
    for (std::uint32_t rank = 0; rank < grid.size(); ++rank) {
      EXPECT_TRUE(geometry.usable(grid.node(rank)));
      EXPECT_TRUE(members.insert(grid.node(rank)).second);
      EXPECT_EQ(grid.rank(grid.node(rank)), rank);
    }
    for (std::uint32_t die = 0; die < 25; ++die) {
      for (std::uint32_t node = 0; node < 360; ++node) {
        const NodeId id{static_cast<std::uint16_t>(die), static_cast<std::uint16_t>(node)};
        EXPECT_EQ(grid.rank(id).has_value(), members.contains(id));
      }
    }
    EXPECT_FALSE(grid.rank({25, 0}).has_value());
    EXPECT_FALSE(grid.rank({0, 360}).has_value());
  }
}

TEST(Grid, OfAllNodesOfAWholeDieWalksFromNeighbourToNeighbour) {
  for (const char* shape : {"rows = 1\ncolumns = 1", "rows = 1\ncolumns = 4"}) {
    const Geometry geometry = from_toml(std::string("missing = []\n[dies]\n") + shape + "\n");
    const Grid grid = Grid::all(geometry);
    ASSERT_EQ(grid.size(), geometry.machine().usable_nodes());
    for (std::uint32_t rank = 1; rank < grid.size(); ++rank) {
      EXPECT_EQ(mesh_distance(geometry, grid.node(rank - 1), grid.node(rank)), 1u) << rank;
    }
  }
}

TEST(Grid, OfAllNodesStepsOverAMissingNodeOnly) {
  const Geometry geometry = built_in("d1");
  const Grid grid = Grid::all(geometry);
  EXPECT_EQ(grid.rows(), 1u);
  EXPECT_EQ(grid.columns(), 354u);
  std::uint32_t steps_over = 0;
  for (std::uint32_t rank = 1; rank < grid.size(); ++rank) {
    const auto distance = mesh_distance(geometry, grid.node(rank - 1), grid.node(rank));
    EXPECT_LE(distance, 2u);
    steps_over += distance == 2;
  }
  EXPECT_EQ(steps_over, 6u);
}

TEST(Grid, OfAllNodesCrossesToTheNextRowOfDiesOncePerRow) {
  const Geometry geometry = from_toml("missing = []\n[dies]\nrows = 3\ncolumns = 3\n");
  const Grid grid = Grid::all(geometry);
  std::uint32_t jumps = 0;
  for (std::uint32_t rank = 1; rank < grid.size(); ++rank) {
    const auto distance = mesh_distance(geometry, grid.node(rank - 1), grid.node(rank));
    EXPECT_LE(distance, 20u);  // at most a die's width
    jumps += distance > 1;
  }
  EXPECT_LE(jumps, 2u);
}

TEST(Grid, SaysWhichRowHasTooFewNodes) {
  const Geometry geometry = built_in("d1");
  auto grid = Grid::rectangle(geometry, 18, 20);
  ASSERT_FALSE(grid);
  EXPECT_THAT(grid.error().to_string(), HasSubstr("row 1 of the machine d1 has 19 usable nodes"));
  grid = Grid::rectangle(geometry, 2, 18, 0, 3);
  ASSERT_FALSE(grid);
  EXPECT_THAT(grid.error().to_string(), HasSubstr("row 0 of the machine d1 has 17 usable nodes"));
}

TEST(Grid, RejectsShapesThatAreEmptyOrLargerThanTheMachine) {
  const Geometry geometry = built_in("d1");
  EXPECT_FALSE(Grid::rectangle(geometry, 0, 4));
  EXPECT_FALSE(Grid::rectangle(geometry, 19, 1));
  EXPECT_FALSE(Grid::rectangle(geometry, 1, 21));
  EXPECT_FALSE(Grid::rectangle(geometry, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX));
}

TEST(Grid, IsReadFromTextAsAUserWritesIt) {
  const Geometry geometry = built_in("d1");
  EXPECT_EQ(Grid::parse(geometry, "all")->size(), 354u);
  EXPECT_EQ(Grid::parse(geometry, "4x5")->size(), 20u);
  for (const char* bad : {"", "4", "4x", "x4", "4x4x4", "4 x 4", "-1x4", "99999999999x1", "All"}) {
    auto grid = Grid::parse(geometry, bad);
    ASSERT_FALSE(grid) << bad;
    EXPECT_EQ(grid.error().kind(), ErrorKind::Invalid);
  }
}

}  // namespace
}  // namespace d1::emulator
