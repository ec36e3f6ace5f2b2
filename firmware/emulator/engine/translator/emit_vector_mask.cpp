// SPDX-License-Identifier: Apache-2.0
// Masks as values: logic, counting and finding, 64 elements at a time in an integer register; and
// merges, which a mask directs.
#include <algorithm>

#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

constexpr unsigned kWordBits = 64;

}  // namespace

// Masks are read and written by words of 64 bits, or of VLMAX where that is less; 8 at least.
unsigned RegionEmitter::mask_word_bits() const {
  return std::clamp(state_.vlmax(), 8u, kWordBits);
}

// Calls emit(word number, bits below vl) for each word of a mask with elements below vl; the bits
// are all ones of a word if that is known of all of them, and 0 if they stand in the length mask.
template <typename Emit>
void RegionEmitter::for_mask_words(const Emit& emit) {
  const unsigned words = (state_.vlmax() + kWordBits - 1) / kWordBits;
  for (unsigned number = 0; number < words; ++number) {
    if (state_.length == kAnyLength) {
      emit(number, std::uint64_t{0});
      continue;
    }
    const auto length = static_cast<unsigned>(state_.length), first = number * kWordBits;
    if (length <= first) break;
    emit(number, ~std::uint64_t{0} >> (kWordBits - std::min(length - first, kWordBits)));
  }
}

Xbyak::Address RegionEmitter::mask_word(const Xbyak::RegExp& place) {
  switch (mask_word_bits()) {
    case 8: return byte[place];
    case 16: return word[place];
    case 32: return dword[place];
    default: return qword[place];
  }
}
// Of a mask in memory at rdx.
Xbyak::Address RegionEmitter::mask_word(unsigned guest, unsigned number) {
  return mask_word(rdx + static_cast<int>(guest * isa::kVlenBytes + 8 * number));
}

// rax, as wide as a word.
const Xbyak::Reg& RegionEmitter::mask_register() {
  switch (mask_word_bits()) {
    case 8: return al;
    case 16: return ax;
    case 32: return eax;
    default: return rax;
  }
}

// rax = a word of a mask.
void RegionEmitter::load_mask_word(unsigned guest, unsigned number) {
  const Xbyak::Address place = mask_word(guest, number);
  if (mask_word_bits() < 32) movzx(eax, place);
  else mov(mask_register(), place);
}

// rax &= the bits below vl, as for_mask_words() gave them.
void RegionEmitter::keep_below_length(unsigned number, std::uint64_t bits) {
  if (bits == 0)
    and_(mask_register(), mask_word(rbp + hart_offset(length_mask_place() + 8 * number)));
  else if (bits != ~std::uint64_t{0} >> (kWordBits - mask_word_bits()))
    and_(rax, ptr[rip + constant128(bits, bits)]);
}

// vd = function(vs2, vs1), bit by bit up to vl.
bool RegionEmitter::emit_mask_logic(const Operation& operation) {
  using I = InstructionId;
  enum class Kind : std::uint8_t { And, Or, Xor } kind;
  bool negate_second = false, negate_result = false;
  switch (operation.id) {
    case I::vmnand_mm: negate_result = true; [[fallthrough]];
    case I::vmand_mm: kind = Kind::And; break;
    case I::vmandn_mm: negate_second = true; kind = Kind::And; break;
    case I::vmnor_mm: negate_result = true; [[fallthrough]];
    case I::vmor_mm: kind = Kind::Or; break;
    case I::vmorn_mm: negate_second = true; kind = Kind::Or; break;
    case I::vmxnor_mm: negate_result = true; [[fallthrough]];
    case I::vmxor_mm: kind = Kind::Xor; break;
    default: return false;
  }
  if (!state_.known) return false;
  for (const unsigned guest : {operation.rd, operation.rs1, operation.rs2})
    vectors_.exclude(guest);
  point_to_vectors();
  for_mask_words([&](unsigned number, std::uint64_t bits) {
    const Xbyak::Reg& to = mask_register();
    load_mask_word(operation.rs1, number);
    if (negate_second) not_(rax);
    switch (kind) {
      case Kind::And: and_(to, mask_word(operation.rs2, number)); break;
      case Kind::Or: or_(to, mask_word(operation.rs2, number)); break;
      case Kind::Xor: xor_(to, mask_word(operation.rs2, number)); break;
    }
    if (negate_result) not_(rax);
    if (bits != ~std::uint64_t{0} >> (kWordBits - mask_word_bits())) {  // what lies behind stays
      xor_(to, mask_word(operation.rd, number));
      keep_below_length(number, bits);
      xor_(to, mask_word(operation.rd, number));
    }
    mov(mask_word(operation.rd, number), to);
  });
  note_vector(operation);
  return true;
}

// vcpop.m and vfirst.m.
bool RegionEmitter::emit_mask_query(const Operation& operation) {
  const bool counts = operation.id == InstructionId::vcpop_m;
  if ((!counts && operation.id != InstructionId::vfirst_m) || !state_.known) return false;
  vectors_.exclude(operation.rs2);
  if (!operation.vm()) vectors_.exclude(0);
  point_to_vectors();
  if (counts) xor_(ecx, ecx);
  else mov(rcx, -1);
  std::vector<std::pair<unsigned, std::uint64_t>> words;
  for_mask_words([&](unsigned number, std::uint64_t bits) { words.emplace_back(number, bits); });
  // The first one found wins: it comes last.
  if (!counts) std::reverse(words.begin(), words.end());
  for (const auto& [number, bits] : words) {
    load_mask_word(operation.rs2, number);
    if (!operation.vm()) and_(mask_register(), mask_word(0, number));
    keep_below_length(number, bits);
    if (counts) {
      popcnt(rax, rax);
      add(rcx, rax);
    } else {
      tzcnt(rax, rax);  // carry: there is none
      lea(rax, ptr[rax + static_cast<int>(number * kWordBits)]);
      cmovnc(rcx, rax);
    }
  }
  write(operation.rd, rcx);
  note_vector(operation);
  return true;
}

// vd[i] = v0[i] ? second[i] : vs2[i], in all elements up to vl.
bool RegionEmitter::emit_vector_merge(const Operation& operation) {
  using I = InstructionId;
  Second second;
  bool is_float = false;
  switch (operation.id) {
    case I::vmerge_vvm: second = Second::Vector; break;
    case I::vmerge_vxm: second = Second::Scalar; break;
    case I::vmerge_vim: second = Second::Immediate; break;
    case I::vfmerge_vfm: second = Second::Scalar; is_float = true; break;
    default: return false;
  }
  const unsigned width = state_.sew_log2;
  if (!same_width_allowed(operation, second) || (is_float && width < 5)) return false;
  vectors_.exclude(0);
  with_second(operation, second, is_float ? Elements::Floats : Elements::Integers, [&] {
    for_active(Masking::None, width, state_.registers(), [&](unsigned i, const Opmask& active) {
      const Zmm b = second_vector(operation, second, i);
      const Zmm a = read_vector(operation.rs2 + i, kThirdScratchVector);
      point_to_vectors();
      load_mask(k3, rdx + static_cast<int>(i * (512u >> width) / 8), width);
      switch (width) {
        case 3: vpblendmb(zmm14 | k3, a, b); break;
        case 4: vpblendmw(zmm14 | k3, a, b); break;
        case 5: vpblendmd(zmm14 | k3, a, b); break;
        default: vpblendmq(zmm14 | k3, a, b); break;
      }
      write_active(operation.rd + i, zmm14, active, width);
    });
  });
  return true;
}

// vid.v: each element's own number.
bool RegionEmitter::emit_vector_numbers(const Operation& operation) {
  if (operation.id != InstructionId::vid_v || !state_.known || !destination_allowed(operation) ||
      !group_aligned(operation.rd, state_.registers()))
    return false;
  const unsigned width = state_.sew_log2, count = 512u >> width;
  for_active(masking(operation), width, state_.registers(), [&](unsigned i, const Opmask& active) {
    std::array<std::uint64_t, 8> words{};
    for (unsigned element = 0; element < count; ++element) {
      const std::uint64_t ones = ~std::uint64_t{0} >> (64 - (1u << width));
      const std::uint64_t number = (i * count + element) & ones;
      const unsigned bit = element << width;
      words[bit / 64] |= number << bit % 64;
    }
    vmovdqa64(zmm14, zword[rip + constant512(words)]);
    write_active(operation.rd + i, zmm14, active, width);
  });
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
