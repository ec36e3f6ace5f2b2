// SPDX-License-Identifier: Apache-2.0
#include "vector_machine.hpp"

namespace d1::isa::test {
namespace {

constexpr std::uint64_t kSeed = 11;
constexpr unsigned kTrials = 40;

template <typename Trial>
void in_every_type(unsigned least_sew, Trial trial) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  VectorMachine machine(kSeed);
  for (unsigned sew = least_sew; sew <= 6; ++sew)
    for (int lmul = static_cast<int>(sew) - 6; lmul <= 3; ++lmul)
      for (unsigned i = 0; i < kTrials; ++i) {
        SCOPED_TRACE("SEW " + std::to_string(1U << sew) + ", log2 LMUL " + std::to_string(lmul) +
                     ", trial " + std::to_string(i));
        machine.set_type(sew, lmul, 0);
        machine.hart.vl = machine.random_length();
        if (i % 7 == 0) machine.hart.vstart = machine.random() % (machine.hart.vl + 1);
        machine.fill_bits();
        ASSERT_NO_FATAL_FAILURE(trial(machine, i % 2 == 0 ? Masked::Yes : Masked::No));
      }
}

// Runs and compares with vd[i] = value(i) for the active elements from `first` on.
template <typename Value>
void expect_elements(VectorMachine& machine, Semantics run, const Numbers& numbers, Masked masked,
                     std::uint64_t first, Value value) {
  Hart& hart = machine.hart;
  VectorRegisters wanted = machine.registers;
  for (std::uint64_t i = std::max(first, hart.vstart); i < hart.vl; ++i)
    if (masked == Masked::No || get_bit(machine.registers, 0, static_cast<unsigned>(i)))
      put(wanted, numbers.rd, hart.vtype.sew_log2, i, value(i));
  ASSERT_EQ(machine.run(run, numbers, masked), Outcome::Next);
  ASSERT_TRUE(same(machine.registers, wanted)) << (masked == Masked::Yes ? "masked" : "unmasked");
  ASSERT_EQ(hart.vstart, 0u);
}

[[nodiscard]] std::uint64_t random_offset(VectorMachine& machine) {
  switch (machine.random() % 8) {
    case 0:
      return machine.random();
    case 1:
      return 0;
    default:
      return machine.random() % (vlmax(machine.hart.vtype) + 2);
  }
}

TEST(VectorPermute, SlideUpMovesElementsAndKeepsThoseBelowTheOffset) {
  in_every_type(3, [](VectorMachine& machine, Masked masked) {
    const std::uint64_t offset = random_offset(machine);
    machine.hart.x[7] = offset;
    const VectorRegisters before = machine.registers;
    const unsigned sew = machine.hart.vtype.sew_log2;
    expect_elements(machine, exec::vslideup_vx, {.rs1 = 7}, masked, offset,
                    [&](std::uint64_t i) { return get(before, 16, sew, i - offset); });
  });
}

TEST(VectorPermute, SlideDownMovesElementsAndBringsZerosFromBeyondTheGroup) {
  in_every_type(3, [](VectorMachine& machine, Masked masked) {
    const std::uint64_t offset = random_offset(machine);
    machine.hart.x[7] = offset;
    const VectorRegisters before = machine.registers;
    const unsigned sew = machine.hart.vtype.sew_log2;
    const std::uint64_t limit = vlmax(machine.hart.vtype);
    const unsigned rd = machine.random() % 3 == 0 ? 16 : 8;  // may be the source
    expect_elements(
        machine, exec::vslidedown_vx, {.rd = rd, .rs1 = 7}, masked, 0, [&](std::uint64_t i) {
          return offset < limit && i < limit - offset ? get(before, 16, sew, i + offset) : 0;
        });
  });
}

TEST(VectorPermute, ImmediateSlidesUseTheFieldAsOffset) {
  in_every_type(3, [](VectorMachine& machine, Masked masked) {
    const auto offset = static_cast<unsigned>(machine.random() % 32);
    const VectorRegisters before = machine.registers;
    const unsigned sew = machine.hart.vtype.sew_log2;
    expect_elements(machine, exec::vslideup_vi, {.rs1 = offset}, masked, offset,
                    [&](std::uint64_t i) { return get(before, 16, sew, i - offset); });
    machine.registers = before;
    expect_elements(machine, exec::vslidedown_vi, {.rs1 = offset}, masked, 0, [&](std::uint64_t i) {
      return i + offset < vlmax(machine.hart.vtype) ? get(before, 16, sew, i + offset) : 0;
    });
  });
}

TEST(VectorPermute, SlidesByOneBringInTheScalar) {
  in_every_type(3, [](VectorMachine& machine, Masked masked) {
    const VectorRegisters before = machine.registers;
    const unsigned sew = machine.hart.vtype.sew_log2;
    const std::uint64_t length = machine.hart.vl, scalar = machine.hart.x[7];
    const auto up = [&](std::uint64_t i) { return i == 0 ? scalar : get(before, 16, sew, i - 1); };
    expect_elements(machine, exec::vslide1up_vx, {.rs1 = 7}, masked, 0, up);
    machine.registers = before;
    const auto down = [&](std::uint64_t i) {
      return i + 1 == length ? scalar : get(before, 16, sew, i + 1);
    };
    expect_elements(machine, exec::vslide1down_vx, {.rs1 = 7}, masked, 0, down);
  });
}

TEST(VectorPermute, FloatSlidesByOneCheckTheNanBox) {
  in_every_type(4, [](VectorMachine& machine, Masked masked) {
    const unsigned sew = machine.hart.vtype.sew_log2;
    const VectorRegisters before = machine.registers;
    const std::uint64_t length = machine.hart.vl, value = machine.random_float(sew);
    const bool boxed = sew == 6 || machine.random() % 2 != 0;
    machine.hart.f[7] = boxed && sew < 6 ? value | ~std::uint64_t{0} << (1U << sew) : value;
    const std::uint64_t scalar =
        boxed ? value : in_format(sew, [](auto f) -> std::uint64_t { return decltype(f)::kNan; });
    expect_elements(machine, exec::vfslide1up_vf, {.rs1 = 7}, masked, 0,
                    [&](std::uint64_t i) { return i == 0 ? scalar : get(before, 16, sew, i - 1); });
    machine.registers = before;
    expect_elements(machine, exec::vfslide1down_vf, {.rs1 = 7}, masked, 0, [&](std::uint64_t i) {
      return i + 1 == length ? scalar : get(before, 16, sew, i + 1);
    });
  });
}

TEST(VectorPermute, GathersReadZeroBeyondTheGroup) {
  in_every_type(3, [](VectorMachine& machine, Masked masked) {
    const unsigned sew = machine.hart.vtype.sew_log2, limit = vlmax(machine.hart.vtype);
    for (unsigned i = 0; i < limit; ++i)  // most indices in range
      if (machine.random() % 4 != 0)
        put(machine.registers, 24, sew, i, machine.random() % (limit + 1));
    const VectorRegisters before = machine.registers;
    const auto at = [&](std::uint64_t from) {
      return from < limit ? get(before, 16, sew, from) : 0;
    };
    expect_elements(machine, exec::vrgather_vv, {}, masked, 0,
                    [&](std::uint64_t i) { return at(get(before, 24, sew, i)); });
    machine.registers = before;
    machine.hart.x[7] = random_offset(machine);
    expect_elements(machine, exec::vrgather_vx, {.rs1 = 7}, masked, 0,
                    [&](std::uint64_t) { return at(machine.hart.x[7]); });
    machine.registers = before;
    expect_elements(machine, exec::vrgather_vi, {.rs1 = 21}, masked, 0,
                    [&](std::uint64_t) { return at(21); });
  });
}

TEST(VectorPermute, GatherWith16BitIndicesNeedsAnIndexGroupThatExists) {
  in_every_type(3, [](VectorMachine& machine, Masked masked) {
    const unsigned sew = machine.hart.vtype.sew_log2, limit = vlmax(machine.hart.vtype);
    const int index_emul = machine.hart.vtype.lmul_log2 + 4 - static_cast<int>(sew);
    if (index_emul < -3 || index_emul > 3) {
      ASSERT_EQ(machine.run(exec::vrgatherei16_vv, {}, masked), Outcome::Trap);
      return;
    }
    for (unsigned i = 0; i < limit; ++i)
      if (machine.random() % 4 != 0) put(machine.registers, 24, 4, i, machine.random() % limit);
    const VectorRegisters before = machine.registers;
    expect_elements(machine, exec::vrgatherei16_vv, {}, masked, 0, [&](std::uint64_t i) {
      const std::uint64_t from = get(before, 24, 4, i);
      return from < limit ? get(before, 16, sew, from) : 0;
    });
  });
}

TEST(VectorPermute, CompressPacksTheSelectedElements) {
  in_every_type(3, [](VectorMachine& machine, Masked) {
    machine.hart.vstart = 0;
    const unsigned sew = machine.hart.vtype.sew_log2;
    VectorRegisters wanted = machine.registers;
    unsigned count = 0;
    for (unsigned i = 0; i < machine.hart.vl; ++i)
      if (get_bit(machine.registers, 24, i))
        put(wanted, 8, sew, count++, get(machine.registers, 16, sew, i));
    ASSERT_EQ(machine.run(exec::vcompress_vm, {}, Masked::No), Outcome::Next);
    ASSERT_TRUE(same(machine.registers, wanted));
  });
}

TEST(VectorPermute, SourcesThatAreReadOutOfOrderMustLieApartFromTheResult) {
  VectorMachine machine(kSeed);
  machine.set_type(5, 1, 16);
  for (const Semantics run : {exec::vslideup_vx, exec::vslideup_vi, exec::vslide1up_vx,
                              exec::vfslide1up_vf, exec::vrgather_vv, exec::vrgather_vx,
                              exec::vrgather_vi, exec::vrgatherei16_vv, exec::vcompress_vm})
    EXPECT_EQ(machine.run(run, {.rd = 16}, Masked::No), Outcome::Trap);
  for (const Semantics run : {exec::vrgather_vv, exec::vrgatherei16_vv, exec::vcompress_vm})
    EXPECT_EQ(machine.run(run, {.rd = 24}, Masked::No), Outcome::Trap);
  EXPECT_EQ(machine.run(exec::vcompress_vm, {.rd = 24, .rs1 = 25}, Masked::No), Outcome::Trap);
  EXPECT_EQ(machine.run(exec::vslidedown_vx, {.rd = 9}, Masked::No), Outcome::Trap);
  EXPECT_EQ(machine.run(exec::vslidedown_vx, {.rd = 0}, Masked::Yes), Outcome::Trap);
}

TEST(VectorPermute, WholeRegisterMovesIgnoreTheLengthAndStartAtVstart) {
  const Semantics moves[] = {exec::vmv1r_v, exec::vmv2r_v, exec::vmv4r_v, exec::vmv8r_v};
  for (unsigned log2 = 0; log2 < 4; ++log2)
    for (unsigned start : {0U, 3U, 200U}) {
      VectorMachine machine(kSeed);
      machine.set_type(5, 0, 0);
      machine.hart.vstart = start;
      VectorRegisters wanted = machine.registers;
      for (unsigned i = start; i < 16U << log2; ++i)
        put(wanted, 8, 5, i, get(machine.registers, 16, 5, i));
      ASSERT_EQ(machine.run(moves[log2], {}, Masked::No), Outcome::Next);
      ASSERT_TRUE(same(machine.registers, wanted)) << (1U << log2) << " registers";
      if (log2 > 0) {
        EXPECT_EQ(machine.run(moves[log2], {.rd = 9}, Masked::No), Outcome::Trap);
        EXPECT_EQ(machine.run(moves[log2], {.rs2 = 17}, Masked::No), Outcome::Trap);
      }
    }
}

TEST(VectorPermute, ElementZeroMovesToAndFromIntegerRegisters) {
  in_every_type(3, [](VectorMachine& machine, Masked) {
    const unsigned sew = machine.hart.vtype.sew_log2, shift = 64 - (1U << sew);
    const std::uint64_t first = get(machine.registers, 17, sew, 0);
    const auto extended = static_cast<std::int64_t>(first << shift) >> shift;
    const std::uint64_t start = machine.hart.vstart;
    ASSERT_EQ(machine.run(exec::vmv_x_s, {.rd = 5, .rs2 = 17}, Masked::No), Outcome::Next);
    ASSERT_EQ(machine.hart.x[5], static_cast<std::uint64_t>(extended));

    machine.hart.vstart = start;
    VectorRegisters wanted = machine.registers;
    if (start < machine.hart.vl) put(wanted, 9, sew, 0, machine.hart.x[7]);
    ASSERT_EQ(machine.run(exec::vmv_s_x, {.rd = 9, .rs1 = 7}, Masked::No), Outcome::Next);
    ASSERT_TRUE(same(machine.registers, wanted));
  });
}

TEST(VectorPermute, ElementZeroMovesToAndFromFloatRegistersBoxed) {
  in_every_type(4, [](VectorMachine& machine, Masked) {
    const unsigned sew = machine.hart.vtype.sew_log2;
    const std::uint64_t first = get(machine.registers, 17, sew, 0);
    const std::uint64_t box = sew == 6 ? 0 : ~std::uint64_t{0} << (1U << sew);
    const std::uint64_t start = machine.hart.vstart;
    ASSERT_EQ(machine.run(exec::vfmv_f_s, {.rd = 5, .rs2 = 17}, Masked::No), Outcome::Next);
    ASSERT_EQ(machine.hart.f[5], first | box);

    machine.hart.vstart = start;
    VectorRegisters wanted = machine.registers;
    if (start < machine.hart.vl) put(wanted, 9, sew, 0, first);
    ASSERT_EQ(machine.run(exec::vfmv_s_f, {.rd = 9, .rs1 = 5}, Masked::No), Outcome::Next);
    ASSERT_TRUE(same(machine.registers, wanted));
  });
}

}  // namespace
}  // namespace d1::isa::test
