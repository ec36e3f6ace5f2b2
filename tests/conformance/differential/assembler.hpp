// SPDX-License-Identifier: Apache-2.0
// Writes instructions by the table of firmware/isa: operands into encodings, no text. Appends to a
// vector of 16-bit parcels that the caller owns.
#pragma once

#include <cstdint>
#include <vector>

#include <d1/isa/operands.hpp>

namespace d1::difftest {

using isa::InstructionId;
using Code = std::vector<std::uint16_t>;

// vtype as vsetvli takes it.
[[nodiscard]] constexpr std::int32_t vtype_bits(unsigned sew_log2, int lmul_log2,
                                                bool tail_agnostic, bool mask_agnostic) noexcept {
  return static_cast<std::int32_t>((static_cast<unsigned>(lmul_log2) & 7) | (sew_log2 - 3) << 3 |
                                   (tail_agnostic ? 1U : 0U) << 6 | (mask_agnostic ? 1U : 0U) << 7);
}

inline constexpr std::int32_t kCsrFflags = 0x001, kCsrFcsr = 0x003, kCsrVstart = 0x008,
                              kCsrVcsr = 0x00f, kCsrVl = 0xc20, kCsrVtype = 0xc21;

class Assembler {
 public:
  explicit Assembler(Code& code) : code_(code) {}

  void word(std::uint32_t bits) {
    code_.push_back(static_cast<std::uint16_t>(bits));
    code_.push_back(static_cast<std::uint16_t>(bits >> 16));
  }
  void parcel(std::uint16_t bits) { code_.push_back(bits); }

  void op(InstructionId id, const isa::EncodingFields& fields) { word(isa::encode(id, fields)); }

  // rd = value, sign-extended from 32 bits: two instructions, always.
  void load_immediate(unsigned rd, std::uint32_t value) {
    const auto low = static_cast<std::int32_t>(value << 20) >> 20;
    op(InstructionId::lui,
       {.rd = rd, .immediate = static_cast<std::int32_t>(value - static_cast<std::uint32_t>(low))});
    op(InstructionId::addiw, {.rd = rd, .rs1 = rd, .immediate = low});
  }
  void add_immediate(unsigned rd, unsigned rs1, std::int32_t value) {
    op(InstructionId::addi, {.rd = rd, .rs1 = rs1, .immediate = value});
  }
  void load(unsigned rd, unsigned base, std::size_t offset) {
    op(InstructionId::ld, {.rd = rd, .rs1 = base, .immediate = static_cast<std::int32_t>(offset)});
  }
  void store(unsigned rs2, unsigned base, std::size_t offset) {
    op(InstructionId::sd,
       {.rs1 = base, .rs2 = rs2, .immediate = static_cast<std::int32_t>(offset)});
  }
  void write_csr(std::int32_t csr, unsigned rs1, unsigned rd = 0) {
    op(InstructionId::csrrw, {.rd = rd, .rs1 = rs1, .immediate = csr});
  }
  void read_csr(unsigned rd, std::int32_t csr) {
    op(InstructionId::csrrs, {.rd = rd, .immediate = csr});
  }
  void jump(std::int64_t bytes) {
    op(InstructionId::jal, {.immediate = static_cast<std::int32_t>(bytes)});
  }
  void jump_register(unsigned rs1) { op(InstructionId::jalr, {.rs1 = rs1}); }

  [[nodiscard]] std::size_t bytes() const noexcept { return 2 * code_.size(); }

 private:
  Code& code_;
};

}  // namespace d1::difftest
