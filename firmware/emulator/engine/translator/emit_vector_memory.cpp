// SPDX-License-Identifier: Apache-2.0
// Vector loads and stores of consecutive elements and of whole registers.
#include "engine/register_use.hpp"
#include "engine/translator/emit_vector.hpp"

namespace d1::emulator {

namespace {

// Of operands of matrix products, in bytes: those of a node are seldom in the host's caches, since
// many other nodes ran since its last turn. As far ahead as the host's memory is away, and to its
// second cache: the first one has no room for that much. Own, measured.
constexpr int kPrefetchDistance = 4096;

}  // namespace

void RegionEmitter::load_elements(const Zmm& to, const Xbyak::Operand& from, unsigned width_log2) {
  switch (width_log2) {
    case 3: vmovdqu8(to, from); break;
    case 4: vmovdqu16(to, from); break;
    case 5: vmovdqu32(to, from); break;
    default: vmovdqu64(to, from); break;
  }
}

void RegionEmitter::store_elements(const Xbyak::Address& to, const Zmm& from,
                                   unsigned width_log2) {
  switch (width_log2) {
    case 3: vmovdqu8(to, from); break;
    case 4: vmovdqu16(to, from); break;
    case 5: vmovdqu32(to, from); break;
    default: vmovdqu64(to, from); break;
  }
}

// `bytes` are those that may be accessed, if all elements are active.
void RegionEmitter::vector_memory(const Operation& operation, const VectorAccessForm& access,
                                  unsigned registers, unsigned bytes) {
  Label slow, back;
  const Reg64 base = checked_address(operation, bytes, slow);
  Site& site = make_site(operation);
  site.charges = false;
  if (access.store) settle_group(operation.rd, registers);
  const auto move = [&](unsigned i, const Opmask& active) {
    const unsigned guest = operation.rd + i;
    const Xbyak::Address place =
        zword[place_in_guest(base + static_cast<int>(i * isa::kVlenBytes))];
    if (access.store) {
      const Zmm value = read_vector(guest, kScratchVector);
      guest_segment();
      store_elements(place | active, value, access.eew_log2);
    } else {
      const Zmm to = target_vector(guest, active);
      guest_segment();
      load_elements(to | active, place, access.eew_log2);
      write_vector(guest, to);
      if (access.kind == VectorAccess::WholeRegister && matrix_.sums.used()) {
        guest_segment();
        prefetcht1(byte[place_in_guest(base + static_cast<int>(i * isa::kVlenBytes) +
                                        kPrefetchDistance)]);
      }
    }
  };
  const bool whole_register = access.kind == VectorAccess::WholeRegister;
  if (!access.store)
    prepare_sums_for_load(operation.rd, registers,
                          whole_register || (state_.full() && operation.vm()));
  if (whole_register)
    for (unsigned i = 0; i < registers; ++i) move(i, k0);
  else
    for_active(masking(operation), access.eew_log2, registers, move);
  L(back);
  slow_path(site, slow, back);
  note_vector(operation);
}

bool RegionEmitter::emit_vector_memory(const Operation& operation) {
  const VectorAccessForm access = vector_access(operation.id);
  if (access.kind == VectorAccess::WholeRegister) {
    if (!group_aligned(operation.rd, access.registers)) return false;
    vector_memory(operation, access, access.registers, access.registers * isa::kVlenBytes);
    return true;
  }
  if (!state_.known || may_shorten(operation)) return false;
  if (access.kind == VectorAccess::Strided) return emit_strided(operation, access);
  if (access.kind == VectorAccess::Indexed) return emit_indexed(operation, access);
  if (access.kind != VectorAccess::UnitStride) return false;
  if (operation.fields() != 1) return emit_segments(operation, access);
  const int group = access.eew_log2 - state_.sew_log2 + state_.lmul_log2;
  const unsigned registers = group > 0 ? 1u << group : 1;
  if (group < -3 || group > 3 || !group_aligned(operation.rd, registers) ||
      (!access.store && !destination_allowed(operation)))
    return false;
  const unsigned elements =
      state_.length == kAnyLength ? state_.vlmax() : static_cast<unsigned>(state_.length);
  const unsigned bytes = elements << access.eew_log2 >> 3;
  if (bytes == 0) note_vector(operation);
  else vector_memory(operation, access, registers, bytes);
  return true;
}

}  // namespace d1::emulator
