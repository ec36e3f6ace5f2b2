// SPDX-License-Identifier: Apache-2.0
// A kernel program read from an ELF file and checked: what is loaded where, and which kernels it
// has. An ElfImage that exists is sound; every fault of the input is an Invalid error that says
// what is wrong and where. Plain values, immutable, safe to share between threads. Nothing here
// waits.
#pragma once

#include <d1/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace d1::runtime {

enum class SegmentKind : std::uint8_t { Data, Executable };

struct Segment {
  std::uint32_t offset = 0;          // in SRAM
  std::uint32_t memory_bytes = 0;    // the part past the file's bytes is zero
  std::span<const std::byte> bytes;  // within the image
  SegmentKind kind = SegmentKind::Data;
};

struct Symbol {
  std::string name;
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};

class ElfImage {
 public:
  // `origin` stands where errors name the file. The bytes are kept: debug information is in them.
  [[nodiscard]] static Result<ElfImage> parse(std::vector<std::byte> bytes, std::string origin);
  [[nodiscard]] static Result<ElfImage> load(const std::string& path);

  [[nodiscard]] const std::string& origin() const noexcept { return origin_; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] const std::vector<Segment>& segments() const noexcept { return segments_; }
  // First SRAM offset past the program.
  [[nodiscard]] std::uint32_t end() const noexcept { return end_; }
  // Sorted by name.
  [[nodiscard]] const std::vector<Symbol>& kernels() const noexcept { return kernels_; }
  // By address.
  [[nodiscard]] const std::vector<Symbol>& functions() const noexcept { return functions_; }
  // Name of the function an address is in; empty if none.
  [[nodiscard]] std::string_view function_at(std::uint64_t address) const noexcept;

  ElfImage(ElfImage&&) = default;
  ElfImage& operator=(ElfImage&&) = default;
  ElfImage(const ElfImage&) = delete;  // segments point into bytes_
  ElfImage& operator=(const ElfImage&) = delete;

 private:
  ElfImage() = default;

  std::string origin_;
  std::vector<std::byte> bytes_;
  std::vector<Segment> segments_;  // by offset
  std::vector<Symbol> kernels_;
  std::vector<Symbol> functions_;  // by address
  std::uint32_t end_ = 0;

  friend class ElfParser;
};

// The section that holds kernels (D1_KERNEL of the kernel SDK).
inline constexpr std::string_view kKernelSection = "d1.kernels";

}  // namespace d1::runtime
