// SPDX-License-Identifier: Apache-2.0
#include "engine/timing.hpp"

#include <algorithm>
#include <string_view>

#include <d1/isa/csr.hpp>

namespace d1::emulator {

using isa::Hart;
using isa::InstructionId;
using isa::Operation;
using isa::Unit;

namespace {

constexpr unsigned kTicks = isa::kTicksPerCycle;
constexpr auto kCount = static_cast<std::size_t>(InstructionId::Count);

bool starts_with(std::string_view text, std::string_view head) {
  return text.substr(0, head.size()) == head;
}

// Element width named in a vector memory mnemonic: the digits after the last letter run that
// names it, "vle32.v" 32, "vluxseg2ei16.v" 16, "vl2re64.v" 64; masks count as bytes.
unsigned access_width(std::string_view mnemonic) {
  const auto dot = mnemonic.find('.');
  std::string_view stem = mnemonic.substr(0, dot);
  if (stem.size() > 2 && stem.substr(stem.size() - 2) == "ff") stem.remove_suffix(2);
  unsigned width = 0, scale = 1;
  while (!stem.empty() && stem.back() >= '0' && stem.back() <= '9') {
    width += scale * static_cast<unsigned>(stem.back() - '0');
    scale *= 10;
    stem.remove_suffix(1);
  }
  return width >= 8 ? width : 8;
}

std::uint8_t log2_of(unsigned value) {
  std::uint8_t result = 0;
  while (value >>= 1) ++result;
  return result;
}

UnitCost vector_memory_cost(std::string_view mnemonic) {
  UnitCost cost;
  const bool is_store = starts_with(mnemonic, "vs");
  const char kind = mnemonic[2];  // vl[e|s|u|o|m|digit], vs[e|s|u|o|m|digit]
  cost.unit = Unit::Address;
  cost.unit_ticks = kTicks / 2;
  cost.eew_log2 = log2_of(access_width(mnemonic));
  if (kind >= '0' && kind <= '9') {
    cost.whole = true;
    cost.scale = Scale::Registers;
  } else if (kind == 'e' || kind == 'm') {
    cost.scale = kind == 'm' ? Scale::Fixed : Scale::Memory;
  } else {
    cost.scale = Scale::Elements;
  }
  cost.port = is_store ? Unit::StorePort : Unit::LoadPort;
  // Two 64-byte loads and one 64-byte store a cycle.
  cost.port_ticks = is_store ? kTicks : kTicks / 2;
  if (cost.scale == Scale::Elements) cost.port_ticks = kTicks / 2;
  return cost;
}

UnitCost cost_of(InstructionId id) {
  const auto& facts = isa::facts(id);
  UnitCost cost;
  cost.unit = facts.unit;
  const bool vector = facts.extension == isa::Extension::V ||
                      facts.extension == isa::Extension::Zvfh ||
                      facts.extension == isa::Extension::Zvfbfmin ||
                      facts.extension == isa::Extension::Zvfbfwma;
  switch (facts.unit) {
    case Unit::Alu: cost.unit_ticks = kTicks / 2; break;
    case Unit::Address:
      if (vector) return vector_memory_cost(facts.mnemonic);
      cost.unit_ticks = kTicks / 2;
      break;
    case Unit::Simd: {
      cost.unit_ticks = kTicks;
      const auto mnemonic = facts.mnemonic;
      if (starts_with(mnemonic, "vmv") && mnemonic.size() == 7 && mnemonic.substr(4) == "r.v")
        cost.unit_ticks = static_cast<std::uint16_t>((mnemonic[3] - '0') * kTicks);
      else if (vector)
        cost.scale = Scale::Registers;
      break;
    }
    case Unit::Matrix:
      // One 8x8x4 a cycle: the CFloat8 form multiplies 8x8x8 and takes two.
      cost.unit_ticks = facts.mnemonic.find("cf8") != std::string_view::npos ? 2 * kTicks : kTicks;
      break;
    default: break;
  }
  const bool iterates = facts.latency >= kIterativeLatency &&
                        (facts.unit == Unit::Alu || facts.unit == Unit::Simd);
  if (iterates) cost.unit_ticks = static_cast<std::uint16_t>(facts.latency * kTicks);
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

// Which registers an operation reads and writes, for the scoreboard: 0..31 integer, 32..63 float,
// 64..95 vector, from the operand words of the table.
struct RegisterUse {
  std::array<std::uint8_t, 4> reads{};
  unsigned read_count = 0;
  int write = -1;
};

// Multiply-accumulate forms and mma read their destination.
bool accumulates(InstructionId id) {
  const auto& facts = isa::facts(id);
  if (facts.unit == Unit::Matrix) return true;
  for (const std::string_view part : {"macc", "msac", "madd", "msub"})
    if (starts_with(facts.mnemonic, "v") && facts.mnemonic.find(part) != std::string_view::npos)
      return true;
  return false;
}

RegisterUse register_use(const Operation& operation) {
  RegisterUse use;
  std::string_view words = isa::facts(operation.id).operands;
  while (!words.empty()) {
    const auto comma = words.find(',');
    std::string_view word = words.substr(0, comma);
    words.remove_prefix(comma == std::string_view::npos ? words.size() : comma + 1);
    const auto read = [&use](unsigned base, unsigned number) {
      if (use.read_count < use.reads.size() && (base != 0 || number != 0))
        use.reads[use.read_count++] = static_cast<std::uint8_t>(base + number);
    };
    if (word == "rd") use.write = operation.rd == 0 ? -1 : operation.rd;
    else if (word == "fd") use.write = 32 + operation.rd;
    else if (word == "vd") {
      use.write = 64 + operation.rd;
      if (accumulates(operation.id)) read(64, operation.rd);
    }
    else if (word.find("rs1") != std::string_view::npos && word.find("fs1") == std::string_view::npos)
      read(0, operation.rs1);
    else if (word == "rs2") read(0, operation.rs2);
    else if (word == "fs1") read(32, operation.rs1);
    else if (word == "fs2") read(32, operation.rs2);
    else if (word == "fs3") read(32, operation.rs3);
    else if (word == "vs1") read(64, operation.rs1);
    else if (word == "vs2") read(64, operation.rs2);
    else if (word == "vs3") read(64, operation.rd);
  }
  return use;
}

std::uint32_t items(const Hart& hart, const Operation& operation, const UnitCost& cost) noexcept {
  switch (cost.scale) {
    case Scale::Fixed: return 1;
    case Scale::Registers:
      if (cost.whole) return operation.fields();
      return hart.vtype.lmul_log2 > 0 ? 1u << hart.vtype.lmul_log2 : 1u;
    case Scale::Memory: {
      const int group = cost.eew_log2 - hart.vtype.sew_log2 + hart.vtype.lmul_log2;
      return (group > 0 ? 1u << group : 1u) * operation.fields();
    }
    case Scale::Elements:
      return static_cast<std::uint32_t>(hart.vl) * operation.fields();
  }
  return 1;
}

}  // namespace

const UnitCost& unit_cost(InstructionId id) noexcept {
  return costs()[static_cast<std::size_t>(id)];
}

void issue_costs(std::span<const Operation> stretch, std::span<std::uint16_t> ticks) {
  std::array<std::uint32_t, 96> ready{};
  std::uint32_t now = 0;
  for (std::size_t i = 0; i < stretch.size(); ++i) {
    const Operation& operation = stretch[i];
    const RegisterUse use = register_use(operation);
    std::uint32_t start = now;
    for (unsigned r = 0; r < use.read_count; ++r) start = std::max(start, ready[use.reads[r]]);
    const std::uint32_t next = start + 1;
    ticks[i] = static_cast<std::uint16_t>(next - now);
    if (use.write >= 0)
      ready[static_cast<unsigned>(use.write)] =
          start + isa::facts(operation.id).latency * kTicks;
    now = next;
  }
}

void charge_units(Hart& hart, const Operation& operation) noexcept {
  const UnitCost& cost = unit_cost(operation.id);
  const std::uint32_t count = items(hart, operation, cost);
  hart.units[static_cast<unsigned>(cost.unit)] += count * cost.unit_ticks;
  hart.units[static_cast<unsigned>(cost.port)] += count * cost.port_ticks;
}

void settle(Hart& hart, UnitWindow& window) noexcept {
  std::uint64_t end = isa::ticks_now(hart);
  hart.units[static_cast<unsigned>(Unit::None)] = 0;
  for (unsigned u = 0; u < isa::kUnits; ++u) {
    if (hart.units[u] == 0) continue;
    window.used[u] += hart.units[u];
    end = std::max(end, window.start + window.used[u]);
    hart.units[u] = 0;
  }
  hart.clock = end;
  hart.work = 0;
}

}  // namespace d1::emulator
