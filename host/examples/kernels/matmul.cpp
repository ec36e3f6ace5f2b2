// SPDX-License-Identifier: Apache-2.0
// C = A x B on all nodes of a launch: A (m x k) and B (k x n) BF16, C (m x n) FP32, row by row in
// HBM, any sizes.
//
// 1. Pack. Every element is fetched from HBM once: each node takes an equal share of the 32 x 32
//    blocks of A and B, packs them for the matrix unit and keeps them.
// 2. Multiply. C is cut into patches of 16 x 16, numbered along rows of 32: down, then right. Each
//    node computes a contiguous run of them. It gathers the blocks it needs from the nodes that
//    hold them, one slice of k ahead of the multiplication.
// 3. Each finished piece of C goes to HBM by 2D puts.
//
// The harts of a node take patches in turn, so one loads while another multiplies.
#include <algorithm>
#include <cassert>

#include <d1/kernel.hpp>
#include <d1/kernels/matrix_product.hpp>

namespace {

using namespace d1::kernels;

constexpr std::size_t kKeptBlocks = 256;   // of A and B together, packed, for everyone
constexpr std::size_t kSlice = 8;          // blocks of k multiplied while the next are gathered
constexpr std::size_t kPiecePatches = 16;  // patches of a piece of C, in one row of 32
// Two patches a column: a piece that begins in a column's lower half touches one column more; and
// one that begins in a block's right half touches one block more.
constexpr std::size_t kPieceColumns = kPiecePatches / 2 + 1;
constexpr std::size_t kPieceBlocks = kPieceColumns / 2 + 1;
constexpr std::size_t kPiecePitch = kPieceColumns * patch_size;
constexpr std::size_t kRawBlocks = 4;  // fetched at a time by each hart

using block = d1::bf16[block_elements];
struct slice {
  block a[kSlice];
  block b[kPieceBlocks][kSlice];
};

alignas(64) block kept[kKeptBlocks];
alignas(64) block raw[D1_HARTS][kRawBlocks];
// The slice multiplied, the slice on its way, and room for multiply_patch() to read past the end.
alignas(64) slice slices[2];
alignas(64) float patches[kPiecePatches][patch_elements];
std::uint32_t taken[2];  // patches of slices[0] and slices[1] that harts have begun with
alignas(64) float piece[block_size * kPiecePitch];

// Posted by what arrives for slices[0] and slices[1].
using slice_0_arrived = d1::semaphore<0>;
using slice_1_arrived = d1::semaphore<1>;

std::size_t blocks_of(std::size_t elements) { return (elements + block_size - 1) / block_size; }

// The blocks of one operand, numbered row by row of `across` k blocks each (A: by 32 rows, B: by 32
// columns), and shared out to the nodes in contiguous runs, which lie in `kept` from `base` on.
struct operand {
  std::size_t across, base;
  std::size_t each, more;  // blocks of a node; the first `more` nodes have one more

  operand(std::size_t lines, std::size_t blocks_across, std::size_t first_kept)
      : across(blocks_across),
        base(first_kept),
        each(lines * across / d1::nodes()),
        more(lines * across % d1::nodes()) {}

  std::size_t first(std::size_t rank) const { return rank * each + std::min(rank, more); }
  std::size_t count(std::size_t rank) const { return each + (rank < more); }
  std::size_t owner(std::size_t number) const {
    const std::size_t long_runs = more * (each + 1);
    return number < long_runs ? number / (each + 1) : more + (number - long_runs) / each;
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
  const std::size_t first = blocks.first(d1::rank());
  const d1::range mine = d1::part_of(blocks.count(d1::rank()), d1::harts(), d1::hart());
  auto& staging = raw[d1::hart()];
  for (std::size_t done = mine.first; done < mine.last; done += kRawBlocks) {
    const std::size_t count = std::min(kRawBlocks, mine.last - done);
    d1::completion arriving;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t number = first + done + i;
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

// A piece of C under work: patches first .. last - 1 of a row of 32. Patch p is in column p / 2, in
// its upper half if p is even.
struct place {
  std::size_t row, first, last;
  [[nodiscard]] std::size_t first_column() const { return first / 2; }
  [[nodiscard]] std::size_t first_block() const { return first / 4; }
  [[nodiscard]] std::size_t blocks() const { return (last - 1) / 4 + 1 - first_block(); }
};

// Gathers `count` blocks of k from `first` on, of one row of an operand's blocks.
d1::completion gather_line(const operand& blocks, std::size_t line, std::size_t first,
                           std::size_t count, block* to, d1::semaphore_number done) {
  d1::completion arriving(done);
  std::size_t number = line * blocks.across + first;
  const std::size_t end = number + count;
  for (std::size_t owner = blocks.owner(number); number < end; ++owner) {
    const std::size_t run = blocks.first(owner);
    const std::size_t length = std::min(end, run + blocks.count(owner)) - number;
    const block& source = kept[blocks.base + number - run];
    arriving +=
        d1::get(d1::global_ptr<const d1::bf16>::at(static_cast<std::uint32_t>(owner), source),
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
    arriving += line == 0 ? gather_line(p.a_blocks, at.row, first, count, to.a, done)
                          : gather_line(p.b_blocks, at.first_block() + line - 1, first, count,
                                        to.b[line - 1], done);
  return arriving;
}

// Step 3: what a piece holds of the upper or lower 16 of its rows.
void store_half(const problem& p, const place& at, std::size_t half) {
  const std::size_t first = (at.first + 1 - half) / 2, last = (at.last + 1 - half) / 2;
  const std::size_t row = at.row * block_size + half * patch_size, column = first * patch_size;
  if (first >= last || row >= p.m) return;
  const float* const from =
      piece + half * patch_size * kPiecePitch + (first - at.first_column()) * patch_size;
  const std::size_t width = std::min((last - first) * patch_size, p.n - column);
  d1::put_2d(from, p.c.data() + row * p.n + column,
             {.count = static_cast<std::uint32_t>(std::min(patch_size, p.m - row)),
              .row_bytes = static_cast<std::uint32_t>(width * sizeof(float)),
              .local_pitch = static_cast<std::uint32_t>(kPiecePitch * sizeof(float)),
              .remote_pitch = static_cast<std::uint32_t>(p.n * sizeof(float))})
      .wait();
}

// Steps 2 and 3 for one piece of C. With timing on, returns the cycles that this node spent in
// multiplication: from when all harts have begun to when all are done.
template <timing measure>
std::uint64_t multiply_piece(const problem& p, const place& at) {
  std::uint64_t cycles = 0;
  const std::size_t all = p.a_blocks.across;
  const std::size_t slices_of_k = (all + kSlice - 1) / kSlice;
  for (std::size_t i = at.first + d1::hart(); i < at.last; i += d1::harts())
    std::fill_n(patches[i - at.first], patch_elements, 0.0f);
  d1::completion next = gather(p, at, 0);
  for (std::size_t index = 0; index < slices_of_k; ++index) {
    next.wait();
    d1::node_barrier();  // all parts of this slice are here, and the other slice is free
    taken[(index + 1) % 2] = 0;
    if (index + 1 < slices_of_k) next = gather(p, at, index + 1);
    const std::uint64_t start = d1::cycles();
    const slice& from = slices[index % 2];
    for (;;) {
      const std::size_t i = at.first + __atomic_fetch_add(&taken[index % 2], 1, __ATOMIC_RELAXED);
      if (i >= at.last) break;
      multiply_patch(from.a[0], i % 2, from.b[i / 4 - at.first_block()][0], i / 2 % 2,
                     std::min(kSlice, all - index * kSlice), patches[i - at.first]);
    }
    if constexpr (measure == timing::on) {
      d1::node_barrier();
      cycles += d1::cycles() - start;
    }
  }
  d1::node_barrier();
  taken[0] = 0;
  for (std::size_t i = at.first + d1::hart(); i < at.last; i += d1::harts())
    unpack_patch(
        patches[i - at.first],
        piece + i % 2 * patch_size * kPiecePitch + (i / 2 - at.first_column()) * patch_size,
        kPiecePitch);
  d1::node_barrier();
  for (std::size_t half = d1::hart(); half < 2; half += d1::harts()) store_half(p, at, half);
  d1::node_barrier();
  return cycles;
}

template <timing measure>
std::uint64_t multiply(d1::hbm<const d1::bf16> a, d1::hbm<const d1::bf16> b, d1::hbm<float> c,
                       std::size_t m, std::size_t n, std::size_t k) {
  assert(a.size() == m * k && b.size() == k * n && c.size() == m * n && a.size() * b.size() > 0);
  const std::size_t across = blocks_of(k);
  const operand a_blocks(blocks_of(m), across, 0);
  const operand b_blocks(blocks_of(n), across, a_blocks.count(0));  // rank 0 has as many as any
  assert(b_blocks.base + b_blocks.count(0) <= kKeptBlocks);
  const problem p{a, b, c, m, n, k, a_blocks, b_blocks};
  taken[0] = 0;
  pack_run<side::a>(p);
  pack_run<side::b>(p);
  d1::grid_barrier();

  std::uint64_t cycles = 0;
  const std::size_t row_patches = (n + patch_size - 1) / patch_size * 2;
  const d1::range run = d1::part_of(blocks_of(m) * row_patches, d1::nodes(), d1::rank());
  for (std::size_t patch = run.first; patch < run.last;) {
    const std::size_t first = patch % row_patches;
    const std::size_t count = std::min({run.last - patch, row_patches - first, kPiecePatches});
    cycles += multiply_piece<measure>(p, {patch / row_patches, first, first + count});
    patch += count;
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
