// SPDX-License-Identifier: Apache-2.0
// The scalar floating-point instructions from their encodings: registers, NaN boxing, rounding
// modes, flags and legality. What they compute is checked against the reference, each twice: as a
// lone instruction, and in a turn where MXCSR is already set up.
#include <gtest/gtest.h>

#include "cases.hpp"
#include "hart_fixture.hpp"

namespace d1::isa::float_test {
namespace {

using Id = InstructionId;
using reference::Format;
using reference::kBrain;
using reference::kDouble;
using reference::kHalf;
using reference::kSingle;
using reference::Mode;
using reference::Result;

constexpr unsigned kA = 10, kB = 11, kC = 12, kResult = 13;

[[nodiscard]] std::uint64_t boxed(Format format, std::uint64_t bits) {
  return format.width() == 64 ? bits : bits | ~std::uint64_t{0} << format.width();
}
[[nodiscard]] std::uint64_t extended(std::uint64_t bits, int width) {
  const int shift = 64 - width;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(bits << shift) >> shift);
}

struct FloatInstruction : test::HartFixture {
  void SetUp() override { before_ = detail::read_mxcsr(); }
  void TearDown() override { EXPECT_EQ(detail::read_mxcsr(), before_); }

  // Runs `id` on f10, f11, f12 (and x10); gives the result and the flags it added.
  Result execute(Id id, RoundingMode mode, bool to_x) {
    hart.fflags = 0;
    hart.f[kResult] = hart.x[kResult] = 0x0123'4567'89ab'cdef;
    const std::uint32_t rm = static_cast<std::uint32_t>(mode) << 12;
    const bool has_rm = (facts(id).mask & 0x7000) == 0;
    const std::uint32_t full = facts(id).match | kResult << 7 | kA << 15 |
                               (facts(id).mask & 0x01f00000 ? 0 : kB << 20) |
                               (facts(id).mask & 0xf8000000 ? 0 : kC << 27) | (has_rm ? rm : 0);
    EXPECT_EQ(run(full), Outcome::Next) << facts(id).mnemonic;
    collect_float_flags(hart);
    return {to_x ? hart.x[kResult] : hart.f[kResult], hart.fflags};
  }

  // The same with a static rounding mode and with frm, alone and in a turn.
  void expect(Id id, RoundingMode mode, const Result& wanted, bool to_x = false) {
    for (const bool turn : {false, true}) {
      if (turn) {
        enter_guest_float(hart);
        const FloatScope loads_mxcsr(hart, static_cast<unsigned>(RoundingMode::Rne));
      }
      EXPECT_EQ(execute(id, mode, to_x), wanted)
          << facts(id).mnemonic << " static, in a turn: " << turn << ' '
          << describe(mode, hart.f[kA], hart.f[kB], hart.f[kC]);
      hart.frm = static_cast<std::uint8_t>(mode);
      EXPECT_EQ(execute(id, RoundingMode::Dyn, to_x), wanted)
          << facts(id).mnemonic << " dynamic, in a turn: " << turn << ' '
          << describe(mode, hart.f[kA], hart.f[kB], hart.f[kC]);
      if (turn) leave_guest_float(hart);
    }
  }

  std::uint32_t before_ = 0;
};

struct Family {
  Format format;
  Id add, subtract, multiply, divide, root, fmadd, fmsub, fnmsub, fnmadd;
  Id sgnj, sgnjn, sgnjx, minimum, maximum, equal, less, less_equal, class_of;
  Id to_w, to_wu, to_l, to_lu, from_w, from_wu, from_l, from_lu;
};
#define D1_FAMILY(format, s)                                                                      \
  Family {                                                                                        \
    format, Id::fadd_##s, Id::fsub_##s, Id::fmul_##s, Id::fdiv_##s, Id::fsqrt_##s, Id::fmadd_##s, \
        Id::fmsub_##s, Id::fnmsub_##s, Id::fnmadd_##s, Id::fsgnj_##s, Id::fsgnjn_##s,             \
        Id::fsgnjx_##s, Id::fmin_##s, Id::fmax_##s, Id::feq_##s, Id::flt_##s, Id::fle_##s,        \
        Id::fclass_##s, Id::fcvt_w_##s, Id::fcvt_wu_##s, Id::fcvt_l_##s, Id::fcvt_lu_##s,         \
        Id::fcvt_##s##_w, Id::fcvt_##s##_wu, Id::fcvt_##s##_l, Id::fcvt_##s##_lu                  \
  }
const Family kFamilies[] = {D1_FAMILY(kHalf, h), D1_FAMILY(kSingle, s), D1_FAMILY(kDouble, d)};
#undef D1_FAMILY

[[nodiscard]] std::uint64_t random_bits(Format format, std::mt19937_64& generator) {
  switch (format.width()) {
    case 16:
      return format.exponent_bits == 5 ? random_value<F16>(generator)
                                       : random_value<BF16>(generator);
    case 32:
      return random_value<F32>(generator);
    default:
      return random_value<F64>(generator);
  }
}

[[nodiscard]] unsigned class_by_definition(Format format, std::uint64_t bits) {
  const reference::Value value = reference::decode(format, bits);
  const auto pick = [&](unsigned negative, unsigned positive) {
    return 1u << (value.negative ? negative : positive);
  };
  switch (value.kind) {
    case reference::Kind::Signaling:
      return 1u << 8;
    case reference::Kind::Quiet:
      return 1u << 9;
    case reference::Kind::Infinite:
      return pick(0, 7);
    case reference::Kind::Zero:
      return pick(3, 4);
    case reference::Kind::Finite:
      break;
  }
  return value.magnitude < mpz_class{1} << static_cast<unsigned>(format.fraction_bits) ? pick(2, 5)
                                                                                       : pick(1, 6);
}

TEST_F(FloatInstruction, ArithmeticFollowsTheReferenceInEveryFormatAndMode) {
  std::mt19937_64 generator(kSeed + 10);
  for (int i = 0; i < 6'000; ++i) {
    const Family& family = kFamilies[generator() % std::size(kFamilies)];
    const Format format = family.format;
    const RoundingMode mode = kModes[generator() % std::size(kModes)];
    const Mode m = mode_of(mode);
    const std::uint64_t a = random_bits(format, generator), b = random_bits(format, generator),
                        c = random_bits(format, generator), sign = format.sign();
    hart.f[kA] = boxed(format, a);
    hart.f[kB] = boxed(format, b);
    hart.f[kC] = boxed(format, c);
    const auto check = [&](Id id, Result wanted) {
      expect(id, mode, {boxed(format, wanted.bits), wanted.flags});
    };
    check(family.add, reference::add(format, m, a, b));
    check(family.subtract, reference::add(format, m, a, b ^ sign));
    check(family.multiply, reference::multiply(format, m, a, b));
    check(family.divide, reference::divide(format, m, a, b));
    check(family.root, reference::square_root(format, m, a));
    check(family.fmadd, reference::multiply_add(format, m, a, b, c));
    check(family.fmsub, reference::multiply_add(format, m, a, b, c ^ sign));
    check(family.fnmsub, reference::multiply_add(format, m, a ^ sign, b, c));
    check(family.fnmadd, reference::multiply_add(format, m, a ^ sign, b, c ^ sign));
    check(family.minimum, reference::minimum(format, a, b));
    check(family.maximum, reference::maximum(format, a, b));
    check(family.sgnj, {(a & ~sign) | (b & sign), 0});
    check(family.sgnjn, {(a & ~sign) | (~b & sign), 0});
    check(family.sgnjx, {a ^ (b & sign), 0});
    ASSERT_FALSE(HasFailure()) << "seed " << kSeed + 10 << ", case " << i;
  }
}

TEST_F(FloatInstruction, ComparisonsClassesAndConversionsToIntegersWriteIntegerRegisters) {
  std::mt19937_64 generator(kSeed + 11);
  for (int i = 0; i < 10'000; ++i) {
    const Family& family = kFamilies[generator() % std::size(kFamilies)];
    const Format format = family.format;
    const RoundingMode mode = kModes[generator() % std::size(kModes)];
    const std::uint64_t a = random_bits(format, generator), b = random_bits(format, generator);
    hart.f[kA] = boxed(format, a);
    hart.f[kB] = boxed(format, b);
    expect(family.equal, mode, reference::equal(format, a, b), true);
    expect(family.less, mode, reference::less(format, a, b), true);
    expect(family.less_equal, mode, reference::less_equal(format, a, b), true);
    expect(family.class_of, mode, {class_by_definition(format, a), 0}, true);
    const auto check = [&](Id id, int width, bool is_signed) {
      const Result wanted = reference::to_integer(format, mode_of(mode), a, width, is_signed);
      expect(id, mode, {extended(wanted.bits, width), wanted.flags}, true);
    };
    check(family.to_w, 32, true);
    check(family.to_wu, 32, false);
    check(family.to_l, 64, true);
    check(family.to_lu, 64, false);
    ASSERT_FALSE(HasFailure()) << "seed " << kSeed + 11 << ", case " << i;
  }
}

TEST_F(FloatInstruction, ConversionsFromIntegersTakeTheLowBitsOfTheirWidth) {
  std::mt19937_64 generator(kSeed + 12);
  for (int i = 0; i < 10'000; ++i) {
    const Family& family = kFamilies[generator() % std::size(kFamilies)];
    const RoundingMode mode = kModes[generator() % std::size(kModes)];
    hart.x[kA] = generator() >> generator() % 64;
    if (generator() % 2) hart.x[kA] = ~hart.x[kA];
    const auto check = [&](Id id, const mpz_class& value) {
      const Result wanted = reference::from_integer(family.format, mode_of(mode), value);
      expect(id, mode, {boxed(family.format, wanted.bits), wanted.flags});
    };
    check(family.from_w, mpz_class{static_cast<long>(static_cast<std::int32_t>(hart.x[kA]))});
    check(family.from_wu, mpz_class{static_cast<unsigned long>(hart.x[kA] & 0xffffffff)});
    check(family.from_l, mpz_class{static_cast<long>(hart.x[kA])});
    check(family.from_lu, mpz_class{static_cast<unsigned long>(hart.x[kA])});
    ASSERT_FALSE(HasFailure()) << "seed " << kSeed + 12 << ", case " << i;
  }
}

TEST_F(FloatInstruction, ConversionsBetweenFormatsFollowTheReference) {
  struct Conversion {
    Id id;
    Format to, from;
  };
  const Conversion conversions[] = {
      {Id::fcvt_s_d, kSingle, kDouble},   {Id::fcvt_d_s, kDouble, kSingle},
      {Id::fcvt_s_h, kSingle, kHalf},     {Id::fcvt_h_s, kHalf, kSingle},
      {Id::fcvt_d_h, kDouble, kHalf},     {Id::fcvt_h_d, kHalf, kDouble},
      {Id::fcvt_s_bf16, kSingle, kBrain}, {Id::fcvt_bf16_s, kBrain, kSingle},
  };
  std::mt19937_64 generator(kSeed + 13);
  for (int i = 0; i < 40'000; ++i) {
    const Conversion& conversion = conversions[generator() % std::size(conversions)];
    const RoundingMode mode = kModes[generator() % std::size(kModes)];
    const std::uint64_t a = random_bits(conversion.from, generator);
    hart.f[kA] = boxed(conversion.from, a);
    const Result wanted = reference::convert(conversion.to, conversion.from, mode_of(mode), a);
    expect(conversion.id, mode, {boxed(conversion.to, wanted.bits), wanted.flags});
    ASSERT_FALSE(HasFailure()) << "seed " << kSeed + 13 << ", case " << i;
  }
}

TEST_F(FloatInstruction, OperandsThatAreNotBoxedReadAsTheCanonicalNan) {
  for (const Family& family : kFamilies) {
    if (family.format.width() == 64) continue;
    const std::uint64_t one = boxed(family.format, 0x3c00);
    hart.f[kB] = hart.f[kC] = one;
    for (int bit = family.format.width(); bit < 64; ++bit) {
      hart.f[kA] = one & ~(std::uint64_t{1} << bit);
      const Result nan{boxed(family.format, family.format.nan()), 0};
      expect(family.add, RoundingMode::Rne, nan);
      expect(family.fmadd, RoundingMode::Rne, nan);
      expect(family.sgnj, RoundingMode::Rne, nan);
      expect(family.minimum, RoundingMode::Rne, {one, 0});
      expect(family.class_of, RoundingMode::Rne, {1u << 9, 0}, true);
    }
  }
}

TEST_F(FloatInstruction, MovesAndStoresTakeTheRawBitsAndLoadsBoxThem) {
  hart.f[kA] = 0x0123'4567'89ab'cdef;
  hart.x[kA] = 0xfedc'ba98'7654'b210;
  const RoundingMode any = RoundingMode::Rne;
  expect(Id::fmv_x_h, any, {0xffff'ffff'ffff'cdef, 0}, true);
  expect(Id::fmv_x_w, any, {0xffff'ffff'89ab'cdef, 0}, true);
  expect(Id::fmv_x_d, any, {0x0123'4567'89ab'cdef, 0}, true);
  expect(Id::fmv_h_x, any, {0xffff'ffff'ffff'b210, 0});
  expect(Id::fmv_w_x, any, {0xffff'ffff'7654'b210, 0});
  expect(Id::fmv_d_x, any, {0xfedc'ba98'7654'b210, 0});

  hart.x[20] = kData + 8;
  const struct {
    Id store, load;
    std::uint64_t memory, loaded;
  } widths[] = {
      {Id::fsh, Id::flh, 0x5555'5555'5555'cdef, 0xffff'ffff'ffff'cdef},
      {Id::fsw, Id::flw, 0x5555'5555'89ab'cdef, 0xffff'ffff'89ab'cdef},
      {Id::fsd, Id::fld, 0x0123'4567'89ab'cdef, 0x0123'4567'89ab'cdef},
  };
  for (const auto& width : widths) {
    poke<std::uint64_t>(kData + 3, 0x5555'5555'5555'5555);
    EXPECT_EQ(run(width.store, {.rs1 = 20, .rs2 = kA, .immediate = -5}), Outcome::Next);
    EXPECT_EQ(peek<std::uint64_t>(kData + 3), width.memory);
    EXPECT_EQ(run(width.load, {.rd = kResult, .rs1 = 20, .immediate = -5}), Outcome::Next);
    EXPECT_EQ(hart.f[kResult], width.loaded);
  }
}

TEST_F(FloatInstruction, ALoadThatFaultsChangesNoRegister) {
  hart.mstatus = (hart.mstatus & ~kMstatusFs) | (kMstatusFs & (kMstatusFs >> 1));
  const std::uint64_t status = hart.mstatus;
  hart.f[kResult] = 7;
  hart.x[20] = kOutside - 3;
  expect_trap(run(Id::fld, {.rd = kResult, .rs1 = 20}), Cause::LoadAccess, kOutside - 3);
  expect_trap(run(Id::fsw, {.rs1 = 20, .rs2 = kA}), Cause::StoreAccess, kOutside - 3);
  EXPECT_EQ(hart.f[kResult], 7u);
  EXPECT_EQ(hart.mstatus, status);
}

[[nodiscard]] bool is_scalar_float(Id id) {
  switch (facts(id).extension) {
    case Extension::F:
    case Extension::D:
    case Extension::Zfh:
    case Extension::Zfbfmin:
      return true;
    default:
      return false;
  }
}
[[nodiscard]] std::vector<Id> scalar_float_instructions() {
  std::vector<Id> ids;
  for (unsigned i = 1; i < static_cast<unsigned>(Id::Count); ++i)
    if (is_scalar_float(static_cast<Id>(i))) ids.push_back(static_cast<Id>(i));
  return ids;
}

TEST_F(FloatInstruction, EveryOneIsIllegalWhileFsIsOff) {
  ASSERT_FALSE(scalar_float_instructions().empty());
  hart.mstatus &= ~kMstatusFs;
  hart.x[0] = 0;
  for (const Id id : scalar_float_instructions()) {
    const std::uint32_t raw = facts(id).match | kResult << 7;
    const HartState before = hart;
    expect_trap(run(raw), Cause::IllegalInstruction, raw);
    EXPECT_EQ(hart.f, before.f) << facts(id).mnemonic;
    EXPECT_EQ(hart.x, before.x) << facts(id).mnemonic;
    EXPECT_EQ(hart.mstatus, before.mstatus) << facts(id).mnemonic;
  }
}

TEST_F(FloatInstruction, ReservedRoundingModesAreIllegalStaticallyAndThroughFrm) {
  unsigned with_mode = 0;
  for (const Id id : scalar_float_instructions()) {
    if ((facts(id).mask & 0x7000) != 0) continue;
    ++with_mode;
    for (const std::uint32_t mode : {5u, 6u, 7u}) {
      hart.frm = static_cast<std::uint8_t>(mode);
      const std::uint32_t dynamic = facts(id).match | 7u << 12 | kResult << 7;
      expect_trap(run(dynamic), Cause::IllegalInstruction, dynamic);
      if (mode == 7) continue;
      hart.frm = 0;
      const std::uint32_t fixed = facts(id).match | mode << 12 | kResult << 7;
      expect_trap(run(fixed), Cause::IllegalInstruction, fixed);
    }
  }
  EXPECT_EQ(with_mode, 3u * 17 + 8);  // arithmetic and integer conversions of three formats, and
                                      // the conversions between formats
  EXPECT_EQ(hart.fflags, 0);
}

TEST_F(FloatInstruction, WritingARegisterOrAFlagMarksTheStateDirty) {
  for (const Id id : {Id::fadd_s, Id::flt_d, Id::fcvt_w_h, Id::fmv_w_x, Id::fsgnj_h, Id::fmin_d}) {
    hart.mstatus = (hart.mstatus & ~kMstatusFs) | (kMstatusFs & (kMstatusFs >> 1));
    EXPECT_EQ(run(facts(id).match | kResult << 7), Outcome::Next);
    EXPECT_EQ(hart.mstatus & kMstatusFs, kMstatusFs) << facts(id).mnemonic;
  }
}

TEST_F(FloatInstruction, AConversionToX0StillRaisesItsFlags) {
  hart.f[kA] = F64::kNan;
  EXPECT_EQ(run(Id::fcvt_w_d, {.rd = 0, .rs1 = kA}), Outcome::Next);
  EXPECT_EQ(hart.x[0], 0u);
  EXPECT_EQ(hart.fflags, kNv);
}

TEST_F(FloatInstruction, FlagsOfATurnShowWhenFcsrIsReadAndGoWhenItIsWritten) {
  enter_guest_float(hart);
  hart.f[kA] = boxed(kSingle, 0x3f800000);
  hart.f[kB] = boxed(kSingle, 0);
  EXPECT_EQ(run(Id::fdiv_s, {.rd = kResult, .rs1 = kA, .rs2 = kB}), Outcome::Next);
  EXPECT_NE(run(0x003016f3), Outcome::Trap);  // csrrw a3, fcsr, x0
  EXPECT_EQ(hart.x[13], kDz);
  EXPECT_NE(run(0x003026f3), Outcome::Trap);  // csrrs a3, fcsr, x0
  EXPECT_EQ(hart.x[13], 0u);
  leave_guest_float(hart);
  EXPECT_EQ(hart.fflags, 0);
}

}  // namespace
}  // namespace d1::isa::float_test
