// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) of a message of 64 KiB: rotations, additions, byte swaps.
#include "program.hpp"

#include <array>

namespace {

constexpr std::size_t kMessageBytes = 65536, kBlockBytes = 64, kRounds = 64;

using Wide = unsigned __int128;

// The first 32 bits behind the point of the square or cube root of a prime.
constexpr std::uint32_t fraction_of_root(std::uint32_t prime, int degree) {
  const Wide target = static_cast<Wide>(prime) << (32 * degree);
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 37; bit != 0; bit >>= 1) {
    const Wide candidate = root | bit;
    if (candidate * candidate * (degree == 3 ? candidate : 1) <= target) root |= bit;
  }
  return static_cast<std::uint32_t>(root);
}

template <std::size_t count>
constexpr std::array<std::uint32_t, count> fractions_of_roots(int degree) {
  std::array<std::uint32_t, count> fractions{};
  std::size_t found = 0;
  for (std::uint32_t number = 2; found < count; ++number) {
    bool prime = true;
    for (std::uint32_t divisor = 2; divisor * divisor <= number; ++divisor)
      prime = prime && number % divisor != 0;
    if (prime) fractions[found++] = fraction_of_root(number, degree);
  }
  return fractions;
}

constexpr auto kStart = fractions_of_roots<8>(2);
constexpr auto kConstants = fractions_of_roots<kRounds>(3);

alignas(64) std::uint8_t message[kMessageBytes];
std::uint32_t digest[8];

constexpr std::uint32_t rotate(std::uint32_t x, int by) { return x >> by | x << (32 - by); }

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | std::uint32_t{bytes[3]};
}

void hash_block(const std::uint8_t* block) {
  std::uint32_t schedule[kRounds];
  for (std::size_t i = 0; i < 16; ++i) schedule[i] = big_endian(block + 4 * i);
  for (std::size_t i = 16; i < kRounds; ++i) {
    const std::uint32_t early = schedule[i - 15], late = schedule[i - 2];
    schedule[i] = schedule[i - 16] + (rotate(early, 7) ^ rotate(early, 18) ^ early >> 3) +
                  schedule[i - 7] + (rotate(late, 17) ^ rotate(late, 19) ^ late >> 10);
  }
  std::uint32_t a = digest[0], b = digest[1], c = digest[2], d = digest[3];
  std::uint32_t e = digest[4], f = digest[5], g = digest[6], h = digest[7];
  for (std::size_t i = 0; i < kRounds; ++i) {
    const std::uint32_t choice = (e & f) ^ (~e & g);
    const std::uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
    const std::uint32_t first =
        h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + kConstants[i] + schedule[i];
    const std::uint32_t second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority;
    h = g, g = f, f = e, e = d + first;
    d = c, c = b, b = a, a = first + second;
  }
  digest[0] += a, digest[1] += b, digest[2] += c, digest[3] += d;
  digest[4] += e, digest[5] += f, digest[6] += g, digest[7] += h;
}

void prepare() {
  for (std::size_t i = 0; i < kMessageBytes; ++i)
    message[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
}

void iterate() {
  for (std::size_t i = 0; i < 8; ++i) digest[i] = kStart[i];
  for (std::size_t done = 0; done < kMessageBytes; done += kBlockBytes) hash_block(message + done);
  // The message fills its blocks: the end is one block of a set bit and the length in bits.
  std::uint8_t end[kBlockBytes];
  for (std::size_t i = 0; i < kBlockBytes; ++i) end[i] = 0;
  end[0] = 0x80;
  for (std::size_t i = 0; i < 8; ++i)
    end[kBlockBytes - 1 - i] = static_cast<std::uint8_t>(kMessageBytes * 8 >> 8 * i);
  hash_block(end);
  d1::bench::touch(message);
}

std::uint64_t result() { return std::uint64_t{digest[0]} << 32 | digest[7]; }

}  // namespace

D1_BENCH_PROGRAM(prepare, iterate, result)
