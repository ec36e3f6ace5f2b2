// SPDX-License-Identifier: Apache-2.0
// ELF files: the programs that the runtime loads, and what it reads of their debug information.
#include "target.hpp"

#include <d1/runtime/debug_info.hpp>
#include <d1/runtime/elf_image.hpp>

#include <vector>

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const auto* first = reinterpret_cast<const std::byte*>(data);
  const auto image = d1::runtime::ElfImage::parse(std::vector(first, first + bytes), "input.elf");
  if (!image) return 0;
  std::uint64_t end = 0;
  for (const d1::runtime::Segment& segment : image->segments()) {
    d1::fuzz::require(segment.offset >= end && segment.bytes.size() <= segment.memory_bytes,
                      "A segment overlaps the one before it, or holds more than it has.");
    end = std::uint64_t{segment.offset} + segment.memory_bytes;
    for (const std::byte byte : segment.bytes) end += byte == std::byte{0} ? 0 : 0;  // all readable
  }
  d1::fuzz::require(end == image->end(), "The image ends elsewhere.");
  auto debug = d1::runtime::DebugInfo::open(*image);
  for (const d1::runtime::Symbol& kernel : image->kernels()) {
    (void)image->function_at(kernel.address);
    if (!debug) continue;
    (void)(*debug)->signature(kernel);
    (void)to_string((*debug)->place(kernel.address), kernel.address);
  }
  return 0;
}
