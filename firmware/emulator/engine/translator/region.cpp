// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/region.hpp"

#include <d1/isa/instruction.hpp>

namespace d1::emulator {

using isa::Extension;
using isa::InstructionId;

namespace {

constexpr unsigned kInstructions = 512;  // own: of a region

}  // namespace

namespace {

constexpr bool is_vector(Extension extension, isa::Unit unit) noexcept {
  return unit == isa::Unit::Simd || unit == isa::Unit::Matrix || extension == Extension::V;
}

// By InstructionId. Translation asks this most often.
constexpr bool kVectors[] = {
    false,
#define D1_INSTRUCTION(id, mnemonic, pattern, operands, extension, unit, latency) \
  is_vector(Extension::extension, isa::Unit::unit),
#include <d1/isa/table/all.def>
#undef D1_INSTRUCTION
};

}  // namespace

bool is_vector(InstructionId id) noexcept { return kVectors[static_cast<std::size_t>(id)]; }

bool is_jump(InstructionId id) noexcept {
  switch (id) {
    case InstructionId::jal: case InstructionId::jalr:
    case InstructionId::beq: case InstructionId::bne: case InstructionId::blt:
    case InstructionId::bge: case InstructionId::bltu: case InstructionId::bgeu:
      return true;
    default:
      return false;
  }
}

namespace {

bool is_system(const isa::Operation& operation) noexcept {
  const InstructionId id = operation.id;
  switch (id) {
    case InstructionId::Illegal:
    case InstructionId::fence: case InstructionId::fence_i:
    case InstructionId::ecall: case InstructionId::ebreak:
    case InstructionId::mret: case InstructionId::wfi:
    case InstructionId::lr_w: case InstructionId::lr_d:
    case InstructionId::sc_w: case InstructionId::sc_d:
      return true;
    default:
      break;
  }
  const auto& facts = isa::facts(id);
  return (facts.extension == Extension::Zicsr && !accesses_rounding_mode(operation)) ||
         (facts.extension == Extension::Xd1 && facts.unit != isa::Unit::Simd &&
          facts.unit != isa::Unit::Matrix);
}

}  // namespace

bool translatable(const Block& block) noexcept {
  if (block.count == 0) return false;
  for (unsigned i = 0; i < block.count; ++i)
    if (is_system(block.operations[i])) return false;
  return true;
}

Successors successors_of(const Block& block) noexcept {
  const isa::Operation& last = block.operations[block.count - 1];
  Successors after;
  const std::uint64_t target = last.pc + static_cast<std::uint64_t>(last.immediate);
  switch (last.id) {
    case InstructionId::jal:
      after.taken = target;
      after.has_taken = true;
      after.call = last.rd != 0;
      break;
    case InstructionId::jalr:
      break;
    case InstructionId::beq: case InstructionId::bne: case InstructionId::blt:
    case InstructionId::bge: case InstructionId::bltu: case InstructionId::bgeu:
      after.taken = target;
      after.has_taken = true;
      [[fallthrough]];
    default:
      after.next = block.end;
      after.has_next = true;
      break;
  }
  return after;
}

bool is_brief(CodeImage& image, const Block& block) {
  constexpr unsigned kBrief = 12;  // own: instructions, interpreted in the time of an entry
  if (block.count >= kBrief || block.indirect) return false;  // indirect: who knows where to
  const Successors after = successors_of(block);
  const auto translated = [&image](std::uint64_t pc) {
    return image.contains(pc) && translatable(image.block(pc));
  };
  return !(after.has_taken && translated(after.taken)) &&
         !(after.has_next && translated(after.next));
}

Region find_region(CodeImage& image, const Block& entry, bool eager) {
  Region region;
  region.image = &image;
  region.blocks.reserve(kBlocksOfRegion);
  std::vector<std::uint64_t> open;
  open.reserve(kBlocksOfRegion);
  open.push_back(entry.start);
  unsigned instructions = 0;
  // Depth first, what falls through at the top: it is emitted behind its block.
  while (!open.empty() && region.blocks.size() < kBlocksOfRegion) {
    const std::uint64_t pc = open.back();
    open.pop_back();
    if (!image.contains(pc) || region.contains(pc)) continue;
    const Block* const block = eager ? &image.block(pc) : image.find_block(pc);
    const bool ran = block != nullptr && block->heat.load(std::memory_order_relaxed) != 0;
    if (!ran && !eager && block != &entry) continue;
    if (!translatable(*block) || instructions + block->count > kInstructions) continue;
    region.blocks.push_back(block);
    instructions += block->count;
    const Successors after = successors_of(*block);
    if (after.has_taken && !after.call) open.push_back(after.taken);
    if (after.has_next) open.push_back(after.next);
  }
  return region;
}

}  // namespace d1::emulator
