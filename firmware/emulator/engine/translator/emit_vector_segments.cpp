// SPDX-License-Identifier: Apache-2.0
// Vector loads and stores of segments: structures whose fields become groups of their own. What is
// neither masked nor of unknown length goes by whole registers of memory and permutations; the rest
// field by field, at the segment's stride.
#include <algorithm>

#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

constexpr unsigned kBytes = isa::kVlenBytes;

// A vector of indices, and the bits of those elements that each pair of sources is for.
struct Selection {
  std::array<std::uint64_t, 8> indices{};
  std::array<std::uint64_t, 4> of_pair{};

  void set(unsigned element, unsigned width_log2, unsigned index, unsigned pair) {
    const unsigned bit = element << width_log2;
    indices[bit / 64] |= std::uint64_t{index} << bit % 64;
    of_pair[pair] |= std::uint64_t{1} << element;
  }
};

// Of the elements of a field: from sources that lie one behind the other in memory.
Selection field_selection(unsigned field, unsigned fields, unsigned width_log2) {
  const unsigned count = 512u >> width_log2;
  Selection selection;
  for (unsigned element = 0; element < count; ++element) {
    const unsigned place = element * fields + field;
    selection.set(element, width_log2, place % (2 * count), place / (2 * count));
  }
  return selection;
}

// Of a register's worth of memory: from fields.
Selection memory_selection(unsigned number, unsigned fields, unsigned width_log2) {
  const unsigned count = 512u >> width_log2;
  Selection selection;
  for (unsigned i = 0; i < count; ++i) {
    const unsigned place = number * count + i, field = place % fields;
    selection.set(i, width_log2, place / fields + field % 2 * count, field / 2);
  }
  return selection;
}

}  // namespace

// `to` holds the indices, and then what they select.
void RegionEmitter::permute(const Zmm& to, const Zmm& from, unsigned width_log2) {
  switch (width_log2) {
    case 3: vpermb(to, to, from); break;
    case 4: vpermw(to, to, from); break;
    case 5: vpermd(to, to, from); break;
    default: vpermq(to, to, from); break;
  }
}
void RegionEmitter::permute_pair(const Zmm& to, const Zmm& low, const Zmm& high,
                                 unsigned width_log2) {
  switch (width_log2) {
    case 3: vpermi2b(to, low, high); break;
    case 4: vpermi2w(to, low, high); break;
    case 5: vpermi2d(to, low, high); break;
    default: vpermi2q(to, low, high); break;
  }
}

// zmm14 = elements of `sources` registers, two at a time. Loses zmm12 and zmm13.
void RegionEmitter::select_elements(const std::array<std::uint64_t, 8>& indices,
                                    const std::array<std::uint64_t, 4>& of_pair, unsigned sources,
                                    unsigned width_log2, const SourceRegister& source) {
  for (unsigned pair = 0; 2 * pair < sources; ++pair) {
    if (pair != 0 && of_pair[pair] == 0) continue;
    const Zmm to = pair == 0 ? zmm14 : zmm12;
    const Zmm low = source(2 * pair, kSecondScratchVector);
    const bool two = 2 * pair + 1 < sources;
    const Zmm high = two ? source(2 * pair + 1, extra_scratch(0).getIdx()) : low;
    vmovdqa64(to, zword[rip + constant512(indices)]);
    if (two) permute_pair(to, low, high, width_log2);
    else permute(to, low, width_log2);
    if (pair == 0) continue;
    mov(rax, of_pair[pair]);
    kmovq(k2, rax);
    load_elements(zmm14 | k2, zmm12, width_log2);
  }
}

void RegionEmitter::load_segments(const Operation& operation, const Reg64& base, unsigned width,
                                  unsigned registers, unsigned chunk, const Opmask& active,
                                  unsigned bytes) {
  const unsigned fields = operation.fields(), first = chunk * fields * kBytes;
  const auto from_memory = [&](unsigned number, int scratch) {
    const auto place = zword[place_in_guest(base + static_cast<int>(first + number * kBytes))];
    Zmm to(scratch);
    if (bytes - number * kBytes < kBytes) {
      set_mask(k3, bytes - number * kBytes);
      guest_segment();
      vmovdqu8(to | k3 | T_z, place);
    } else {
      guest_segment();
      vmovdqu64(to, place);
    }
    return to;
  };
  for (unsigned field = 0; field < fields; ++field) {
    const Selection selection = field_selection(field, fields, width);
    select_elements(selection.indices, selection.of_pair, (bytes + kBytes - 1) / kBytes, width,
                    from_memory);
    write_active(operation.rd + field * registers + chunk, zmm14, active, width);
  }
}

void RegionEmitter::store_segments(const Operation& operation, const Reg64& base, unsigned width,
                                   unsigned registers, unsigned chunk, unsigned bytes) {
  const unsigned fields = operation.fields(), first = chunk * fields * kBytes;
  for (unsigned number = 0; number * kBytes < bytes; ++number) {
    const Selection selection = memory_selection(number, fields, width);
    select_elements(selection.indices, selection.of_pair, fields, width,
                    [&](unsigned field, int scratch) {
                      return read_vector(operation.rd + field * registers + chunk, scratch);
                    });
    const auto place = zword[place_in_guest(base + static_cast<int>(first + number * kBytes))];
    const unsigned left = bytes - number * kBytes;
    if (left < kBytes) set_mask(k2, left);
    guest_segment();
    if (left < kBytes) vmovdqu8(place | k2, zmm14);
    else vmovdqu64(place, zmm14);
  }
}

bool RegionEmitter::emit_segments(const Operation& operation, const VectorAccessForm& access) {
  const int group = access.eew_log2 - state_.sew_log2 + state_.lmul_log2;
  if (!fields_allowed(operation, access.store, group)) return false;
  if (state_.length == 0) {
    note_vector(operation);
    return true;
  }
  const unsigned width = access.eew_log2, fields = operation.fields();
  const unsigned segment = fields << width >> 3, registers = registers_of_group(group);
  if (state_.length == kAnyLength || !operation.vm() || (width == 3 && !permutes_bytes())) {
    move_strided(operation, access, Stride(static_cast<int>(segment)), group);
    return true;
  }
  const auto length = static_cast<unsigned>(state_.length);
  Label slow, back;
  const Reg64 base = checked_address(operation, length * segment, slow);
  Site& site = make_site(operation);
  site.charges = false;
  if (access.store) settle_group(operation.rd, registers * fields);
  else prepare_sums_for_load(operation.rd, registers * fields, false);
  for_active(Masking::None, width, registers, [&](unsigned chunk, const Opmask& active) {
    const unsigned count = 512u >> width;
    const unsigned bytes = std::min(length - chunk * count, count) * segment;
    if (access.store) store_segments(operation, base, width, registers, chunk, bytes);
    else load_segments(operation, base, width, registers, chunk, active, bytes);
  });
  L(back);
  slow_path(site, slow, back);
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
