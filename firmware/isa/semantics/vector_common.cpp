// SPDX-License-Identifier: Apache-2.0
#include <semantics/vector_common.hpp>

namespace d1::isa {

bool agnostic_fill = false;

namespace {

// Fields of vtype.
constexpr unsigned kLmulBits = 3, kSewShift = 3, kTailShift = 6, kMaskShift = 7, kFieldBits = 8;
constexpr VectorType kIllType = {0, 0, 0, 0, 1};

}  // namespace

std::uint64_t encode_vtype(const VectorType& type) noexcept {
  if (is_ill(type)) return kVtypeIll;
  const unsigned lmul = static_cast<unsigned>(type.lmul_log2) & ((1U << kLmulBits) - 1);
  const unsigned sew = type.sew_log2 - 3U;
  return lmul | sew << kSewShift | unsigned{type.tail_agnostic} << kTailShift |
         unsigned{type.mask_agnostic} << kMaskShift;
}

VectorType decode_vtype(std::uint64_t value) noexcept {
  if (value >> kFieldBits != 0) return kIllType;
  const unsigned lmul = value & ((1U << kLmulBits) - 1);
  const int lmul_log2 = lmul < 4 ? static_cast<int>(lmul) : static_cast<int>(lmul) - 8;
  const unsigned sew_log2 = (value >> kSewShift & 7) + 3;
  // A fraction of a register must still hold one element of ELEN bits scaled by that fraction.
  const int widest_log2 = 6 + (lmul_log2 < 0 ? lmul_log2 : 0);
  if (lmul_log2 == -4 || static_cast<int>(sew_log2) > widest_log2) return kIllType;
  return {static_cast<std::uint8_t>(sew_log2), static_cast<std::int8_t>(lmul_log2),
          static_cast<std::uint8_t>(value >> kTailShift & 1),
          static_cast<std::uint8_t>(value >> kMaskShift & 1), 0};
}
static_assert(kElenBits == 1U << 6);

namespace vector {

void fill_agnostic(Hart& hart, const Body& body, unsigned vd, unsigned element_log2,
                   int emul_log2) noexcept {
  if (body.empty()) return;
  const unsigned bytes = 1U << (element_log2 - 3);
  std::uint8_t* const out = bytes_of(hart, vd);
  if (hart.vtype.mask_agnostic != 0 && body.masked)
    for (unsigned index = body.start; index < body.end; ++index)
      if (!mask_bit(hart, 0, index)) std::memset(out + index * bytes, 0xff, bytes);
  // The tail reaches to the end of the last register, past VLMAX where LMUL is a fraction.
  const unsigned end = body.end * bytes, whole = registers_of(emul_log2) * kVlenBytes;
  if (hart.vtype.tail_agnostic != 0 && end < whole) std::memset(out + end, 0xff, whole - end);
}

Outcome write_mask(Hart& hart, const Body& body, unsigned vd, const MaskBits& result) noexcept {
  if (body.empty()) return finish(hart);
  for (unsigned word = 0; word < kVlenBits / 64; ++word) {
    const unsigned first = word * 64;
    const std::uint64_t active = active_bits(hart, body, first, 64);
    std::uint64_t value = element<std::uint64_t>(hart, vd, word) & ~active;
    value |= result.word[word] & active;
    if (agnostic_fill) {
      const std::uint64_t inside = range_bits(body.start, body.end, first, 64);
      if (hart.vtype.mask_agnostic != 0) value |= inside & ~active;
      value |= range_bits(body.end, kVlenBits, first, 64);
    }
    set_element(hart, vd, word, value);
  }
  return finish(hart);
}

}  // namespace vector
}  // namespace d1::isa
