// SPDX-License-Identifier: Apache-2.0
// gemm.bf16: the matrix product of the main job, on a whole die, checked against the host.
#include "bench.hpp"
#include "device.hpp"

#include <fmt/format.h>
#include <bench_matmul_program.hpp>

#include <algorithm>
#include <cmath>
#include <random>

namespace d1::bench {
namespace {

constexpr std::size_t kSize = 1024;
constexpr std::size_t kElements = kSize * kSize;
constexpr std::uint64_t kMmaProducts = 256;  // of a matrix cycle: 8 x 8 x 4

std::vector<bf16> random_matrix(std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> values(-1, 1);
  std::vector<bf16> matrix(kElements);
  for (bf16& element : matrix) element = bf16(values(generator));
  return matrix;
}

void check(const std::vector<bf16>& a, const std::vector<bf16>& b, std::span<const float> c) {
  std::vector<float> wide(b.begin(), b.end()), row(kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    std::ranges::fill(row, 0.0f);
    for (std::size_t k = 0; k < kSize; ++k) {
      const float factor = a[i * kSize + k];
      for (std::size_t j = 0; j < kSize; ++j) row[j] += factor * wide[k * kSize + j];
    }
    // 1024 products below 1, rounded in another order.
    constexpr float kTolerance = 1e-3f;
    for (std::size_t j = 0; j < kSize; ++j)
      require(std::abs(row[j] - c[i * kSize + j]) <= kTolerance,
              fmt::format("Element {}, {} of the product is {} and should be {}.", i, j,
                          c[i * kSize + j], row[j]));
  }
}

}  // namespace

void measure_gemm(Run& run) {
  const Device device = open_device("d1");
  const Kernel kernel = device.load(bench_matmul_program, "matmul").kernel("matmul_timed");
  const std::vector<bf16> a = random_matrix(1), b = random_matrix(2);
  const auto a_there = device.hbm<bf16>(kElements), b_there = device.hbm<bf16>(kElements);
  const auto c_there = device.hbm<float>(kElements);
  constexpr std::size_t kStride = 8;  // elements of a node's packet
  const auto inner_there = device.sharded<std::uint64_t>(kStride * kDieNodes);
  Stream stream = device.stream();
  stream.copy_in(a_there, a);
  stream.copy_in(b_there, b);
  std::vector<double> times, cpus;
  Launch launch;
  for (int i = run.pick(11, 2); i > 0; --i) {
    const Elapsed elapsed = time([&] {
      launch =
          kernel(stream, device.all(), a_there, b_there, c_there, kSize, kSize, kSize, inner_there);
      launch.wait();
    });
    times.push_back(elapsed.seconds * 1e6);
    cpus.push_back(elapsed.cpu_seconds * 1e6);
  }
  std::vector<float> c(kElements);
  std::vector<std::uint64_t> inner(inner_there.size());
  stream.copy_out(std::span(c), c_there);
  stream.copy_out(std::span(inner), inner_there);
  stream.synchronize();
  check(a, b, c);

  const d1_launch_report& report = launch.report();
  require(report.matrix_cycles == kElements * kSize / kMmaProducts,
          fmt::format("The product took {} matrix cycles.", report.matrix_cycles));
  std::uint64_t inner_cycles = 0;  // a node is in the loop as long as its slowest hart
  for (std::size_t i = 0; i < inner.size(); i += kStride)
    inner_cycles += *std::max_element(&inner[i], &inner[i] + D1_HARTS);
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return 100 * static_cast<double>(part) / static_cast<double>(whole);
  };
  const auto report_share = [&run](const char* name, double value, const char* note) {
    run.report({.name = name, .value = value, .unit = "%", .nodes = kDieNodes, .note = note});
  };
  run.report({.name = "gemm.bf16",
              .value = median(times),
              .unit = "us",
              .nodes = kDieNodes,
              .note = fmt::format("of the host, {:.0f} of CPU time; {} cycles of the device",
                                  median(cpus), launch.cycles())});
  report_share("gemm.bf16.inner", share(report.matrix_cycles, inner_cycles),
               "of the matrix units' cycles while in the inner loop");
  report_share("gemm.bf16.whole", share(report.matrix_cycles, launch.cycles() * kDieNodes),
               "of the matrix units' cycles in the whole launch");
  report_share("gemm.bf16.balance", share(report.matrix_cycles_min, report.matrix_cycles_max),
               "the node with the least mma against the one with the most");
}

}  // namespace d1::bench
