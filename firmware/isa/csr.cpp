// SPDX-License-Identifier: Apache-2.0
// The rules of table/csr.def, and where a hart keeps each register.
#include <d1/isa/csr.hpp>

#include <array>
#include <iterator>

#include <d1/isa/float_environment.hpp>
#include <d1/isa/memory.hpp>
#include <d1/isa/semantics/common.hpp>
#include <d1/isa/semantics/vector.hpp>

namespace d1::isa {
namespace {

constexpr unsigned kCsrNumbers = 4096;

constexpr CsrFacts kFacts[] = {
#define D1_CSR(number, name, needs, keeper, reset, writable, effect, meaning)     \
  {number, number,   #name,           -1,     CsrNeeds::needs, CsrKeeper::keeper, \
   reset,  writable, Outcome::effect, meaning},
#define D1_CSR_RANGE(first, last, prefix, index, needs, keeper, reset, writable, effect, meaning) \
  {first, last,     #prefix,         index,  CsrNeeds::needs, CsrKeeper::keeper,                  \
   reset, writable, Outcome::effect, meaning},
#include <d1/isa/table/csr.def>
#undef D1_CSR_RANGE
#undef D1_CSR
};

// The registers by name: Csr::mstatus. Runs have the number of their first.
enum class Csr : std::uint16_t {
#define D1_CSR(number, name, needs, keeper, reset, writable, effect, meaning) name = number,
#define D1_CSR_RANGE(first, last, prefix, index, needs, keeper, reset, writable, effect, meaning) \
  prefix = first,
#include <d1/isa/table/csr.def>
#undef D1_CSR_RANGE
#undef D1_CSR
};

// One above the line in kFacts for each number; 0 where there is no register.
consteval std::array<std::uint8_t, kCsrNumbers> index_of_numbers() {
  std::array<std::uint8_t, kCsrNumbers> index{};
  for (std::size_t line = 0; line < std::size(kFacts); ++line)
    for (unsigned number = kFacts[line].first; number <= kFacts[line].last; ++number) {
      if (index[number] != 0) throw "two lines of table/csr.def have the same number";
      index[number] = static_cast<std::uint8_t>(line + 1);
    }
  return index;
}
constexpr std::array<std::uint8_t, kCsrNumbers> kIndex = index_of_numbers();

constexpr bool is_read_only(unsigned number) { return number >> 10 == 3; }

bool unit_is_off(const Hart& hart, CsrNeeds needs) {
  return (needs == CsrNeeds::Float && float_off(hart)) ||
         (needs == CsrNeeds::Vector && vector_off(hart));
}

constexpr std::uint64_t kMstatusInitial = kMstatusFs / 3 | kMstatusVs / 3;
constexpr std::uint64_t kMstatusSd = std::uint64_t{1} << 63;
constexpr std::uint64_t kInhibitCycles = 1;
constexpr std::uint64_t kInhibitInstructions = 4;

// A counter that runs is the hart's own count plus an offset; one that is stopped is the offset.
std::uint64_t counter(const Hart& hart, std::uint64_t inhibit, std::uint64_t count,
                      std::uint64_t offset) {
  return (hart.mcountinhibit & inhibit ? 0 : count) + offset;
}
std::uint64_t cycle_counter(const Hart& hart) {
  return counter(hart, kInhibitCycles, cycles_now(hart), hart.mcycle_offset);
}
std::uint64_t instruction_counter(const Hart& hart) {
  return counter(hart, kInhibitInstructions, hart.instret, hart.minstret_offset);
}

// Whichever is stopped keeps its value, whichever starts goes on from it. The writing instruction
// itself is counted under the old setting.
void write_inhibit(Hart& hart, std::uint64_t value) {
  const std::uint64_t changed = hart.mcountinhibit ^ value;
  if (changed & kInhibitCycles)
    hart.mcycle_offset += value & kInhibitCycles ? cycles_now(hart) : -cycles_now(hart);
  if (changed & kInhibitInstructions)
    hart.minstret_offset += value & kInhibitInstructions ? hart.instret + 1 : -(hart.instret + 1);
  hart.mcountinhibit = value;
}

std::uint64_t read_status(const Hart& hart) {
  const std::uint64_t units = hart.mstatus & (kMstatusFs | kMstatusVs);
  const bool dirty = (units & kMstatusFs) == kMstatusFs || (units & kMstatusVs) == kMstatusVs;
  constexpr std::uint64_t kWritable = kMstatusMie | kMstatusMpie | kMstatusFs | kMstatusVs;
  return (hart.mstatus & kWritable) | kMstatusMpp | (dirty ? kMstatusSd : 0);
}

// The value of a register that the hart keeps, without access checks.
std::uint64_t read_kept(Hart& hart, Csr csr) {
  switch (csr) {
    case Csr::fflags:
      collect_float_flags(hart);
      return hart.fflags;
    case Csr::frm:
      return hart.frm;
    case Csr::fcsr:
      collect_float_flags(hart);
      return hart.fflags | hart.frm << 5;
    case Csr::vstart:
      return hart.vstart;
    case Csr::vxsat:
      return hart.vxsat;
    case Csr::vxrm:
      return hart.vxrm;
    case Csr::vcsr:
      return hart.vxsat | hart.vxrm << 1;
    case Csr::vl:
      return hart.vl;
    case Csr::vtype:
      return encode_vtype(hart.vtype);
    case Csr::mstatus:
      return read_status(hart);
    case Csr::mie:
      return hart.mie;
    case Csr::mtvec:
      return hart.mtvec;
    case Csr::mscratch:
      return hart.mscratch;
    case Csr::mepc:
      return hart.mepc;
    case Csr::mcause:
      return hart.mcause;
    case Csr::mtval:
      return hart.mtval;
    case Csr::mip:
      return hart.mip;
    case Csr::mcountinhibit:
      return hart.mcountinhibit;
    case Csr::mcycle:
    case Csr::cycle:
      return cycle_counter(hart);
    case Csr::minstret:
    case Csr::instret:
      return instruction_counter(hart);
    case Csr::d1fmt:
      return hart.float_formats;
    case Csr::d1bias:
      return hart.d1_bias;
    case Csr::d1seed:
      return hart.d1_seed;
    default:
      return 0;  // not kept here: never asked for
  }
}

// Sets a register that the hart keeps. `value` has been limited to what the table lets change.
void write_kept(Hart& hart, Csr csr, std::uint64_t value) {
  const auto byte = static_cast<std::uint8_t>(value);
  const auto set_flags = [&](std::uint8_t flags) {
    collect_float_flags(hart);  // what is still in the host's register must not come back
    hart.fflags = flags;
  };
  switch (csr) {
    case Csr::fflags:
      set_flags(byte);
      break;
    case Csr::frm:
      hart.frm = byte;
      break;
    case Csr::fcsr:
      set_flags(byte & 0x1f);
      hart.frm = byte >> 5;
      break;
    case Csr::vstart:
      hart.vstart = value;
      break;
    case Csr::vxsat:
      hart.vxsat = byte;
      break;
    case Csr::vxrm:
      hart.vxrm = byte;
      break;
    case Csr::vcsr:
      hart.vxsat = byte & 1;
      hart.vxrm = byte >> 1;
      break;
    case Csr::vl:
      hart.vl = value;
      break;
    case Csr::vtype:
      hart.vtype = decode_vtype(value);
      break;
    case Csr::mstatus:
      hart.mstatus = value;
      break;
    case Csr::mie:
      hart.mie = value;
      break;
    case Csr::mtvec:
      hart.mtvec = value;
      break;
    case Csr::mscratch:
      hart.mscratch = value;
      break;
    case Csr::mepc:
      hart.mepc = value;
      break;
    case Csr::mcause:
      hart.mcause = value;
      break;
    case Csr::mtval:
      hart.mtval = value;
      break;
    case Csr::mip:
      hart.mip = value;
      break;
    case Csr::mcountinhibit:
      write_inhibit(hart, value);
      break;
    case Csr::mcycle:
      hart.mcycle_offset += value - cycle_counter(hart);
      break;
    case Csr::minstret: {
      const bool counts = (hart.mcountinhibit & kInhibitInstructions) == 0;
      // The write takes the place of the count of its own instruction.
      hart.minstret_offset += value - instruction_counter(hart) - (counts ? 1 : 0);
      break;
    }
    case Csr::d1fmt:
      hart.float_formats = byte;
      break;
    case Csr::d1bias:
      hart.d1_bias = value;
      break;
    case Csr::d1seed:
      hart.d1_seed = value;
      break;
    default:
      break;  // not kept here: never asked for
  }
}

// The modes a kernel begins with: its units on and clean, everything else as after reset, vectors
// of no bytes.
void set_kernel_modes(Hart& hart) {
  write_kept(hart, Csr::fcsr, 0);
  hart.mstatus = kMstatusInitial;
  hart.vstart = hart.vl = 0;
  hart.vtype = {.sew_log2 = 3, .lmul_log2 = 0, .tail_agnostic = 1, .mask_agnostic = 1, .ill = 0};
  hart.vxrm = hart.vxsat = 0;
  hart.float_formats = 0;
  hart.d1_bias = hart.d1_seed = 0;
}

}  // namespace

const CsrFacts* csr_facts(unsigned number) noexcept {
  if (number >= kCsrNumbers || kIndex[number] == 0) return nullptr;
  return &kFacts[kIndex[number] - 1];
}

std::string csr_name(unsigned number) {
  const CsrFacts* const what = csr_facts(number);
  if (what == nullptr) return {};
  if (what->index < 0) return what->name;
  return what->name + std::to_string(static_cast<unsigned>(what->index) + number - what->first);
}

bool csr_read(Hart& hart, unsigned number, std::uint64_t& value) {
  const CsrFacts* const what = csr_facts(number);
  if (what == nullptr || unit_is_off(hart, what->needs)) return false;
  switch (what->keeper) {
    case CsrKeeper::Constant:
    case CsrKeeper::Action:
      value = what->reset;
      return true;
    case CsrKeeper::Environment:
      return hart.environment->read_csr(hart, number, value);
    case CsrKeeper::Hart:
      break;
  }
  value = read_kept(hart, static_cast<Csr>(number));
  return true;
}

bool csr_write(Hart& hart, unsigned number, std::uint64_t value) {
  const CsrFacts* const what = csr_facts(number);
  if (what == nullptr || is_read_only(number) || unit_is_off(hart, what->needs)) return false;
  if (what->keeper == CsrKeeper::Constant) return true;
  if (what->keeper == CsrKeeper::Environment)
    return hart.environment->write_csr(hart, number, value);
  if (what->keeper == CsrKeeper::Action) {  // d1modes is the only one
    set_kernel_modes(hart);
    return true;
  }
  const auto csr = static_cast<Csr>(number);
  if (what->writable != ~std::uint64_t{0})
    value = (read_kept(hart, csr) & ~what->writable) | (value & what->writable);
  if (csr == Csr::mstatus) value &= what->writable;  // MPP and SD are made when it is read
  write_kept(hart, csr, value);
  if (what->needs == CsrNeeds::Float) mark_float_dirty(hart);
  if (what->needs == CsrNeeds::Vector) mark_vector_dirty(hart);
  return true;
}

void csr_reset(Hart& hart) {
  for (const CsrFacts& what : kFacts)
    if (what.keeper == CsrKeeper::Hart) write_kept(hart, static_cast<Csr>(what.first), what.reset);
  hart.mcountinhibit = 0;
  hart.mcycle_offset = 0;
  hart.minstret_offset = 0;
  hart.reservation = kNoReservation;
}

}  // namespace d1::isa
