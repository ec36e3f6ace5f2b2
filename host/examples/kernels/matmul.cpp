// SPDX-License-Identifier: Apache-2.0
// C = A x B on all nodes of a launch: A (m x k) and B (k x n) BF16, C (m x n) FP32, row by row in
// HBM, any sizes.
//
// 1. Pack. Every element is fetched from HBM once: each node takes an equal share of the 32 x 32
//    blocks of A and B, packs them for the matrix unit and keeps them.
// 2. Multiply. C is cut into strips of 32 rows x 8 columns, numbered along the rows of strips, and
//    each node computes a contiguous run of them. It gathers the blocks it needs from the nodes
//    that hold them, one slice of k ahead of the multiplication.
// 3. Each finished piece of C goes to HBM as one 2D put.
//
// All harts of a node work on alternate strips, so one loads while another multiplies.
#include <algorithm>
#include <cassert>

#include <d1/kernel.hpp>
#include <d1/kernels/matrix_product.hpp>

namespace {

using namespace d1::kernels;

constexpr std::size_t kKeptBlocks = 256;  // of A and B together, packed, for everyone
constexpr std::size_t kSlice = 8;         // blocks of k multiplied while the next are gathered
constexpr std::size_t kPieceStrips = 16;  // strips of a piece of C, in one row of strips
// A piece that does not begin with a block's first strip touches one more column of blocks.
constexpr std::size_t kPieceBlocks = kPieceStrips / strips_per_block + 1;
constexpr std::size_t kRawBlocks = 4;  // fetched at a time by each hart

using block = d1::bf16[block_elements];
struct slice {
  block a[kSlice];
  block b[kPieceBlocks][kSlice];
};

alignas(64) block kept[kKeptBlocks];
alignas(64) block raw[D1_HARTS][kRawBlocks];
// The slice multiplied, the slice on its way, and room for multiply_strip() to read past the end.
alignas(64) slice slices[2];
alignas(64) float strips[kPieceStrips + 1][strip_floats];
alignas(64) float piece[block_size * kPieceStrips * strip_columns];

// Posted by what arrives for slices[0] and slices[1].
using slice_0_arrived = d1::semaphore<0>;
using slice_1_arrived = d1::semaphore<1>;

std::size_t blocks_of(std::size_t elements) { return (elements + block_size - 1) / block_size; }

// The blocks of one operand, numbered row by row of `across` k blocks each (A: by 32 rows, B: by 32
// columns), and shared out to the nodes in contiguous runs, which lie in `kept` from `base` on.
struct operand {
  std::size_t total, across, base;

  d1::range of_node(std::size_t rank) const { return d1::part_of(total, d1::nodes(), rank); }
  std::uint32_t owner(std::size_t number) const {
    const std::size_t each = total / d1::nodes(), more = total % d1::nodes();
    const std::size_t long_runs = more * (each + 1);
    return static_cast<std::uint32_t>(number < long_runs ? number / (each + 1)
                                                         : more + (number - long_runs) / each);
  }
};

struct problem {
  d1::hbm<const d1::bf16> a, b;
  d1::hbm<float> c;
  std::size_t m, n, k;
  operand a_blocks, b_blocks;
};

// Fetches one block, as 32 rows of 32 elements with zeroes outside the matrix.
d1::completion fetch(const d1::hbm<const d1::bf16>& matrix, std::size_t rows, std::size_t columns,
                     std::size_t row, std::size_t column, block& to) {
  const std::size_t height = std::min(block_size, rows - row);
  const std::size_t width = std::min(block_size, columns - column);
  if (height < block_size || width < block_size) std::fill_n(to, block_elements, d1::bf16(0.0f));
  return d1::get_2d(matrix.data() + row * columns + column, to,
                    {.count = static_cast<std::uint32_t>(height),
                     .row_bytes = static_cast<std::uint32_t>(width * sizeof(d1::bf16)),
                     .local_pitch = block_size * sizeof(d1::bf16),
                     .remote_pitch = static_cast<std::uint32_t>(columns * sizeof(d1::bf16))});
}

enum class side : bool { a, b };
enum class timing : bool { off, on };

// Step 1 for one operand: this hart's part of the node's run.
template <side which>
void pack_run(const problem& p) {
  const operand& blocks = which == side::a ? p.a_blocks : p.b_blocks;
  const d1::range run = blocks.of_node(d1::rank());
  const d1::range mine = d1::part_of(run.size(), d1::harts(), d1::hart());
  auto& staging = raw[d1::hart()];
  for (std::size_t done = mine.first; done < mine.last; done += kRawBlocks) {
    const std::size_t count = std::min(kRawBlocks, mine.last - done);
    d1::completion arriving;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t number = run.first + done + i;
      const std::size_t line = number / blocks.across * block_size;
      const std::size_t along_k = number % blocks.across * block_size;
      arriving += which == side::a ? fetch(p.a, p.m, p.k, line, along_k, staging[i])
                                   : fetch(p.b, p.k, p.n, along_k, line, staging[i]);
    }
    arriving.wait();
    for (std::size_t i = 0; i < count; ++i) {
      if constexpr (which == side::a)
        pack_a(staging[i], kept[blocks.base + done + i]);
      else
        pack_b(staging[i], kept[blocks.base + done + i]);
    }
  }
}

// A piece of C under work, and the slice of k it is at.
struct place {
  std::size_t strip_row, first_strip, strips;  // strips of the same 32 rows
  [[nodiscard]] std::size_t first_block() const { return first_strip / strips_per_block; }
  [[nodiscard]] std::size_t blocks() const {
    return (first_strip + strips - 1) / strips_per_block + 1 - first_block();
  }
};

// Gathers `count` blocks of k from `first` on, of one row of an operand's blocks.
d1::completion gather_line(const operand& blocks, std::size_t line, std::size_t first,
                           std::size_t count, block* to, d1::semaphore_number done) {
  d1::completion arriving(done);
  std::size_t number = line * blocks.across + first;
  const std::size_t end = number + count;
  while (number < end) {
    const std::uint32_t owner = blocks.owner(number);
    const d1::range run = blocks.of_node(owner);
    const std::size_t length = std::min(end, static_cast<std::size_t>(run.last)) - number;
    const block& source = kept[blocks.base + number - run.first];
    arriving += d1::get(d1::global_ptr<const d1::bf16>::at(owner, source),
                        std::span(&(*to)[0], length * block_elements), {.done = done});
    number += length;
    to += length;
  }
  return arriving;
}

// This hart's part of gathering slice `index` of k: lines of blocks in turn.
d1::completion gather(const problem& p, const place& at, std::size_t index) {
  const auto done =
      index % 2 == 0 ? d1::semaphore_of<slice_0_arrived>() : d1::semaphore_of<slice_1_arrived>();
  const std::size_t first = index * kSlice;
  const std::size_t count = std::min(kSlice, p.a_blocks.across - first);
  slice& to = slices[index % 2];
  d1::completion arriving(done);
  for (std::size_t line = d1::hart(); line < at.blocks() + 1; line += d1::harts())
    arriving += line == 0 ? gather_line(p.a_blocks, at.strip_row, first, count, to.a, done)
                          : gather_line(p.b_blocks, at.first_block() + line - 1, first, count,
                                        to.b[line - 1], done);
  return arriving;
}

// Steps 2 and 3 for one piece of C. With timing on, returns the cycles that this node spent in
// multiplication: from when all harts have begun to when all are done.
template <timing measure>
std::uint64_t multiply_piece(const problem& p, const place& at) {
  std::uint64_t cycles = 0;
  const std::size_t all = p.a_blocks.across;
  const std::size_t slices_of_k = (all + kSlice - 1) / kSlice;
  for (std::size_t i = d1::hart(); i < at.strips; i += d1::harts())
    std::fill_n(strips[i], strip_floats, 0.0f);
  d1::completion next = gather(p, at, 0);
  for (std::size_t index = 0; index < slices_of_k; ++index) {
    next.wait();
    d1::node_barrier();  // all parts of this slice are here, and the other slice is free
    if (index + 1 < slices_of_k) next = gather(p, at, index + 1);
    const std::uint64_t start = d1::cycles();
    const slice& from = slices[index % 2];
    for (std::size_t i = d1::hart(); i < at.strips; i += d1::harts()) {
      const std::size_t strip = at.first_strip + i;
      multiply_strip(from.a[0], from.b[strip / strips_per_block - at.first_block()][0],
                     strip % strips_per_block, std::min(kSlice, all - index * kSlice), strips[i]);
    }
    if constexpr (measure == timing::on) {
      d1::node_barrier();
      cycles += d1::cycles() - start;
    }
  }
  d1::node_barrier();

  const std::size_t pitch = kPieceStrips * strip_columns;
  for (std::size_t i = 2 * d1::hart(); i < at.strips; i += 2 * d1::harts())
    unpack_strips(strips[i], strips[i + 1], piece + i * strip_columns, pitch);
  d1::node_barrier();
  if (d1::hart() == 0) {
    const std::size_t row = at.strip_row * block_size, column = at.first_strip * strip_columns;
    const std::size_t width = std::min(at.strips * strip_columns, p.n - column);
    d1::put_2d(piece, p.c.data() + row * p.n + column,
               {.count = static_cast<std::uint32_t>(std::min(block_size, p.m - row)),
                .row_bytes = static_cast<std::uint32_t>(width * sizeof(float)),
                .local_pitch = static_cast<std::uint32_t>(pitch * sizeof(float)),
                .remote_pitch = static_cast<std::uint32_t>(p.n * sizeof(float))})
        .wait();
  }
  d1::node_barrier();
  return cycles;
}

template <timing measure>
std::uint64_t multiply(d1::hbm<const d1::bf16> a, d1::hbm<const d1::bf16> b, d1::hbm<float> c,
                       std::size_t m, std::size_t n, std::size_t k) {
  assert(a.size() == m * k && b.size() == k * n && c.size() == m * n && a.size() * b.size() > 0);
  const std::size_t across = blocks_of(k);
  problem p{
      a, b, c, m, n, k, {blocks_of(m) * across, across, 0}, {blocks_of(n) * across, across, 0}};
  p.b_blocks.base = p.a_blocks.of_node(0).size();  // rank 0 has as many as any
  assert(p.b_blocks.base + p.b_blocks.of_node(0).size() <= kKeptBlocks);
  pack_run<side::a>(p);
  pack_run<side::b>(p);
  d1::grid_barrier();

  std::uint64_t cycles = 0;
  const std::size_t strips_across = (n + strip_columns - 1) / strip_columns;
  const d1::range run = d1::part_of(blocks_of(m) * strips_across, d1::nodes(), d1::rank());
  for (std::size_t strip = run.first; strip < run.last;) {
    const std::size_t column = strip % strips_across;
    const std::size_t count = std::min({run.last - strip, strips_across - column, kPieceStrips});
    cycles += multiply_piece<measure>(p, {strip / strips_across, column, count});
    strip += count;
  }
  d1::grid_barrier();  // others may still gather from this node
  return cycles;
}

}  // namespace

D1_KERNEL void matmul(d1::hbm<const d1::bf16> a, d1::hbm<const d1::bf16> b, d1::hbm<float> c,
                      std::uint64_t m, std::uint64_t n, std::uint64_t k) {
  multiply<timing::off>(a, b, c, m, n, k);
}

// The same, and for each hart of each node the cycles that its node spent in the inner loop (a
// packet of eight counts for each node).
D1_KERNEL void matmul_timed(d1::hbm<const d1::bf16> a, d1::hbm<const d1::bf16> b, d1::hbm<float> c,
                            std::uint64_t m, std::uint64_t n, std::uint64_t k,
                            d1::sharded<std::uint64_t> inner_cycles) {
  inner_cycles[d1::hart()] = multiply<timing::on>(a, b, c, m, n, k);
}
