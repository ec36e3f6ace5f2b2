// SPDX-License-Identifier: Apache-2.0
#include "bench.hpp"
#include "forms.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>

namespace d1::bench {

Run::Run(Format format, Effort effort, const std::string& filter)
    : format_(format), effort_(effort) {
  if (!filter.empty()) filter_.emplace(filter);
}

bool Run::wanted(const Case& which) const {
  return !filter_ || std::regex_search(which.name, *filter_) ||
         std::regex_search(fmt::format("{}/{}", which.name, which.nodes), *filter_);
}

void Run::report(const Record& record) {
  if (!wanted({record.name, record.nodes})) return;
  const auto optional = [](const std::optional<double>& value, const char* none) {
    return value ? fmt::format("{:.6g}", *value) : none;
  };
  if (format_ == Format::Json) {
    fmt::print(R"({{"name":"{}","value":{:.6g},"unit":"{}","nodes":{},"reference":{},"ratio":{}}})"
               "\n",
               record.name, record.value, record.unit, record.nodes,
               optional(record.reference, "null"), optional(record.ratio, "null"));
  } else {
    constexpr auto kRow = "{:<24} {:>6} {:>11} {:<7} {:>11} {:>6}  {}\n";
    if (!heading_printed_)
      fmt::print(kRow, "name", "nodes", "value", "unit", "reference", "ratio", "remarks");
    heading_printed_ = true;
    fmt::print(kRow, record.name, record.nodes, fmt::format("{:.5g}", record.value), record.unit,
               record.reference ? fmt::format("{:.5g}", *record.reference) : "-",
               record.ratio ? fmt::format("{:.3f}", *record.ratio) : "-", record.note);
  }
  std::fflush(stdout);
}

std::span<const Benchmark> benchmarks() {
  static const std::vector<Benchmark> all{
      {"scalar instructions retired a second, all nodes together, and the quantum used",
       {{"mips.scalar", kOneNode},
        {"mips.scalar", 8},
        {"mips.scalar", 80},
        {"mips.scalar", kDieNodes},
        {"mips.scalar", kTileNodes},
        {"mips.quantum", kDieNodes},
        {"mips.quantum", kTileNodes}},
       measure_mips},
      {"one node of a tile works while all others wait in the kernel, against one alone",
       {{"mips.idle", kTileNodes}},
       measure_idle},
      {"the host thread that retires the fewest instructions, against an equal share",
       {{"threads.balance", kDieNodes}},
       measure_balance},
      {"launch an empty kernel and wait for it, on all harts and on one a node",
       {{"launch.empty", kOneNode},
        {"launch.empty", kDieNodes},
        {"launch.empty", kTileNodes},
        {"launch.empty.one_hart", kDieNodes},
        {"launch.empty.one_hart", kTileNodes}},
       measure_launch},
      {"what all nodes of a die do with each other: barriers, all-reduces, puts to neighbours",
       {{"barrier.die", kDieNodes}, {"reduce.die", kDieNodes}, {"noc.put", kDieNodes}},
       measure_grid},
      {"copies of 64 MiB through the queue, against memcpy",
       {{"copy.h2d.hbm", kDieNodes},
        {"copy.d2h.hbm", kDieNodes},
        {"copy.h2d.sram", kDieNodes},
        {"copy.d2h.sram", kDieNodes},
        {"copy.h2d.hbm.malloc", kDieNodes},
        {"copy.d2h.hbm.malloc", kDieNodes},
        {"copy.h2d.sram.malloc", kDieNodes},
        {"copy.d2h.sram.malloc", kDieNodes},
        {"copy.h2d.hbm.cold", kDieNodes},
        {"copy.d2h.hbm.cold", kDieNodes},
        {"copy.h2d.sram.cold", kDieNodes},
        {"copy.d2h.sram.cold", kDieNodes}},
       measure_copies},
      {"1 GiB of a file in the page cache into HBM, against io_uring into plain memory",
       {{"file.read", kDieNodes}, {"file.read.plain", kDieNodes}},
       measure_file},
      {"open a device in a fresh process, and what the process has resident then",
       {{"open", kDieNodes},
        {"open.memory", kDieNodes},
        {"open", kTileNodes},
        {"open.memory", kTileNodes}},
       measure_open},
      {"a device in another process",
       {{"launch.empty.vfio_user", kOneNode},
        {"launch.empty.vfio_user.eventfd", kOneNode},
        {"launch.rate.vfio_user", 8},
        {"copy.h2d.vfio_user", kDieNodes},
        {"copy.h2d.vfio_user.malloc", kDieNodes},
        {"copy.d2h.vfio_user", kDieNodes},
        {"copy.d2h.vfio_user.malloc", kDieNodes},
        {"peek.vfio_user", kOneNode},
        {"peek.vfio_user.in_band", kOneNode},
        {"attach.vfio_user", kDieNodes}},
       measure_vfio_user},
      {"what each node adds to the process by its first empty kernel, page tables included",
       {{"memory.node", kTileNodes}},
       measure_node_memory},
      {"the BF16 matrix product of 1024 x 1024 x 1024",
       {{"gemm.bf16", kDieNodes},
        {"gemm.bf16.inner", kDieNodes},
        {"gemm.bf16.whole", kDieNodes},
        {"gemm.bf16.balance", kDieNodes}},
       measure_gemm},
      {"integer and scalar floating-point programs on one node, against the same natively",
       {{"cpu.coremark_like", kOneNode},
        {"cpu.coremark_like.qemu", kOneNode},
        {"cpu.sieve", kOneNode},
        {"cpu.sieve.qemu", kOneNode},
        {"cpu.sha256", kOneNode},
        {"cpu.sha256.qemu", kOneNode},
        {"cpu.matmul_f64", kOneNode},
        {"cpu.matmul_f64.qemu", kOneNode}},
       measure_cpu},
      {"vector programs on one node, against the same natively",
       {{"vec.saxpy", kOneNode},
        {"vec.saxpy.qemu", kOneNode},
        {"vec.gemm_f32", kOneNode},
        {"vec.gemm_f32.qemu", kOneNode},
        {"vec.gemm_f32_auto", kOneNode},
        {"vec.gemm_f32_auto.qemu", kOneNode}},
       measure_vector},
      {"plain loops that the compiler vectorises, on one node, against the same natively",
       form_cases(),
       measure_forms},
      {"a BF16 matrix product from the SRAM of one node, against the host's BF16 peak",
       {{"gemm.bf16.tile", kOneNode}},
       measure_gemm_tile},
      {"the BF16 matrix product of 2048 x 2048 x 2048 on a die, against oneDNN",
       {{"gemm.bf16.die", kDieNodes}, {"gemm.bf16.die.vectors", kDieNodes}},
       measure_gemm_die},
      {"the translating engine: instructions translated a second, host code for a byte of code",
       {{"translate", kOneNode}, {"translate.code", kOneNode}},
       measure_translation},
  };
  return all;
}

double median(std::vector<double> values) {
  require(!values.empty(), "A median was asked of no values.");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 != 0) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

Elapsed time(const std::function<void()>& work) {
  const auto cpu_seconds = [] {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  };
  const double cpu = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  work();
  const auto end = std::chrono::steady_clock::now();
  return {std::chrono::duration<double>(end - start).count(), cpu_seconds() - cpu};
}

void require(bool condition, const std::string& otherwise) {
  if (!condition) throw std::runtime_error(otherwise);
}

}  // namespace d1::bench
