// SPDX-License-Identifier: Apache-2.0
// C = A x B on all nodes of a launch: A (m x k) and B (k x n) BF16, C (m x n) FP32, row by row in
// HBM, any sizes. Each element of C is summed up in the order of k, pairs as mma.bf16 does.
//
// C is cut into bands of up to 8 lines of A (16 rows each), and the nodes into groups of
// neighbours, each with bands of its own. A band is cut into patches of 16 x 16, numbered down,
// then right; a node computes a contiguous run of them, nearly a square, for which it needs the
// least of A and B.
//
// 1. Pack. Every element is fetched from HBM once: A and B are cut into units, two lines by up to
//    512 k. Those of A are dealt out to the nodes of the group that needs them, those of B to all
//    nodes; their harts pack them for the matrix unit and keep them.
// 2. Multiply, slice of k by slice of k, two slices ahead: whoever has a unit of A sends it to the
//    group by multicast, once all have room for it; units of B are gathered. One hart multiplies,
//    since it can keep the matrix unit busy, one sends.
// 3. Each finished piece of C goes to HBM by 2D puts, of all harts.
#include <algorithm>
#include <cassert>

#include <d1/kernel.hpp>
#include <d1/kernels/copy.hpp>
#include <d1/kernels/matrix_product.hpp>

namespace {

using namespace d1::kernels;

constexpr std::size_t kUnitLines = 2;
constexpr std::size_t kSlice = 16;        // blocks of k
constexpr std::size_t kKeptBlocks = 512;  // of A and B together, packed, for everyone
constexpr std::size_t kBandLines = 8;     // most lines of A in a band
constexpr std::size_t kPieceLines = 7;    // most lines of B in a piece of C
// However a run of patches lies: its first column may begin with a band's last line.
constexpr std::size_t piece_patches(std::size_t height) { return (kPieceLines - 1) * height + 1; }
constexpr std::size_t kGroupNodes = 8;    // at least, if there are as many
// Packing: each hart fetches some parts of units at a time, two lines by two blocks of k.
constexpr std::size_t kPartBlocks = 2, kPartsAtOnce = 4;
constexpr std::size_t kPartWidth = kUnitLines * line_size;
constexpr std::size_t kPartDepth = kPartBlocks * block_depth;

using block = d1::bf16[block_elements];
using line = block[kSlice];
using raw_part = d1::bf16[kPartWidth * kPartDepth];
struct slice {
  line a[kBandLines];
  line b[kPieceLines + 1];  // an odd first line brings its neighbour
};

alignas(64) block kept[kKeptBlocks];
// First parts of units as they came, then the slice multiplied and the slice on its way.
alignas(64) union {
  raw_part raw[D1_HARTS][kPartsAtOnce];
  slice slices[2];
} room;
// Behind the slices, since multiply_patch() reads past the end.
alignas(64) float patches[piece_patches(kBandLines)][patch_elements];

// For even and odd steps: units that arrived in slices[0] and slices[1], and nodes that have room.
constexpr d1::semaphore_number kArrived[] = {d1::semaphore_of<d1::semaphore<0>>(),
                                             d1::semaphore_of<d1::semaphore<1>>()};
constexpr d1::semaphore_number kReady[] = {d1::semaphore_of<d1::semaphore<2>>(),
                                           d1::semaphore_of<d1::semaphore<3>>()};

// Posted by multicasts that are complete here.
constexpr d1::semaphore_number kSent = d1::semaphore_of<d1::semaphore<4>>();

constexpr std::size_t parts(std::size_t whole, std::size_t part) {
  return (whole + part - 1) / part;
}

struct problem {
  d1::hbm<const d1::bf16> a, b;
  d1::hbm<float> c;
  std::size_t m, n, k;
  std::size_t a_lines, b_lines, blocks;  // of k
  std::size_t slices;
  std::size_t bands, groups, rounds;     // group g has bands g, g + groups, ... one each round
  std::size_t pieces;                    // of a node in a band
  std::size_t band_units, b_units;       // of A, side by side in a band; of B, side by side
  std::size_t b_depth;                   // blocks of k of a unit of B, a divisor of kSlice

  [[nodiscard]] std::size_t steps() const { return rounds * pieces * slices; }
  [[nodiscard]] d1::range members(std::size_t group) const {
    return d1::part_of(d1::nodes(), groups, group);
  }
  [[nodiscard]] d1::range lines_of_band(std::size_t band) const {
    if (band >= bands) return {0, 0};
    const d1::range units = d1::part_of(parts(a_lines, kUnitLines), bands, band);
    return {units.first * kUnitLines, std::min(a_lines, units.last * kUnitLines)};
  }
  // Units of A are numbered round by round and slice by slice, and dealt out to the group in turn.
  [[nodiscard]] std::size_t a_units() const { return rounds * slices * band_units; }
  [[nodiscard]] std::size_t a_unit(std::size_t round, std::size_t slice_number) const {
    return (round * slices + slice_number) * band_units;
  }
  // On each node units of A come first; as many as a node of the smallest group may have.
  [[nodiscard]] std::size_t a_kept() const { return parts(a_units(), d1::nodes() / groups); }
  [[nodiscard]] block* kept_a(std::size_t number) const {
    return &kept[number * kUnitLines * kSlice];
  }
  // Units of B are numbered by k, and dealt out to all nodes in turn.
  [[nodiscard]] std::size_t all_b_units() const { return parts(blocks, b_depth) * b_units; }
  [[nodiscard]] block* kept_b(std::size_t unit) const {
    return &kept[(a_kept() * kSlice + unit / d1::nodes() * b_depth) * kUnitLines];
  }
};

problem divide(d1::hbm<const d1::bf16> a, d1::hbm<const d1::bf16> b, d1::hbm<float> c,
               std::size_t m, std::size_t n, std::size_t k) {
  problem p{.a = a, .b = b, .c = c, .m = m, .n = n, .k = k};
  p.a_lines = parts(m, line_size);
  p.b_lines = parts(n, line_size);
  p.blocks = parts(k, block_depth);
  p.slices = parts(p.blocks, kSlice);
  // As high as makes runs of patches nearly square.
  std::size_t height = kUnitLines;
  while (height < kBandLines && height * height * d1::nodes() < p.a_lines * p.b_lines)
    height += kUnitLines;
  p.bands = parts(p.a_lines, height);
  p.rounds = parts(p.bands, std::max<std::size_t>(1, d1::nodes() / kGroupNodes));
  p.groups = parts(p.bands, p.rounds);
  p.band_units = parts(parts(p.a_lines, kUnitLines), p.bands);
  height = p.band_units * kUnitLines;
  p.pieces = parts(parts(height * p.b_lines, d1::nodes() / p.groups), piece_patches(kUnitLines));
  while (p.pieces > 1 && parts(parts(height * p.b_lines, d1::nodes() / p.groups), p.pieces - 1) <=
                             piece_patches(height))
    --p.pieces;
  // As deep as possible, but so that enough nodes have some: each is asked by many.
  p.b_units = parts(p.b_lines, kUnitLines);
  p.b_depth = kSlice;
  while (p.b_depth > kPartBlocks && 2 * p.all_b_units() < d1::nodes()) p.b_depth /= 2;
  return p;
}

// This node's place in its group.
struct membership {
  std::size_t group;
  d1::range members;
  std::size_t self;
};

membership membership_of(const problem& p) {
  std::size_t group = 0;
  while (d1::rank() >= p.members(group).last) ++group;
  const d1::range members = p.members(group);
  return {group, members, d1::rank() - members.first};
}

// --- 1. Pack ------------------------------------------------------------------------------------

// Fetches height x width elements from a place in a matrix of rows x columns, with zeroes where it
// ends.
d1::completion fetch(const d1::hbm<const d1::bf16>& matrix, std::size_t rows, std::size_t columns,
                     std::size_t row, std::size_t column, std::size_t height, std::size_t width,
                     raw_part& to) {
  if (row + height > rows || column + width > columns) {
    std::fill_n(to, height * width, d1::bf16(0.0f));
    if (row >= rows || column >= columns) return d1::completion();
  }
  return d1::get_2d(
      matrix.data() + row * columns + column, to,
      {.count = static_cast<std::uint32_t>(std::min(height, rows - row)),
       .row_bytes = static_cast<std::uint32_t>(std::min(width, columns - column) *
                                               sizeof(d1::bf16)),
       .local_pitch = static_cast<std::uint32_t>(width * sizeof(d1::bf16)),
       .remote_pitch = static_cast<std::uint32_t>(columns * sizeof(d1::bf16))});
}

// A part of a unit: from `row` of A or `column` of B and from `depth` on along k, to two lines.
struct part {
  bool of_a;
  std::size_t width, depth;
  block *one, *other;
};

part part_of_a(const problem& p, const membership& me, std::size_t i) {
  constexpr std::size_t kParts = kSlice / kPartBlocks;
  const std::size_t number = i / kParts, first = i % kParts * kPartBlocks;
  const std::size_t unit = me.self + number * me.members.size();
  const std::size_t slice_number = unit / p.band_units % p.slices;
  const std::size_t round = unit / p.band_units / p.slices;
  const d1::range lines = p.lines_of_band(me.group + round * p.groups);
  const std::size_t from = lines.first + unit % p.band_units * kUnitLines;
  block* const to = p.kept_a(number) + first;
  return {true, (from < lines.last ? from : p.a_lines) * line_size,
          (slice_number * kSlice + first) * block_depth, to, to + kSlice};
}

part part_of_b(const problem& p, std::size_t i) {
  const std::size_t parts_of_unit = p.b_depth / kPartBlocks;
  const std::size_t unit = d1::rank() + i / parts_of_unit * d1::nodes();
  const std::size_t first = i % parts_of_unit * kPartBlocks;
  block* const to = p.kept_b(unit) + first;
  return {false, unit % p.b_units * kPartWidth,
          (unit / p.b_units * p.b_depth + first) * block_depth, to, to + p.b_depth};
}

// How many of `all` things somebody gets to whom the first, or a later one, and every step-th is
// dealt.
std::size_t share_of(std::size_t all, std::size_t first, std::size_t step) {
  return first < all ? parts(all - first, step) : 0;
}

// This hart's share of the parts of this node's units.
void pack_units(const problem& p, const membership& me) {
  const std::size_t of_a =
      share_of(p.a_units(), me.self, me.members.size()) * (kSlice / kPartBlocks);
  const std::size_t all = of_a + share_of(p.all_b_units(), d1::rank(), d1::nodes()) *
                                     (p.b_depth / kPartBlocks);
  const auto part_at = [&](std::size_t i) {
    return i < of_a ? part_of_a(p, me, i) : part_of_b(p, i - of_a);
  };
  auto& raw = room.raw[d1::hart()];
  const std::size_t step = kPartsAtOnce * d1::harts();
  for (std::size_t first = d1::hart(); first < all; first += step) {
    const std::size_t last = std::min(all, first + step);
    d1::completion arriving;
    for (std::size_t i = first, place = 0; i < last; i += d1::harts(), ++place) {
      const part at = part_at(i);
      arriving += at.of_a ? fetch(p.a, p.m, p.k, at.width, at.depth, kPartWidth, kPartDepth,
                                  raw[place])
                          : fetch(p.b, p.k, p.n, at.depth, at.width, kPartDepth, kPartWidth,
                                  raw[place]);
    }
    arriving.wait();
    for (std::size_t i = first, place = 0; i < last; i += d1::harts(), ++place) {
      const part at = part_at(i);
      for (std::size_t j = 0; j < kPartBlocks; ++j) {
        if (at.of_a) pack_a(raw[place] + j * block_depth, kPartDepth, at.one[j], at.other[j]);
        else pack_b(raw[place] + j * block_depth * kPartWidth, kPartWidth, at.one[j], at.other[j]);
      }
    }
  }
}

// --- 2. Multiply --------------------------------------------------------------------------------

// A piece of C under work: patches first .. last - 1 of a band of `height` lines of A from `top`
// on. Patch i is in line i % height of them, and in line i / height of B.
struct place {
  std::size_t top, height, first, last;
  [[nodiscard]] bool empty() const { return first == last; }
  [[nodiscard]] std::size_t left() const { return first / height; }
  [[nodiscard]] std::size_t right() const { return (last - 1) / height + 1; }
  // The line of B that comes first in a slice.
  [[nodiscard]] std::size_t left_in_slice() const { return left() / kUnitLines * kUnitLines; }
};

place place_of(const problem& p, const membership& me, std::size_t step) {
  const std::size_t piece = step / p.slices;
  const d1::range lines = p.lines_of_band(me.group + piece / p.pieces * p.groups);
  const d1::range run = d1::part_of(lines.size() * p.b_lines, me.members.size(), me.self);
  const d1::range mine = d1::part_of(run.size(), p.pieces, piece % p.pieces);
  return {lines.first, lines.size(), run.first + mine.first, run.first + mine.last};
}

// Visits the units of A of a step: which of the step's, and its number in the group.
template <typename Visit>
void for_units_of_a(const problem& p, std::size_t step, Visit visit) {
  const std::size_t first = p.a_unit(step / p.slices / p.pieces, step % p.slices);
  for (std::size_t i = 0; i < p.band_units; ++i) visit(i, first + i);
}

// Sends a unit to the nodes of the group. Their ranks follow each other; so they are part of a row
// of the grid, some whole rows, and part of another one.
void send_unit(const membership& me, const block* from, line* to, d1::semaphore_number arrived,
               d1::completion& sent) {
  const std::span<const d1::bf16> unit(*from, kUnitLines * kSlice * block_elements);
  const std::size_t columns = d1::grid_columns();
  for (std::size_t first = me.members.first; first < me.members.last;) {
    const std::size_t column = first % columns;
    const std::size_t rows = column == 0 ? (me.members.last - first) / columns : 0;
    const std::size_t count = rows != 0 ? rows * columns
                                        : std::min(columns - column, me.members.last - first);
    if (count > 1 || first != d1::rank())
      sent += d1::multicast(unit, (*to)[0],
                            {.first_row = static_cast<std::uint32_t>(first / columns),
                             .first_column = static_cast<std::uint32_t>(column),
                             .rows = static_cast<std::uint32_t>(std::max<std::size_t>(1, rows)),
                             .columns = static_cast<std::uint32_t>(rows != 0 ? columns : count)},
                            {.far = arrived, .done = kSent});
    first += count;
  }
  copy(unit, (*to)[0]);
  d1_sem_post(static_cast<std::uint64_t>(arrived), 1);
}

// Sends this node's units of A of a step, once all of the group have room for it.
void send(const problem& p, const membership& me, std::size_t step, d1::completion& sent) {
  for_units_of_a(p, step, [&](std::size_t i, std::size_t unit) {
    if (unit % me.members.size() != me.self) return;
    if (step >= 2) d1_sem_wait(static_cast<std::uint64_t>(kReady[step % 2]), me.members.size());
    send_unit(me, p.kept_a(unit / me.members.size()), &room.slices[step % 2].a[i * kUnitLines],
              kArrived[step % 2], sent);
  });
}

// Asks for what a step needs; how many units will arrive.
std::size_t ask(const problem& p, const membership& me, std::size_t step) {
  if (step >= p.steps()) return 0;
  if (step >= 2)
    for_units_of_a(p, step, [&](std::size_t, std::size_t unit) {
      const std::size_t owner = me.members.first + unit % me.members.size();
      d1_sem_post(d1_grid_address(owner, static_cast<std::uint32_t>(kReady[step % 2])), 1);
    });
  std::size_t arriving = p.band_units;
  const place at = place_of(p, me, step);
  if (at.empty()) return arriving;
  const std::size_t begin = step % p.slices * kSlice, end = std::min(p.blocks, begin + kSlice);
  for (std::size_t k = begin; k < end; k += p.b_depth) {
    for (std::size_t first = at.left_in_slice(); first < at.right(); first += kUnitLines) {
      const std::size_t unit = k / p.b_depth * p.b_units + first / kUnitLines;
      line& to = room.slices[step % 2].b[first - at.left_in_slice()];
      (void)d1::get_2d(
          d1::global_ptr<const d1::bf16>::at(static_cast<std::uint32_t>(unit % d1::nodes()),
                                             *p.kept_b(unit)),
          to[k - begin],
          {.count = static_cast<std::uint32_t>(std::min(kUnitLines, at.right() - first)),
           .row_bytes = static_cast<std::uint32_t>(std::min(p.b_depth, end - k) * block_bytes),
           .local_pitch = sizeof(line),
           .remote_pitch = static_cast<std::uint32_t>(p.b_depth * block_bytes)},
          {.done = kArrived[step % 2]});
      ++arriving;
    }
  }
  return arriving;
}

void multiply_slice(const problem& p, const place& at, std::size_t step) {
  const slice& from = room.slices[step % 2];
  const std::size_t number = step % p.slices;
  const std::size_t blocks = std::min(kSlice, p.blocks - number * kSlice);
  for (std::size_t i = at.first; i < at.last; ++i)
    multiply_patch(from.a[i % at.height][0], from.b[i / at.height - at.left_in_slice()][0], blocks,
                   patches[i - at.first]);
}

// --- 3. Store -----------------------------------------------------------------------------------

// This hart's columns of the finished piece: the patches of a column lie one below the other.
void store(const problem& p, const place& at) {
  d1::completion stored;
  for (std::size_t column = at.left() + d1::hart(); column < at.right(); column += d1::harts()) {
    const std::size_t first = std::max(at.first, column * at.height);
    const std::size_t last = std::min(at.last, (column + 1) * at.height);
    float* const from = patches[first - at.first];
    for (std::size_t i = 0; i < last - first; ++i)
      unpack_patch(from + i * patch_elements, from + i * patch_elements, line_size);
    const std::size_t row = (at.top + first % at.height) * line_size;
    const std::size_t left = column * line_size;
    stored += d1::put_2d(
        from, p.c.data() + row * p.n + left,
        {.count = static_cast<std::uint32_t>(std::min((last - first) * line_size, p.m - row)),
         .row_bytes = static_cast<std::uint32_t>(std::min(line_size, p.n - left) * sizeof(float)),
         .local_pitch = line_size * sizeof(float),
         .remote_pitch = static_cast<std::uint32_t>(p.n * sizeof(float))});
  }
  stored.wait();
}

enum class timing : bool { off, on };

// With timing on, returns the cycles that this hart spent in multiplication.
template <timing measure>
std::uint64_t multiply(d1::hbm<const d1::bf16> a, d1::hbm<const d1::bf16> b, d1::hbm<float> c,
                       std::size_t m, std::size_t n, std::size_t k) {
  assert(a.size() == m * k && b.size() == k * n && c.size() == m * n && a.size() * b.size() > 0);
  const problem p = divide(a, b, c, m, n, k);
  assert((p.a_kept() * kSlice + parts(p.all_b_units(), d1::nodes()) * p.b_depth) * kUnitLines <=
         kKeptBlocks);
  const membership me = membership_of(p);
  pack_units(p, me);
  d1::grid_barrier();

  const bool multiplies = d1::hart() == 0, alone = d1::harts() == 1;
  std::uint64_t cycles = 0;
  d1::completion sent(kSent);
  std::size_t arriving[2]{};
  if (multiplies)
    for (std::size_t step = 0; step < 2; ++step) arriving[step] = ask(p, me, step);
  if (alone) send(p, me, 0, sent);
  for (std::size_t step = 0; step < p.steps(); ++step) {
    const place at = place_of(p, me, step);
    if (alone && step + 1 < p.steps()) send(p, me, step + 1, sent);
    if (!alone && d1::hart() == 1) send(p, me, step, sent);
    if (multiplies) {
      if (step % p.slices == 0)
        std::fill_n(patches[0], (at.last - at.first) * patch_elements, 0.0f);
      d1_sem_wait(static_cast<std::uint64_t>(kArrived[step % 2]), arriving[step % 2]);
      const std::uint64_t start = measure == timing::on ? d1::cycles() : 0;
      if (!at.empty()) multiply_slice(p, at, step);
      if constexpr (measure == timing::on) cycles += d1::cycles() - start;
      arriving[step % 2] = ask(p, me, step + 2);
    }
    if ((step + 1) % p.slices == 0) {
      d1::node_barrier();
      if (!at.empty()) store(p, at);
      d1::node_barrier();
    }
  }
  sent.wait();
  d1::grid_barrier();  // others may still gather from this node
  return cycles;
}

}  // namespace

D1_KERNEL void matmul(d1::hbm<const d1::bf16> a, d1::hbm<const d1::bf16> b, d1::hbm<float> c,
                      std::uint64_t m, std::uint64_t n, std::uint64_t k) {
  multiply<timing::off>(a, b, c, m, n, k);
}

// The same, and for each hart of each node the cycles that it spent in the inner loop (a packet of
// eight counts for each node).
D1_KERNEL void matmul_timed(d1::hbm<const d1::bf16> a, d1::hbm<const d1::bf16> b, d1::hbm<float> c,
                            std::uint64_t m, std::uint64_t n, std::uint64_t k,
                            d1::sharded<std::uint64_t> inner_cycles) {
  inner_cycles[d1::hart()] = multiply<timing::on>(a, b, c, m, n, k);
}
