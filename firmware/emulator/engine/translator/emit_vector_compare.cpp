// SPDX-License-Identifier: Apache-2.0
// Vector compares. Their results are masks: bits of a register in memory, where whoever uses them
// loads them into a mask register of the host.
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

using Xbyak::CodeGenerator;

namespace {

// Predicates of vpcmp, of signed or unsigned numbers.
constexpr std::uint8_t kEqualTo = 0, kLessThan = 1, kAtMost = 2, kUnequalTo = 4, kMoreThan = 6;

enum class Kind : std::uint8_t {
  Equal, Unequal, Less, LessUnsigned, AtMost, AtMostUnsigned, Greater, GreaterUnsigned, Count
};

struct Predicate {
  std::uint8_t number;
  bool is_unsigned;
};
constexpr Predicate kPredicates[static_cast<std::size_t>(Kind::Count)] = {
    {kEqualTo, false}, {kUnequalTo, false}, {kLessThan, false}, {kLessThan, true},
    {kAtMost, false},  {kAtMost, true},     {kMoreThan, false}, {kMoreThan, true}};

const VectorForms<Kind> kForms = {
    D1_FORM_VV(vmseq, Equal) D1_FORM_VX(vmseq, Equal) D1_FORM_VI(vmseq, Equal)
    D1_FORM_VV(vmsne, Unequal) D1_FORM_VX(vmsne, Unequal) D1_FORM_VI(vmsne, Unequal)
    D1_FORM_VV(vmslt, Less) D1_FORM_VX(vmslt, Less)
    D1_FORM_VV(vmsltu, LessUnsigned) D1_FORM_VX(vmsltu, LessUnsigned)
    D1_FORM_VV(vmsle, AtMost) D1_FORM_VX(vmsle, AtMost) D1_FORM_VI(vmsle, AtMost)
    D1_FORM_VV(vmsleu, AtMostUnsigned) D1_FORM_VX(vmsleu, AtMostUnsigned)
    D1_FORM_VI(vmsleu, AtMostUnsigned)
    D1_FORM_VX(vmsgt, Greater) D1_FORM_VI(vmsgt, Greater)
    D1_FORM_VX(vmsgtu, GreaterUnsigned) D1_FORM_VI(vmsgtu, GreaterUnsigned)
};

// Predicates of vcmp: which of them signal quiet NaNs, too, is as RISC-V has it.
namespace floats {

enum class Kind : std::uint8_t {
  EqualQuiet = 0, LessSignaling = 1, AtMostSignaling = 2, UnequalQuiet = 4,
  AtLeastSignaling = 13, GreaterSignaling = 14
};

const VectorForms<Kind> kForms = {
    D1_FORM_VV(vmfeq, EqualQuiet) D1_FORM_VF(vmfeq, EqualQuiet)
    D1_FORM_VV(vmfne, UnequalQuiet) D1_FORM_VF(vmfne, UnequalQuiet)
    D1_FORM_VV(vmflt, LessSignaling) D1_FORM_VF(vmflt, LessSignaling)
    D1_FORM_VV(vmfle, AtMostSignaling) D1_FORM_VF(vmfle, AtMostSignaling)
    D1_FORM_VF(vmfgt, GreaterSignaling) D1_FORM_VF(vmfge, AtLeastSignaling)
};

}  // namespace floats

}  // namespace

// A mask lies in one register, which may be the first of a source's group.
bool RegionEmitter::mask_result_allowed(const Operation& operation, Second second) const {
  const unsigned n = state_.registers();
  const auto allowed = [&](unsigned source) {
    return group_aligned(source, n) &&
           (operation.rd <= source || operation.rd >= source + n);
  };
  return state_.known && allowed(operation.rs2) &&
         (second != Second::Vector || allowed(operation.rs1));
}

// Up to 64 bits at once, so that mask logic, which reads as many, need not wait for several stores.
// What is in v0 is read a register's elements at a time, and stored so.
void RegionEmitter::write_all_mask_bits(unsigned guest, unsigned width_log2, unsigned chunk,
                                        const Opmask& bits) {
  const unsigned count = 512u >> width_log2, number = chunk % (64 / count);
  if (number == 0) {
    kmovq(k5, bits);
  } else {
    kshiftlq(bits, bits, static_cast<std::uint8_t>(number * count));
    korq(k5, k5, bits);
  }
  const unsigned collected = (number + 1) * count;
  if (collected < 64 && chunk + 1 < state_.registers()) return;
  point_to_vectors();
  const unsigned first_byte = (chunk - number) * count / 8;
  store_mask(rdx + static_cast<int>(guest * isa::kVlenBytes + first_byte), k5, collected);
}

void RegionEmitter::store_mask(const Xbyak::RegExp& place, const Opmask& bits, unsigned count) {
  switch (count) {
    case 64: kmovq(qword[place], bits); break;
    case 32: kmovd(dword[place], bits); break;
    case 16: kmovw(word[place], bits); break;
    default: kmovb(byte[place], bits); break;
  }
}

// The bits of the elements of one register of a group; they are clear where they are not active.
void RegionEmitter::write_mask_bits(unsigned guest, unsigned width_log2, unsigned chunk,
                                    const Opmask& bits, const Opmask& active) {
  vectors_.exclude(guest);
  if (state_.full() && active.getIdx() == 0 && guest != 0)
    return write_all_mask_bits(guest, width_log2, chunk, bits);
  point_to_vectors();
  const std::size_t first_byte = chunk * (512u >> width_log2) / 8;
  const Xbyak::RegExp place = rdx + static_cast<int>(guest * isa::kVlenBytes + first_byte);
  if (active.getIdx() != 0) {
    load_mask(k3, place, width_log2);
    kandnq(k3, active, k3);
    korq(bits, bits, k3);
  }
  store_mask(place, bits, 512u >> width_log2);
}

bool RegionEmitter::emit_vector_compare(const Operation& operation) {
  const auto found = kForms.find(operation.id);
  if (found == kForms.end()) return emit_vector_float_compare(operation);
  const auto [kind, second] = found->second;
  if (!mask_result_allowed(operation, second)) return false;
  const auto [predicate, is_unsigned] = kPredicates[static_cast<std::size_t>(kind)];
  const unsigned width = state_.sew_log2;
  splat_second(operation, second, width);
  for_active(masking(operation), width, state_.registers(), [&](unsigned i, const Opmask& active) {
    const Zmm b = second_vector(operation, second, i);
    const Zmm a = read_vector(operation.rs2 + i, kThirdScratchVector);
    const Opmask to = k2 | active;
    switch (width) {
      case 3: is_unsigned ? vpcmpub(to, a, b, predicate) : vpcmpb(to, a, b, predicate); break;
      case 4: is_unsigned ? vpcmpuw(to, a, b, predicate) : vpcmpw(to, a, b, predicate); break;
      case 5: is_unsigned ? vpcmpud(to, a, b, predicate) : vpcmpd(to, a, b, predicate); break;
      default: is_unsigned ? vpcmpuq(to, a, b, predicate) : vpcmpq(to, a, b, predicate); break;
    }
    write_mask_bits(operation.rd, width, i, k2, active);
  });
  note_vector(operation);
  return true;
}

bool RegionEmitter::emit_vector_float_compare(const Operation& operation) {
  const auto found = floats::kForms.find(operation.id);
  if (found == floats::kForms.end()) return false;
  const auto [kind, second] = found->second;
  const unsigned width = state_.sew_log2;
  if (!mask_result_allowed(operation, second) || width < 5) return false;
  const Format format = width == 5 ? Format::Single : Format::Double;
  const auto predicate = static_cast<std::uint8_t>(kind);
  with_second(operation, second, Elements::Floats, [&] {
    for_active(masking(operation), width, state_.registers(),
               [&](unsigned i, const Opmask& active) {
                 const Zmm b = second_vector(operation, second, i);
                 const Zmm a = read_vector(operation.rs2 + i, kThirdScratchVector);
                 if (format == Format::Single) vcmpps(k2 | active, a, b, predicate);
                 else vcmppd(k2 | active, a, b, predicate);
                 write_mask_bits(operation.rd, width, i, k2, active);
               });
  });
  return true;
}

}  // namespace d1::emulator
