// SPDX-License-Identifier: Apache-2.0
// Every integer and fixed-point instruction against its element-wise definition: all widths and
// group sizes, masks, lengths, starts and policies, with registers that overlap legally or not.
#include <iostream>

#include "integer_reference.hpp"
#include "vector_fixture.hpp"

namespace d1::isa::test {
namespace {

constexpr InstructionId kInstructions[] = {
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) InstructionId::id,
#include <d1/isa/table/vector_integer.def>
#undef D1_INSTRUCTION
};

bool configures(InstructionId id) { return facts(id).mnemonic.starts_with("vset"); }

Int sign_extended(Uint value, unsigned bits) {
  const Uint sign = Uint{1} << (bits - 1);
  return static_cast<Int>((value ^ sign) - sign);
}
Uint truncated(Uint value, unsigned bits) { return value & ((Uint{1} << bits) - 1); }

// One instruction about to run, and what the standard says it does.
class Expectation {
 public:
  Expectation(InstructionId id, std::uint32_t encoding, const Type& type, const Hart& hart)
      : reference_(*reference_for(facts(id).mnemonic)),
        type_(type),
        hart_(hart),
        registers(*hart.v) {
    const std::string_view mnemonic = facts(id).mnemonic;
    const std::string_view form = mnemonic.substr(mnemonic.find('.') + 1);
    rd_ = encoding >> 7 & 31;
    rs1_ = encoding >> 15 & 31;
    rs2_ = encoding >> 20 & 31;
    unmasked_ = encoding >> 25 & 1;
    wide_first_ = form[0] == 'w';
    // "vv", "wx", "vim", but "v.x" of the moves; extensions have no second operand.
    second_ = form[0] == 'v' && form[1] == '.' ? form[2] : form[1];
    if (reference_.shape == Shape::Extend)
      second_ = 'f', factor_log2_ = form[2] == '2' ? 1 : form[2] == '4' ? 2 : 3;
    moves_ = reference_.base == "vmv";
  }

  bool legal() const {
    const Group vd = destination(), first = first_source(), second = second_source();
    const bool widens = reference_.shape == Shape::Widen ||
                        reference_.shape == Shape::WidenAccumulate ||
                        reference_.shape == Shape::Narrow;
    if (widens && type_.sew == 64) return false;
    if (reference_.shape == Shape::Extend && type_.sew >> factor_log2_ < 8) return false;
    if (!vd.valid() || (!moves_ && (!first.valid() || !may_overlap(vd, first)))) return false;
    if (second_ == 'v' && (!second.valid() || !may_overlap(vd, second))) return false;
    return unmasked_ || vd.eew == 1 || !vd.contains(0);  // v0 is read as a mask
  }

  void apply() {
    const unsigned start = static_cast<unsigned>(hart_.vstart);
    const unsigned end = static_cast<unsigned>(hart_.vl);
    if (start >= end) return;
    const Group vd = destination();
    const bool is_mask = vd.eew == 1;
    const bool carry = reference_.shape == Shape::CarryIn || reference_.shape == Shape::CarryOut;
    const Registers before = *hart_.v;
    for (unsigned i = start; i < end; ++i) {
      if (carry || unmasked_ || get_bit(before, 0, i)) {
        const Uint result = element(before, i);
        if (is_mask)
          put_bit(registers, rd_, i, result != 0);
        else
          put(registers, rd_, i, vd.eew, static_cast<std::uint64_t>(result));
      } else if (agnostic_fill && hart_.vtype.mask_agnostic != 0) {
        is_mask ? put_bit(registers, rd_, i, true) : put(registers, rd_, i, vd.eew, ~0ULL);
      }
    }
    if (!agnostic_fill) return;
    if (is_mask)
      for (unsigned i = end; i < kVlenBits; ++i) put_bit(registers, rd_, i, true);
    else if (hart_.vtype.tail_agnostic != 0)
      for (unsigned i = end; i < vd.registers() * kVlenBits / vd.eew; ++i)
        put(registers, rd_, i, vd.eew, ~0ULL);
  }

 private:
  Group destination() const {
    switch (reference_.shape) {
      case Shape::Compare:
      case Shape::CarryOut:
        return {rd_, 1, 0};
      case Shape::Widen:
      case Shape::WidenAccumulate:
        return {rd_, 2 * type_.sew, type_.lmul_log2 + 1};
      default:
        return {rd_, type_.sew, type_.lmul_log2};
    }
  }
  Group first_source() const {
    if (reference_.shape == Shape::Extend)
      return {rs2_, type_.sew >> factor_log2_, type_.lmul_log2 - factor_log2_};
    if (wide_first_) return {rs2_, 2 * type_.sew, type_.lmul_log2 + 1};
    return {rs2_, type_.sew, type_.lmul_log2};
  }
  Group second_source() const { return {rs1_, type_.sew, type_.lmul_log2}; }

  Uint second_operand(const Registers& before, unsigned i) const {
    if (second_ == 'v') return get(before, rs1_, i, type_.sew);
    if (second_ == 'x') return truncated(hart_.x[rs1_], type_.sew);
    if (reference_.unsigned_immediate) return rs1_;
    return truncated(static_cast<Uint>(sign_extended(rs1_, 5)), type_.sew);
  }

  Uint element(const Registers& before, unsigned i) {
    const unsigned width = moves_ ? type_.sew : first_source().eew;
    const unsigned sew = type_.sew;
    Operands o{};
    o.bits = sew;
    o.a = moves_ ? 0 : get(before, rs2_, i, width);
    o.sa = sign_extended(o.a, width);
    if (second_ != 'f') o.b = second_operand(before, i);
    o.sb = sign_extended(o.b, sew);
    const unsigned result_bits = destination().eew;
    if (result_bits > 1) o.d = get(before, rd_, i, result_bits);
    const bool reads_carry =
        reference_.shape == Shape::CarryIn || (reference_.shape == Shape::CarryOut && !unmasked_);
    o.carry = reads_carry && get_bit(before, 0, i) ? 1 : 0;
    o.rounding = hart_.vxrm;
    const Uint result = reference_.result(o);
    if (o.saturated) saturated = true;
    return result;
  }

  const Reference& reference_;
  const Type& type_;
  const Hart& hart_;
  unsigned rd_, rs1_, rs2_;
  bool unmasked_, wide_first_, moves_;
  char second_;
  int factor_log2_ = 0;

 public:
  Registers registers;
  bool saturated = false;
};

class VectorInteger : public VectorFixture, public testing::WithParamInterface<InstructionId> {
 protected:
  // One random case of a type; true if it was legal.
  bool check(InstructionId id, const Type& type) {
    randomize_registers();
    set_type(type, one_in(2), one_in(2));
    agnostic_fill = one_in(2);
    hart.vl = any_length(type.vlmax);
    hart.vstart = one_in(3) ? below(type.vlmax) : 0;
    hart.vxrm = static_cast<std::uint8_t>(below(4));
    hart.vxsat = one_in(2);
    for (unsigned i = 1; i < 32; ++i)
      hart.x[i] = one_in(3) ? any() : one_in(2) ? static_cast<std::uint64_t>(-1) : below(70);
    const bool wide = facts(id).mnemonic.starts_with("vw");
    const Shape shape = reference_for(facts(id).mnemonic)->shape;
    const bool mask = shape == Shape::Compare || shape == Shape::CarryOut;
    const int lmul = type.lmul_log2;
    const std::uint32_t raw =
        encoding(id,
                 any_register(wide && !one_in(8) ? lmul + 1
                              : mask             ? 0
                                                 : lmul),
                 any_register(lmul), any_register(one_in(2) ? lmul + 1 : lmul), one_in(2));
    const HartState before = hart;
    Expectation expected(id, raw, type, hart);
    const bool legal = expected.legal();
    if (legal) expected.apply();
    const Outcome outcome = run(raw);
    const std::string text = disassemble(decode(raw), 0);
    SCOPED_TRACE(testing::Message() << text << " sew " << type.sew << " lmul_log2 " << lmul
                                    << " vl " << before.vl << " vstart " << before.vstart);
    EXPECT_EQ(std::memcmp(&expected.registers, hart.v, sizeof(Registers)), 0);
    if (!legal) {
      expect_trap(outcome, Cause::IllegalInstruction, raw);
      EXPECT_EQ(hart.vstart, before.vstart);
      EXPECT_EQ(hart.vxsat, before.vxsat);
      return false;
    }
    EXPECT_EQ(outcome, Outcome::Next);
    EXPECT_EQ(hart.vstart, 0U);
    EXPECT_EQ(hart.vl, before.vl);
    EXPECT_EQ(hart.vxsat, before.vxsat | (expected.saturated ? 1 : 0));
    EXPECT_EQ(hart.x, before.x);
    return true;
  }
};

TEST_P(VectorInteger, DoesWhatTheElementwiseDefinitionSays) {
  const InstructionId id = GetParam();
  ASSERT_NE(reference_for(facts(id).mnemonic), nullptr) << facts(id).mnemonic;
  RecordProperty("seed", std::to_string(seed));
  std::cout << "seed " << seed << '\n';
  unsigned legal = 0;
  for (const Type& type : supported_types())
    for (unsigned trial = 0; trial < 60; ++trial) {
      legal += check(id, type) ? 1 : 0;
      if (HasFailure()) return;
    }
  EXPECT_GT(legal, 100U) << "too few cases were legal to mean anything";
}

TEST_P(VectorInteger, TrapsWhenVsIsOffOrTheTypeIsIll) {
  const std::uint32_t raw = encoding(GetParam(), 8, 16, 24, true);
  set_type({32, 0, 16}, false, false);
  hart.mstatus &= ~kMstatusVs;
  expect_trap(run(raw), Cause::IllegalInstruction, raw);
  hart.mstatus |= kMstatusVs;
  hart.vtype = decode_vtype(kVtypeIll);
  expect_trap(run(raw), Cause::IllegalInstruction, raw);
  hart.vtype = {};  // as after a reset
  expect_trap(run(raw), Cause::IllegalInstruction, raw);
}

std::vector<InstructionId> arithmetic_instructions() {
  std::vector<InstructionId> ids;
  for (const InstructionId id : kInstructions)
    if (!configures(id)) ids.push_back(id);
  return ids;
}

std::string name_of(const testing::TestParamInfo<InstructionId>& info) {
  std::string name{facts(info.param).mnemonic};
  for (char& c : name)
    if (c == '.') c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Each, VectorInteger, testing::ValuesIn(arithmetic_instructions()),
                         name_of);

}  // namespace
}  // namespace d1::isa::test
