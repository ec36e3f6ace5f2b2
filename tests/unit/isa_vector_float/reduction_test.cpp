// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "float_reference.hpp"

namespace d1::isa::test {
namespace {

constexpr std::uint64_t kSeed = 13;
constexpr unsigned kTrials = 40;

using U = std::uint64_t;

// Combines the sum so far with one element: (SEW log2, sum, element).
using Combine = std::function<U(unsigned, U, U)>;

[[nodiscard]] std::int64_t extend(U value, unsigned width_log2) {
  const unsigned shift = 64 - (1U << width_log2);
  return static_cast<std::int64_t>(value << shift) >> shift;
}

// vd and vs1 are single registers, odd ones and shared ones too; v0 may be the destination.
Numbers random_numbers(VectorMachine& machine) {
  const unsigned destinations[] = {9, 0, 16, 25};
  return {.rd = destinations[machine.random() % 4], .rs1 = 25, .rs2 = 16};
}

void one_trial(VectorMachine& machine, Semantics run, unsigned sum_width, Masked masked,
               const Combine& combine) {
  Hart& hart = machine.hart;
  const unsigned sew = hart.vtype.sew_log2;
  const Numbers numbers = random_numbers(machine);
  VectorRegisters wanted = machine.registers;
  U sum = get(machine.registers, numbers.rs1, sum_width, 0);
  for (unsigned i = 0; i < hart.vl; ++i)
    if (masked == Masked::No || get_bit(machine.registers, 0, i))
      sum = combine(sew, sum, get(machine.registers, numbers.rs2, sew, i));
  if (hart.vl != 0) put(wanted, numbers.rd, sum_width, 0, sum);
  ASSERT_EQ(machine.run(run, numbers, masked), Outcome::Next);
  ASSERT_TRUE(same(machine.registers, wanted));
}

struct IntegerReduction {
  const char* name;
  Semantics run;
  Combine combine;
};

TEST(VectorReduction, IntegerReductionsCombineTheScalarWithAllActiveElements) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  const auto less = [](unsigned w, U a, U b) { return extend(a, w) < extend(b, w); };
  const auto cut = [](unsigned w, U a) { return w == 6 ? a : a & ((U{1} << (1U << w)) - 1); };
  const IntegerReduction all[] = {
      {"sum", exec::vredsum_vs, [](unsigned, U a, U b) { return a + b; }},
      {"and", exec::vredand_vs, [](unsigned, U a, U b) { return a & b; }},
      {"or", exec::vredor_vs, [](unsigned, U a, U b) { return a | b; }},
      {"xor", exec::vredxor_vs, [](unsigned, U a, U b) { return a ^ b; }},
      {"minu", exec::vredminu_vs, [&](unsigned w, U a, U b) { return cut(w, a) < b ? a : b; }},
      {"maxu", exec::vredmaxu_vs, [&](unsigned w, U a, U b) { return cut(w, a) > b ? a : b; }},
      {"min", exec::vredmin_vs, [&](unsigned w, U a, U b) { return less(w, b, a) ? b : a; }},
      {"max", exec::vredmax_vs, [&](unsigned w, U a, U b) { return less(w, a, b) ? b : a; }}};
  VectorMachine machine(kSeed);
  for (const auto& test : all)
    for (unsigned sew = 3; sew <= 6; ++sew)
      for (int lmul = static_cast<int>(sew) - 6; lmul <= 3; ++lmul)
        for (unsigned i = 0; i < kTrials; ++i) {
          machine.set_type(sew, lmul, 0);
          machine.hart.vl = machine.random_length();
          machine.fill_bits();
          ASSERT_NO_FATAL_FAILURE(one_trial(machine, test.run, sew,
                                            i % 2 == 0 ? Masked::Yes : Masked::No, test.combine))
              << test.name << " SEW " << (1U << sew) << " log2 LMUL " << lmul;
        }
}

TEST(VectorReduction, WideningSumsExtendEachElement) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  const IntegerReduction all[] = {
      {"vwredsumu", exec::vwredsumu_vs, [](unsigned, U a, U b) { return a + b; }},
      {"vwredsum", exec::vwredsum_vs,
       [](unsigned w, U a, U b) { return a + static_cast<U>(extend(b, w)); }}};
  VectorMachine machine(kSeed);
  for (const auto& test : all)
    for (unsigned sew = 3; sew <= 5; ++sew)
      for (int lmul = static_cast<int>(sew) - 6; lmul <= 3; ++lmul)
        for (unsigned i = 0; i < kTrials; ++i) {
          machine.set_type(sew, lmul, 0);
          machine.hart.vl = machine.random_length();
          machine.fill_bits();
          ASSERT_NO_FATAL_FAILURE(one_trial(machine, test.run, sew + 1,
                                            i % 2 == 0 ? Masked::Yes : Masked::No, test.combine))
              << test.name << " SEW " << (1U << sew) << " log2 LMUL " << lmul;
        }
  machine.set_type(6, 0, 8);
  for (const Semantics run : {exec::vwredsum_vs, exec::vwredsumu_vs, exec::vfwredosum_vs})
    EXPECT_EQ(machine.run(run, {}, Masked::No), Outcome::Trap);
}

enum class Kind : std::uint8_t { Sum, Minimum, Maximum, WideningSum };

U combine_floats(FloatContext& context, Kind kind, unsigned sew, U sum, U next) {
  if (kind == Kind::WideningSum) {
    if (sew == 4)
      return integer_only::add<F32>(context, static_cast<std::uint32_t>(sum),
                                    widened<F32, F16>(context, next));
    return integer_only::add<F64>(context, sum, widened<F64, F32>(context, next));
  }
  return in_format(sew, [&](auto format) -> U {
    using F = decltype(format);
    const auto a = static_cast<BitsOf<F>>(sum), b = static_cast<BitsOf<F>>(next);
    if (kind == Kind::Minimum) return minimum<F>(context, a, b);
    if (kind == Kind::Maximum) return maximum<F>(context, a, b);
    return integer_only::add<F>(context, a, b);
  });
}

TEST(VectorReduction, FloatReductionsGoInOrderInEveryRoundingModeWithExactFlags) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  const struct {
    const char* name;
    Semantics run;
    Kind kind;
  } all[] = {{"vfredosum", exec::vfredosum_vs, Kind::Sum},
             {"vfredusum", exec::vfredusum_vs, Kind::Sum},
             {"vfredmin", exec::vfredmin_vs, Kind::Minimum},
             {"vfredmax", exec::vfredmax_vs, Kind::Maximum},
             {"vfwredosum", exec::vfwredosum_vs, Kind::WideningSum},
             {"vfwredusum", exec::vfwredusum_vs, Kind::WideningSum}};
  VectorMachine machine(kSeed);
  for (const auto& test : all)
    for (unsigned sew = 4; sew <= (test.kind == Kind::WideningSum ? 5U : 6U); ++sew)
      for (int lmul = static_cast<int>(sew) - 6; lmul <= 3; ++lmul)
        for (unsigned i = 0; i < kTrials; ++i) {
          machine.set_type(sew, lmul, 0);
          machine.hart.vl = machine.random_length();
          machine.hart.frm = static_cast<std::uint8_t>(i % 5);
          machine.hart.fflags = 0;
          machine.fill_floats(sew);
          FloatContext context{static_cast<RoundingMode>(i % 5), 0};
          const unsigned width = sew + (test.kind == Kind::WideningSum ? 1 : 0);
          ASSERT_NO_FATAL_FAILURE(
              one_trial(machine, test.run, width, i % 2 == 0 ? Masked::Yes : Masked::No,
                        [&](unsigned w, U sum, U next) {
                          return combine_floats(context, test.kind, w, sum, next);
                        }))
              << test.name << " SEW " << (1U << sew) << " log2 LMUL " << lmul;
          ASSERT_EQ(unsigned{machine.hart.fflags}, unsigned{context.flags}) << test.name;
        }
}

TEST(VectorReduction, WithoutActiveElementsTheScalarIsCopiedAsItIs) {
  constexpr std::uint32_t kSignaling = 0x7f800123;
  VectorMachine machine(kSeed);
  machine.set_type(5, 0, 16);
  put(machine.registers, 24, 5, 0, kSignaling);
  for (unsigned i = 0; i < 16; ++i) put_bit(machine.registers, 0, i, false);
  for (const Semantics run : {exec::vfredosum_vs, exec::vfredusum_vs, exec::vfredmin_vs,
                              exec::vfredmax_vs, exec::vredsum_vs}) {
    put(machine.registers, 8, 5, 0, 0);
    ASSERT_EQ(machine.run(run, {}, Masked::Yes), Outcome::Next);
    EXPECT_EQ(get(machine.registers, 8, 5, 0), kSignaling);
    EXPECT_EQ(machine.hart.fflags, 0);
  }
}

}  // namespace
}  // namespace d1::isa::test
