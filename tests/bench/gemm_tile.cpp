// SPDX-License-Identifier: Apache-2.0
// gemm.bf16.tile: a matrix product from the SRAM of one node, by one hart, against the most that
// the host's own BF16 instruction does on one core.
#include "device.hpp"
#include "kernels/bench_gemm_tile.hpp"
#include "matrices.hpp"
#include "one_core.hpp"
#include "programs/bf16_peak.hpp"
#include "ways.hpp"

#include <fmt/format.h>
#include <bench_gemm_tile_program.hpp>

namespace d1::bench {
namespace {

constexpr std::size_t kSize = tile_gemm_size;
constexpr double kFlop = 2.0 * kSize * kSize * kSize;
constexpr std::uint64_t kMatrixCycles = kSize * kSize * kSize / (8 * 8 * 4);

bool has_bf16_instruction() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

double run_peak(std::uint64_t iterations) {
  std::uint64_t products = 0;
  const Elapsed elapsed = time([&] { products = d1_bench_bf16_peak(iterations); });
  require(static_cast<double>(products) * 2 == bf16_peak_flop,
          fmt::format("The host's BF16 instruction added up {} products.", products));
  // In units of our own iterations, so that the two compare.
  return elapsed.seconds * kFlop / bf16_peak_flop;
}

}  // namespace

void measure_gemm_tile(Run& run) {
  const OneCore pinned;
  const Device device = open_device("d1", 1);
  const Program program = device.load(bench_gemm_tile_program, "bench_gemm_tile");
  const Kernel pack = program.kernel("pack"), multiply = program.kernel("multiply"),
               unpack = program.kernel("unpack");
  const Grid grid = device.grid(1, 1);
  const LaunchOptions one_hart{.harts = 1};
  const std::vector<bf16> a = matrix_of_small_integers(kSize, 1),
                          b = matrix_of_small_integers(kSize, 2);
  const auto a_there = device.sharded<bf16>(a.size(), grid),
             b_there = device.sharded<bf16>(b.size(), grid);
  const auto c_there = device.sharded<float>(kSize * kSize, grid);
  Stream stream = device.stream();
  stream.copy_in(a_there, a);
  stream.copy_in(b_there, b);
  pack.launch(stream, grid, one_hart, a_there, b_there);
  stream.synchronize();

  std::vector<Way> ways{[&](std::uint64_t iterations) {
    Launch launch;
    const Elapsed elapsed = time([&] {
      launch = multiply.launch(stream, grid, one_hart, iterations);
      launch.wait(std::chrono::minutes(10));
    });
    require(launch.report().matrix_cycles == iterations * kMatrixCycles,
            fmt::format("{} products took {} matrix cycles.", iterations,
                        launch.report().matrix_cycles));
    return elapsed.seconds;
  }};
  if (has_bf16_instruction()) ways.emplace_back(run_peak);
  const std::vector<std::vector<double>> seconds = measure_ways(run, ways);

  std::vector<float> c(kSize * kSize);
  unpack.launch(stream, grid, one_hart, c_there);
  stream.copy_out(std::span(c), c_there);
  stream.synchronize();
  require(is_product(a, b, c, kSize), "The product from a node's SRAM is wrong.");
  Record record{.name = "gemm.bf16.tile",
                .value = kFlop * 1e-9 / median(seconds[0]),
                .unit = "GFLOP/s",
                .nodes = kOneNode};
  if (ways.size() > 1) {
    record.reference = kFlop * 1e-9 / median(seconds[1]);
    record.ratio = median_speed(seconds[0], seconds[1]);
    record.note = "against independent vdpbf16ps";
  }
  run.report(record);
}

}  // namespace d1::bench
