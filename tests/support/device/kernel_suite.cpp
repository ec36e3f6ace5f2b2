// SPDX-License-Identifier: Apache-2.0
// The SDK, the kernel library and the example kernels, with random turns of all harts.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernel_session.hpp"

namespace d1::test {
namespace {

struct Shape {
  std::uint32_t rows, columns, harts;
};

std::vector<float> ramp(std::size_t count, float step) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i % 1000) * step;
  return values;
}

class Kernels : public testing::TestWithParam<Shape> {
 protected:
  std::uint64_t seed = 20260801 + GetParam().rows * 100 + GetParam().harts;
};

}  // namespace

TEST_P(Kernels, VectorAddAddsEveryElement) {
  for (const std::size_t count : {1u, 100u, 5000u}) {
    Session run("kernel_vector_add", GetParam().rows, GetParam().columns, GetParam().harts, seed);
    const auto a = ramp(count, 1), b = ramp(count, 0.5);
    run.sharded(a);
    run.sharded(b);
    const auto c = run.sharded(std::vector<float>(count));
    ASSERT_TRUE(run.launch("vector_add"));
    const auto sum = run.gathered<float>(c, count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(sum[i], a[i] + b[i]) << i << " of " << count;
  }
}

TEST_P(Kernels, ReduceGivesTheSameSumToEveryNode) {
  Session run("kernel_reduce", GetParam().rows, GetParam().columns, GetParam().harts, seed);
  const auto values = ramp(3000, 1);
  run.sharded(values);
  const auto total = run.replicated<float>(1);
  for (int again = 0; again < 3; ++again) {
    ASSERT_TRUE(run.launch("reduce"));
    for (std::uint32_t rank = 0; rank < run.grid.size(); ++rank)
      ASSERT_EQ(run.on<float>(rank, total), 3 * 499500.0f) << "on rank " << rank;
  }
}

TEST_P(Kernels, CollectivesReachAllNodesAndLeaveNoSemaphoreBehind) {
  Session run("kernel_probe", GetParam().rows, GetParam().columns, GetParam().harts, seed);
  constexpr std::uint64_t out = 0x80000;
  run.scalar(out);
  const std::uint32_t nodes = run.grid.size();
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(run.launch("collectives"));
    for (std::uint32_t rank = 0; rank < nodes; ++rank) {
      EXPECT_EQ(run.on<std::uint64_t>(rank, out), 1000 * nodes * (nodes - 1) / 2 + 99 * nodes);
      EXPECT_EQ(run.on<std::uint64_t>(rank, out + 16), (nodes - 1) * 5);
    }
    EXPECT_EQ(run.on<std::uint64_t>(nodes - 1, out + 8), nodes * (nodes + 1) / 2);
    EXPECT_TRUE(run.grid.semaphores_are_zero().value_or(true));
  }
}

namespace {

// What value_collectives leaves, on every node, when values are combined in the order of ranks.
void expect_values_combined_in_order(Session& run) {
  constexpr std::uint64_t kOut = 0x80000, kRounds = 5;
  run.scalar(kOut);
  ASSERT_TRUE(run.launch("value_collectives"));
  const std::uint32_t nodes = run.grid.size();
  std::uint64_t in_order = 0;
  for (std::uint64_t rank = 0; rank < nodes; ++rank) in_order = in_order * 31 + rank + 1;
  for (std::uint32_t rank = 0; rank < nodes; ++rank) {
    ASSERT_EQ(run.on<std::uint64_t>(rank, kOut), (kRounds - 1) * nodes) << "rank " << rank;
    ASSERT_EQ(run.on<std::uint64_t>(rank, kOut + 8), in_order) << "rank " << rank;
    ASSERT_EQ(run.on<std::uint64_t>(rank, kOut + 16), nodes - 1 + 15) << "rank " << rank;
  }
  EXPECT_TRUE(run.grid.semaphores_are_zero().value_or(true));
}

}  // namespace

TEST_P(Kernels, ValuesAreCombinedInTheOrderOfRanksForEveryNode) {
  Session run("kernel_probe", GetParam().rows, GetParam().columns, GetParam().harts, seed);
  expect_values_combined_in_order(run);
}

TEST(Collectives, ValuesAreCombinedInOrderOnGridsOfAnyShape) {
  struct {
    std::uint32_t rows, columns;
  } constexpr kShapes[] = {{1, 2}, {2, 4}, {3, 3}, {4, 4}, {1, 17}, {5, 13}, {9, 8}, {7, 11}};
  for (const auto [rows, columns] : kShapes)
    for (const std::uint64_t seed : {1, 2}) {
      SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(columns));
      Session run("kernel_probe", rows, columns, 1, seed);
      expect_values_combined_in_order(run);
    }
}

TEST_P(Kernels, SingleValuesCrossBetweenNodes) {
  Session run("kernel_probe", GetParam().rows, GetParam().columns, GetParam().harts, seed);
  const std::uint32_t nodes = run.grid.size();
  const auto values = ramp(16 * nodes, 1);
  run.sharded(values);
  const auto seen = run.sharded(std::vector<float>(16 * nodes));
  ASSERT_TRUE(run.launch("neighbours"));
  const auto got = run.gathered<float>(seen, 16 * nodes);
  for (std::uint32_t rank = 0; rank < nodes; ++rank) {
    EXPECT_EQ(got[16 * rank], values[16 * ((rank + 1) % nodes)]);
    EXPECT_EQ(got[16 * rank + 1], values.back());
    EXPECT_EQ(got[16 * ((rank + 1) % nodes) + 2], static_cast<float>(rank));
  }
}

TEST_P(Kernels, CopiesBetweenHbmAndSramKeepEveryElement) {
  Session run("kernel_probe", GetParam().rows, GetParam().columns, GetParam().harts, seed);
  const auto values = ramp(1000, 1);
  const auto data = run.hbm(values);
  run.sharded(std::vector<float>(1024 * run.grid.size()));
  ASSERT_TRUE(run.launch("twice"));
  const auto doubled = run.from_hbm<float>(data, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(doubled[i], 2 * values[i]) << i;
}

TEST_P(Kernels, CopiesAndFillsTouchWhatTheyAreGivenAndNoMore) {
  Session run("kernel_probe", GetParam().rows, GetParam().columns, GetParam().harts, seed);
  constexpr std::uint64_t kWrong = 0x80000;
  run.scalar(kWrong);
  ASSERT_TRUE(run.launch("copies"));
  for (std::uint32_t rank = 0; rank < run.grid.size(); ++rank)
    EXPECT_EQ(run.on<std::uint64_t>(rank, kWrong), 0u);
}

TEST(Conversions, Bf16RoundsToNearestEvenAndBackExactly) {
  Session run("kernel_probe", 1, 1, 4, 1);
  constexpr std::uint64_t kWrong = 0x80000;
  run.scalar(kWrong);
  ASSERT_TRUE(run.launch("conversions"));
  for (unsigned hart = 0; hart < 4; ++hart)
    EXPECT_EQ(run.on<std::uint64_t>(0, kWrong + 8 * hart), 0u);
}

TEST_P(Kernels, HelloGreetsFromEveryHart) {
  Session run("kernel_hello", GetParam().rows, GetParam().columns, GetParam().harts, seed);
  run.scalar(2);
  ASSERT_TRUE(run.launch("hello"));
  for (std::uint32_t rank = 0; rank < run.grid.size(); ++rank) {
    const std::string text = run.grid.printed(rank);
    EXPECT_EQ(static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n')),
              2 * GetParam().harts);
    EXPECT_NE(text.find("of node " + std::to_string(rank) + " "), std::string::npos) << text;
  }
}

TEST_P(Kernels, StencilExchangesHalosAndMatchesTheHost) {
  constexpr std::size_t kColumns = 48, kRows = 6, kSteps = 7;
  Session run("kernel_stencil2d", GetParam().rows, GetParam().columns, GetParam().harts, seed);
  const std::size_t nodes = run.grid.size(), height = kRows * nodes;
  std::vector<float> plate = ramp(height * kColumns, 0.01f), next = plate;
  const auto row = [](std::vector<float>& all, std::size_t y) { return &all[y * kColumns]; };
  // As the nodes hold it: each part with a halo row above and below.
  std::vector<float> parts(nodes * (kRows + 2) * kColumns);
  for (std::size_t node = 0; node < nodes; ++node)
    for (std::size_t y = 0; y < kRows + 2; ++y) {
      const std::size_t from = node * kRows + y;
      if (from >= 1 && from <= height)
        std::copy_n(row(plate, from - 1), kColumns, row(parts, node * (kRows + 2) + y));
    }
  run.sharded(parts);
  const auto result = run.sharded(std::vector<float>(parts.size()));
  run.scalar(kColumns);
  run.scalar(kSteps);
  ASSERT_TRUE(run.launch("stencil2d"));
  for (std::size_t step = 0; step < kSteps; ++step) {
    for (std::size_t y = 1; y + 1 < height; ++y)
      for (std::size_t x = 1; x + 1 < kColumns; ++x)
        row(next, y)[x] = 0.25f * (row(plate, y - 1)[x] + row(plate, y + 1)[x] +
                                   row(plate, y)[x - 1] + row(plate, y)[x + 1]);
    std::swap(plate, next);
  }
  auto got = run.gathered<float>(result, parts.size());
  for (std::size_t y = 0; y < height; ++y)
    for (std::size_t x = 0; x < kColumns; ++x)
      ASSERT_NEAR(row(got, y / kRows * (kRows + 2) + 1 + y % kRows)[x], row(plate, y)[x], 1e-4f)
          << "row " << y << ", column " << x;
}

namespace {

std::uint16_t to_bf16(float value) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
}

// Small integers: every product and sum is exact, so the result does not depend on the order.
void expect_product(Shape shape, std::size_t m, std::size_t n, std::size_t k, std::uint64_t seed) {
  Session run("kernel_matmul", shape.rows, shape.columns, shape.harts, seed);
  std::vector<std::uint16_t> a(m * k), b(k * n);
  const auto element = [](std::size_t i, std::size_t salt) {
    return static_cast<float>(((i * 2654435761u + salt) >> 7) % 17) - 8;
  };
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = to_bf16(element(i, 1));
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = to_bf16(element(i, 99));
  run.hbm(a);
  run.hbm(b);
  const auto c = run.hbm(std::vector<float>(m * n, NAN));
  run.scalar(m);
  run.scalar(n);
  run.scalar(k);
  ASSERT_TRUE(run.launch("matmul")) << m << " x " << n << " x " << k;
  const auto got = run.from_hbm<float>(c, m * n);
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      float want = 0;
      for (std::size_t l = 0; l < k; ++l) want += element(i * k + l, 1) * element(l * n + j, 99);
      ASSERT_EQ(got[i * n + j], want)
          << "C[" << i << "][" << j << "] of " << m << " x " << n << " x " << k;
    }
}

}  // namespace

TEST_P(Kernels, MatrixProductIsExactForSmallIntegers) {
  expect_product(GetParam(), 64, 64, 64, seed);
  expect_product(GetParam(), 32, 8, 4, seed);
  expect_product(GetParam(), 96, 200, 352, seed);
  expect_product(GetParam(), 20, 30, 2100, seed);  // five slices of k
  // Several bands and pieces for each node; more than one node's SRAM can keep.
  if (GetParam().rows * GetParam().columns > 1) expect_product(GetParam(), 270, 470, 530, seed);
}

TEST_P(Kernels, MatrixProductTakesSizesThatFillNoBlock) {
  expect_product(GetParam(), 1, 1, 1, seed);
  expect_product(GetParam(), 33, 45, 67, seed);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Kernels,
                         testing::Values(Shape{1, 1, 1}, Shape{1, 1, 4}, Shape{2, 3, 2},
                                         Shape{1, 7, 4}),
                         [](const auto& tested) {
                           const Shape& s = tested.param;
                           return std::to_string(s.rows) + "x" + std::to_string(s.columns) +
                                  "Harts" + std::to_string(s.harts);
                         });

}  // namespace d1::test
