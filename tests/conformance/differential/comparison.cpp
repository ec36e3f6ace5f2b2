// SPDX-License-Identifier: Apache-2.0
#include "comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>

namespace d1::difftest {

namespace {

constexpr unsigned kShrinkRounds = 64;

std::string hex(std::span<const std::uint8_t> bytes) {  // most significant byte first
  std::string text;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    text += fmt::format("{:02x}", bytes[i]);
    if (i % 8 == 0 && i != 0) text += '_';
  }
  return text;
}

bool is_zero(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

// One part of the state that shrinking may zero.
using Zero = std::function<void(Block&)>;

std::vector<Zero> zeroings() {
  std::vector<Zero> all;
  all.push_back([](Block& block) { block.arena.fill(0); });
  all.push_back([](Block& block) { block.fcsr = 0; });
  all.push_back([](Block& block) { block.vcsr = 0; });
  for (std::size_t i = 0; i < 32; ++i) {
    all.push_back([i](Block& block) { block.x[i] = 0; });
    all.push_back([i](Block& block) { block.f[i] = 0; });
    all.push_back([i](Block& block) { block.v[i].fill(0); });
  }
  return all;
}

std::string disassembly(const Case& each) {
  std::string text;
  std::uint64_t pc = 0;
  for (const Step& step : each.steps) {
    text += fmt::format("  # {}\n", name_of(step.cell));
    for (std::size_t i = 0; i < step.code.size();) {
      std::uint32_t bits = step.code[i];
      if (i + 1 < step.code.size()) bits |= std::uint32_t{step.code[i + 1]} << 16;
      const isa::Instruction instruction = isa::decode(bits);
      const bool main = 2 * i == step.main_offset;
      text += fmt::format("  {:#06x}: {:0{}x}  {} {}\n", pc + 2 * i,
                          instruction.length == 2 ? bits & 0xffff : bits, instruction.length * 2,
                          main ? ">" : " ", isa::disassemble(instruction, pc + 2 * i));
      i += instruction.length / 2U;
    }
    pc += 2 * step.code.size();
  }
  return text;
}

std::string state_text(const Case& each) {
  const Block& block = each.initial;
  std::string text = fmt::format("  fcsr {:#x}, vcsr {:#x}, vtype {:#x}, vl {}\n", block.fcsr,
                                 block.vcsr, block.vtype, block.vl);
  for (std::size_t i = 1; i < 32; ++i)
    if (block.x[i] != 0 && i != each.pointer)
      text += fmt::format("  x{} {:#018x}\n", i, block.x[i]);
  for (std::size_t i = 0; i < 32; ++i)
    if (block.f[i] != 0) text += fmt::format("  f{} {:#018x}\n", i, block.f[i]);
  for (std::size_t i = 0; i < 32; ++i)
    if (!is_zero(block.v[i])) text += fmt::format("  v{} {}\n", i, hex(block.v[i]));
  if (!is_zero(block.arena)) text += "  memory: as the seed makes it\n";
  return text;
}

std::string traps_text(const Block& block) {
  std::string text = fmt::format("{}", block.traps);
  for (std::size_t i = 0; i < std::min<std::size_t>(block.traps, block.log.size()); ++i)
    text += fmt::format(" (pc {:#x} signal {})", block.log[i].pc, block.log[i].cause);
  return text;
}

}  // namespace

std::vector<std::string> differences(const Case& each, const Block& ours, const Block& oracle) {
  std::vector<std::string> lines;
  const auto number = [&](const std::string& name, std::uint64_t a, std::uint64_t b) {
    if (a != b) lines.push_back(fmt::format("{}: ours {:#x}, oracle {:#x}", name, a, b));
  };
  if (ours.traps != oracle.traps || ours.log != oracle.log)
    lines.push_back(fmt::format("traps: ours {}, oracle {}", traps_text(ours), traps_text(oracle)));
  number("fcsr", ours.fcsr, oracle.fcsr);
  number("vcsr", ours.vcsr, oracle.vcsr);
  number("vl", ours.vl, oracle.vl);
  number("vtype", ours.vtype, oracle.vtype);
  number("vstart", ours.vstart, oracle.vstart);
  for (std::size_t i = 1; i < 32; ++i)
    if (i != each.pointer) number(fmt::format("x{}", i), ours.x[i], oracle.x[i]);
  for (std::size_t i = 0; i < 32; ++i) number(fmt::format("f{}", i), ours.f[i], oracle.f[i]);
  for (std::size_t i = 0; i < 32; ++i)
    if (ours.v[i] != oracle.v[i])
      lines.push_back(
          fmt::format("v{}:\n    ours   {}\n    oracle {}", i, hex(ours.v[i]), hex(oracle.v[i])));
  unsigned bytes = 0;
  for (std::size_t i = 0; i < kArenaBytes; ++i)
    if (ours.arena[i] != oracle.arena[i] && ++bytes <= 8)
      number(fmt::format("memory {:#x}", kArena + i), ours.arena[i], oracle.arena[i]);
  if (bytes > 8) lines.push_back(fmt::format("and {} more bytes of memory", bytes - 8));
  return lines;
}

Result<Outcomes> Comparer::run(std::span<const Case> cases) const {
  const Image image = builder_.build(cases);
  OracleRun oracle(image, options_, folder_);
  auto ours = run_ours(image);
  auto theirs = oracle.finish();
  if (!ours) return std::unexpected(ours.error());
  if (!theirs) return std::unexpected(theirs.error());
  return Outcomes{std::move(*ours), std::move(*theirs)};
}

std::vector<bool> Comparer::differ(std::span<const Case> cases) const {
  std::vector<bool> result(cases.size());
  const auto outcomes = run(cases);
  if (!outcomes) {  // one that ends a side differs too, and hides the others of its image
    if (cases.size() == 1) return {true};
    std::vector<bool> all = differ(cases.first(cases.size() / 2));
    const std::vector<bool> second = differ(cases.subspan(cases.size() / 2));
    all.insert(all.end(), second.begin(), second.end());
    return all;
  }
  for (std::size_t i = 0; i < cases.size(); ++i)
    result[i] = !differences(cases[i], outcomes->ours[i], outcomes->oracle[i]).empty();
  return result;
}

void Comparer::shrink_steps(Case& failing) const {
  while (failing.steps.size() > 1) {
    std::vector<Case> candidates;
    for (const Step& step : failing.steps) {  // one alone
      candidates.push_back(failing);
      candidates.back().steps = {step};
    }
    for (std::size_t i = 0; i < failing.steps.size(); ++i) {  // all but one
      candidates.push_back(failing);
      candidates.back().steps.erase(candidates.back().steps.begin() +
                                    static_cast<std::ptrdiff_t>(i));
    }
    const std::vector<bool> still = differ(candidates);
    const auto found = std::ranges::find(still, true);
    if (found == still.end()) return;
    failing = candidates[static_cast<std::size_t>(found - still.begin())];
  }
}

void Comparer::shrink_state(Case& failing) const {
  std::vector<Zero> parts = zeroings();
  for (unsigned round = 0; round < kShrinkRounds && !parts.empty(); ++round) {
    std::vector<Case> candidates;
    for (const Zero& zero : parts) {
      candidates.push_back(failing);
      zero(candidates.back().initial);
    }
    const std::vector<bool> still = differ(candidates);
    std::vector<Zero> useful;
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (still[i]) useful.push_back(parts[i]);
    if (useful.empty()) return;
    Case all = failing;
    for (const Zero& zero : useful) zero(all.initial);
    // Later ones of a register undo earlier ones: ones before zeros is as good.
    if (differ({&all, 1})[0]) {
      failing = all;
      return;
    }
    useful.front()(failing.initial);
    useful.erase(useful.begin());
    parts = std::move(useful);
  }
}

Case Comparer::shrink(Case failing) const {
  shrink_steps(failing);
  shrink_state(failing);
  return failing;
}

std::string Comparer::report(const Case& failing) const {
  std::string text = "instructions:\n" + disassembly(failing);
  text += "state before (what is not given is 0):\n" + state_text(failing);
  const auto outcomes = run({&failing, 1});
  if (!outcomes) return text + outcomes.error().to_string() + "\n";
  text += "after:\n";
  for (const std::string& line : differences(failing, outcomes->ours[0], outcomes->oracle[0]))
    text += fmt::format("  {}\n", line);
  return text;
}

}  // namespace d1::difftest
