// SPDX-License-Identifier: Apache-2.0
#include <d1/isa/semantics/table.hpp>

#include <iterator>

#include <d1/isa/semantics/all.hpp>

namespace d1::isa {
namespace {

constexpr Semantics kSemantics[] = {
    illegal,
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) exec::id,
#include <d1/isa/table/all.def>
#undef D1_INSTRUCTION
};
static_assert(std::size(kSemantics) == static_cast<std::size_t>(InstructionId::Count));

}  // namespace

Semantics semantics_of(InstructionId id) noexcept {
  const auto index = static_cast<std::size_t>(id);
  return kSemantics[index < std::size(kSemantics) ? index : 0];
}

}  // namespace d1::isa
