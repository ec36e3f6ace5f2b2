// SPDX-License-Identifier: Apache-2.0
#include "engine/timing.hpp"

#include <algorithm>

#include <d1/isa/operands.hpp>
#include <d1/isa/semantics/xd1.hpp>

#include "engine/register_use.hpp"

namespace d1::emulator {

using isa::Hart;
using isa::InstructionId;
using isa::Operand;
using isa::Operation;
using isa::Unit;

namespace {

constexpr unsigned kTicks = isa::kTicksPerCycle;
constexpr auto kCount = static_cast<std::size_t>(InstructionId::Count);
// Two ALUs, two address units, two load ports and one store port of a register's width.
constexpr std::uint16_t kPaired = kTicks / 2, kSingle = kTicks;

UnitCost vector_memory_cost(const VectorAccessForm& access) {
  UnitCost cost;
  cost.unit = Unit::Address;
  cost.port = access.store ? Unit::StorePort : Unit::LoadPort;
  cost.port_ticks = access.store ? kSingle : kPaired;
  cost.eew_log2 = access.eew_log2;
  switch (access.kind) {
    case VectorAccess::WholeRegister:
      cost.unit_ticks = kPaired;
      cost.port_ticks = static_cast<std::uint16_t>(cost.port_ticks * access.registers);
      break;
    case VectorAccess::Strided:
    case VectorAccess::Indexed:  // an address, and a turn of the port, for each element
      cost.scale = Scale::Elements;
      cost.unit_ticks = kPaired;
      break;
    case VectorAccess::UnitStride:  // one address, then the port goes on by itself
      cost.scale = Scale::Memory;
      cost.once_ticks = kPaired;
      break;
    default:
      cost.unit_ticks = kPaired;
      break;
  }
  return cost;
}

UnitCost vector_cost(InstructionId id, std::uint16_t ticks) {
  UnitCost cost;
  cost.unit = Unit::Simd;
  cost.unit_ticks = ticks;
  if (const unsigned moved = whole_move_registers(id); moved != 0) {
    cost.unit_ticks = static_cast<std::uint16_t>(moved * ticks);
    return cost;
  }
  const GroupShape shape = group_shape(id);
  if (shape.vd == 1 || shape.vs2 == 1) cost.widening_log2 = 1;
  const auto is_group = [&](Operand operand) {
    return (operand == Operand::vd && shape.vd != kOneRegister) ||
           (operand == Operand::vs1 && shape.vs1 != kOneRegister) ||
           (operand == Operand::vs2 && shape.vs2 != kOneRegister);
  };
  if (std::ranges::any_of(isa::operands_of(id), is_group)) cost.scale = Scale::Registers;
  return cost;
}

UnitCost cost_of(InstructionId id) {
  const auto& facts = isa::facts(id);
  UnitCost cost;
  cost.unit = facts.unit;
  const bool iterates = facts.latency >= kIterativeLatency;
  switch (facts.unit) {
    case Unit::Alu:
      cost.unit_ticks = static_cast<std::uint16_t>(iterates ? facts.latency * kPaired : kPaired);
      break;
    case Unit::Address: {
      const VectorAccessForm access = vector_access(id);
      if (access.kind != VectorAccess::None) return vector_memory_cost(access);
      cost.unit_ticks = kPaired;
      break;
    }
    case Unit::Simd:
    case Unit::Matrix:
      if (const isa::Xd1Groups groups = isa::xd1_groups(id); groups.vd != 0)
        cost.unit_ticks = static_cast<std::uint16_t>(groups.cycles * kTicks);
      else
        return vector_cost(id,
                           static_cast<std::uint16_t>(iterates ? facts.latency * kTicks : kTicks));
      break;
    default:
      break;
  }
  return cost;
}

const std::array<UnitCost, kCount>& costs() {
  static const auto table = [] {
    std::array<UnitCost, kCount> all{};
    for (std::size_t i = 1; i < kCount; ++i) all[i] = cost_of(static_cast<InstructionId>(i));
    return all;
  }();
  return table;
}

std::uint32_t registers(int group_log2) noexcept { return group_log2 > 0 ? 1u << group_log2 : 1u; }

std::uint32_t items(const Operation& operation, const isa::VectorType& type, std::uint64_t vl,
                    const UnitCost& cost) noexcept {
  switch (cost.scale) {
    case Scale::Fixed:
      return 1;
    case Scale::Registers:
      return registers(type.lmul_log2 + cost.widening_log2);
    case Scale::Memory:
      return registers(cost.eew_log2 - type.sew_log2 + type.lmul_log2) *
             operation.fields();
    case Scale::Elements:
      return static_cast<std::uint32_t>(vl) * operation.fields();
  }
  return 1;
}

}  // namespace

const UnitCost& unit_cost(InstructionId id) noexcept {
  return costs()[static_cast<std::size_t>(id)];
}

void issue_costs(std::span<const Operation> stretch, std::span<std::uint16_t> ticks) {
  std::array<std::uint32_t, kScoreboardRegisters> ready{};
  KnownType type;
  std::uint32_t now = 0;
  for (std::size_t i = 0; i < stretch.size(); ++i) {
    const Operation& operation = stretch[i];
    const RegisterUse use = register_use(operation, type);
    std::uint32_t start = now;
    for (unsigned r = 0; r < use.read_count; ++r)
      for (unsigned n = 0; n < use.reads[r].count; ++n)
        start = std::max(start, ready[use.reads[r].first + n]);
    const std::uint32_t next = start + 1;
    ticks[i] = static_cast<std::uint16_t>(next - now);
    for (unsigned n = 0; n < use.write.count; ++n)
      ready[use.write.first + n] = start + isa::facts(operation.id).latency * kTicks;
    type.follow(operation);
    now = next;
  }
}

void add_varying_ticks(const Operation& operation, const isa::VectorType& type, std::uint64_t vl,
                       UnitTicks& ticks) noexcept {
  const UnitCost& cost = unit_cost(operation.id);
  const std::uint32_t count = items(operation, type, vl, cost);
  ticks[static_cast<unsigned>(cost.unit)] += cost.once_ticks + count * cost.unit_ticks;
  ticks[static_cast<unsigned>(cost.port)] += count * cost.port_ticks;
}

void charge_units(Hart& hart, const Operation& operation) noexcept {
  add_varying_ticks(operation, hart.vtype, hart.vl, hart.units);
}

}  // namespace d1::emulator
