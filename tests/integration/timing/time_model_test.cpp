// SPDX-License-Identifier: Apache-2.0
// Every row of the time model against its closed formula and the published figure, and peaks that
// nothing exceeds.
#include <gtest/gtest.h>

#include <d1/verify/verify.hpp>

#include "bench.hpp"
#include "engine/timing.hpp"

namespace d1::verify {
namespace {

// Harts that share a unit are accounted by spans: at each end of a measurement one may be missing.
constexpr std::uint64_t kSpanCycles = emulator::UnitShare::kSpanTicks / isa::kTicksPerCycle;

class Rows : public testing::TestWithParam<std::size_t> {};

TEST_P(Rows, MeasureWhatTheirFormulaSays) {
  const CheckGroup group = check_groups()[GetParam()];
  const auto checks = group.run();
  ASSERT_TRUE(checks) << checks.error().to_string();
  EXPECT_FALSE(checks->empty());
  for (const Check& check : *checks) {
    EXPECT_TRUE(check.holds()) << group.name << ": " << check.name << ": measured " << check.model
                               << " " << check.unit << ", formula " << check.formula << " ("
                               << check.formula_text << "), published "
                               << check.published.value_or(0);
    // What is shared by buckets may be early at the ends of a transfer, nothing else may be fast.
    EXPECT_LE(check.tolerance, 0.02) << check.name;
  }
}
INSTANTIATE_TEST_SUITE_P(TimeModel, Rows, testing::Range<std::size_t>(0, check_groups().size()),
                         [](const auto& row) {
                           std::string name = check_groups()[row.param].name;
                           std::erase(name, ' ');
                           return name;
                         });

class Node : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Bench::open("d1");
    ASSERT_TRUE(opened) << opened.error().to_string();
    bench = std::move(*opened);
    auto made = bench->grid({.rows = 1, .columns = 1, .first_row = 4, .first_column = 4});
    ASSERT_TRUE(made);
    grid = *made;
  }
  std::uint64_t cycles(const std::string& kernel, std::uint32_t harts, std::uint64_t length,
                       std::vector<std::uint64_t> rest = {}) {
    const auto taken = bench->cycles({kernel, grid, harts, std::move(rest)}, length);
    EXPECT_TRUE(taken) << taken.error().to_string();
    return taken.value_or(0);
  }
  std::unique_ptr<Bench> bench;
  GridPointer grid;
};

// Work of the matrix unit alone takes a cycle a product: nobody is faster, whatever the harts do.
TEST_F(Node, NoPatternOfHartsExceedsTheMatrixUnit) {
  for (const std::uint32_t harts : {1u, 2u, 3u, 4u})
    for (const std::uint64_t rounds : {1u, 10u, 333u})
      for (const std::uint64_t idle : {0u, 7u, 1000u, 3000u}) {
        const std::uint64_t products = 28 * rounds;
        const std::uint64_t taken = cycles("matrix_bursts", harts, rounds, {idle});
        // Harts whose bursts cannot meet are bound by their own; all of them together never by
        // less.
        EXPECT_GE(taken, products) << harts << " harts, idle " << idle;
        if (idle == 0) {
          EXPECT_GE(taken + 2 * kSpanCycles, harts * products)
              << harts << " harts at once, rounds " << rounds;
        }
      }
}

// Units are shared across quanta, too: the rate over ten quanta is that over one.
TEST_F(Node, QuantaDoNotShowInARate) {
  const std::uint64_t quantum = bench->machine().quantum_cycles;
  for (const std::uint32_t harts : {1u, 4u}) {
    const std::uint64_t rounds = quantum / 28 / harts;
    const auto few = cycles("matrix", harts, rounds);
    const auto many = cycles("matrix", harts, 10 * rounds);
    EXPECT_NEAR(static_cast<double>(many - few), static_cast<double>(9 * rounds * 28 * harts),
                harts == 1 ? 0 : 2.0 * kSpanCycles)
        << harts << " harts";
  }
}

}  // namespace
}  // namespace d1::verify
