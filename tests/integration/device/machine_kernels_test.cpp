// SPDX-License-Identifier: Apache-2.0
// The kernel suite on the emulated machine, and the main job: a matrix product on a whole die.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>

#include "device/kernel_session.hpp"
#include "device/machine_grid.hpp"

namespace d1::test {

std::unique_ptr<KernelGrid> make_kernel_grid(std::uint32_t rows, std::uint32_t columns,
                                             std::uint64_t seed) {
  emulator::DeviceOptions options;
  options.seed = seed;
  return std::make_unique<MachineGrid>(std::move(options), rows, columns);
}

namespace {

constexpr std::uint32_t kAll = 0;  // rows: every usable node

MachineGrid& machine(Session& session) { return dynamic_cast<MachineGrid&>(session.grid); }

}  // namespace

TEST(Die, AMatrixProductOf1024KeepsTheMatrixUnitsBusyInItsInnerLoop) {
  constexpr std::size_t kSize = 1024;
  Session run("kernel_matmul", kAll, 0, 4, 0);
  std::vector<std::uint16_t> a(kSize * kSize), b(kSize * kSize);
  // A has a 2 in one place of each row, so C's row is twice a row of B; all exact.
  for (std::size_t i = 0; i < kSize; ++i) a[i * kSize + i * 37 % kSize] = 0x4000;
  for (std::size_t i = 0; i < b.size(); ++i)
    b[i] = static_cast<std::uint16_t>(0x3f80 + i * 2654435761u % 97);
  run.hbm(a);
  run.hbm(b);
  const auto c = run.hbm(std::vector<float>(kSize * kSize, NAN));
  for (int i = 0; i < 3; ++i) run.scalar(kSize);
  const auto cycles = run.sharded(std::vector<std::uint64_t>(8 * run.grid.size()));
  ASSERT_TRUE(run.launch("matmul_timed"));

  const auto got = run.from_hbm<float>(c, kSize * kSize);
  for (std::size_t i = 0; i < kSize; ++i)
    for (std::size_t j = 0; j < kSize; ++j) {
      const std::uint32_t bits = b[i * 37 % kSize * kSize + j];
      ASSERT_EQ(got[i * kSize + j], 2 * std::bit_cast<float>(bits << 16)) << i << ", " << j;
    }

  const d1_launch_report& report = machine(run).report();
  EXPECT_EQ(report.matrix_cycles, kSize * kSize * kSize / 256);
  EXPECT_GE(static_cast<double>(report.matrix_cycles_min),
            0.8 * static_cast<double>(report.matrix_cycles_max));
  const auto inner = run.gathered<std::uint64_t>(cycles, 8 * run.grid.size());
  std::uint64_t busy = 0;
  for (std::uint32_t rank = 0; rank < run.grid.size(); ++rank)
    busy += *std::max_element(&inner[8 * rank], &inner[8 * rank + 4]);
  const double share = static_cast<double>(report.matrix_cycles) / static_cast<double>(busy);
  EXPECT_GE(share, 0.9) << "of the cycles in the inner loop";
  std::printf("inner loop %.1f %%, launch %llu cycles, %.1f %% of peak\n", 100 * share,
              static_cast<unsigned long long>(report.end_cycle - report.start_cycle),
              100.0 * static_cast<double>(report.matrix_cycles) / run.grid.size() /
                  static_cast<double>(report.end_cycle - report.start_cycle));
}

TEST(Die, OneHartAloneKeepsTheMatrixUnitBusyFor90PercentOfTheInnerLoop) {
  Session run("kernel_probe", 1, 1, 1, 0);
  constexpr std::uint64_t kOut = 0x100000;
  run.scalar(kOut);
  ASSERT_TRUE(run.launch("patch_cycles"));
  constexpr double kMatrixCycles = 32 * 32;
  const auto cycles = static_cast<double>(run.on<std::uint64_t>(0, kOut));
  EXPECT_GE(kMatrixCycles / cycles, 0.9) << cycles;
  EXPECT_LE(kMatrixCycles / cycles, 1.0) << cycles;
}

TEST(Die, EveryNodeOfTheDieTakesPartInAReduction) {
  Session run("kernel_reduce", kAll, 0, 4, 0);
  std::vector<float> values(100000, 1.0f);
  run.sharded(values);
  const auto total = run.replicated<float>(1);
  ASSERT_TRUE(run.launch("reduce"));
  for (std::uint32_t rank = 0; rank < run.grid.size(); ++rank)
    ASSERT_EQ(run.on<float>(rank, total), 100000.0f) << rank;
}

TEST(Die, EveryNodeOfTheDieGetsAllValuesCombinedInOrder) {
  constexpr std::uint64_t kOut = 0x80000;
  Session run("kernel_probe", kAll, 0, 1, 0);
  run.scalar(kOut);
  ASSERT_TRUE(run.launch("value_collectives"));
  std::uint64_t in_order = 0;
  for (std::uint64_t rank = 0; rank < run.grid.size(); ++rank) in_order = in_order * 31 + rank + 1;
  for (std::uint32_t rank = 0; rank < run.grid.size(); ++rank)
    ASSERT_EQ(run.on<std::uint64_t>(rank, kOut + 8), in_order) << rank;
}

}  // namespace d1::test
