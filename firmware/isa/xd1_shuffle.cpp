// SPDX-License-Identifier: Apache-2.0
// Shuffles of matrix operands: each is a permutation of elements, written as one.
#include <cstring>

#include <d1/isa/xd1_numerics.hpp>

namespace d1::isa::numerics {
namespace {

template <typename Element>
void transpose_of(const void* in, void* out) noexcept {
  Element from[8][8], to[8][8];
  std::memcpy(from, in, sizeof from);
  for (unsigned i = 0; i < 8; ++i)
    for (unsigned j = 0; j < 8; ++j) to[i][j] = from[j][i];
  std::memcpy(out, to, sizeof to);
}

enum class Direction : std::uint8_t { Pack, Unpack };

// Moves element `plain(n)` of the unpacked side to place n of the packed side, or back.
template <typename Element, unsigned kElements, typename Place>
void permute(const void* in, void* out, Direction direction, Place plain) noexcept {
  Element from[kElements], to[kElements];
  std::memcpy(from, in, sizeof from);
  for (unsigned n = 0; n < kElements; ++n) {
    if (direction == Direction::Pack)
      to[n] = from[plain(n)];
    else
      to[plain(n)] = from[n];
  }
  std::memcpy(out, to, sizeof to);
}

// Place n of a B operand, [2][8][2], holds row k and column j of B.
constexpr unsigned row_of(unsigned n) noexcept { return n / 16 * 2 + n % 2; }
constexpr unsigned column_of(unsigned n) noexcept { return n / 2 % 8; }

constexpr auto kFromRows = [](unsigned n) { return 8 * row_of(n) + column_of(n); };
constexpr auto kFromColumns = [](unsigned n) { return 4 * column_of(n) + row_of(n); };
constexpr auto kFromWideRows = [](unsigned n) {
  return 32 * row_of(n % 32) + 8 * (n / 32) + column_of(n);
};
// Place n of two C operands, [2][8][8], in rows of sixteen.
constexpr auto kFromTileRows = [](unsigned n) { return 16 * (n / 8 % 8) + 8 * (n / 64) + n % 8; };

}  // namespace

void transpose(unsigned element_bytes, const void* in, void* out) noexcept {
  switch (element_bytes) {
    case 1:
      return transpose_of<std::uint8_t>(in, out);
    case 2:
      return transpose_of<std::uint16_t>(in, out);
    case 4:
      return transpose_of<std::uint32_t>(in, out);
    default:
      return transpose_of<std::uint64_t>(in, out);
  }
}

void pack_b(const void* in, void* out) noexcept {
  permute<std::uint16_t, 32>(in, out, Direction::Pack, kFromRows);
}
void unpack_b(const void* in, void* out) noexcept {
  permute<std::uint16_t, 32>(in, out, Direction::Unpack, kFromRows);
}
void pack_bt(const void* in, void* out) noexcept {
  permute<std::uint16_t, 32>(in, out, Direction::Pack, kFromColumns);
}
void unpack_bt(const void* in, void* out) noexcept {
  permute<std::uint16_t, 32>(in, out, Direction::Unpack, kFromColumns);
}
void pack_b4(const void* in, void* out) noexcept {
  permute<std::uint16_t, 128>(in, out, Direction::Pack, kFromWideRows);
}
void unpack_b4(const void* in, void* out) noexcept {
  permute<std::uint16_t, 128>(in, out, Direction::Unpack, kFromWideRows);
}
void pack_c(const void* in, void* out) noexcept {
  permute<std::uint32_t, 128>(in, out, Direction::Pack, kFromTileRows);
}
void unpack_c(const void* in, void* out) noexcept {
  permute<std::uint32_t, 128>(in, out, Direction::Unpack, kFromTileRows);
}

}  // namespace d1::isa::numerics
