// SPDX-License-Identifier: Apache-2.0
// The packet kernels of all levels this host can run give the same bits, flags and verdicts.
#include <d1/isa/float_environment.hpp>
#include <semantics/vector_float_kernels.hpp>

#include "float_reference.hpp"

namespace d1::isa::test {
namespace {

using vector_float::Kernels;
using vector_float::LaneKernels;
using vector_float::PacketStream;

constexpr std::uint64_t kSeed = 19;
constexpr unsigned kPackets = 8, kTrials = 300;

std::vector<const Kernels*> runnable_levels() {
  std::vector<const Kernels*> levels = {&vector_float::kKernelsBaseline};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("f16c"))
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

TEST(VectorFloatKernels, AllLevelsWidenExactlyAndReportSignalingNans) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  constexpr std::size_t kHalfPacket = kVlenBytes / 2;
  VectorMachine machine(kSeed);
  for (unsigned trial = 0; trial < kTrials; ++trial)
    for (const unsigned width : {5U, 6U}) {
      machine.fill_floats(width - 1);
      for (const Kernels* level : runnable_levels()) {
        const auto widen = (width == 5 ? level->f32 : level->f64).widen;
        if (widen == nullptr) continue;
        machine.hart.fflags = 0;
        VectorRegisters result{};
        {
          FloatScope scope(machine.hart, kDynamic);
          widen(result.bytes[0], {machine.registers.bytes[16], kHalfPacket}, 2);
        }
        FloatContext context;
        for (unsigned i = 0; i < 2 * (kVlenBits >> width); ++i) {
          const std::uint64_t narrow = get(machine.registers, 16, width - 1, i);
          const std::uint64_t wanted =
              width == 5 ? widened<F32, F16>(context, narrow) : widened<F64, F32>(context, narrow);
          const std::uint64_t got = get(result, 0, width, i);
          const bool nans = in_format(width, [&](auto f) {
            using F = decltype(f);
            return is_nan<F>(static_cast<BitsOf<F>>(got)) &&
                   is_nan<F>(static_cast<BitsOf<F>>(wanted));
          });
          ASSERT_TRUE(nans || got == wanted) << "element " << i;
        }
        ASSERT_EQ(unsigned{machine.hart.fflags}, unsigned{context.flags});
      }
    }
}

}  // namespace
}  // namespace d1::isa::test
