// SPDX-License-Identifier: Apache-2.0
// Sums of products of vectors by scalars, which stay in their registers with pending NaNs: how the
// scalars come there, and the flag NV that the host leaves out of zero by infinity.
#include <algorithm>

#include "engine/register_use.hpp"
#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;
using Xbyak::Zmm;

// A load puts its value into every element at once if it is a factor afterwards. The ones above a
// single are left out until something reads them.
bool RegionEmitter::spreads(const Operation& load) {
  if (level() != HostLevel::Avx512 || floats_.host(load.rd) < 0 ||
      access_of(load).check == AccessPlan::Check::Own)
    return false;
  for (const Operation* each = &load + 1; each != block_->operations.data() + block_->count;
       ++each) {
    FusedForm form;
    bool scalar;
    if (fused_form(each->id, form, scalar) && scalar && each->rs1 == load.rd) return true;
    const RegisterRange written = register_use(*each, {}).write;
    if (written.count != 0 && written.first == kFloatScoreboard + load.rd) return false;
  }
  return false;
}

void RegionEmitter::load_spread(const Operation& load, const Xbyak::RegExp& place) {
  const Xbyak::Xmm to = result_float(load.rd);
  const std::uint32_t bit = 1u << load.rd;
  write_float(load.rd, to);
  guest_segment();
  if (load.id == InstructionId::flw) {
    vbroadcastss(Zmm(to.getIdx()), dword[place]);
    pending_.unboxed |= bit;
    forms_.spread_singles |= bit;
    note_float(load, Format::Single);
  } else {
    vbroadcastsd(Zmm(to.getIdx()), qword[place]);
    forms_.spread_doubles |= bit;
    note_float(load, Format::Double);
  }
}

Zmm RegionEmitter::find_factor(const Operation& operation, Format format, Label& slow) {
  const std::uint32_t spread =
      format == Format::Single ? forms_.spread_singles : forms_.spread_doubles;
  if ((spread >> operation.rs1 & 1) == 0) return splat_float(operation, format, slow);
  floats_.note(operation.rs1);
  return Zmm(floats_.host(operation.rs1));
}

// Of a product by a scalar that is neither zero nor infinite no flag is missing, whatever is added.
void RegionEmitter::jump_if_special(Format format, const Zmm& factor, Label& special) {
  const Xbyak::Xmm scalar(factor.getIdx());
  // Twice the bits, less one: zero is the largest number then, infinities and NaNs are next.
  if (format == Format::Single) {
    vmovd(eax, scalar);
    lea(eax, ptr[rax + rax - 1]);
    cmp(eax, 0xfeffffff);
  } else {
    vmovq(rax, scalar);
    lea(rax, ptr[rax + rax - 1]);
    mov(rcx, 0xffdfffff'ffffffff);
    cmp(rax, rcx);
  }
  jae(special, T_NEAR);
}

// By a special scalar products are exact, and so raise NV where it is due and nothing else.
void RegionEmitter::raise_products(Format format, const Zmm& factor, unsigned group) {
  for (unsigned i = 0; i < state_.registers(); ++i) {
    const Zmm other = read_number(group + i, kThirdScratchVector);
    format == Format::Single ? vmulps(zmm14, factor, other) : vmulpd(zmm14, factor, other);
  }
}

// The operation and those right behind it that multiply the same group by spread scalars.
std::vector<const Operation*> RegionEmitter::products_from(const Operation& first,
                                                           Format format) const {
  std::vector<const Operation*> products;
  const std::uint32_t spread =
      format == Format::Single ? forms_.spread_singles : forms_.spread_doubles;
  const Operation* const end = block_->operations.data() + block_->count;
  for (const Operation* each = &first; each != end; ++each) {
    FusedForm form;
    bool scalar;
    if (!fused_form(each->id, form, scalar) || !scalar || !form.addend_is_vd || !each->vm() ||
        each->rs2 != first.rs2 || each->rd == first.rs2 || (spread >> each->rs1 & 1) == 0)
      break;
    products.push_back(each);
  }
  return products;
}

// Nothing is missing of products of finite factors. No sum of such factors hides an infinity or a
// NaN, and sums do not wait for the host's multipliers. So one look is enough for all products; a
// scalar that is zero now and then, and is looked at by itself, costs more.
void RegionEmitter::look_at_products(const std::vector<const Operation*>& products,
                                     Format format) {
  const bool single = format == Format::Single;
  Label special, ready;
  const unsigned group = products.front()->rs2;
  Zmm sum = read_number(group, kScratchVector);
  const auto add = [&](const Zmm& next) {
    single ? vaddps(zmm14, sum, next | T_rn_sae) : vaddpd(zmm14, sum, next | T_rn_sae);
    sum = zmm14;
  };
  for (unsigned i = 1; i < state_.registers(); ++i)
    add(read_number(group + i, kThirdScratchVector));
  for (const Operation* each : products) add(Zmm(floats_.host(each->rs1)));
  constexpr std::uint8_t kNotFinite = 0x99;
  single ? vfpclassps(k2, sum, kNotFinite) : vfpclasspd(k2, sum, kNotFinite);
  kortestw(k2, k2);
  jnz(special, T_NEAR);
  L(ready);
  out_of_line([this, products, format, state = state_, group, special, ready]() mutable {
    L(special);
    state_ = state;
    for (const Operation* each : products) {
      const Zmm factor(floats_.host(each->rs1));
      Label is_special, next;
      jump_if_special(format, factor, is_special);
      jmp(next);
      L(is_special);
      raise_products(format, factor, group);
      L(next);
    }
    jmp(ready, T_NEAR);
  });
}

bool RegionEmitter::vector_fused_by_scalar(const Operation& operation, Format format) {
  FusedForm form;
  bool scalar;
  const unsigned n = state_.registers();
  if (!fused_form(operation.id, form, scalar) || !scalar || !result_may_be_pending(operation) ||
      !group_aligned(operation.rs2, n))
    return false;
  Label slow, back;
  Site& site = make_site(operation);
  site.charges = false;
  const auto place = static_cast<int>(&operation - block_->operations.data());
  if (const auto products = products_from(operation, format);
      products.size() > 1 && place > forms_.last_product) {
    look_at_products(products, format);
    forms_.last_product = place + static_cast<int>(products.size()) - 1;
  }
  const Zmm factor = find_factor(operation, format, slow);
  if (place > forms_.last_product) {
    Label special, ready;
    jump_if_special(format, factor, special);
    L(ready);
    const unsigned group = form.addend_is_vd ? operation.rs2 : operation.rd;
    out_of_line([this, format, state = state_, factor, group, special, ready]() mutable {
      L(special);
      state_ = state;
      raise_products(format, factor, group);
      jmp(ready, T_NEAR);
    });
  }
  for (unsigned i = 0; i < n; ++i)
    fused(form, format, Zmm(vectors_.host(operation.rd + i)), factor,
          read_number(operation.rs2 + i, kThirdScratchVector));
  note_pending(operation, format);
  finish_floats(operation, site, slow, back);
  return true;
}

}  // namespace d1::emulator
