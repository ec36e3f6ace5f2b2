// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstring>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include <d1/isa/xd1_numerics.hpp>

namespace d1::isa {
namespace {

// Elements numbered by their place.
template <typename Element>
std::vector<Element> numbered(std::size_t count) {
  std::vector<Element> result(count);
  std::iota(result.begin(), result.end(), Element{0});
  return result;
}

template <typename Element>
void expect_transposed(unsigned element_bytes) {
  const auto in = numbered<Element>(64);
  std::vector<Element> out(64);
  numerics::transpose(element_bytes, in.data(), out.data());
  for (unsigned i = 0; i < 8; ++i)
    for (unsigned j = 0; j < 8; ++j) EXPECT_EQ(out[8 * i + j], in[8 * j + i]);
}

// Each test runs on every level that the host has.
class Xd1Shuffle : public testing::TestWithParam<numerics::Level> {
 protected:
  void SetUp() override {
    if (!numerics::select_numerics(GetParam())) GTEST_SKIP() << "this host lacks the level";
  }
  void TearDown() override { numerics::select_numerics(numerics::best_level()); }
};
INSTANTIATE_TEST_SUITE_P(Levels, Xd1Shuffle,
                         testing::Values(numerics::Level::Portable, numerics::Level::Avx2,
                                         numerics::Level::Avx512));

TEST_P(Xd1Shuffle, TransposesMoveRowsToColumnsAtEachWidth) {
  expect_transposed<std::uint8_t>(1);
  expect_transposed<std::uint16_t>(2);
  expect_transposed<std::uint32_t>(4);
  expect_transposed<std::uint64_t>(8);
}

TEST_P(Xd1Shuffle, PackBPairsRowsAlongK) {
  const auto in = numbered<std::uint16_t>(32);
  std::vector<std::uint16_t> out(32), back(32);
  numerics::pack_b(in.data(), out.data());
  for (unsigned k = 0; k < 4; ++k)
    for (unsigned j = 0; j < 8; ++j) EXPECT_EQ(out[16 * (k / 2) + 2 * j + k % 2], in[8 * k + j]);
  numerics::unpack_b(out.data(), back.data());
  EXPECT_EQ(back, in);
}

TEST_P(Xd1Shuffle, PackBtPairsColumnsAlongK) {
  const auto in = numbered<std::uint16_t>(32);
  std::vector<std::uint16_t> out(32), back(32);
  numerics::pack_bt(in.data(), out.data());
  for (unsigned k = 0; k < 4; ++k)
    for (unsigned j = 0; j < 8; ++j) EXPECT_EQ(out[16 * (k / 2) + 2 * j + k % 2], in[4 * j + k]);
  numerics::unpack_bt(out.data(), back.data());
  EXPECT_EQ(back, in);
}

TEST_P(Xd1Shuffle, PackB4MakesFourBOperandsOfFourRows) {
  const auto in = numbered<std::uint16_t>(128);
  std::vector<std::uint16_t> out(128), back(128);
  numerics::pack_b4(in.data(), out.data());
  for (unsigned t = 0; t < 4; ++t)
    for (unsigned k = 0; k < 4; ++k)
      for (unsigned j = 0; j < 8; ++j)
        EXPECT_EQ(out[32 * t + 16 * (k / 2) + 2 * j + k % 2], in[32 * k + 8 * t + j]);
  numerics::unpack_b4(out.data(), back.data());
  EXPECT_EQ(back, in);
}

TEST_P(Xd1Shuffle, PackCSplitsRowsOfSixteenIntoTwoTiles) {
  const auto in = numbered<std::uint32_t>(128);
  std::vector<std::uint32_t> out(128), back(128);
  numerics::pack_c(in.data(), out.data());
  for (unsigned tile = 0; tile < 2; ++tile)
    for (unsigned i = 0; i < 8; ++i)
      for (unsigned j = 0; j < 8; ++j)
        EXPECT_EQ(out[64 * tile + 8 * i + j], in[16 * i + 8 * tile + j]);
  numerics::unpack_c(out.data(), back.data());
  EXPECT_EQ(back, in);
}

// The recipes at the end of section 8 of xd1.md, on a matrix product that is exact in FP32.
TEST_P(Xd1Shuffle, OperandsPreparedByShufflesMultiplyMatrices) {
  constexpr unsigned kDepth = 32;
  const auto bf16 = [](int value) {
    const auto f = static_cast<float>(value);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &f, sizeof bits);
    return static_cast<std::uint16_t>(bits >> 16);
  };
  const auto a_of = [](unsigned i, unsigned k) {
    return static_cast<int>((5 * i + 3 * k) % 13) - 6;
  };
  const auto b_of = [](unsigned k, unsigned j) { return static_cast<int>((7 * k + j) % 11) - 5; };
  std::uint16_t a_rows[8][kDepth], a_operands[8][32];
  for (unsigned i = 0; i < 8; ++i)
    for (unsigned k = 0; k < kDepth; ++k) a_rows[i][k] = bf16(a_of(i, k));
  numerics::transpose(8, a_rows, a_operands);

  float c[2][64] = {}, from_columns[64] = {};
  for (unsigned step = 0; step < kDepth / 4; ++step) {
    std::uint16_t b_rows[4][32], b_operands[4][32];
    for (unsigned k = 0; k < 4; ++k)
      for (unsigned j = 0; j < 32; ++j) b_rows[k][j] = bf16(b_of(4 * step + k, j));
    numerics::pack_b4(b_rows, b_operands);
    for (unsigned tile = 0; tile < 2; ++tile)
      numerics::mma_bf16(c[tile], a_operands[step], b_operands[tile]);
  }
  std::uint16_t b_columns[8][kDepth], b_blocks[8][32];  // B lies transposed
  for (unsigned j = 0; j < 8; ++j)
    for (unsigned k = 0; k < kDepth; ++k) b_columns[j][k] = bf16(b_of(k, j));
  numerics::transpose(8, b_columns, b_blocks);
  for (unsigned step = 0; step < kDepth / 4; ++step) {
    std::uint16_t b_operand[32];
    numerics::pack_bt(b_blocks[step], b_operand);
    numerics::mma_bf16(from_columns, a_operands[step], b_operand);
  }
  float rows[8][16];
  numerics::unpack_c(c, rows);
  for (unsigned i = 0; i < 8; ++i)
    for (unsigned j = 0; j < 16; ++j) {
      int sum = 0;
      for (unsigned k = 0; k < kDepth; ++k) sum += a_of(i, k) * b_of(k, j);
      EXPECT_EQ(rows[i][j], static_cast<float>(sum));
      if (j < 8) {
        EXPECT_EQ(from_columns[8 * i + j], static_cast<float>(sum));
      }
    }
}

}  // namespace
}  // namespace d1::isa
