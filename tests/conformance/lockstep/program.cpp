// SPDX-License-Identifier: Apache-2.0
#include "program.hpp"

#include <fmt/format.h>

#include <cstring>

namespace d1::difftest {

namespace {

constexpr std::int64_t kBranchReach = 4096;  // bytes, forward and backward

std::uint32_t word_of(const Code& code, std::size_t at) {
  return code[at] | (at + 1 < code.size() ? std::uint32_t{code[at + 1]} << 16 : 0);
}

void put_word(Code& code, std::size_t at, std::uint32_t word) {
  code[at] = static_cast<std::uint16_t>(word);
  code[at + 1] = static_cast<std::uint16_t>(word >> 16);
}

void put_field(Code& code, isa::Operand operand, std::int64_t value) {
  const isa::BitField& field = isa::facts(operand).field;
  put_word(code, 0,
           (word_of(code, 0) & ~field.mask()) | field.insert(static_cast<std::int32_t>(value)));
}

void point_to(Code& code, const Item& item, std::int64_t distance) {
  switch (item.kind) {
    case Item::Kind::Plain:
      break;
    case Item::Kind::Branch:
      if (distance < -kBranchReach || distance >= kBranchReach) distance = 4;
      put_field(code, isa::Operand::imm_b, distance);
      break;
    case Item::Kind::Jump:
      put_field(code, isa::Operand::imm_j, distance);
      break;
    case Item::Kind::Address: {
      const auto low = static_cast<std::int32_t>(static_cast<std::uint32_t>(distance) << 20) >> 20;
      const unsigned rd = code[0] >> 7 & 31;
      code.clear();
      Assembler out(code);
      out.op(InstructionId::auipc,
             {.rd = rd, .immediate = static_cast<std::int32_t>(distance - low)});
      out.add_immediate(rd, rd, low);
      break;
    }
    case Item::Kind::Compressed: {
      const std::int64_t reach = std::int64_t{1} << (item.line->immediate.bits - 1);
      if (distance < -reach || distance >= reach) distance = 2;
      const auto place = static_cast<std::uint16_t>(item.line->immediate.mask());
      code[0] = static_cast<std::uint16_t>(
          (code[0] & ~place) | item.line->immediate.insert(static_cast<std::int32_t>(distance)));
      break;
    }
  }
}

}  // namespace

Assembled assemble(const Program& program) {
  Assembled result;
  std::uint64_t at = kProgramBase + kHandlerBytes;
  for (const Item& item : program.items) {
    result.addresses.push_back(at);
    at += 2 * item.code.size();
  }
  result.addresses.push_back(at);
  result.bytes.resize(kProgramBytes);
  if (!program.handler.empty())
    std::memcpy(result.bytes.data(), program.handler.data(), 2 * program.handler.size());
  for (std::size_t i = 0; i < program.items.size(); ++i) {
    const Item& item = program.items[i];
    Code code = item.code;
    if (item.target != kNowhere)
      point_to(code, item,
               static_cast<std::int64_t>(result.addresses[static_cast<unsigned>(item.target)] -
                                         result.addresses[i]));
    std::memcpy(result.bytes.data() + (result.addresses[i] - kProgramBase), code.data(),
                2 * code.size());
  }
  return result;
}

Program without(const Program& program, std::size_t first, std::size_t count) {
  Program less = program;
  less.items.erase(less.items.begin() + static_cast<std::ptrdiff_t>(first),
                   less.items.begin() + static_cast<std::ptrdiff_t>(first + count));
  const auto move = [&](int& place) {
    if (place == kNowhere || static_cast<std::size_t>(place) < first) return;
    place = static_cast<std::size_t>(place) < first + count ? static_cast<int>(first)
                                                            : place - static_cast<int>(count);
  };
  for (Item& item : less.items) move(item.target);
  for (Round& round : less.rounds) move(round.entry);
  return less;
}

std::string to_text(const Program& program) {
  const Assembled assembled = assemble(program);
  std::string text;
  const auto put = [&](std::uint64_t from, std::uint64_t end) {
    while (from < end) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, assembled.bytes.data() + (from - kProgramBase), end - from >= 4 ? 4 : 2);
      const isa::Instruction instruction = isa::decode(bits);
      text += fmt::format("  {:#x}: {:0{}x}  {}\n", from,
                          instruction.length == 2 ? bits & 0xffff : bits, instruction.length * 2,
                          isa::disassemble(instruction, from));
      from += instruction.length;
    }
  };
  text += "handler of traps:\n";
  put(kProgramBase, kProgramBase + 2 * program.handler.size());
  text += "program:\n";
  for (std::size_t i = 0; i < program.items.size(); ++i) {
    for (const Round& round : program.rounds)
      if (round.entry == static_cast<int>(i))
        text += fmt::format("# a round of {} turns begins here, state seed {}\n",
                            round.budgets.size(), round.state_seed);
    put(assembled.addresses[i], assembled.addresses[i + 1]);
  }
  return text;
}

}  // namespace d1::difftest
