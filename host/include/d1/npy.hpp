// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files: read strictly, written as version 1.0. Little-endian, C order, plain numbers.
// Plain values; any thread. Every fault of a file is one Invalid error that names it.
#pragma once

#include <d1/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace d1 {

// An array as the file holds it. type: NumPy's letter and bytes: "f4", "f8", "f2", "i4", "u2",
// "b1", "V2" (raw; BF16 is stored so), ...
struct NpyArray {
  std::string type;
  std::size_t element_bytes = 0;
  std::vector<std::size_t> shape;  // empty: a single number
  std::vector<std::byte> bytes;

  // Elements; 1 for an empty shape.
  [[nodiscard]] std::size_t count() const noexcept {
    return element_bytes == 0 ? 0 : bytes.size() / element_bytes;
  }
};

// What stands in front of an array in its file, and where the array lies there: for
// Stream::read_file, which brings large ones to a device without a stay in memory.
struct NpyHead {
  std::string type;  // as in NpyArray
  std::size_t element_bytes = 0;
  std::vector<std::size_t> shape;
  std::uint64_t data_at = 0, data_bytes = 0;
};

[[nodiscard]] Result<NpyHead> read_npy_head(const std::string& path);
[[nodiscard]] Result<NpyArray> read_npy(const std::string& path);
// The same from memory; `origin` stands where errors name the file.
[[nodiscard]] Result<NpyArray> parse_npy(std::span<const std::byte> file,
                                         const std::string& origin);

// Replaces the file whole: it is written beside and renamed.
[[nodiscard]] Result<> write_npy(const std::string& path, std::string_view type,
                                 std::span<const std::size_t> shape,
                                 std::span<const std::byte> bytes);
// The same, by who has the elements elsewhere: into the open file from `data_at` on, all of them,
// as Stream::write_file does from a device without a stay in memory.
using NpyWriter = std::function<Result<>(int file, std::uint64_t data_at)>;
[[nodiscard]] Result<> write_npy(const std::string& path, std::string_view type,
                                 std::span<const std::size_t> shape,
                                 const NpyWriter& write_elements);

}  // namespace d1
