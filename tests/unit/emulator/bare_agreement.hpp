// SPDX-License-Identifier: Apache-2.0
// Runs a short program on one hart by the interpreter and by each translator, and expects the same
// end, registers, memory and cycles of all.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <utility>
#include <vector>

#include <d1/emulator/bare_hart.hpp>
#include <d1/isa/operands.hpp>

namespace d1::emulator::test {

inline constexpr std::uint64_t kBase = 0x8000'0000, kBytes = 0x40'0000, kEnd = kBase + kBytes;
inline constexpr std::uint64_t kOther = 0x9000'0000, kOtherBytes = 0x1000;  // never in line
inline constexpr unsigned kT0 = 5, kT1 = 6, kA0 = 10, kA1 = 11, kA2 = 12, kS2 = 18;

struct Run {
  BareExit exit;
  std::vector<std::uint64_t> registers;
  std::vector<std::uint8_t> memory;
};

// a0 and a1 hold the given addresses when the program begins.
inline Run run(const std::vector<std::uint32_t>& program, std::uint64_t a0, std::uint64_t a1,
        const EngineOptions& engine) {
  std::vector<std::uint32_t> code = {
      isa::encode(isa::InstructionId::auipc, {.rd = kA1}),
      isa::encode(isa::InstructionId::ld, {.rd = kA0, .rs1 = kA1, .immediate = 16}),
      isa::encode(isa::InstructionId::ld, {.rd = kA1, .rs1 = kA1, .immediate = 24}),
      isa::encode(isa::InstructionId::jal, {.immediate = 20}),
      static_cast<std::uint32_t>(a0), static_cast<std::uint32_t>(a0 >> 32),
      static_cast<std::uint32_t>(a1), static_cast<std::uint32_t>(a1 >> 32)};
  code.insert(code.end(), program.begin(), program.end());
  code.push_back(isa::encode(isa::InstructionId::ebreak, {}));
  std::vector<std::uint8_t> bytes(4 * code.size());
  std::memcpy(bytes.data(), code.data(), bytes.size());
  BareHart hart(engine);
  EXPECT_TRUE(hart.add_memory(kBase, kBytes));
  EXPECT_TRUE(hart.add_memory(kOther, kOtherBytes));
  EXPECT_TRUE(hart.write(kBase, bytes));
  EXPECT_TRUE(hart.set_code(kBase, bytes.size()));
  hart.set_entry(kBase);
  Run result{hart.run(1'000'000), {}, std::vector<std::uint8_t>(kBytes)};
  for (unsigned i = 0; i < 32; ++i) result.registers.push_back(hart.integer_register(i));
  EXPECT_TRUE(hart.read(kBase, result.memory));
  return result;
}

// How both end; all else must be the same.
inline BareExit expect_agreement(const std::vector<std::uint32_t>& program, std::uint64_t a0,
                          std::uint64_t a1 = 0) {
  const Run reference = run(program, a0, a1, {.kind = EngineKind::Interpreter});
  for (const HostLevel level : {HostLevel::Portable, HostLevel::Avx2, HostLevel::Avx512})
    for (const auto& [before, base] :
         {std::pair{0u, MemoryBase::Segment}, std::pair{3u, MemoryBase::Segment},
          std::pair{0u, MemoryBase::Register}}) {
      const Run translated = run(program, a0, a1,
                                 {.kind = EngineKind::Translator,
                                  .level = level,
                                  .memory_base = base,
                                  .runs_before_translation = before});
      EXPECT_EQ(translated.exit.reason, reference.exit.reason);
      EXPECT_EQ(translated.exit.cause, reference.exit.cause);
      EXPECT_EQ(translated.exit.value, reference.exit.value);
      EXPECT_EQ(translated.exit.pc, reference.exit.pc);
      EXPECT_EQ(translated.exit.instructions, reference.exit.instructions);
      EXPECT_EQ(translated.exit.cycles, reference.exit.cycles);
      EXPECT_EQ(translated.registers, reference.registers);
      EXPECT_TRUE(translated.memory == reference.memory);
    }
  return reference.exit;
}

}  // namespace d1::emulator::test
