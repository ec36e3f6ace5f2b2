// SPDX-License-Identifier: Apache-2.0
// The packet kernels of all levels this host can run give the same bits, flags and verdicts.
#include <d1/isa/float_environment.hpp>
#include <semantics/vector_float_kernels.hpp>

#include "vector_machine.hpp"

namespace d1::isa::test {
namespace {

using vector_float::Kernels;
using vector_float::LaneKernels;
using vector_float::PacketStream;

constexpr std::uint64_t kSeed = 19;
constexpr unsigned kPackets = 8, kTrials = 300;

std::vector<const Kernels*> runnable_levels() {
  std::vector<const Kernels*> levels = {&vector_float::kKernelsBaseline};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    levels.push_back(&vector_float::kKernelsV3);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    levels.push_back(&vector_float::kKernelsV4);
  return levels;
}

struct Result {
  std::vector<VectorRegisters> registers;
  std::vector<unsigned> flags;
};

// Runs every kernel of a level on the same operands.
Result run_all(VectorMachine& machine, const LaneKernels& kernels, RoundingMode mode) {
  Result result;
  const VectorRegisters before = machine.registers;
  const PacketStream a{before.bytes[16], kVlenBytes}, splat{before.bytes[24], 0},
      b{before.bytes[24], kVlenBytes}, c{before.bytes[8], kVlenBytes};
  const auto record = [&](auto&& kernel) {
    machine.registers = before;
    machine.hart.frm = static_cast<std::uint8_t>(mode);
    machine.hart.fflags = 0;
    bool invalid = false;
    {
      FloatScope scope(machine.hart, kDynamic);
      invalid = kernel(machine.registers.bytes[8]);
    }
    result.registers.push_back(machine.registers);
    result.flags.push_back(machine.hart.fflags | (invalid ? 0x100U : 0U));
  };
  for (const auto kernel : {kernels.add, kernels.subtract, kernels.multiply, kernels.divide})
    for (const PacketStream& right : {b, splat})
      record([&](std::uint8_t* out) { return kernel(out, a, right, kPackets), false; });
  record([&](std::uint8_t* out) { return kernels.square_root(out, a, kPackets), false; });
  for (const auto kernel : kernels.fused)
    if (kernel != nullptr)
      for (const PacketStream& right : {b, splat})
        record([&](std::uint8_t* out) { return kernel(out, a, right, c, kPackets); });
  return result;
}

TEST(VectorFloatKernels, AllLevelsOfHostAgree) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  const auto levels = runnable_levels();
  if (levels.size() < 2) GTEST_SKIP() << "this host runs the baseline only";
  VectorMachine machine(kSeed);
  for (unsigned trial = 0; trial < kTrials; ++trial)
    for (const unsigned width : {5U, 6U}) {
      machine.fill_floats(width);
      const auto mode = static_cast<RoundingMode>(trial % 4);
      const VectorRegisters before = machine.registers;
      const auto of = [&](const Kernels& level) -> const LaneKernels& {
        return width == 5 ? level.f32 : level.f64;
      };
      const Result best = run_all(machine, of(*levels.back()), mode);
      for (const Kernels* level : levels) {
        machine.registers = before;
        const Result other = run_all(machine, of(*level), mode);
        for (std::size_t i = 0; i < other.registers.size(); ++i) {
          ASSERT_TRUE(same(other.registers[i], best.registers[i])) << "kernel " << i;
          ASSERT_EQ(other.flags[i], best.flags[i]) << "kernel " << i;
        }
      }
    }
}

}  // namespace
}  // namespace d1::isa::test
