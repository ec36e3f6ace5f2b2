// SPDX-License-Identifier: Apache-2.0
// The lines of table/compressed.def as the generator needs them. Static data.
#pragma once

#include <span>
#include <string_view>

#include <d1/isa/operands.hpp>

namespace d1::difftest {

struct CompressedInstruction {
  std::string_view mnemonic;
  isa::InstructionId id;  // what it expands to
  std::uint16_t mask = 0, match = 0;
  isa::BitField immediate;
};

[[nodiscard]] std::span<const CompressedInstruction> compressed_instructions();

}  // namespace d1::difftest
