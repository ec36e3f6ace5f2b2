// SPDX-License-Identifier: Apache-2.0
#include "engine/register_use.hpp"

#include <algorithm>

#include <d1/isa/operands.hpp>
#include <d1/isa/semantics/vector.hpp>
#include <d1/isa/semantics/xd1.hpp>

namespace d1::emulator {

using isa::InstructionId;
using isa::Operand;
using isa::Operation;

namespace {

// Fixed bits of an encoding (RISC-V "V", sections 5 and 7).
constexpr unsigned kOpVector = 0x57, kLoadFloat = 0x07, kStoreFloat = 0x27;
constexpr unsigned kIvv = 0, kFvv = 1, kMvv = 2, kIvi = 3, kFvf = 5, kMvx = 6, kConfigure = 7;

unsigned opcode(std::uint32_t match) { return match & 0x7f; }
unsigned funct3(std::uint32_t match) { return match >> 12 & 7; }
unsigned funct6(std::uint32_t match) { return match >> 26; }
unsigned vs1_field(std::uint32_t match) { return match >> 15 & 31; }

bool of_vector_unit(const isa::InstructionFacts& facts) {
  return facts.extension != isa::Extension::Xd1 && opcode(facts.match) == kOpVector &&
         funct3(facts.match) != kConfigure;
}

GroupShape integer_shape(unsigned category, unsigned function) {
  if (function == 0x11 || function == 0x13 || (function >= 0x18 && function <= 0x1f))
    return {kOneRegister, 0, 0};  // carries out, compares: the result is a mask
  if (function >= 0x2c && function <= 0x2f) return {0, 0, 1};  // narrowing
  if (category == kIvv && (function == 0x30 || function == 0x31))
    return {kOneRegister, kOneRegister, 0};  // widening reductions
  return {};
}

GroupShape mask_and_wide_shape(unsigned category, unsigned function, unsigned unary) {
  const bool vector = category == kMvv;
  if (vector && function < 0x08) return {kOneRegister, kOneRegister, 0};  // reductions
  if (function == 0x10)
    return vector ? GroupShape{0, 0, kOneRegister} : GroupShape{kOneRegister, 0, 0};
  if (vector && function == 0x12)  // extension from an eighth, a quarter, a half
    return {0, 0, static_cast<std::int8_t>(static_cast<int>(unary / 2) - 4)};
  if (vector && function == 0x14)  // viota reads a mask, vmsbf and the like write one, too
    return {unary >= 0x10 ? std::int8_t{0} : kOneRegister, 0, kOneRegister};
  if (vector && function == 0x17) return {0, kOneRegister, 0};  // vcompress
  if (vector && function >= 0x18 && function <= 0x1f)
    return {kOneRegister, kOneRegister, kOneRegister};  // logic on masks
  if (function >= 0x34 && function <= 0x37) return {1, 0, 1};
  if (function >= 0x30) return {1, 0, 0};
  return {};
}

GroupShape float_shape(unsigned category, unsigned function, unsigned unary) {
  const bool vector = category == kFvv;
  if (vector && (function & 0x39) == 0x01) return {kOneRegister, kOneRegister, 0};  // reductions
  if (vector && (function == 0x31 || function == 0x33)) return {kOneRegister, kOneRegister, 0};
  if (function == 0x10)
    return vector ? GroupShape{0, 0, kOneRegister} : GroupShape{kOneRegister, 0, 0};
  if (vector && function == 0x12) {  // conversions
    if (unary >> 3 == 1) return {1, 0, 0};
    if (unary >> 3 == 2) return {0, 0, 1};
    return {};
  }
  if (function >= 0x18 && function <= 0x1f) return {kOneRegister, 0, 0};  // compares
  if (function == 0x34 || function == 0x36) return {1, 0, 1};
  if (function >= 0x30) return {1, 0, 0};
  return {};
}

// Registers of a group of LMUL << shift.
unsigned registers(const KnownType& type, int shift) {
  if (!type.known || shift == kOneRegister) return 1;
  const int log2 = type.type.lmul_log2 + shift;
  return log2 > 0 ? 1u << std::min(log2, 3) : 1u;
}

// Collects the ranges of one operation.
class Collector {
 public:
  void read(unsigned base, unsigned number, unsigned count = 1) {
    if (base == 0 && number == 0) return;
    if (use.read_count < use.reads.size()) use.reads[use.read_count++] = range(base, number, count);
  }
  void write(unsigned base, unsigned number, unsigned count = 1) {
    if (base != 0 || number != 0) use.write = range(base, number, count);
  }
  RegisterUse use;

 private:
  static RegisterRange range(unsigned base, unsigned number, unsigned count) {
    return {static_cast<std::uint8_t>(base + number),
            static_cast<std::uint8_t>(std::min(count, 32 - number))};
  }
};

struct GroupCounts {
  unsigned vd = 1, vs1 = 1, vs2 = 1;
};

GroupCounts group_counts(const Operation& operation, const KnownType& type) {
  if (const isa::Xd1Groups xd1 = isa::xd1_groups(operation.id); xd1.vd != 0)
    return {xd1.vd, xd1.vs1, xd1.vs2};
  if (const unsigned moved = whole_move_registers(operation.id); moved != 0)
    return {moved, moved, moved};
  const VectorAccessForm access = vector_access(operation.id);
  const int width = access.eew_log2 - type.type.sew_log2;
  switch (access.kind) {
    case VectorAccess::WholeRegister:
      return {access.registers, 1, 1};
    case VectorAccess::Mask:
      return {1, 1, 1};
    case VectorAccess::UnitStride:
    case VectorAccess::Strided:
      return {registers(type, width) * operation.fields(), 1, 1};
    case VectorAccess::Indexed:
      return {registers(type, 0) * operation.fields(), 1, registers(type, width)};
    case VectorAccess::None:
      break;
  }
  const GroupShape shape = group_shape(operation.id);
  return {registers(type, shape.vd), registers(type, shape.vs1), registers(type, shape.vs2)};
}

// Instructions that add to their destination name vs2 behind the other source, all others before
// it: so the standard writes its multiply-accumulates, and Xd1 its matrix products.
bool accumulates(std::span<const Operand> operands) {
  return operands.size() >= 3 && operands[0] == Operand::vd && operands[1] != Operand::base_rs1 &&
         operands[2] == Operand::vs2;
}

}  // namespace

void KnownType::follow(const Operation& operation) noexcept {
  switch (operation.id) {
    case InstructionId::vsetvli:
    case InstructionId::vsetivli:
      type = isa::decode_vtype(static_cast<std::uint64_t>(operation.immediate));
      known = !isa::is_ill(type);
      break;
    case InstructionId::vsetvl:
      known = false;
      break;
    default:
      break;
  }
}

GroupShape group_shape(InstructionId id) noexcept {
  const auto& facts = isa::facts(id);
  if (!of_vector_unit(facts)) return {};
  const unsigned category = funct3(facts.match), function = funct6(facts.match);
  switch (category) {
    case kMvv:
    case kMvx:
      return mask_and_wide_shape(category, function, vs1_field(facts.match));
    case kFvv:
    case kFvf:
      return float_shape(category, function, vs1_field(facts.match));
    default:
      return integer_shape(category, function);
  }
}

unsigned whole_move_registers(InstructionId id) noexcept {
  const auto& facts = isa::facts(id);
  const bool move = of_vector_unit(facts) && funct3(facts.match) == kIvi &&
                    funct6(facts.match) == 0x27 && (facts.mask >> 15 & 31) == 31;
  return move ? vs1_field(facts.match) + 1 : 0;
}

VectorAccessForm vector_access(InstructionId id) noexcept {
  const auto& facts = isa::facts(id);
  const unsigned major = opcode(facts.match), width = funct3(facts.match);
  const bool vector_width = width == 0 || width >= 5;
  if ((major != kLoadFloat && major != kStoreFloat) || !vector_width) return {};
  VectorAccessForm form;
  form.store = major == kStoreFloat;
  form.eew_log2 = static_cast<std::uint8_t>(width == 0 ? 3 : width - 1);
  const unsigned mode = facts.match >> 26 & 3, unit_stride_kind = facts.match >> 20 & 31;
  if (mode == 2)
    form.kind = VectorAccess::Strided;
  else if (mode != 0)
    form.kind = VectorAccess::Indexed;
  else if (unit_stride_kind == 0x0b)
    form.kind = VectorAccess::Mask;
  else if (unit_stride_kind == 0x08)
    form.kind = VectorAccess::WholeRegister;
  else
    form.kind = VectorAccess::UnitStride;
  if (form.kind == VectorAccess::WholeRegister)
    form.registers = static_cast<std::uint8_t>((facts.match >> 29) + 1);
  return form;
}

unsigned written_integer(const Operation& operation) noexcept {
  const auto operands = isa::operands_of(operation.id);
  return std::ranges::find(operands, Operand::rd) != operands.end() ? operation.rd : 0;
}

RegisterUse register_use(const Operation& operation, const KnownType& type) {
  constexpr unsigned kInteger = 0, kFloat = kFloatScoreboard, kVector = kVectorScoreboard;
  const auto operands = isa::operands_of(operation.id);
  const bool any_group = std::ranges::any_of(operands, [](Operand each) {
    return each == Operand::vd || each == Operand::vs1 || each == Operand::vs2 ||
           each == Operand::vs3;
  });
  const GroupCounts counts = any_group ? group_counts(operation, type) : GroupCounts{};
  Collector collect;
  for (const Operand operand : operands) {
    switch (operand) {
      case Operand::rd:
        collect.write(kInteger, operation.rd);
        break;
      case Operand::rs1:
      case Operand::base_rs1:
        collect.read(kInteger, operation.rs1);
        break;
      case Operand::rs2:
        collect.read(kInteger, operation.rs2);
        break;
      case Operand::fd:
        collect.write(kFloat, operation.rd);
        break;
      case Operand::fs1:
        collect.read(kFloat, operation.rs1);
        break;
      case Operand::fs2:
        collect.read(kFloat, operation.rs2);
        break;
      case Operand::fs3:
        collect.read(kFloat, operation.rs3);
        break;
      case Operand::vd:
        collect.write(kVector, operation.rd, counts.vd);
        if (accumulates(operands)) collect.read(kVector, operation.rd, counts.vd);
        break;
      case Operand::vs1:
        collect.read(kVector, operation.rs1, counts.vs1);
        break;
      case Operand::vs2:
        collect.read(kVector, operation.rs2, counts.vs2);
        break;
      case Operand::vs3:
        collect.read(kVector, operation.rd, counts.vd);
        break;
      case Operand::vm:
        if (!operation.vm()) collect.read(kVector, 0);
        break;
      case Operand::v0:
        collect.read(kVector, 0);
        break;
      default:
        break;
    }
  }
  return collect.use;
}

}  // namespace d1::emulator
