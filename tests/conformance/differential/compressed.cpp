// SPDX-License-Identifier: Apache-2.0
#include "compressed.hpp"

#include <vector>

namespace d1::difftest {

namespace {

CompressedInstruction line(std::string_view mnemonic, std::string_view pattern,
                           isa::InstructionId id, std::string_view immediate) {
  CompressedInstruction result{mnemonic, id, 0, 0, isa::parse_bit_field(immediate)};
  for (const char place : pattern) {
    if (place == ' ') continue;
    result.mask = static_cast<std::uint16_t>(result.mask << 1 | (place != '.' ? 1 : 0));
    result.match = static_cast<std::uint16_t>(result.match << 1 | (place == '1' ? 1 : 0));
  }
  return result;
}

}  // namespace

std::span<const CompressedInstruction> compressed_instructions() {
  static const std::vector<CompressedInstruction> kLines = {
#define D1_COMPRESSED(mnemonic, pattern, id, rd, rs1, rs2, immediate, rule) \
  line(mnemonic, pattern, isa::InstructionId::id, immediate),
#include <d1/isa/table/compressed.def>
#undef D1_COMPRESSED
  };
  return kLines;
}

}  // namespace d1::difftest
