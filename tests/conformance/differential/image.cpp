// SPDX-License-Identifier: Apache-2.0
#include "image.hpp"

#include <cstring>
#include <random>
#include <stdexcept>

namespace d1::difftest {

namespace {

constexpr std::uint64_t kSigaction = 0x4 | 0x08000000 | 0x40000000;  // SIGINFO, ONSTACK, NODEFER
constexpr std::uint32_t kTableSeed = 1;
constexpr std::size_t kTailBytes = 12;        // behind a case's steps: the way to its epilogue
constexpr std::int64_t kJumpReach = 1 << 20;  // of jal, from a case's end to its epilogue

// Indices for indexed accesses: variants times width, each eight registers of values below the
// limit. The first variants are aligned to eight bytes, the later ones not.
std::vector<std::uint8_t> make_tables() {
  std::mt19937 random(kTableSeed);
  std::vector<std::uint8_t> tables;
  for (unsigned width = 0; width < 4; ++width)
    for (unsigned variant = 0; variant < kTableVariants; ++variant)
      for (unsigned i = 0; i < kTableBytes >> width; ++i) {
        std::uint64_t value = random() % (width == 0 ? 256 : kIndexLimit);
        if (variant < kTableVariants / 2) value &= ~std::uint64_t{7};
        for (unsigned byte = 0; byte < 1U << width; ++byte)
          tables.push_back(static_cast<std::uint8_t>(value >> 8 * byte));
      }
  return tables;
}

template <typename T>
void put(std::vector<std::uint8_t>& bytes, std::size_t offset, const T& value) {
  if (bytes.size() < offset + sizeof(T)) bytes.resize(offset + sizeof(T));
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

}  // namespace

ImageBuilder::ImageBuilder() : runtime_(make_runtime_code()), tables_(make_tables()) {}

Image ImageBuilder::build(std::span<const Case> cases) const {
  Image image;
  image.linux_entry = runtime_.linux_entry;
  image.bare_entry = runtime_.bare_entry;
  Code code = runtime_.code;
  Assembler out(code);
  image.blocks.resize(cases.size() * sizeof(Block));
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& each = cases[i];
    // No case crosses a page: the oracle ends its blocks there, see ORACLE.md 4.
    std::size_t bytes = kTailBytes;
    for (const Step& step : each.steps) bytes += 2 * step.code.size();
    if (out.bytes() / kPageBytes != (out.bytes() + bytes) / kPageBytes)
      code.resize((out.bytes() / kPageBytes + 1) * kPageBytes / 2);
    const std::uint64_t block_address = kBlockBase + i * sizeof(Block);
    Block block = each.initial;
    block.prologue = runtime_.prologue[each.pointer];
    block.code = kCodeBase + out.bytes();
    block.traps = 0;
    block.log = {};
    image.case_code.push_back(block.code);
    for (const Step& step : each.steps) code.insert(code.end(), step.code.begin(), step.code.end());
    out.load_immediate(each.pointer, static_cast<std::uint32_t>(block_address));
    const std::uint64_t pc = kCodeBase + out.bytes();
    const auto distance = static_cast<std::int64_t>(runtime_.epilogue[each.pointer] - pc);
    if (distance < -kJumpReach) throw std::length_error("too much code in one image");
    out.jump(distance);
    std::memcpy(image.blocks.data() + i * sizeof(Block), &block, sizeof(Block));
  }
  image.code.resize(2 * code.size());
  std::memcpy(image.code.data(), code.data(), image.code.size());

  Globals globals{};
  globals.current = kBlockBase;
  globals.end = kBlockBase + cases.size() * sizeof(Block);
  globals.signal_action = {runtime_.signal_handler, kSigaction};
  globals.signal_stack = {kStackBase, 0, kStackBytes};
  put(image.data, 0, globals);
  image.data.resize(kTableBase - kDataBase);
  image.data.insert(image.data.end(), tables_.begin(), tables_.end());
  return image;
}

}  // namespace d1::difftest
