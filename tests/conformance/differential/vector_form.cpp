// SPDX-License-Identifier: Apache-2.0
#include "vector_form.hpp"

#include <algorithm>
#include <string_view>

namespace d1::difftest {

namespace {

using isa::Operand;

constexpr unsigned kVectorOpcode = 0x57, kLoadOpcode = 0x07, kStoreOpcode = 0x27;
constexpr unsigned kOpfvv = 1, kOpfvf = 5, kOpcfg = 7;

RegisterGroup group(int eew_log2, int emul_log2, unsigned fields = 1) {
  const unsigned registers = emul_log2 > 0 ? 1U << emul_log2 : 1U;
  return {true, false, eew_log2, emul_log2, registers * fields, registers};
}
RegisterGroup mask_group() { return {true, true, 0, 0, 1, 1}; }
RegisterGroup scalar_group(int eew_log2) { return {true, false, eew_log2, 0, 1, 1}; }

bool exists(const RegisterGroup& each) {
  return !each.used || each.is_mask ||
         (each.eew_log2 >= 3 && each.eew_log2 <= 6 && each.emul_log2 >= -3 && each.emul_log2 <= 3 &&
          each.registers <= 8);
}

bool any_of(std::string_view name, std::initializer_list<std::string_view> starts) {
  return std::ranges::any_of(starts, [&](std::string_view s) { return name.starts_with(s); });
}

RoundingKind rounding_of(std::string_view name, bool is_float) {
  if (any_of(name, {"vaadd", "vasub", "vsmul", "vssrl", "vssra", "vnclip"}))
    return RoundingKind::FixedPoint;
  if (!is_float || any_of(name, {"vfmin", "vfmax", "vfsgnj", "vfclass", "vfmv", "vfmerge",
                                 "vfslide", "vmf", "vfredmin", "vfredmax", "vfrsqrt7", "vfwcvt.f",
                                 "vfwcvt.rtz", "vfcvt.rtz", "vfncvt.r"}))
    return RoundingKind::None;
  return RoundingKind::VectorFloat;
}

std::optional<VectorForm> memory_form(InstructionId id, unsigned fields, int sew, int lmul) {
  const std::uint32_t match = isa::facts(id).match;
  static constexpr std::array<int, 8> kWidths = {3, 0, 0, 0, 0, 4, 5, 6};
  const int eew = kWidths[match >> 12 & 7];
  const unsigned mode = match >> 26 & 3, unit = match >> 20 & 31;
  VectorForm form;
  form.is_load = (match & 0x7f) == kLoadOpcode;
  form.is_store = !form.is_load;
  form.can_be_masked = has_operand(id, Operand::vm);
  form.is_fault_only_first = mode == 0 && unit == 16;
  if (mode == 0 && unit == 8) {  // whole registers
    const unsigned registers = (match >> 29) + 1;
    form.vd = {true, false, eew, 0, registers, registers};
    form.ignores_vtype = true;
    return form;
  }
  if (mode == 0 && unit == 11) {
    form.vd = mask_group();
    return form;
  }
  if (mode == 1 || mode == 3) {
    form.vd = group(sew, lmul, fields);
    form.vs2 = group(eew, lmul + eew - sew);
    form.no_overlap2 = form.is_load && fields > 1;
  } else {
    form.vd = group(eew, lmul + eew - sew, fields);
  }
  if (!exists(form.vd) || !exists(form.vs2)) return std::nullopt;
  return form;
}

// Floating-point element widths that exist: 16 (Zvfh), 32, 64.
bool float_widths_exist(std::string_view name, int sew) {
  if (any_of(name, {"vfwcvt.f.x", "vfncvt.x", "vfncvt.rtz"})) return sew >= 3 && sew <= 5;
  if (any_of(name, {"vfw", "vfn"}) && !any_of(name, {"vfnm"})) return sew >= 4 && sew <= 5;
  return sew >= 4;
}

// The groups of what is not plain: widening, narrowing, masks, permutations.
void shape(VectorForm& form, std::string_view name, int sew, int lmul) {
  const auto wide = group(sew + 1, lmul + 1);
  const bool wide_suffix = name.ends_with(".wv") || name.ends_with(".wx") ||
                           name.ends_with(".wi") || name.ends_with(".wf");
  if (name.ends_with(".vs")) {
    const bool widens = any_of(name, {"vw", "vfw"});
    form.vd = form.vs1 = scalar_group(widens ? sew + 1 : sew);
    form.any_overlap = form.may_write_v0 = form.needs_vstart_0 = true;
  } else if (any_of(name, {"vw", "vfw"})) {
    form.vd = wide;
    if (wide_suffix) form.vs2 = wide;
    form.reads_vd = name.find("mac") != name.npos || name.find("msac") != name.npos;
  } else if ((name.starts_with("vn") && wide_suffix) || name.starts_with("vfncvt")) {
    form.vs2 = wide;
  } else if (any_of(name, {"vzext", "vsext"})) {
    const int shift = name.back() == '8' ? 3 : name.back() == '4' ? 2 : 1;
    form.vs2 = group(sew - shift, lmul - shift);
  } else if (name.ends_with(".mm")) {
    form.vd = form.vs1 = form.vs2 = mask_group();
  } else if (any_of(name, {"vcpop", "vfirst"})) {
    form.vs2 = mask_group();
    form.needs_vstart_0 = true;
  } else if (any_of(name, {"vmsbf", "vmsof", "vmsif"})) {
    form.vd = form.vs2 = mask_group();
    form.no_overlap2 = form.needs_vstart_0 = true;
  } else if (name.starts_with("viota")) {
    form.vs2 = mask_group();
    form.no_overlap2 = form.needs_vstart_0 = true;
  } else if (any_of(name, {"vms", "vmf", "vmadc"})) {
    form.vd = mask_group();
    form.may_write_v0 = true;
  } else if (name.starts_with("vcompress")) {
    form.vs1 = mask_group();
    form.no_overlap1 = form.no_overlap2 = form.needs_vstart_0 = true;
  } else if (name == "vrgatherei16.vv") {
    form.vs1 = group(4, lmul + 4 - sew);
    form.no_overlap1 = form.no_overlap2 = true;
  } else if (any_of(name, {"vslideup", "vslide1up", "vfslide1up", "vrgather"})) {
    form.no_overlap1 = form.no_overlap2 = true;
    form.is_slide_up = name.starts_with("vslideup");
  } else if (name == "vmv.x.s" || name == "vfmv.f.s") {
    form.vs2 = scalar_group(sew);
    form.is_scalar_move = true;
  } else if (name == "vmv.s.x" || name == "vfmv.s.f") {
    form.vd = scalar_group(sew);
    form.is_scalar_move = true;
  } else if (name.starts_with("vmv") && name.ends_with("r.v")) {
    const unsigned registers = static_cast<unsigned>(name[3] - '0');
    form.vd = form.vs2 = {true, false, sew, 0, registers, registers};
    form.ignores_vtype = true;
  }
}

}  // namespace

bool has_operand(InstructionId id, Operand operand) {
  return std::ranges::find(isa::operands_of(id), operand) != isa::operands_of(id).end();
}

bool is_memory(InstructionId id) {
  const unsigned opcode = isa::facts(id).match & 0x7f;
  return opcode == kLoadOpcode || opcode == kStoreOpcode;
}

bool has_fields(InstructionId id) { return has_operand(id, Operand::nf); }

bool is_vector(InstructionId id) {
  const auto& facts = isa::facts(id);
  return facts.extension == isa::Extension::V &&
         !((facts.match & 0x7f) == kVectorOpcode && (facts.match >> 12 & 7) == kOpcfg);
}

std::optional<VectorForm> form_of(InstructionId id, unsigned fields, int sew, int lmul) {
  const auto& facts = isa::facts(id);
  const unsigned opcode = facts.match & 0x7f, kind = facts.match >> 12 & 7;
  if (opcode == kLoadOpcode || opcode == kStoreOpcode) return memory_form(id, fields, sew, lmul);
  const std::string_view name = facts.mnemonic;
  VectorForm form;
  form.is_float = kind == kOpfvv || kind == kOpfvf;
  form.can_be_masked = has_operand(id, Operand::vm);
  form.always_masked = has_operand(id, Operand::v0);
  form.rounding = rounding_of(name, form.is_float);
  form.vd = form.vs1 = form.vs2 = group(sew, lmul);
  shape(form, name, sew, lmul);
  if (!has_operand(id, Operand::vd)) form.vd = {};
  if (!has_operand(id, Operand::vs1)) form.vs1 = {};
  if (!has_operand(id, Operand::vs2)) form.vs2 = {};
  if (form.is_float && !float_widths_exist(name, sew)) return std::nullopt;
  if (!exists(form.vd) || !exists(form.vs1) || !exists(form.vs2)) return std::nullopt;
  if (name.find("mac") != name.npos || name.find("msac") != name.npos ||
      (name.find("madd") != name.npos && name.find("vmadc") == name.npos) ||
      name.find("msub") != name.npos)
    form.reads_vd = true;
  return form;
}

namespace {

bool overlap(const RegisterGroup& a, unsigned a_reg, const RegisterGroup& b, unsigned b_reg) {
  return a.used && b.used && a_reg < b_reg + b.registers && b_reg < a_reg + a.registers;
}
int width(const RegisterGroup& each) { return each.is_mask ? 0 : each.eew_log2; }

// V 1.0, 5.2: destination and source of different widths.
bool destination_overlap_legal(const RegisterGroup& vd, unsigned vd_reg, const RegisterGroup& vs,
                               unsigned vs_reg) {
  if (!overlap(vd, vd_reg, vs, vs_reg) || width(vd) == width(vs)) return true;
  if (width(vd) < width(vs)) return vd_reg == vs_reg;
  return !vs.is_mask && vs.emul_log2 >= 0 && vs_reg + vs.registers == vd_reg + vd.registers;
}

}  // namespace

bool registers_legal(const VectorForm& form, bool masked, const RegisterChoice& reg) {
  for (const auto& [each, number] :
       {std::pair(form.vd, reg.vd), std::pair(form.vs1, reg.vs1), std::pair(form.vs2, reg.vs2)})
    if (each.used && (number % each.align != 0 || number + each.registers > 32)) return false;
  const RegisterGroup v0 = mask_group();
  if (masked) {
    if (overlap(form.vd, reg.vd, v0, 0) && (form.is_store || !form.may_write_v0)) return false;
    if (form.reads_vd && overlap(form.vd, reg.vd, v0, 0)) return false;
    // One register read with two widths is reserved.
    if (!form.vs1.is_mask && overlap(form.vs1, reg.vs1, v0, 0)) return false;
    if (!form.vs2.is_mask && overlap(form.vs2, reg.vs2, v0, 0)) return false;
  }
  if (overlap(form.vs1, reg.vs1, form.vs2, reg.vs2) && width(form.vs1) != width(form.vs2))
    return false;
  const bool vd_is_source = form.reads_vd || form.is_store;
  if (vd_is_source) {
    if (overlap(form.vd, reg.vd, form.vs1, reg.vs1) && width(form.vd) != width(form.vs1))
      return false;
    if (overlap(form.vd, reg.vd, form.vs2, reg.vs2) && width(form.vd) != width(form.vs2))
      return false;
  }
  if (form.is_store || form.any_overlap) return true;
  if (form.no_overlap1 && overlap(form.vd, reg.vd, form.vs1, reg.vs1)) return false;
  if (form.no_overlap2 && overlap(form.vd, reg.vd, form.vs2, reg.vs2)) return false;
  return destination_overlap_legal(form.vd, reg.vd, form.vs1, reg.vs1) &&
         destination_overlap_legal(form.vd, reg.vd, form.vs2, reg.vs2);
}

}  // namespace d1::difftest
