// SPDX-License-Identifier: Apache-2.0
// What is translated together: blocks of one function that reach each other by branches.
// A region is entered at its first block alone; jumps between its blocks stay inside.
#pragma once

#include <bitset>
#include <vector>

#include "engine/code_image.hpp"

namespace d1::emulator {

inline constexpr std::size_t kBlocksOfRegion = 32;  // at most; own
using BlockSet = std::bitset<kBlocksOfRegion>;      // by their places in a region

struct Region {
  CodeImage* image = nullptr;
  std::vector<const Block*> blocks;  // the entry first, and what falls through behind its block

  // The place of the block at pc; blocks.size() if there is none.
  [[nodiscard]] std::size_t place_of(std::uint64_t pc) const noexcept {
    std::size_t place = 0;
    while (place < blocks.size() && blocks[place]->start != pc) ++place;
    return place;
  }
  [[nodiscard]] bool contains(std::uint64_t pc) const noexcept {
    return place_of(pc) != blocks.size();
  }
};

// Whether host code may stand for the block. What looks at the time, waits, or changes what
// translated code relies on is left to the interpreter, a block at a time.
[[nodiscard]] bool translatable(const Block& block) noexcept;

[[nodiscard]] bool is_vector(isa::InstructionId id) noexcept;
// Reads or writes frm in a way that translated code knows (emit_csr.cpp).
[[nodiscard]] bool accesses_rounding_mode(const isa::Operation& operation) noexcept;
[[nodiscard]] bool is_jump(isa::InstructionId id) noexcept;  // or a branch

// Where a block leads to without a register's help.
struct Successors {
  std::uint64_t taken = 0, next = 0;
  bool has_taken = false, has_next = false;
  bool call = false;  // the taken one is a function
};
[[nodiscard]] Successors successors_of(const Block& block) noexcept;

// Whether a block is left for the interpreter so soon that entering its host code costs more than
// that saves: what is between two instructions that only the interpreter carries out.
[[nodiscard]] bool is_brief(CodeImage& image, const Block& block);

// The region of the block at `entry`. Blocks that never ran are left out unless `eager`.
[[nodiscard]] Region find_region(CodeImage& image, const Block& entry, bool eager);

}  // namespace d1::emulator
