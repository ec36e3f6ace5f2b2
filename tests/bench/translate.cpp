// SPDX-License-Identifier: Apache-2.0
// translate, translate.code: how fast the translating engine turns guest code into host code, and
// how much of it that becomes, over programs of all kinds: integers, floats, vectors, matrices,
// and what the SDK brings. Each runs once, as long as makes its loops hot, on a device of its own.
#include "bench.hpp"
#include "device.hpp"
#include "matrices.hpp"
#include "one_core.hpp"

#include <fmt/format.h>
#include <bench_coremark_like_program.hpp>
#include <bench_gemm_f32_auto_program.hpp>
#include <bench_gemm_f32_program.hpp>
#include <bench_matmul_f64_program.hpp>
#include <bench_matmul_program.hpp>
#include <bench_reduce_program.hpp>
#include <bench_saxpy_program.hpp>
#include <bench_sha256_program.hpp>
#include <bench_sieve_program.hpp>
#include <bench_stencil2d_program.hpp>
#include <bench_vector_add_program.hpp>

#include <algorithm>

namespace d1::bench {
namespace {

using Bytes = std::span<const std::byte>;

struct Translated {
  double instructions = 0, guest_bytes = 0, code_bytes = 0, seconds = 0;
  void operator+=(const Translated& other) {
    instructions += other.instructions;
    guest_bytes += other.guest_bytes;
    code_bytes += other.code_bytes;
    seconds += other.seconds;
  }
};

Translated translated_by(const Device& device) {
  const Statistics statistics = device.statistics();
  const auto of = [&statistics](const char* name) {
    return number_of(statistics, "translation", name);
  };
  require(of("regions") > 0, "Nothing was translated: this host has no support for it.");
  return {of("guest_instructions"), of("guest_bytes"), of("code_bytes"),
          of("host_time_ms") * 1e-3};
}

// A program of programs/, whose result is the same however often it iterates.
void run_program(const Device& device, Bytes elf) {
  const Grid grid = device.grid(1, 1);
  const Kernel kernel = device.load(elf, "program").kernel("run");
  const auto result = device.sharded<std::uint64_t>(1, grid);
  Stream stream = device.stream();
  std::uint64_t results[2];
  for (std::uint64_t i = 0; i < 2; ++i) {
    kernel.launch(stream, grid, {.harts = 1}, result, i + 1).wait(std::chrono::minutes(10));
    stream.copy_out(std::span(&results[i], 1), result).wait();
  }
  require(results[0] == results[1], "A program gives another result when it runs again.");
}

constexpr std::size_t kElements = 20'000;  // for 16 nodes

void run_vector_add(const Device& device, Bytes elf) {
  const Grid grid = device.grid(4, 4);
  const Kernel kernel = device.load(elf, "vector_add").kernel("vector_add");
  const auto a = device.sharded<float>(kElements, grid), c = device.sharded<float>(kElements, grid);
  Stream stream = device.stream();
  stream.fill(a, 1.5f);
  kernel(stream, grid, a, a, c);
  std::vector<float> sums(kElements);
  stream.copy_out(std::span(sums), c).wait();
  require(std::ranges::count(sums, 3.0f) == kElements, "1.5 + 1.5 is not 3 everywhere.");
}

void run_reduce(const Device& device, Bytes elf) {
  const Grid grid = device.grid(4, 4);
  const Kernel kernel = device.load(elf, "reduce").kernel("reduce");
  const auto values = device.sharded<float>(kElements, grid);
  const auto total = device.replicated<float>(1, grid);
  Stream stream = device.stream();
  stream.fill(values, 0.5f);
  kernel(stream, grid, values, total);
  float sum = 0;
  stream.copy_out(std::span(&sum, 1), total).wait();
  require(sum == 0.5f * kElements, "The sum of all halves is wrong.");
}

void run_stencil(const Device& device, Bytes elf) {
  constexpr std::size_t kColumns = 64, kRowsOfNode = 12, kNodes = 16;
  const Grid grid = device.grid(4, 4);
  const Kernel kernel = device.load(elf, "stencil2d").kernel("stencil2d");
  const std::size_t elements = kColumns * kRowsOfNode * kNodes;
  const auto field = device.sharded<float>(elements, grid),
             next = device.sharded<float>(elements, grid);
  Stream stream = device.stream();
  stream.fill(field, 2.0f);
  stream.fill(next, 2.0f);
  kernel(stream, grid, field, next, kColumns, 10);
  std::vector<float> plate(elements);
  stream.copy_out(std::span(plate), field).wait();
  require(std::ranges::count(plate, 2.0f) == static_cast<std::ptrdiff_t>(elements),
          "An even plate did not stay even.");
}

void run_matmul(const Device& device, Bytes elf) {
  constexpr std::size_t kSize = 256;
  const Grid grid = device.grid(4, 4);
  const Kernel kernel = device.load(elf, "matmul").kernel("matmul");
  const std::vector<bf16> a = matrix_of_small_integers(kSize, 1),
                          b = matrix_of_small_integers(kSize, 2);
  const auto a_there = device.hbm<bf16>(a.size()), b_there = device.hbm<bf16>(b.size());
  const auto c_there = device.hbm<float>(kSize * kSize);
  Stream stream = device.stream();
  stream.copy_in(a_there, a);
  stream.copy_in(b_there, b);
  kernel(stream, grid, a_there, b_there, c_there, kSize, kSize, kSize);
  std::vector<float> c(kSize * kSize);
  stream.copy_out(std::span(c), c_there).wait();
  require(is_product(a, b, c, kSize), "The product of two matrices is wrong.");
}

struct Subject {
  Bytes elf;
  void (*run)(const Device& device, Bytes elf);
};

Translated translate_all() {
  const Subject subjects[] = {{bench_coremark_like_program, run_program},
                              {bench_sieve_program, run_program},
                              {bench_sha256_program, run_program},
                              {bench_matmul_f64_program, run_program},
                              {bench_saxpy_program, run_program},
                              {bench_gemm_f32_program, run_program},
                              {bench_gemm_f32_auto_program, run_program},
                              {bench_vector_add_program, run_vector_add},
                              {bench_reduce_program, run_reduce},
                              {bench_stencil2d_program, run_stencil},
                              {bench_matmul_program, run_matmul}};
  Translated all;
  for (const Subject& subject : subjects) {
    DeviceOptions options;
    options.transport = "in-process";
    options.machine = "d1";
    options.threads = 1;
    options.engine = "dbt";
    const Device device = Device::open(options);
    subject.run(device, subject.elf);
    all += translated_by(device);
  }
  return all;
}

}  // namespace

void measure_translation(Run& run) {
  const OneCore pinned;
  std::vector<double> speeds;
  Translated last;
  for (int round = run.pick(9, 1); round > 0; --round) {
    last = translate_all();
    speeds.push_back(last.instructions / last.seconds);
  }
  run.report({.name = "translate",
              .value = median(speeds) * 1e-6,
              .unit = "M instructions/s",
              .nodes = kOneNode,
              .note = fmt::format("{:.0f} instructions in {:.1f} ms", last.instructions,
                                  last.instructions / median(speeds) * 1e3)});
  run.report({.name = "translate.code",
              .value = last.code_bytes / last.guest_bytes,
              .unit = "B/B",
              .nodes = kOneNode,
              .note = fmt::format("{:.0f} bytes of host code for {:.0f} of the guest's",
                                  last.code_bytes, last.guest_bytes)});
}

}  // namespace d1::bench
