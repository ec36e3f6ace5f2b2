// SPDX-License-Identifier: Apache-2.0
// Vector loads and stores of elements that do not lie one behind the other: at a stride, or where a
// vector says. The host gathers and scatters 16 elements at a time (8 of 64 bits) by offsets of 32
// bits; bytes and half-words are gathered as words and stored by a thunk.
//
// All places are checked before any register is written that their addresses come from. Then an
// instruction that began in line can begin anew by its semantics: it loads and stores the same.
#include <algorithm>

#include "engine/register_use.hpp"
#include "engine/timing.hpp"
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

constexpr unsigned kPiece = 16;
// Bytes between elements, so that 15 times as much fits into 32 bits.
constexpr std::int32_t kMostStride = 1 << 26;
constexpr std::uint64_t kMostOffset = 0x7fffffff;
constexpr std::uint8_t kMoreThan = 6;

constexpr unsigned elements_of_piece(unsigned width_log2) noexcept {
  return width_log2 == 6 ? kPiece / 2 : kPiece;
}
// Those that hold elements of a group.
unsigned pieces_of_register(unsigned width_log2, int group_log2) noexcept {
  const unsigned elements = 512u >> width_log2 >> (group_log2 < 0 ? -group_log2 : 0);
  return std::max(1u, elements / elements_of_piece(width_log2));
}
// What the host touches of an element: the least it can gather is a word.
constexpr unsigned bytes_touched(unsigned width_log2, bool store) noexcept {
  const unsigned bytes = 1u << width_log2 >> 3;
  return store || bytes >= 4 ? bytes : 4;
}

}  // namespace

// Whether the registers of a load or store of `fields` groups are as the instruction wants them.
bool RegionEmitter::fields_allowed(const Operation& operation, bool store, int group_log2) const {
  const unsigned registers = registers_of_group(group_log2) * operation.fields();
  return state_.known && group_log2 >= -3 && group_log2 <= 3 && registers <= 8 &&
         group_aligned(operation.rd, registers_of_group(group_log2)) &&
         operation.rd + registers <= 32 && (store || destination_allowed(operation));
}

// --- pieces --------------------------------------------------------------------------------------

// k2 = the active elements of a piece of a register.
void RegionEmitter::mask_of_piece(const Opmask& active, unsigned piece) {
  if (active.getIdx() == 0) kxnorw(k2, k2, k2);
  else if (piece == 0) kmovq(k2, active);
  else kshiftrq(k2, active, static_cast<std::uint8_t>(kPiece * piece));
}

// rcx as a place in memory that offsets are added to. Loses rax.
Xbyak::Reg64 RegionEmitter::origin_of_offsets() {
  if (memory_base() == MemoryBase::Segment) return rcx;
  lea(rax, ptr[r14 + rcx]);
  return rax;
}

// A piece of zmm14 from memory at rcx plus the offsets, where k2 says, which is lost. Loses zmm12
// and rax.
void RegionEmitter::gather_piece(unsigned width_log2, unsigned piece, int offsets) {
  const Zmm to = width_log2 >= 5 ? zmm14 : extra_scratch(0);
  vpxord(to, to, to);
  const Xbyak::Reg64 origin = origin_of_offsets();
  guest_segment();
  if (width_log2 == 6) vpgatherdq(to | k2, ptr[origin + Ymm(offsets)]);
  else vpgatherdd(to | k2, ptr[origin + Zmm(offsets)]);
  if (width_log2 < 5) take_words(to, width_log2, piece);
}

// A piece of a register to memory at rcx plus the offsets, where k2 says, which is lost. Loses rax.
void RegionEmitter::scatter_piece(unsigned guest, unsigned width_log2, unsigned piece,
                                  int offsets) {
  if (width_log2 >= 5) {
    const Zmm value = read_vector(guest, kScratchVector);
    const Xbyak::Reg64 origin = origin_of_offsets();
    guest_segment();
    if (width_log2 == 6) vpscatterdq(ptr[origin + Ymm(offsets)] | k2, value);
    else vpscatterdd(ptr[origin + Zmm(offsets)] | k2, value);
    return;
  }
  const bool bytes = width_log2 == 3;
  const Xbyak::Operand& part = narrow_part(guest, piece, bytes ? 2 : 1, kScratchVector);
  bytes ? vpmovzxbd(zmm14, part) : vpmovzxwd(zmm14, part);
  if (offsets != kThirdScratchVector) vmovdqa64(zmm12, Zmm(offsets));
  kmovw(eax, k2);
  call(as_written(bytes ? target_.thunks.scatter_bytes : target_.thunks.scatter_halves));
}

// --- time ----------------------------------------------------------------------------------------

// Such an instruction holds its units for each element. Where their number is not known to the
// translator it is charged here, and by the semantics where those are called instead.
bool RegionEmitter::charges_by_length(const Operation& operation) const {
  return state_.length == kAnyLength && unit_cost(operation.id).scale == Scale::Elements;
}

void RegionEmitter::charge_elements(const Operation& operation) {
  if (!charges_by_length(operation)) return;
  const UnitCost& cost = unit_cost(operation.id);
  const auto charge = [&](isa::Unit unit, unsigned ticks) {
    imul(edx, eax, static_cast<int>(ticks * operation.fields()));
    add(hart_field32(offset_of(&isa::Hart::units) + 4 * static_cast<unsigned>(unit)), edx);
  };
  mov(rax, hart_field(offset_of(&isa::Hart::vl)));
  charge(cost.unit, cost.unit_ticks);
  charge(cost.port, cost.port_ticks);
  sub(r15, rdx);  // of the two only ports count on the turn's budget
}

// --- at a stride ---------------------------------------------------------------------------------

// `count` times the stride to rcx.
void RegionEmitter::move_by_strides(const Operation& operation, const Stride& stride, int count) {
  if (count == 0 || stride == 0) return;
  if (stride) {
    add(rcx, static_cast<std::uint32_t>(*stride * count));
  } else {
    imul(rax, operand(operation.rs2), count);
    add(rcx, rax);
  }
}

// rcx = the place of the first element. `slow` is taken if some element may lie outside.
void RegionEmitter::check_strided(const Operation& operation, const Stride& stride, unsigned bytes,
                                  Label& slow) {
  const Reg64 base = read(operation.rs1, rcx);
  check_range(base, 0, bytes, slow);
  if (stride != 0) {
    if (stride) {
      mov(rdx, static_cast<std::int64_t>(*stride));
    } else {
      load(rdx, operation.rs2);
      lea(rax, ptr[rdx + kMostStride]);
      cmp(rax, 2 * kMostStride);
      ja(slow, T_NEAR);
    }
    if (state_.length == kAnyLength) {
      mov(rax, hart_field(offset_of(&isa::Hart::vl)));
      dec(rax);
      imul(rdx, rax);
    } else {
      imul(rdx, rdx, state_.length - 1);
    }
    add(rdx, base);
    check_range(rdx, 0, bytes, slow);
  }
  if (base.getIdx() != rcx.getIdx()) mov(rcx, base);
}

// Fields of an element lie one behind the other, and belong to groups one behind the other.
void RegionEmitter::move_strided(const Operation& operation, const VectorAccessForm& access,
                                 const Stride& stride, int group_log2) {
  const unsigned width = access.eew_log2, registers = registers_of_group(group_log2);
  const unsigned field_bytes = 1u << width >> 3, fields = operation.fields();
  Label slow, back;
  check_strided(operation, stride,
                (fields - 1) * field_bytes + bytes_touched(width, access.store), slow);
  Site& site = make_site(operation);
  site.charges = charges_by_length(operation);
  if (access.store) settle_group(operation.rd, registers * fields);
  else prepare_sums_for_load(operation.rd, registers * fields, false);
  if (stride) mov(eax, static_cast<std::uint32_t>(*stride));
  else load(rax, operation.rs2);
  vpbroadcastd(zmm13, eax);
  vpmulld(zmm13, zmm13, zword[rip + constant512(counting(0, 5))]);
  for_active(masking(operation), width, registers, [&](unsigned chunk, const Opmask& active) {
    const int in_piece = static_cast<int>(elements_of_piece(width));
    const int pieces = static_cast<int>(pieces_of_register(width, group_log2));
    for (unsigned field = 0; field < fields; ++field) {
      const unsigned guest = operation.rd + field * registers + chunk;
      for (int piece = 0; piece < pieces; ++piece) {
        if (piece != 0) move_by_strides(operation, stride, in_piece);
        mask_of_piece(active, static_cast<unsigned>(piece));
        if (access.store)
          scatter_piece(guest, width, static_cast<unsigned>(piece), kSecondScratchVector);
        else
          gather_piece(width, static_cast<unsigned>(piece), kSecondScratchVector);
      }
      if (!access.store) write_active(guest, zmm14, active, width);
      const bool last = field + 1 == fields;
      move_by_strides(operation, stride, last ? in_piece : -(pieces - 1) * in_piece);
      if (fields > 1) add(rcx, static_cast<std::uint32_t>(last ? -static_cast<int>(field) *
                                                                     static_cast<int>(field_bytes)
                                                               : static_cast<int>(field_bytes)));
    }
  });
  charge_elements(operation);
  L(back);
  slow_path(site, slow, back);
  note_vector(operation);
}

// One place for all elements.
void RegionEmitter::load_repeated(const Operation& operation, unsigned width, unsigned registers) {
  Label slow, back;
  const Reg64 base = checked_address(operation, 1u << width >> 3, slow);
  Site& site = make_site(operation);
  site.charges = charges_by_length(operation);
  prepare_sums_for_load(operation.rd, registers, false);
  const auto place = ptr[place_in_guest(base)];
  guest_segment();
  switch (width) {
    case 3: vpbroadcastb(zmm13, place); break;
    case 4: vpbroadcastw(zmm13, place); break;
    case 5: vpbroadcastd(zmm13, place); break;
    default: vpbroadcastq(zmm13, place); break;
  }
  for_active(masking(operation), width, registers, [&](unsigned i, const Opmask& active) {
    write_active(operation.rd + i, zmm13, active, width);
  });
  charge_elements(operation);
  L(back);
  slow_path(site, slow, back);
  note_vector(operation);
}

bool RegionEmitter::emit_strided(const Operation& operation, const VectorAccessForm& access) {
  const int group = access.eew_log2 - state_.sew_log2 + state_.lmul_log2;
  // Fields of one element may lie on those of another: a store has an order then.
  if (!fields_allowed(operation, access.store, group) ||
      (access.store && operation.fields() != 1))
    return false;
  if (state_.length == 0) {
    note_vector(operation);
    return true;
  }
  const bool repeats = operation.rs2 == 0;
  if (repeats && !access.store && operation.fields() == 1)
    load_repeated(operation, access.eew_log2, registers_of_group(group));
  else
    move_strided(operation, access, repeats ? Stride(0) : Stride(), group);
  return true;
}

// --- where a vector says -------------------------------------------------------------------------

// zmm12 = offsets of a piece's elements. `slow` is taken if one of those in k2 lies outside.
void RegionEmitter::load_offsets(const Operation& operation, const IndexForm& form, unsigned piece,
                                 Label* slow) {
  const bool eight = form.data_log2 == 6;
  if (form.index_log2 == 6) {
    const auto register_of_eight = [&](unsigned number, int place) {
      vpaddq(Zmm(place), read_vector(operation.rs2 + number, place), zmm13);
    };
    const auto most = ptr_b[rip + constant128(form.most_offset, 0)];
    const unsigned first = eight ? piece : 2 * piece;
    const bool two = !eight && first + 1 < registers_of_group(form.group_log2);
    register_of_eight(first, kThirdScratchVector);
    if (slow != nullptr) vpcmpuq(k3 | k2, zmm12, most, kMoreThan);
    vpmovqd(ymm12, zmm12);
    if (two) {
      const Zmm other = extra_scratch(1);
      register_of_eight(first + 1, other.getIdx());
      if (slow != nullptr) {
        kshiftrw(k4, k2, 8);
        vpcmpuq(k4 | k4, other, most, kMoreThan);
      }
      vpmovqd(Ymm(other.getIdx()), other);
      vinserti64x4(zmm12, zmm12, Ymm(other.getIdx()), 1);
    }
    if (slow != nullptr) two ? kortestb(k3, k4) : kortestb(k3, k3);
  } else {
    if (form.index_log2 == 5 && !eight) {
      const Zmm index = read_vector(operation.rs2 + piece, kThirdScratchVector);
      if (index.getIdx() != kThirdScratchVector) vmovdqa64(zmm12, index);
    } else {
      const unsigned factor = (eight ? 6u : 5u) - form.index_log2;
      const Xbyak::Operand& part = narrow_part(operation.rs2, piece, factor, kThirdScratchVector);
      const Xmm to = eight ? static_cast<const Xmm&>(ymm12) : static_cast<const Xmm&>(zmm12);
      switch (form.index_log2) {
        case 3: vpmovzxbd(to, part); break;
        case 4: vpmovzxwd(to, part); break;
        default: vmovdqu32(to, part); break;
      }
    }
    if (slow != nullptr) {
      eight ? vpcmpud(k3 | k2, ymm12, ymm13, kMoreThan) : vpcmpud(k3 | k2, zmm12, zmm13, kMoreThan);
      kortestw(k3, k3);
    }
  }
  if (slow != nullptr) jnz(*slow, T_NEAR);
}

// rcx = the place that offsets count from, and what load_offsets() needs in zmm13: the largest
// offset, or for indices of 64 bits, which are whole addresses, what makes offsets of them.
void RegionEmitter::prepare_offsets(const Operation& operation, const IndexForm& form,
                                    unsigned bytes, Label& slow) {
  if (form.index_log2 == 6) {
    load(rax, operation.rs1);
    mov(rcx, target_.window_base);
    sub(rax, rcx);
    vpbroadcastq(zmm13, rax);
    return;
  }
  const Reg64 base = read(operation.rs1, rcx);
  check_range(base, 0, bytes, slow);
  mov(rdx, target_.window_base + form.most_offset);
  sub(rdx, base);
  vpbroadcastd(zmm13, edx);
  if (base.getIdx() != rcx.getIdx()) mov(rcx, base);
}

bool RegionEmitter::indexed_allowed(const Operation& operation, const IndexForm& form,
                                    bool store) const {
  const int lmul = state_.lmul_log2;
  if (operation.fields() != 1 || !fields_allowed(operation, store, lmul) || form.group_log2 < -3 ||
      form.group_log2 > 3 || !group_aligned(operation.rs2, registers_of_group(form.group_log2)) ||
      target_.window_bytes > kMostOffset || target_.window_bytes < 8)
    return false;
  if (store || form.index_log2 == form.data_log2) return true;
  return form.data_log2 > form.index_log2
             ? widening_allowed(operation.rd, lmul, operation.rs2, form.group_log2)
             : narrowing_allowed(operation.rd, lmul, operation.rs2, form.group_log2);
}

bool RegionEmitter::emit_indexed(const Operation& operation, const VectorAccessForm& access) {
  const unsigned width = state_.sew_log2, registers = state_.registers();
  const unsigned bytes = bytes_touched(width, access.store);
  const IndexForm form{access.eew_log2, width,
                       access.eew_log2 - state_.sew_log2 + state_.lmul_log2,
                       target_.window_bytes - bytes};
  if (!indexed_allowed(operation, form, access.store)) return false;
  if (state_.length == 0) {
    note_vector(operation);
    return true;
  }
  Label slow, back;
  prepare_offsets(operation, form, bytes, slow);
  Site& site = make_site(operation);
  site.charges = charges_by_length(operation);
  if (access.store) settle_group(operation.rd, registers);
  else prepare_sums_for_load(operation.rd, registers, false);
  const unsigned pieces = pieces_of_register(width, state_.lmul_log2);
  const auto each = [&](Label* check, bool move) {
    for_active(masking(operation), width, registers, [&](unsigned chunk, const Opmask& active) {
      for (unsigned piece = 0; piece < pieces; ++piece) {
        const unsigned number = chunk * pieces + piece;
        if (state_.length != kAnyLength &&
            static_cast<int>(number * elements_of_piece(width)) >= state_.length)
          break;
        mask_of_piece(active, piece);
        load_offsets(operation, form, number, check);
        if (!move) continue;
        if (access.store) scatter_piece(operation.rd + chunk, width, piece, kThirdScratchVector);
        else gather_piece(width, piece, kThirdScratchVector);
      }
      if (move && !access.store) write_active(operation.rd + chunk, zmm14, active, width);
    });
  };
  const bool overwrites = !access.store && registers > 1 &&
                          groups_overlap(operation.rd, state_.lmul_log2, operation.rs2,
                                         form.group_log2);
  if (overwrites) each(&slow, false);
  each(overwrites ? nullptr : &slow, true);
  charge_elements(operation);
  L(back);
  slow_path(site, slow, back);
  note_vector(operation);
  return true;
}

}  // namespace d1::emulator
