// SPDX-License-Identifier: Apache-2.0
// Ranges that come and go in the device's DMA map, against a plain list of them.
#include "input.hpp"
#include "target.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "dip/dma_map.hpp"

namespace {

using d1::emulator::DmaAccess;
using d1::emulator::DmaMap;
using d1::fuzz::Input;
using d1::fuzz::require;

struct Range {
  std::uint64_t address, bytes;
  std::uint8_t* memory;
  bool writable;
};

constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 46;

// Numbers that meet: few places, some at the end of all addresses.
std::uint64_t take_address(Input& input) {
  const auto place = input.take<std::uint8_t>();
  if (place >= 0xf0) return std::numeric_limits<std::uint64_t>::max() - (place & 0xf) * 0x800;
  if (place >= 0xe0) return input.take<std::uint64_t>();
  return place * std::uint64_t{0x800};
}
std::uint64_t take_bytes(Input& input) {
  const auto length = input.take<std::uint8_t>();
  if (length >= 0xf0) return input.take<std::uint64_t>();
  return length * std::uint64_t{0x100};
}

bool wraps(std::uint64_t address, std::uint64_t bytes) {
  return bytes > std::numeric_limits<std::uint64_t>::max() - address;
}
bool overlap(const Range& range, std::uint64_t address, std::uint64_t bytes) {
  return range.address < address + bytes && address < range.address + range.bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  static std::array<std::uint8_t, 16> memory;  // only addresses are computed from it
  Input input(data, bytes);
  DmaMap map;
  std::vector<Range> ranges;
  while (!input.empty()) {
    const auto act = input.take<std::uint8_t>();
    const std::uint64_t address = take_address(input), length = take_bytes(input);
    const DmaAccess access = (act & 4) != 0 ? DmaAccess::Write : DmaAccess::Read;
    const auto same = std::ranges::find_if(ranges, [=](const Range& range) {
      return range.address == address && range.bytes == length;
    });
    switch (act & 3) {
      case 0: {
        if (length > kMostMemory) break;  // no host has it, so nobody can mean it
        const bool good = length != 0 && !wraps(address, length) &&
                          std::ranges::none_of(ranges, [=](const Range& range) {
                            return overlap(range, address, length);
                          });
        const auto mapped = map.map(address, memory.data(), length, access);
        require(mapped.has_value() == good, "map() takes what it must not, or refuses.");
        if (mapped)
          ranges.push_back({address, length, memory.data(), access == DmaAccess::Write});
        else
          require(mapped.error().sentence().ends_with('.'), "An error without a sentence.");
        break;
      }
      case 1: {
        const auto unmapped = map.unmap(address, length);
        require(unmapped.has_value() == (same != ranges.end()), "unmap() of another range.");
        if (unmapped) ranges.erase(same);
        break;
      }
      default: {
        const auto holder = std::ranges::find_if(ranges, [=](const Range& range) {
          return !wraps(address, length) && range.address <= address &&
                 address + length <= range.address + range.bytes &&
                 address < range.address + range.bytes;
        });
        const std::uint8_t* const found = map.find(address, length, access);
        const bool allowed =
            holder != ranges.end() && (access == DmaAccess::Read || holder->writable);
        if (length == 0) break;  // nothing is reached either way
        require((found != nullptr) == allowed, "find() sees another map.");
        if (allowed)
          require(found == holder->memory + (address - holder->address), "find() errs in place.");
      }
    }
  }
  return 0;
}
