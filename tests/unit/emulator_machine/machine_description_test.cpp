// SPDX-License-Identifier: Apache-2.0
#include "d1/emulator/machine_description.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace d1::emulator {
namespace {

using testing::HasSubstr;

MachineDescription loaded(const std::string& name) {
  auto machine = load_machine(name);
  if (!machine) ADD_FAILURE() << machine.error().to_string();
  return machine.value_or(MachineDescription{});
}

std::string error_of(const std::string& toml) {
  auto machine = parse_machine(toml, "m.toml");
  if (machine) {
    ADD_FAILURE() << "accepted: " << toml;
    return {};
  }
  EXPECT_EQ(machine.error().kind(), ErrorKind::Invalid);
  return machine.error().to_string();
}

TEST(BuiltInMachines, HaveTheDiesOfTheirLevel) {
  const std::pair<const char*, std::uint32_t> expected[] = {
      {"d1", 1}, {"tile", 25}, {"tray", 150}, {"cabinet", 300}, {"exapod", 3000}};
  for (const auto& [name, dies] : expected) {
    const MachineDescription machine = loaded(name);
    EXPECT_EQ(machine.name, name);
    EXPECT_EQ(machine.die_count(), dies) << name;
    EXPECT_EQ(machine.usable_nodes(), std::uint64_t{dies} * 354) << name;
    EXPECT_TRUE(validate(machine)) << name;
  }
  EXPECT_EQ(built_in_machines().size(), 5u);
}

TEST(BuiltInMachines, MissTheirSixSpareNodesInSixRowsAndColumns) {
  const MachineDescription machine = loaded("d1");
  std::set<int> rows;
  std::set<int> columns;
  for (const std::uint16_t node : machine.missing(0)) {
    rows.insert(node / 20);
    columns.insert(node % 20);
  }
  EXPECT_EQ(rows.size(), 6u);
  EXPECT_EQ(columns.size(), 6u);
}

TEST(MachineDescription, ConvertsTimesAndBandwidthsToCyclesOfItsClock) {
  MachineDescription machine = loaded("d1");
  EXPECT_EQ(machine.cycles(machine.die_crossing_ns), 200u);
  EXPECT_EQ(machine.bytes_in(machine.die_edge_bandwidth, 1), 1000u);
  EXPECT_EQ(machine.bytes_in(machine.ttp_bandwidth, 64), 64u * 450);
  EXPECT_EQ(machine.bytes_in(machine.pcie_bandwidth, 1), 16u);
  machine.clock_hz = 1'500'000'001;  // no whole number of cycles in 100 ns: rounded up
  EXPECT_EQ(machine.cycles(100), 151u);
}

TEST(MachineDescription, DescribesEveryParameterWithinItsLimits) {
  const auto parameters = describe(loaded("tile"));
  std::set<std::string_view> names;
  for (const Parameter& parameter : parameters) {
    EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name;
    EXPECT_GE(parameter.value, parameter.minimum) << parameter.name;
    EXPECT_LE(parameter.value, parameter.maximum) << parameter.name;
    EXPECT_FALSE(parameter.meaning.empty()) << parameter.name;
    EXPECT_EQ(parameter.confidence == Confidence::Own, parameter.source == "-") << parameter.name;
  }
  EXPECT_TRUE(names.contains("clock_hz"));
}

TEST(DerivedFigures, AgreeWithEveryPublishedFigureWithinFivePercent) {
  for (const std::string_view name : built_in_machines()) {
    int compared = 0;
    for (const Figure& figure : derived_figures(loaded(std::string(name)))) {
      EXPECT_FALSE(figure.formula.empty()) << figure.name;
      if (!figure.published) continue;
      ++compared;
      EXPECT_NEAR(figure.value / *figure.published, 1, 0.05) << name << ": " << figure.name;
      EXPECT_FALSE(figure.source.empty()) << figure.name;
    }
    EXPECT_GE(compared, 18) << name;
  }
}

TEST(DerivedFigures, GiveADiesPeakFromItsUsableNodes) {
  for (const Figure& figure : derived_figures(loaded("d1"))) {
    if (figure.name != "die peak, BF16 and CFloat8") continue;
    EXPECT_NEAR(figure.value, 354 * 512 * 2e9 / 1e12, 1e-9);
    EXPECT_EQ(figure.published, 362);
    return;
  }
  FAIL() << "no such figure";
}

TEST(MachineFile, ChangesWhatItNamesAndKeepsTheRestOfItsBase) {
  auto machine = parse_machine(R"(
name = "pair"
base = "tile"
missing = [[3, 7], [0, 1]]
[dies]
rows = 1
columns = 2
[parameters]
clock_hz = 1_000_000_000
[[die]]
row = 0
column = 1
missing = []
)",
                               "pair.toml");
  ASSERT_TRUE(machine) << machine.error().to_string();
  EXPECT_EQ(machine->name, "pair");
  EXPECT_EQ(machine->die_count(), 2u);
  EXPECT_EQ(machine->clock_hz, 1'000'000'000u);
  EXPECT_EQ(machine->dip_edges, 2u);  // the tile's, not the d1's
  EXPECT_EQ(machine->missing(0), (MissingNodes{1, 67}));
  EXPECT_TRUE(machine->missing(1).empty());
  EXPECT_EQ(machine->usable_nodes(), 358u + 360u);
}

TEST(MachineFile, SharesOneSetAmongDiesThatMissTheSameNodes) {
  auto machine = parse_machine(R"(
missing = []
dies = { rows = 2, columns = 2 }
die = [ { row = 0, column = 0, missing = [[1, 1], [2, 2]] },
        { row = 1, column = 1, missing = [[2, 2], [1, 1]] } ]
)",
                               "m.toml");
  ASSERT_TRUE(machine) << machine.error().to_string();
  EXPECT_EQ(machine->missing_sets.size(), 2u);
  EXPECT_EQ(machine->missing_set(0), machine->missing_set(3));
  EXPECT_EQ(machine->missing_set(1), 0u);
}

TEST(MachineFile, OfAnotherDieShapeStartsWithoutMissingNodes) {
  auto machine = parse_machine("[parameters]\ndie_rows = 2\ndie_columns = 3\n", "tiny.toml");
  ASSERT_TRUE(machine) << machine.error().to_string();
  EXPECT_EQ(machine->usable_nodes(), 6u);
  EXPECT_EQ(machine->name, "tiny");
}

TEST(MachineFile, ErrorsSayWhereAndWhat) {
  const struct {
    const char* toml;
    const char* place;
    const char* says;
  } cases[] = {
      {"name = \"a\"\nclock = 3\n", "m.toml:2:1: ", "Unknown key clock"},
      {"name = \n", "m.toml:1:", "not TOML"},
      {"name = \"a\"\nname = \"b\"\n", "m.toml:2:", "not TOML"},
      {"[parameters]\nclock_mhz = 3\n", "m.toml:2:", "clock_hz"},
      {"[parameters]\nclock_hz = \"fast\"\n", "m.toml:2:12: ", "whole number"},
      {"[parameters]\nclock_hz = 2.5e9\n", "m.toml:2:12: ", "whole number"},
      {"[parameters]\ndie_rows = -1\n", "m.toml:2:12: ", "die_rows = -1"},
      {"[parameters]\ndie_rows = 0\n", "m.toml:2:12: ", "1 to 64"},
      {"[parameters]\ndie_rows = 64\ndie_columns = 17\n", "m.toml:1:1: ", "1088 node positions"},
      {"[parameters]\nharts_per_node = 5\n", "m.toml:2:18: ", "1 to 4"},
      {"[parameters]\nsram_bytes = 4096\n", "m.toml:2:14: ", "always 1310720"},
      {"base = \"d2\"\n", "m.toml:1:8: ", "no built-in machine d2"},
      {"[dies]\nrows = 0\n", "m.toml:2:8: ", "dies.rows = 0"},
      {"[dies]\nrows = 257\ncolumns = 256\n", "m.toml:1:1: ", "too many"},
      {"[dies]\nheight = 2\n", "m.toml:2:1: ", "rows, columns"},
      {"missing = [[0, 20]]\n", "m.toml:1:16: ", "0 to 19"},
      {"missing = [[18, 0]]\n", "m.toml:1:13: ", "0 to 17"},
      {"missing = [[1, 2], [1, 2]]\n", "m.toml:1:20: ", "listed twice"},
      {"missing = [3]\n", "m.toml:1:12: ", "[row, column]"},
      {"missing = [[0, 0], [0, 1]]\n[parameters]\ndie_rows = 1\ndie_columns = 2\n",
       "m.toml:1:11: ", "All 2 nodes"},
      {"[[die]]\nrow = 0\ncolumn = 0\n", "m.toml:1:", "no missing"},
      {"[[die]]\nrow = 1\ncolumn = 0\nmissing = []\n", "m.toml:2:7: ", "die.row = 1"},
      {"[[die]]\nrow=0\ncolumn=0\nmissing=[]\n[[die]]\nrow=0\ncolumn=0\nmissing=[]\n",
       "m.toml:5:", "described twice"},
  };
  for (const auto& c : cases) {
    const std::string error = error_of(c.toml);
    EXPECT_THAT(error, HasSubstr(c.place)) << c.toml;
    EXPECT_THAT(error, HasSubstr(c.says)) << c.toml;
  }
}

TEST(MachineFile, RejectsADieThatMissingNodesCutInTwo) {
  EXPECT_THAT(error_of("missing = [[0, 1], [1, 1]]\n"
                       "[parameters]\ndie_rows = 2\ndie_columns = 3\n"),
              HasSubstr("cut node [0, 2] off from node [0, 0]"));
}

TEST(MachineFile, RejectsNeighbouringDiesWhoseBordersNeverMeet) {
  EXPECT_THAT(error_of("dies = { rows = 1, columns = 2 }\n"
                       "die = [ { row = 0, column = 0, missing = [[0, 1]] },\n"
                       "        { row = 0, column = 1, missing = [[1, 0]] } ]\n"
                       "[parameters]\ndie_rows = 2\ndie_columns = 2\n"),
              HasSubstr("No border node of die 0"));
}

TEST(LoadMachine, NamesTheMachinesThereAre) {
  auto machine = load_machine("d2");
  ASSERT_FALSE(machine);
  EXPECT_THAT(machine.error().to_string(), HasSubstr("d1, tile, tray, cabinet, exapod"));
}

TEST(LoadMachine, SaysThatAFileIsNotThere) {
  auto machine = load_machine("/nowhere/x.toml");
  ASSERT_FALSE(machine);
  EXPECT_THAT(machine.error().to_string(), HasSubstr("/nowhere/x.toml cannot be read: No such"));
}

TEST(Validate, RejectsADescriptionChangedByHandBeyondItsLimits) {
  MachineDescription machine = loaded("d1");
  machine.quantum_cycles = 0;
  EXPECT_FALSE(validate(machine));
  machine = loaded("d1");
  machine.missing_sets[0].push_back(360);
  EXPECT_FALSE(validate(machine));
  machine = loaded("d1");
  machine.grid_columns = 0;
  EXPECT_FALSE(validate(machine));
}

}  // namespace
}  // namespace d1::emulator
