// SPDX-License-Identifier: Apache-2.0
#include "engine/code_image.hpp"

#include <sys/mman.h>

#include <cstring>
#include <new>

#include <d1/isa/semantics/table.hpp>

#include "engine/handlers.hpp"

namespace d1::emulator {

using isa::Extension;
using isa::Instruction;
using isa::InstructionId;
using isa::Operation;

void CodeImage::FreeZeroed::operator()(std::atomic<Block*>* slots) const noexcept {
  munmap(static_cast<void*>(slots), bytes);
}

CodeImage::CodeImage(std::uint64_t base, std::span<const std::uint8_t> bytes,
                     std::atomic<std::uint64_t>* decoded)
    : base_(base), size_(bytes.size()), bytes_(bytes.size() + 4, 0), decoded_(decoded) {
  if (!bytes.empty()) std::memcpy(bytes_.data(), bytes.data(), bytes.size());
  const std::size_t table = (size_ / 2 + 1) * sizeof(std::atomic<Block*>);
  // Fresh zero pages are valid null pointers; only slots of code that runs are ever touched.
  void* pages = mmap(nullptr, table, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  blocks_ = std::unique_ptr<std::atomic<Block*>[], FreeZeroed>(
      static_cast<std::atomic<Block*>*>(pages), FreeZeroed{table});
}

std::uint64_t CodeImage::next_id() noexcept {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

CodeImage::~CodeImage() {
  translated_->forget();
  if (!any_decoded_.load()) return;
  for (std::size_t i = 0; i < size_ / 2 + 1; ++i) delete blocks_[i].load(std::memory_order_relaxed);
}

const Block& CodeImage::add_block(std::atomic<Block*>& slot, std::uint64_t pc) {
  std::unique_ptr<Block> made = decode_block(pc);
  Block* expected = nullptr;
  // Whoever publishes first wins; the release pairs with the acquire in block().
  if (slot.compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel,
                                   std::memory_order_acquire)) {
    any_decoded_.store(true, std::memory_order_relaxed);
    if (decoded_ != nullptr) decoded_->fetch_add(1, std::memory_order_relaxed);
    return *made.release();
  }
  return *expected;
}

namespace {

// Instructions that end a stretch: control transfers and those that may return Sync or Stop.
bool ends_stretch(const Instruction& instruction) {
  switch (instruction.id) {
    case InstructionId::Illegal:
    case InstructionId::jal: case InstructionId::jalr:
    case InstructionId::beq: case InstructionId::bne: case InstructionId::blt:
    case InstructionId::bge: case InstructionId::bltu: case InstructionId::bgeu:
    case InstructionId::ecall: case InstructionId::ebreak: case InstructionId::mret:
    case InstructionId::wfi: case InstructionId::fence_i:
      return true;
    default: break;
  }
  return isa::facts(instruction.id).extension == Extension::Zicsr;
}

// Instructions that look at the time or at the counters, or leave the node: a stretch begins with
// them, so that everything before them is accounted for.
bool begins_stretch(const Instruction& instruction) {
  const auto& facts = isa::facts(instruction.id);
  if (facts.extension == Extension::Zicsr) return true;
  return facts.extension == Extension::Xd1 && facts.unit != isa::Unit::Matrix &&
         facts.unit != isa::Unit::Simd;
}

}  // namespace

std::unique_ptr<Block> CodeImage::decode_block(std::uint64_t pc) const {
  auto block = std::make_unique<Block>();
  block->start = pc;
  std::uint64_t at = pc;
  while (block->count < kStretchLimit && contains(at)) {
    std::uint32_t bits;
    std::memcpy(&bits, bytes_.data() + (at - base_), sizeof(bits));
    const Instruction instruction = isa::decode(bits);
    // An instruction that reaches past the image faults when it is fetched, not before.
    if (instruction.length == 4 && !contains(at + 2)) break;
    if (block->count != 0 && begins_stretch(instruction)) break;
    Operation operation = isa::make_operation(instruction, at);
    operation.handler = handler_of(instruction.id);
    block->operations.push_back(operation);
    ++block->count;
    at += instruction.length;
    if (ends_stretch(instruction)) break;
  }
  block->end = at;
  if (block->count != 0) {
    const InstructionId last = block->operations.back().id;
    block->returns_from_trap = last == InstructionId::mret;
    block->indirect = last == InstructionId::jalr || block->returns_from_trap;
  }
  block->issue_ticks.resize(block->count);
  issue_costs({block->operations.data(), block->count}, block->issue_ticks);
  for (unsigned i = 0; i < block->count; ++i) {
    block->work += block->issue_ticks[i];
    const UnitCost& cost = unit_cost(block->operations[i].id);
    if (cost.scale == Scale::Fixed) {
      block->fixed_units[static_cast<unsigned>(cost.unit)] += cost.unit_ticks;
      block->fixed_units[static_cast<unsigned>(cost.port)] += cost.port_ticks;
    }
  }
  block->fixed_units[static_cast<unsigned>(isa::Unit::Issue)] = block->count;
  block->fixed_units[static_cast<unsigned>(isa::Unit::None)] = 0;
  Operation sentinel;
  sentinel.handler = leave_block;
  sentinel.pc = at;
  block->operations.push_back(sentinel);
  return block;
}

}  // namespace d1::emulator
