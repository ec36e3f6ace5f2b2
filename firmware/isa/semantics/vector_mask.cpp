// SPDX-License-Identifier: Apache-2.0
// Vector masks as values: logic, counting, finding, and what is made from them.
#include <semantics/vector_common.hpp>

namespace d1::isa {
namespace {

using namespace vector;

constexpr unsigned kWords = kVlenBits / 64;

// vd = function(vs2, vs1), bit by bit. The vm bit is part of the encoding here, no mask enable.
template <typename F>
Outcome mask_logic(Hart& hart, const Operation& operation, F function) {
  if (!usable(hart)) return illegal(hart, operation);
  MaskBits result;
  for (unsigned word = 0; word < kWords; ++word)
    result.word[word] = function(element<std::uint64_t>(hart, operation.rs2, word),
                                 element<std::uint64_t>(hart, operation.rs1, word));
  return write_mask(hart, unmasked_body_of(hart), operation.rd, result);
}

// The active bits of a source mask, 64 elements at a time.
[[nodiscard]] std::uint64_t active_word(const Hart& hart, const Body& body, unsigned reg,
                                        unsigned word) noexcept {
  return element<std::uint64_t>(hart, reg, word) & active_bits(hart, body, word * 64, 64);
}

// These cannot be resumed in the middle.
[[nodiscard]] bool usable_from_start(const Hart& hart) noexcept {
  return usable(hart) && hart.vstart == 0;
}

enum class UpToFirst : std::uint8_t { Before, Including, Only };

template <UpToFirst kKind>
Outcome set_up_to_first(Hart& hart, const Operation& operation) {
  if (!usable_from_start(hart) || operation.rd == operation.rs2 || !destination_ok(operation))
    return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  MaskBits result;
  bool found = false;
  for (unsigned word = 0; word < kWords; ++word) {
    const std::uint64_t bits = active_word(hart, body, operation.rs2, word);
    const std::uint64_t first = bits & (~bits + 1);
    if (kKind == UpToFirst::Only)
      result.word[word] = found ? 0 : first;
    else if (found)
      result.word[word] = 0;
    else if (bits == 0)
      result.word[word] = ~std::uint64_t{0};
    else
      result.word[word] = (first - 1) | (kKind == UpToFirst::Including ? first : 0);
    found |= bits != 0;
  }
  return write_mask(hart, body, operation.rd, result);
}

}  // namespace

namespace exec {

Outcome vmand_mm(Hart& hart, const Operation& operation) {
  return mask_logic(hart, operation, [](std::uint64_t a, std::uint64_t b) { return a & b; });
}
Outcome vmnand_mm(Hart& hart, const Operation& operation) {
  return mask_logic(hart, operation, [](std::uint64_t a, std::uint64_t b) { return ~(a & b); });
}
Outcome vmandn_mm(Hart& hart, const Operation& operation) {
  return mask_logic(hart, operation, [](std::uint64_t a, std::uint64_t b) { return a & ~b; });
}
Outcome vmor_mm(Hart& hart, const Operation& operation) {
  return mask_logic(hart, operation, [](std::uint64_t a, std::uint64_t b) { return a | b; });
}
Outcome vmnor_mm(Hart& hart, const Operation& operation) {
  return mask_logic(hart, operation, [](std::uint64_t a, std::uint64_t b) { return ~(a | b); });
}
Outcome vmorn_mm(Hart& hart, const Operation& operation) {
  return mask_logic(hart, operation, [](std::uint64_t a, std::uint64_t b) { return a | ~b; });
}
Outcome vmxor_mm(Hart& hart, const Operation& operation) {
  return mask_logic(hart, operation, [](std::uint64_t a, std::uint64_t b) { return a ^ b; });
}
Outcome vmxnor_mm(Hart& hart, const Operation& operation) {
  return mask_logic(hart, operation, [](std::uint64_t a, std::uint64_t b) { return ~(a ^ b); });
}

Outcome vcpop_m(Hart& hart, const Operation& operation) {
  if (!usable_from_start(hart)) return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  std::uint64_t count = 0;
  for (unsigned word = 0; word < kWords; ++word)
    count += static_cast<unsigned>(std::popcount(active_word(hart, body, operation.rs2, word)));
  set_x(hart, operation.rd, count);
  return finish(hart);
}

Outcome vfirst_m(Hart& hart, const Operation& operation) {
  if (!usable_from_start(hart)) return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  std::uint64_t found = ~std::uint64_t{0};
  for (unsigned word = 0; word < kWords && found == ~std::uint64_t{0}; ++word) {
    const std::uint64_t bits = active_word(hart, body, operation.rs2, word);
    if (bits != 0) found = word * 64 + static_cast<unsigned>(std::countr_zero(bits));
  }
  set_x(hart, operation.rd, found);
  return finish(hart);
}

Outcome vmsbf_m(Hart& hart, const Operation& operation) {
  return set_up_to_first<UpToFirst::Before>(hart, operation);
}
Outcome vmsif_m(Hart& hart, const Operation& operation) {
  return set_up_to_first<UpToFirst::Including>(hart, operation);
}
Outcome vmsof_m(Hart& hart, const Operation& operation) {
  return set_up_to_first<UpToFirst::Only>(hart, operation);
}

Outcome viota_m(Hart& hart, const Operation& operation) {
  const int lmul = hart.vtype.lmul_log2;
  if (!usable_from_start(hart) || !group_ok(operation.rd, lmul) || !destination_ok(operation) ||
      overlaps(operation.rd, registers_of(lmul), operation.rs2, 1))
    return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  with_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    unsigned count = 0;
    for_each_active(hart, body, [&](unsigned index) {
      set_element<T>(hart, operation.rd, index, static_cast<T>(count));
      count += mask_bit(hart, operation.rs2, index);
    });
  });
  return finish(hart, body, operation.rd, hart.vtype.sew_log2, lmul);
}

Outcome vid_v(Hart& hart, const Operation& operation) {
  const int lmul = hart.vtype.lmul_log2;
  if (!usable(hart) || !group_ok(operation.rd, lmul) || !destination_ok(operation))
    return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  with_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    for_each_active(hart, body, [&](unsigned index) {
      set_element<T>(hart, operation.rd, index, static_cast<T>(index));
    });
  });
  return finish(hart, body, operation.rd, hart.vtype.sew_log2, lmul);
}

}  // namespace exec
}  // namespace d1::isa
