// SPDX-License-Identifier: Apache-2.0
// Every vector load and store against a plain walk over elements and fields: all types, masks,
// lengths, starts, segments and policies, addresses inside memory and across its end.
#include <cctype>
#include <iostream>

#include "vector_fixture.hpp"

namespace d1::isa::test {
namespace {

constexpr InstructionId kInstructions[] = {
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) InstructionId::id,
#include <d1/isa/table/vector_memory.def>
#undef D1_INSTRUCTION
};

enum class Mode : std::uint8_t { Unit, FaultOnlyFirst, Strided, Indexed, Mask, Whole };

// An instruction taken apart by its assembler name.
struct Shape {
  bool is_load;
  Mode mode;
  unsigned width;          // bits of an element, of an index where indexed
  unsigned registers = 1;  // of whole-register instructions
};

Shape shape_of(std::string_view mnemonic) {
  Shape shape{mnemonic[1] == 'l', Mode::Unit, 8};
  const std::string_view rest = mnemonic.substr(2);
  const auto number_behind = [&](char letter) {
    return static_cast<unsigned>(std::stoul(std::string(rest.substr(rest.find(letter) + 1))));
  };
  if (rest == "m.v") {
    shape.mode = Mode::Mask;
  } else if (std::isdigit(static_cast<unsigned char>(rest[0])) != 0) {
    shape.mode = Mode::Whole;
    shape.registers = static_cast<unsigned>(rest[0] - '0');
    if (shape.is_load) shape.width = number_behind('e');
  } else if (rest[1] == 'x') {
    shape.mode = Mode::Indexed;
    shape.width = number_behind('i');
  } else {
    shape.mode = rest[0] == 's'           ? Mode::Strided
                 : rest.ends_with("ff.v") ? Mode::FaultOnlyFirst
                                          : Mode::Unit;
    shape.width = number_behind('e');
  }
  return shape;
}

int log2_of_ratio(unsigned a, unsigned b) {
  int result = 0;
  for (; a > b; a /= 2) ++result;
  for (; a < b; b /= 2) --result;
  return result;
}

class VectorMemory : public VectorFixture, public testing::WithParamInterface<InstructionId> {
 protected:
  struct Case {
    Shape shape;
    Type type;
    unsigned rd, rs1, rs2, fields;
    bool unmasked;
  };
  // What the walk leaves behind.
  struct Result {
    Registers registers;
    std::vector<std::uint8_t> memory;
    Outcome outcome = Outcome::Next;
    std::uint64_t address = 0;  // of the fault
    std::uint64_t vstart = 0, vl = 0;
  };

  static Group data_group(const Case& c, unsigned field) {
    unsigned width = c.shape.mode == Mode::Indexed ? c.type.sew : c.shape.width;
    int emul = c.shape.mode == Mode::Indexed ? c.type.lmul_log2
                                             : c.type.lmul_log2 + log2_of_ratio(width, c.type.sew);
    if (c.shape.mode == Mode::Mask) emul = 0;
    if (c.shape.mode == Mode::Whole) emul = log2_of_ratio(c.shape.registers, 1);
    Group group{c.rd, width, emul};
    group.first += field * group.registers();
    return group;
  }

  static bool legal(const Case& c) {
    const Group first = data_group(c, 0), last = data_group(c, c.fields - 1);
    if (!first.valid() || last.last() > 31 || c.fields * first.registers() > 8) return false;
    if (c.shape.is_load && !c.unmasked && c.rd == 0) return false;
    if (c.shape.mode != Mode::Indexed) return true;
    const Group index{c.rs2, c.shape.width,
                      c.type.lmul_log2 + log2_of_ratio(c.shape.width, c.type.sew)};
    if (!index.valid()) return false;
    if (!c.shape.is_load) return true;
    if (c.fields == 1) return may_overlap(first, index);
    for (unsigned field = 0; field < c.fields; ++field)
      if (data_group(c, field).meets(index)) return false;
    return true;
  }

  std::uint64_t address_of(const Case& c, unsigned i, unsigned field, unsigned bytes) const {
    const std::uint64_t base = hart.x[c.rs1] + field * bytes;
    if (c.shape.mode == Mode::Strided) return base + i * hart.x[c.rs2];
    if (c.shape.mode == Mode::Indexed) return base + get(*hart.v, c.rs2, i, c.shape.width);
    return base + std::uint64_t{i} * c.fields * bytes;
  }

  // A fault that leaves fault-only-first no element to keep leaves no tail either.
  Result walk(const Case& c) const {
    Result result{*hart.v, memory};
    const unsigned bytes = data_group(c, 0).eew / 8;
    auto end = static_cast<unsigned>(hart.vl);
    if (c.shape.mode == Mode::Mask) end = (end + 7) / 8;
    if (c.shape.mode == Mode::Whole) end = c.shape.registers * kVlenBytes / bytes;
    result.vl = hart.vl;
    const auto start = static_cast<unsigned>(hart.vstart);
    if (start >= end) return result;
    for (unsigned i = start; i < end; ++i) {
      if (!c.unmasked && !get_bit(*hart.v, 0, i)) continue;
      for (unsigned field = 0; field < c.fields; ++field) {
        const std::uint64_t address = address_of(c, i, field, bytes);
        const std::uint64_t offset = address - kMemoryBase;
        if (offset > kMemoryBytes - bytes) {
          if (c.shape.mode == Mode::FaultOnlyFirst && i > 0) {
            result.vl = end = i;
            break;
          }
          result.outcome = Outcome::Trap;
          result.address = address;
          result.vstart = i;
          return result;
        }
        const Group group = data_group(c, field);
        if (c.shape.is_load) {
          std::uint64_t value = 0;
          std::memcpy(&value, &result.memory[offset], bytes);
          put(result.registers, group.first, i, group.eew, value);
        } else {
          const std::uint64_t value = get(*hart.v, group.first, i, group.eew);
          std::memcpy(&result.memory[offset], &value, bytes);
        }
      }
    }
    if (agnostic_fill && start < end && c.shape.is_load && c.shape.mode != Mode::Whole)
      fill(c, result, start, end);
    return result;
  }

  void fill(const Case& c, Result& result, unsigned start, unsigned end) const {
    for (unsigned field = 0; field < c.fields; ++field) {
      const Group group = data_group(c, field);
      for (unsigned i = start; i < end; ++i)
        if (!c.unmasked && !get_bit(*hart.v, 0, i) && hart.vtype.mask_agnostic != 0)
          put(result.registers, group.first, i, group.eew, ~0ULL);
      if (hart.vtype.tail_agnostic != 0 || c.shape.mode == Mode::Mask)
        for (unsigned i = end; i < group.registers() * kVlenBits / group.eew; ++i)
          put(result.registers, group.first, i, group.eew, ~0ULL);
    }
  }

  // Addresses that mostly hit, from the middle of memory or across its end.
  void choose_addresses(const Case& c) {
    const bool at_end = one_in(3);
    hart.x[c.rs2] = one_in(6) ? 0 : below(100) - 50ULL;
    hart.x[c.rs1] = at_end ? kOutside + 8 - below(one_in(2) ? 40 : 1200) : kData + below(512);
    if (c.shape.mode != Mode::Indexed) return;
    const unsigned count = std::min(c.type.vlmax, (32 - c.rs2) * kVlenBits / c.shape.width);
    for (unsigned i = 0; i < count; ++i)
      put(*hart.v, c.rs2, i, c.shape.width, one_in(300) ? any() : below(4096));
  }

  bool check(InstructionId id, const Type& type) {
    const Shape shape = shape_of(facts(id).mnemonic);
    randomize_registers();
    set_type(type, one_in(2), one_in(2));
    agnostic_fill = one_in(2);
    hart.vl = any_length(type.vlmax);
    hart.vstart = one_in(3) ? below(type.vlmax) : 0;
    const bool plain = shape.mode == Mode::Mask || shape.mode == Mode::Whole;
    Case c{shape,
           type,
           0,
           1 + below(8),
           9 + below(8),
           plain || one_in(2) ? 1 : 1 + below(8),
           plain || one_in(2)};
    c.rd = any_register(data_group(c, 0).emul_log2);
    if (shape.mode == Mode::Indexed) c.rs2 = any_register(type.lmul_log2);
    for (unsigned i = 0; i < memory.size(); i += 8) poke<std::uint64_t>(kMemoryBase + i, any());
    choose_addresses(c);
    hart.x[0] = 0;
    const std::uint32_t raw = encoding(id, c.rd, c.rs1, c.rs2, c.unmasked, c.fields);
    const HartState before = hart;
    const bool is_legal = legal(c);
    const Result expected = is_legal ? walk(c) : Result{*hart.v, memory};
    const Outcome outcome = run(raw);
    SCOPED_TRACE(testing::Message()
                 << disassemble(decode(raw), 0) << " sew " << type.sew << " lmul_log2 "
                 << type.lmul_log2 << " vl " << before.vl << " vstart " << before.vstart);
    EXPECT_EQ(std::memcmp(&expected.registers, hart.v, sizeof(Registers)), 0);
    EXPECT_EQ(expected.memory, memory);
    if (!is_legal) {
      expect_trap(outcome, Cause::IllegalInstruction, raw);
      EXPECT_EQ(hart.vstart, before.vstart);
      return false;
    }
    if (expected.outcome == Outcome::Trap) {
      expect_trap(outcome, shape.is_load ? Cause::LoadAccess : Cause::StoreAccess,
                  expected.address);
      ++faults_;
    } else {
      EXPECT_EQ(outcome, Outcome::Next);
    }
    EXPECT_EQ(hart.vstart, expected.vstart);
    EXPECT_EQ(hart.vl, expected.vl);
    EXPECT_EQ(hart.x, before.x);
    return true;
  }

  unsigned faults_ = 0;
};

TEST_P(VectorMemory, MovesElementByElementAndStopsWhereAnAccessFaults) {
  const InstructionId id = GetParam();
  std::cout << "seed " << seed << '\n';
  unsigned legal_cases = 0;
  for (const Type& type : supported_types())
    for (unsigned trial = 0; trial < 12; ++trial) {
      legal_cases += check(id, type) ? 1 : 0;
      if (HasFailure()) return;
    }
  EXPECT_GT(legal_cases, 60U) << "too few cases were legal to mean anything";
  EXPECT_GT(faults_, 3U);
}

TEST_P(VectorMemory, TrapsWhenVsIsOffAndWhereTheTypeMattersWhenItIsIll) {
  const std::uint32_t raw = encoding(GetParam(), 8, 10, 16, true);
  hart.x[10] = kData;
  hart.vtype = decode_vtype(kVtypeIll);
  const bool whole = shape_of(facts(GetParam()).mnemonic).mode == Mode::Whole;
  EXPECT_EQ(run(raw), whole ? Outcome::Next : Outcome::Trap);
  set_type({32, 0, 16}, false, false);
  hart.mstatus &= ~kMstatusVs;
  expect_trap(run(raw), Cause::IllegalInstruction, raw);
}

std::string name_of(const testing::TestParamInfo<InstructionId>& info) {
  std::string name{facts(info.param).mnemonic};
  for (char& c : name)
    if (c == '.') c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Each, VectorMemory, testing::ValuesIn(kInstructions), name_of);

class VectorStores : public VectorFixture {
 protected:
  // Hart 1 reserves the set at kData + 64; true if the store of hart 0 at `address` broke it.
  bool breaks(std::uint32_t raw, std::uint64_t address) {
    for (Hart& each : harts) each.reservations_held = true;
    for (Hart& each : harts) each.reservation = ~std::uint64_t{0};
    harts[1].reservation = kData + 64;
    hart.x[10] = address;
    hart.x[11] = 64;
    EXPECT_EQ(run(raw), Outcome::Next);
    return harts[1].reservation == ~std::uint64_t{0};
  }
};

TEST_F(VectorStores, EndReservationsOnTheSetsTheyTouchAndNoOthers) {
  set_type({32, 0, 16}, false, false);
  hart.vl = 2;
  const std::uint32_t plain = encoding(InstructionId::vse32_v, 8, 10, 0, true);
  EXPECT_TRUE(breaks(plain, kData + 120));
  EXPECT_TRUE(breaks(plain, kData + 60));
  EXPECT_FALSE(breaks(plain, kData + 56));
  EXPECT_FALSE(breaks(plain, kData + 128));
  const std::uint32_t strided = encoding(InstructionId::vsse32_v, 8, 10, 11, true);
  EXPECT_TRUE(breaks(strided, kData));
  EXPECT_FALSE(breaks(strided, kData + 128));
  EXPECT_TRUE(breaks(encoding(InstructionId::vs1r_v, 8, 10, 0, true), kData + 1));
}

}  // namespace
}  // namespace d1::isa::test
