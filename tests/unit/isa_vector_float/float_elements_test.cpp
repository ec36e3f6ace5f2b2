// SPDX-License-Identifier: Apache-2.0
// Element-wise floating point against the reference: all widths, group sizes, masks, lengths and
// rounding modes, results and flags bit by bit, and every register that must not change.
#include <algorithm>

#include "float_reference.hpp"

namespace d1::isa::test {
namespace {

constexpr std::uint64_t kSeed = 20240611;
constexpr int kTrials = 24;  // for each width, group size and rounding mode

[[nodiscard]] unsigned width_log2(Width width, unsigned sew_log2) {
  return width == Width::TwiceSew ? sew_log2 + 1 : sew_log2;
}

// The scalar operand: mostly NaN-boxed, now and then not; `nan` is what counts then.
std::uint64_t set_scalar(VectorMachine& machine, unsigned number, unsigned sew_log2,
                         std::uint64_t nan) {
  const std::uint64_t value = machine.random_float(sew_log2);
  if (sew_log2 == 6) return machine.hart.f[number] = value;
  const std::uint64_t box = ~std::uint64_t{0} << (1U << sew_log2);
  const bool boxed = machine.random() % 8 != 0;
  machine.hart.f[number] = boxed ? value | box : value;
  return boxed ? value : nan;
}

std::uint64_t element_of(const VectorRegisters& registers, Width width, unsigned reg,
                         unsigned sew_log2, unsigned index) {
  if (width == Width::Mask) return get_bit(registers, reg, index);
  return get(registers, reg, width_log2(width, sew_log2), index);
}

void one_trial(VectorMachine& machine, const FloatCase& test, unsigned sew, int lmul,
               unsigned frm) {
  Hart& hart = machine.hart;
  machine.set_type(sew, lmul, 0);
  hart.vl = machine.random_length();
  if (machine.random() % 8 == 0) hart.vstart = machine.random() % (hart.vl + 2);
  // BF16 values are the upper halves of F32 ones.
  const bool twice =
      test.vs2 == Width::TwiceSew || (test.vd == Width::TwiceSew && machine.random() % 2 != 0);
  machine.tame = machine.random() % 3 == 0;
  machine.fill_floats(std::max(4U, twice ? sew + 1 : sew));
  hart.frm = static_cast<std::uint8_t>(frm);
  hart.fflags = static_cast<std::uint8_t>(machine.random() % 8 == 0 ? kDz : 0);
  const Masked masked = machine.random() % 2 != 0 ? Masked::Yes : Masked::No;
  Numbers numbers;
  if (test.vd == test.vs2 && machine.random() % 4 == 0) numbers.rd = numbers.rs2;
  if (test.vd == Width::Sew && machine.random() % 4 == 0) numbers.rs1 = numbers.rd;
  std::uint64_t scalar = 0;
  if (test.first == First::Scalar) scalar = set_scalar(machine, numbers.rs1, sew, test.nan(sew));

  VectorRegisters wanted = machine.registers;
  FloatContext context{static_cast<RoundingMode>(frm), hart.fflags};
  for (unsigned i = static_cast<unsigned>(hart.vstart); i < hart.vl; ++i) {
    if (masked == Masked::Yes && !get_bit(machine.registers, 0, i)) continue;
    const std::uint64_t one = test.first == First::Scalar ? scalar
                              : test.first == First::None
                                  ? 0
                                  : get(machine.registers, numbers.rs1, sew, i);
    const std::uint64_t result =
        test.reference(context, sew, element_of(machine.registers, test.vs2, numbers.rs2, sew, i),
                       one, element_of(machine.registers, test.vd, numbers.rd, sew, i));
    if (test.vd == Width::Mask)
      put_bit(wanted, numbers.rd, i, result != 0);
    else
      put(wanted, numbers.rd, width_log2(test.vd, sew), i, result);
  }
  ASSERT_EQ(machine.run(test.run, numbers, masked), Outcome::Next);
  ASSERT_TRUE(same(machine.registers, wanted)) << (masked == Masked::Yes ? "masked" : "unmasked");
  ASSERT_EQ(unsigned{hart.fflags}, unsigned{context.flags});
  ASSERT_EQ(hart.vstart, 0u);
}

class FloatElements : public testing::TestWithParam<FloatCase> {};

TEST_P(FloatElements, AgreeWithTheReferenceInEveryWidthGroupMaskLengthAndRounding) {
  const FloatCase& test = GetParam();
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  VectorMachine machine(kSeed);
  const bool wide = test.vd == Width::TwiceSew || test.vs2 == Width::TwiceSew;
  for (unsigned sew = test.least_sew_log2; sew <= test.most_sew_log2; ++sew)
    for (int lmul = static_cast<int>(sew) - 6; lmul <= (wide ? 2 : 3); ++lmul)
      for (unsigned frm = 0; frm <= 4; ++frm)
        for (int trial = 0; trial < kTrials; ++trial) {
          SCOPED_TRACE("SEW " + std::to_string(1U << sew) + ", log2 LMUL " + std::to_string(lmul) +
                       ", frm " + std::to_string(frm) + ", trial " + std::to_string(trial));
          ASSERT_NO_FATAL_FAILURE(one_trial(machine, test, sew, lmul, frm));
        }
}

std::string case_name(const testing::TestParamInfo<FloatCase>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Arithmetic, FloatElements, testing::ValuesIn(arithmetic_cases()),
                         case_name);
INSTANTIATE_TEST_SUITE_P(Conversions, FloatElements, testing::ValuesIn(conversion_cases()),
                         case_name);

}  // namespace
}  // namespace d1::isa::test
