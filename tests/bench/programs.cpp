// SPDX-License-Identifier: Apache-2.0
// cpu.*, vec.*: programs of programs/ on one hart of one node, natively and, where it is there, on
// qemu-user, all on the same core of the host.
#include "device.hpp"
#include "one_core.hpp"
#include "process.hpp"
#include "ways.hpp"

#include <fmt/format.h>
#include <bench_coremark_like_program.hpp>
#include <bench_gemm_f32_auto_program.hpp>
#include <bench_gemm_f32_program.hpp>
#include <bench_matmul_f64_program.hpp>
#include <bench_saxpy_program.hpp>
#include <bench_sha256_program.hpp>
#include <bench_sieve_program.hpp>

#include <cstdio>
#include <optional>
#include <string>

extern "C" {
std::uint64_t d1_bench_coremark_like(std::uint64_t iterations);
std::uint64_t d1_bench_sieve(std::uint64_t iterations);
std::uint64_t d1_bench_sha256(std::uint64_t iterations);
std::uint64_t d1_bench_matmul_f64(std::uint64_t iterations);
std::uint64_t d1_bench_saxpy(std::uint64_t iterations);
std::uint64_t d1_bench_gemm_f32(std::uint64_t iterations);
std::uint64_t d1_bench_gemm_f32_auto(std::uint64_t iterations);
}

namespace d1::bench {
namespace {

struct Program {
  const char* group;
  const char* name;  // group.name is the record
  std::span<const std::byte> kernel;
  std::uint64_t (*native)(std::uint64_t iterations);
  std::optional<std::uint64_t> known_result{};  // computed by other means, see README.md
  double flop = 0;                              // of an iteration; 0: the record is its time

  [[nodiscard]] std::string record() const { return fmt::format("{}.{}", group, name); }
};

void require_result(const Program& program, const char* where, std::uint64_t result,
                    std::uint64_t expected) {
  require(result == expected, fmt::format("{} {} gives {}, and should give {}.", program.record(),
                                          where, result, expected));
}

Way natively(const Program& program, std::uint64_t expected) {
  return [&program, expected](std::uint64_t iterations) {
    std::uint64_t result = 0;
    const Elapsed elapsed = time([&] { result = program.native(iterations); });
    require_result(program, "natively", result, expected);
    return elapsed.seconds;
  };
}

class OnNode {
 public:
  OnNode(const Device& device, const Program& program, std::uint64_t expected)
      : program_(program),
        expected_(expected),
        grid_(device.grid(1, 1)),
        kernel_(device.load(program.kernel, program.name).kernel("run")),
        result_(device.sharded<std::uint64_t>(1, grid_)),
        stream_(device.stream()) {}

  double operator()(std::uint64_t iterations) {
    Launch launch;
    const Elapsed elapsed = time([&] {
      launch = kernel_.launch(stream_, grid_, {.harts = 1}, result_, iterations);
      launch.wait(std::chrono::minutes(10));
    });
    std::uint64_t result = 0;
    stream_.copy_out(std::span(&result, 1), result_).wait();
    require_result(program_, "on a node", result, expected_);
    mips_ = static_cast<double>(launch.instructions()) * 1e-6 / elapsed.seconds;
    return elapsed.seconds;
  }
  // In the last run.
  [[nodiscard]] double mips() const { return mips_; }

 private:
  const Program& program_;
  std::uint64_t expected_;
  Grid grid_;
  Kernel kernel_;
  Buffer<std::uint64_t> result_;
  Stream stream_;
  double mips_ = 0;
};

#ifdef D1_BENCH_QEMU
constexpr bool kHasQemu = true;
constexpr auto kQemu =
    D1_BENCH_QEMU " -cpu rv64,v=true,vlen=512,elen=64,vext_spec=v1.0 " D1_BENCH_GUESTS;
#else
constexpr bool kHasQemu = false;
constexpr auto kQemu = "";
#endif

// The program takes its time itself, so that the start of the process does not count.
Way on_qemu(const Program& program, std::uint64_t expected) {
  return [&program, expected](std::uint64_t iterations) {
    const std::string line =
        first_line_of(fmt::format("exec {}/{}.elf {}", kQemu, program.name, iterations));
    unsigned long result = 0, nanoseconds = 0;
    require(std::sscanf(line.c_str(), "%lu %lu", &result, &nanoseconds) == 2,
            fmt::format("{} on qemu-user reported '{}'.", program.record(), line));
    require_result(program, "on qemu-user", result, expected);
    return static_cast<double>(nanoseconds) * 1e-9;
  };
}

void measure_program(Run& run, const Device& device, const Program& program) {
  const std::uint64_t expected = program.native(1);
  if (program.known_result)
    require_result(program, "natively, once", expected, *program.known_result);
  OnNode node(device, program, expected);
  std::vector<Way> ways{std::ref(node), natively(program, expected)};
  if (kHasQemu) ways.push_back(on_qemu(program, expected));
  const std::vector<std::vector<double>> seconds = measure_ways(run, ways);
  const auto in_unit = [&program](std::span<const double> each) {
    const double middle = median({each.begin(), each.end()});
    return program.flop > 0 ? program.flop * 1e-9 / middle : middle * 1e3;
  };
  const auto report = [&](const char* suffix, std::size_t way, const std::string& note) {
    run.report({.name = program.record() + suffix,
                .value = in_unit(seconds[way]),
                .unit = program.flop > 0 ? "GFLOP/s" : "ms",
                .nodes = kOneNode,
                .reference = in_unit(seconds[1]),
                .ratio = median_speed(seconds[way], seconds[1]),
                .note = note});
  };
  std::string note = fmt::format("{:.0f} MIPS", node.mips());
  if (kHasQemu)
    note += fmt::format("; {:.2f} times qemu-user", median_speed(seconds[0], seconds[2]));
  report("", 0, note);
  if (kHasQemu) report(".qemu", 2, "the same program on qemu-user");
}

void measure(Run& run, std::span<const Program> programs) {
  const OneCore pinned;
  const Device device = open_device("d1", 1);
  for (const Program& program : programs) {
    if (run.wanted({program.record(), kOneNode}) ||
        run.wanted({program.record() + ".qemu", kOneNode}))
      measure_program(run, device, program);
  }
}

// Floating-point operations of the product of two square matrices.
constexpr double product_flop(double size) { return 2 * size * size * size; }

}  // namespace

void measure_cpu(Run& run) {
  const Program programs[] = {
      {"cpu", "coremark_like", bench_coremark_like_program, d1_bench_coremark_like},
      {"cpu", "sieve", bench_sieve_program, d1_bench_sieve, 78'498},
      {"cpu", "sha256", bench_sha256_program, d1_bench_sha256, 0x5fce37f34aec76b1},
      {"cpu", "matmul_f64", bench_matmul_f64_program, d1_bench_matmul_f64, 0xfff3273c1a606ab5},
  };
  measure(run, programs);
}

void measure_vector(Run& run) {
  constexpr double kSaxpyFlop = 2 * 3000 * 200;
  const Program programs[] = {
      {"vec", "saxpy", bench_saxpy_program, d1_bench_saxpy, 0x58f71cf389fff258, kSaxpyFlop},
      {"vec", "gemm_f32", bench_gemm_f32_program, d1_bench_gemm_f32, 0xe0c92fd2a77e7788,
       product_flop(256)},
      {"vec", "gemm_f32_auto", bench_gemm_f32_auto_program, d1_bench_gemm_f32_auto,
       0xe0c92fd2a77e7788, product_flop(256)},
  };
  measure(run, programs);
}

}  // namespace d1::bench
