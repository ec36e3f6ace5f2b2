// SPDX-License-Identifier: Apache-2.0
// gemm.bf16.die: the matrix product of the main job on a whole die, from HBM to HBM, all cores of
// the host, against oneDNN's of the same matrices; .vectors: against oneDNN without the matrix unit
// (AMX) that some hosts have, so with the instructions that ours uses.
#include "bench.hpp"
#include "device.hpp"
#include "matrices.hpp"
#include "process.hpp"
#include "ways.hpp"

#include <fmt/format.h>
#include <bench_matmul_program.hpp>

#include <cstdio>

namespace d1::bench {
namespace {

constexpr std::size_t kSize = 2048;
constexpr double kFlop = 2.0 * kSize * kSize * kSize;

#ifdef D1_BENCH_ONEDNN
constexpr bool kHasOneDnn = true;
constexpr auto kOneDnn = D1_BENCH_ONEDNN;
#else
constexpr bool kHasOneDnn = false;
constexpr auto kOneDnn = "";
#endif

constexpr auto kWithoutMatrixUnit = "ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16";

// Seconds of oneDNN's product, whose result must be the same.
double run_onednn(std::uint64_t expected_sum, const char* environment) {
  const std::string line =
      first_line_of(fmt::format("exec env {} '{}' {}", environment, kOneDnn, kSize));
  unsigned long sum = 0;
  double seconds = 0;
  require(std::sscanf(line.c_str(), "%lu %lf", &sum, &seconds) == 2,
          fmt::format("oneDNN's program reported '{}'.", line));
  require(sum == expected_sum, "The product of oneDNN differs from the die's.");
  return seconds;
}

}  // namespace

void measure_gemm_die(Run& run) {
  const Device device = open_device("d1");
  const Kernel kernel = device.load(bench_matmul_program, "matmul").kernel("matmul");
  const std::vector<bf16> a = matrix_of_small_integers(kSize, 1),
                          b = matrix_of_small_integers(kSize, 2);
  const auto a_there = device.hbm<bf16>(a.size()), b_there = device.hbm<bf16>(b.size());
  const auto c_there = device.hbm<float>(kSize * kSize);
  Stream stream = device.stream();
  stream.copy_in(a_there, a);
  stream.copy_in(b_there, b);
  const auto multiply = [&] {
    return time([&] {
      kernel(stream, device.all(), a_there, b_there, c_there, kSize, kSize, kSize)
          .wait(std::chrono::minutes(10));
    });
  };
  for (int i = 0; i < 2; ++i) (void)multiply();  // warm: code, then memory in huge pages
  std::vector<float> c(kSize * kSize);
  stream.copy_out(std::span(c), c_there).wait();
  require(is_product(a, b, c, kSize), "The product of the die is wrong.");
  const std::uint64_t sum = sum_of_integers(c.data(), c.size());

  const double enough_seconds = run.pick(2.0, 0.0);
  const std::size_t most = 15;
  std::vector<double> times, cpu_times, reference_times, vector_times;
  for (double spent = 0; times.empty() || (spent < enough_seconds && times.size() < most);) {
    const Elapsed elapsed = multiply();
    spent += elapsed.seconds;
    times.push_back(elapsed.seconds);
    cpu_times.push_back(elapsed.cpu_seconds);
    if (!kHasOneDnn) continue;
    reference_times.push_back(run_onednn(sum, ""));
    vector_times.push_back(run_onednn(sum, kWithoutMatrixUnit));
  }
  Record record{.name = "gemm.bf16.die",
                .value = kFlop * 1e-9 / median(times),
                .unit = "GFLOP/s",
                .nodes = kDieNodes,
                .note = fmt::format("{:.0f} ms, {:.0f} of CPU time", median(times) * 1e3,
                                    median(cpu_times) * 1e3)};
  if (kHasOneDnn) {
    record.reference = kFlop * 1e-9 / median(reference_times);
    record.ratio = median_speed(times, reference_times);
    record.note += "; against oneDNN";
  }
  run.report(record);
  if (!kHasOneDnn) return;
  record.name = "gemm.bf16.die.vectors";
  record.reference = kFlop * 1e-9 / median(vector_times);
  record.ratio = median_speed(times, vector_times);
  record.note += " without AMX";
  run.report(record);
}

}  // namespace d1::bench
