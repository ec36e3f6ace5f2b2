// SPDX-License-Identifier: Apache-2.0
// Small kernels that show what the dispatch loop and the SDK do.
#include <cassert>
#include <cerrno>
#include <cmath>
#include <cstdlib>

#include <d1/kernel.hpp>
#include <d1/kernels/collectives.hpp>
#include <d1/kernels/copy.hpp>
#include <d1/kernels/matrix_product.hpp>

D1_KERNEL void empty() {}

// Eight slots in registers, three on the stack, mixed with doubles. Each hart notes what it got.
D1_KERNEL void arguments(std::uint64_t* out, std::uint64_t a, double x, std::uint64_t b,
                         std::uint64_t c, double y, std::uint64_t d, std::uint64_t e,
                         std::uint64_t f, std::uint64_t g, std::uint64_t h, std::uint64_t i,
                         std::uint64_t j) {
  std::uint64_t* to = out + 16 * d1::hart();
  for (std::uint64_t value : {a, b, c, d, e, f, g, h, i, j}) *to++ = value;
  *to++ = static_cast<std::uint64_t>(x);
  *to++ = static_cast<std::uint64_t>(y);
  *to++ = reinterpret_cast<std::uint64_t>(__builtin_frame_address(0));
  *to++ = d1::rank();
  *to++ = d1::harts();
}

// Leaves modes behind and reports those it found.
D1_KERNEL void modes(std::uint64_t* out) {
  std::uint64_t fcsr, vcsr;
  __asm__ volatile("csrr %0, fcsr\n csrr %1, vcsr" : "=r"(fcsr), "=r"(vcsr));
  out[0] = fcsr | vcsr | d1_format() | d1_bias() | d1_seed();
  __asm__ volatile("csrw fcsr, %0\n csrw vcsr, %1" : : "r"(0x7f), "r"(7));
  d1_set_format(1);
  d1_set_bias(2);
  d1_set_seed(3);
}

D1_KERNEL void broken_promise(std::uint64_t value) { assert(value == 42); }

D1_KERNEL void null_store() { *reinterpret_cast<volatile int*>(8) = 1; }

// The C library's errno is each hart's own.
D1_KERNEL void error_numbers(std::uint64_t* out) {
  errno = 0;
  d1::node_barrier();
  if (d1::hart() == 1) (void)std::strtol("99999999999999999999", nullptr, 10);
  d1::node_barrier();
  out[d1::hart()] = static_cast<std::uint64_t>(errno);
}

D1_KERNEL void long_line(std::uint64_t width) {
  printf("%0*d|%.3f|%s", static_cast<int>(width), 7, std::sqrt(2.0), "end\n");
}

alignas(64) std::uint32_t block[100], scratch[100];

// all_reduce of vectors, from and to several roots.
D1_KERNEL void collectives(std::uint64_t* out) {
  if (d1::hart() != 0) return;
  const auto add = [](std::uint32_t a, std::uint32_t b) { return a + b; };
  for (unsigned i = 0; i < 100; ++i) block[i] = d1::rank() * 1000 + i;
  d1::kernels::all_reduce<std::uint32_t>(block, scratch, add);
  out[0] = block[99];
  const std::uint32_t last = d1::nodes() - 1;
  block[7] = d1::rank() + 1;
  d1::kernels::reduce<std::uint32_t>(block, scratch, add, last);
  out[1] = block[7];
  block[3] = d1::rank() * 5;
  d1::kernels::broadcast<std::uint32_t>(block, last);
  out[2] = block[3];
}

// Appends b's digits to a's: tells whether values were combined in order, and each once.
struct Ranks {
  std::uint64_t hash, count;
  static Ranks append(Ranks a, Ranks b) {
    for (std::uint64_t i = 0; i < b.count; ++i) a.hash *= 31;
    return {a.hash + b.hash, a.count + b.count};
  }
};

// all_reduce of single values, again and again without anything between, and after one of a block.
D1_KERNEL void value_collectives(std::uint64_t* out) {
  if (d1::hart() != 0) return;
  const auto add = [](std::uint32_t a, std::uint32_t b) { return a + b; };
  for (std::uint32_t round = 0; round < 5; ++round) {
    block[0] = d1::rank();
    d1::kernels::all_reduce<std::uint32_t>(std::span(block, 1), std::span(scratch, 1), add);
    out[0] = d1::kernels::all_reduce(d1::rank() + round, add) - block[0];
    out[1] = d1::kernels::all_reduce(Ranks{d1::rank() + 1, 1}, Ranks::append).hash;
  }
  float packet[16];
  for (unsigned i = 0; i < 16; ++i) packet[i] = static_cast<float>(d1::rank() + i);
  d1::kernels::all_reduce(std::span(packet), [](float a, float b) { return a > b ? a : b; });
  out[2] = static_cast<std::uint64_t>(packet[15]);
}

// Each node reads and writes single values of its right neighbour.
D1_KERNEL void neighbours(d1::sharded<float> values, d1::sharded<float> seen) {
  if (d1::hart() != 0) return;
  const std::uint32_t right = (d1::rank() + 1) % d1::nodes();
  seen[0] = d1::global_ptr<float>::at(right, values.data())[0];
  seen[1] = *values.at(values.total() - 1);
  d1::global_ptr<float>::at(right, seen.data())[2] = static_cast<float>(d1::rank());
}

// HBM to SRAM, times two, and back.
D1_KERNEL void twice(d1::hbm<float> data, d1::sharded<float> space) {
  const d1::range mine = d1::part_of(data.size(), d1::nodes(), d1::rank());
  if (d1::hart() != 0 || mine.size() == 0) return;
  const std::span<float> part(space.data(), mine.size());
  data.copy_in(mine.first, part);
  for (float& value : part) value *= 2;
  data.copy_out(mine.first, part);
}

// Fills and copies blocks of every small size at every alignment of elements, by all harts.
D1_KERNEL void copies(std::uint64_t* wrong) {
  alignas(64) static std::uint16_t from[300], to[300];
  for (std::size_t size = 0; size < 200; size += 7)
    for (std::size_t offset = 0; offset < 40; offset += 13) {
      if (d1::hart() == 0) {
        for (unsigned i = 0; i < 300; ++i) from[i] = static_cast<std::uint16_t>(i + 1);
        d1::kernels::fill<std::uint16_t>(to, 0xffff);
      }
      d1::node_barrier();
      const auto part = d1::part_of_hart(std::span<const std::uint16_t>(from + 5, size));
      d1::kernels::copy(part, to + offset + (part.data() - (from + 5)));
      d1::node_barrier();
      if (d1::hart() == 0)
        for (std::size_t i = 0; i < 300; ++i)
          *wrong += to[i] != (i >= offset && i < offset + size ? i - offset + 6 : 0xffff);
      d1::node_barrier();
    }
}

// Every conversion of bf16 to float and back.
D1_KERNEL void conversions(std::uint64_t* wrong) {
  for (std::uint32_t bits = d1::hart(); bits < 0x10000; bits += d1::harts()) {
    const float value = std::bit_cast<float>(bits << 16);
    const std::uint16_t back = d1::bf16(value).bits;
    const bool nan = value != value;
    if (nan ? back != 0x7fc0 : back != bits) wrong[d1::hart()] += 1;
    // Halfway to the next one goes to the even one.
    const float halfway = std::bit_cast<float>(bits << 16 | 0x8000);
    if (!nan && d1::bf16(halfway).bits != bits + (bits & 1) && halfway == halfway)
      wrong[d1::hart()] += 1;
  }
}

// Cycles of a patch of the matrix product over 32 blocks of k, by one hart alone.
alignas(64) d1::bf16 patch_a[33 * d1::kernels::block_elements];
alignas(64) d1::bf16 patch_b[33 * d1::kernels::block_elements];
alignas(64) float patch_c[d1::kernels::patch_elements];
D1_KERNEL void patch_cycles(std::uint64_t* out) {
  // What units have yet to do counts from the next wait on.
  const auto wait = [] {
    d1::put(std::span(patch_c, 16), d1::global_ptr<float>::at(0, patch_c)).wait();
  };
  wait();
  const std::uint64_t start = d1::cycles();
  d1::kernels::multiply_patch(patch_a, patch_b, 32, patch_c);
  wait();
  *out = d1::cycles() - start;
}
