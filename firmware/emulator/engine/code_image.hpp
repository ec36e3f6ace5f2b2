// SPDX-License-Identifier: Apache-2.0
// What instruction fetch reads: a snapshot of executable bytes, taken at load or at fence.i, and
// the blocks decoded from it. All nodes that loaded the same program share one image, so nothing is
// decoded twice. Thread-safe: any number of host threads look up and add blocks at once; a block,
// once published, never moves or changes while the image lives.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <d1/base/code_names.hpp>

#include "engine/timing.hpp"

namespace d1::emulator {

// One stretch of straight-line code (see timing.hpp), decoded. operations.back() is a sentinel
// that leaves the block where no control transfer ended it.
// What every run of it needs comes first, in one line of the host's cache.
struct alignas(64) Block {
  std::uint64_t end = 0;                   // address behind the last instruction
  std::uint32_t count : 30 = 0;            // instructions
  std::uint32_t indirect : 1 = 0;          // ends with a jump to an address in a register
  std::uint32_t returns_from_trap : 1 = 0; // ends with mret
  std::uint32_t work = 0;                  // sum of issue ticks
  UnitTicks fixed_units{};                 // sum of occupancies that no vtype or vl changes
  mutable std::atomic<const void*> entry{nullptr};  // its host code, where it was translated
  mutable std::atomic<std::uint32_t> brief_stays{0};  // in that code, one after the other: stay.hpp
  std::vector<isa::Operation> operations;  // count + 1
  std::vector<std::uint16_t> issue_ticks;  // by operation
  std::uint64_t start = 0;
  mutable std::atomic<std::uint32_t> heat{0};  // how often it was interpreted, about
};

// The blocks of an image that have host code, so that it can be taken from them at any time.
class TranslatedBlocks {
 public:
  void add(const Block& block, const void* entry) {
    const std::lock_guard lock(mutex_);
    blocks_.push_back(&block);
    block.entry.store(entry, std::memory_order_release);  // pairs with the acquire of who enters
  }
  // No block has host code any more. (Who is in it stays there until the end of the turn.)
  void clear() {
    const std::lock_guard lock(mutex_);
    for (const Block* block : blocks_) {
      block->entry.store(nullptr, std::memory_order_relaxed);
      block->heat.store(0, std::memory_order_relaxed);
    }
    blocks_.clear();
  }
  // The blocks are about to go.
  void forget() {
    const std::lock_guard lock(mutex_);
    blocks_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<const Block*> blocks_;
};

class CodeImage {
 public:
  // Copies bytes; base is the address of the first and must be even. Blocks are counted in
  // `decoded`, which all images of a machine share, unless it is null.
  CodeImage(std::uint64_t base, std::span<const std::uint8_t> bytes,
            std::atomic<std::uint64_t>* decoded = nullptr);
  ~CodeImage();
  CodeImage(const CodeImage&) = delete;
  CodeImage& operator=(const CodeImage&) = delete;

  [[nodiscard]] bool contains(std::uint64_t pc) const noexcept { return pc - base_ < size_; }
  [[nodiscard]] std::uint64_t base() const noexcept { return base_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept {
    return {bytes_.data(), size_};
  }

  // The block that starts at pc, which must be even and inside the image.
  [[nodiscard]] const Block& block(std::uint64_t pc) {
    std::atomic<Block*>& slot = blocks_[(pc - base_) >> 1];
    Block* found = slot.load(std::memory_order_acquire);  // pairs with the release in add_block
    return found != nullptr ? *found : add_block(slot, pc);
  }

  // The same, if it was decoded before; else null.
  [[nodiscard]] const Block* find_block(std::uint64_t pc) const noexcept {
    return blocks_[(pc - base_) >> 1].load(std::memory_order_acquire);  // as in block()
  }

  // Its functions, null where nobody told them. Set before any thread uses the image.
  void set_names(std::shared_ptr<const CodeNames> names) noexcept { names_ = std::move(names); }
  [[nodiscard]] const std::shared_ptr<const CodeNames>& names() const noexcept { return names_; }

  // Which image it is: never again for another one of the process. Not 0.
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  // The ELF file it came from, null where nobody told it. Between quanta only.
  using File = std::shared_ptr<const std::vector<std::uint8_t>>;
  void set_elf(File elf) noexcept { elf_ = std::move(elf); }
  [[nodiscard]] const File& elf() const noexcept { return elf_; }

  // For translators: the table of blocks by half-word, and which of them have host code.
  [[nodiscard]] const std::atomic<Block*>* block_table() const noexcept { return blocks_.get(); }
  [[nodiscard]] const std::shared_ptr<TranslatedBlocks>& translated() const noexcept {
    return translated_;
  }

 private:
  [[nodiscard]] static std::uint64_t next_id() noexcept;
  const Block& add_block(std::atomic<Block*>& slot, std::uint64_t pc);
  [[nodiscard]] std::unique_ptr<Block> decode_block(std::uint64_t pc) const;

  std::uint64_t base_;
  std::uint64_t size_;
  std::shared_ptr<const CodeNames> names_;
  const std::uint64_t id_ = next_id();
  File elf_;
  std::vector<std::uint8_t> bytes_;  // padded so that a fetch at the end reads zeroes
  struct FreeZeroed {
    std::size_t bytes;
    void operator()(std::atomic<Block*>* slots) const noexcept;
  };
  // One a half-word, untouched until used.
  std::unique_ptr<std::atomic<Block*>[], FreeZeroed> blocks_;
  std::atomic<bool> any_decoded_{false};
  std::atomic<std::uint64_t>* decoded_;
  std::shared_ptr<TranslatedBlocks> translated_ = std::make_shared<TranslatedBlocks>();
};

// What one node can fetch from: the shared boot ROM and its program, if any.
struct CodeView {
  CodeImage* rom = nullptr;
  std::shared_ptr<CodeImage> program;

  [[nodiscard]] CodeImage* find(std::uint64_t pc) const noexcept {
    if (program != nullptr && program->contains(pc)) return program.get();
    return rom != nullptr && rom->contains(pc) ? rom : nullptr;
  }
};

}  // namespace d1::emulator
