// SPDX-License-Identifier: Apache-2.0
// The host assembler as all emitters use it: writes into the code cache, knows where the hart's
// state is and which of it lives in registers (thunks.hpp). Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include <xbyak/xbyak.h>

#include <d1/emulator/engine_options.hpp>
#include <d1/isa/hart.hpp>

#include "engine/translator/code_cache.hpp"
#include "engine/translator/labels.hpp"
#include "engine/translator/translation.hpp"

namespace d1::emulator {

class Assembler : public Xbyak::CodeGenerator {
 public:
  // rbp points this far into the hart.
  static constexpr int kHartBias = 128;

  Assembler(CodeCache& cache, HostLevel level, MemoryBase base)
      : Xbyak::CodeGenerator(cache.room(), cache.next()),
        cache_(cache),
        level_(level),
        base_(base) {}

  [[nodiscard]] HostLevel level() const noexcept { return level_; }
  [[nodiscard]] MemoryBase memory_base() const noexcept { return base_; }
  [[nodiscard]] CodeCache& cache() const noexcept { return cache_; }

  // Keeps what was emitted.
  void finish() {
    if (labels_.any_waits()) throw Xbyak::Error(Xbyak::ERR_LABEL_IS_NOT_FOUND);
    ready();
    cache_.take(getSize());
  }
  // Begins anew.
  void reset() {
    labels_.clear();
    Xbyak::CodeGenerator::reset();
  }

  // --- jumps ----------------------------------------------------------------------------------
  // To our labels. Backward they are as short as can be; forward near, if told so, else short.
  using Xbyak::CodeGenerator::L, Xbyak::CodeGenerator::call, Xbyak::CodeGenerator::jmp;
  void L(const Label& label) {
    labels_.define(label, here(), const_cast<std::uint8_t*>(getCode()));
  }
  void call(const Label& to) {
    db(0xe8);
    near_distance(to);
  }
  void jmp(const Label& to, LabelType type = T_AUTO) {
    if (short_jump(to, type, 0xeb)) return;
    db(0xe9);
    near_distance(to);
  }
#define D1_JUMP(name, condition)                           \
  using Xbyak::CodeGenerator::name;                        \
  void name(const Label& to, LabelType type = T_AUTO) {    \
    if (short_jump(to, type, 0x70 | (condition))) return;  \
    db(0x0f);                                              \
    db(0x80 | (condition));                                \
    near_distance(to);                                     \
  }
  D1_JUMP(jb, 2) D1_JUMP(jae, 3) D1_JUMP(je, 4) D1_JUMP(jz, 4) D1_JUMP(jne, 5) D1_JUMP(jnz, 5)
  D1_JUMP(jbe, 6) D1_JUMP(ja, 7) D1_JUMP(js, 8) D1_JUMP(jp, 10) D1_JUMP(jl, 12) D1_JUMP(jge, 13)
  D1_JUMP(jle, 14) D1_JUMP(jg, 15)
#undef D1_JUMP

  // --- the hart -------------------------------------------------------------------------------
  // Of a member, in bytes from the beginning of a Hart. (offsetof knows no derived classes.)
  template <typename Class, typename Member>
  [[nodiscard]] static std::size_t offset_of(Member Class::*member) noexcept {
    static const isa::Hart hart{};
    return static_cast<std::size_t>(reinterpret_cast<const char*>(&(hart.*member)) -
                                    reinterpret_cast<const char*>(&hart));
  }
  [[nodiscard]] static int hart_offset(std::size_t offset) noexcept {
    return static_cast<int>(offset) - kHartBias;
  }
  [[nodiscard]] Xbyak::Address hart_field(std::size_t offset) const {
    return qword[rbp + hart_offset(offset)];
  }
  [[nodiscard]] Xbyak::Address hart_field32(std::size_t offset) const {
    return dword[rbp + hart_offset(offset)];
  }
  [[nodiscard]] Xbyak::Address hart_field16(std::size_t offset) const {
    return word[rbp + hart_offset(offset)];
  }
  [[nodiscard]] Xbyak::Address hart_field8(std::size_t offset) const {
    return byte[rbp + hart_offset(offset)];
  }
  [[nodiscard]] Xbyak::Address x_in_memory(unsigned number) const {
    return hart_field(offset_of(&isa::Hart::x) + 8 * number);
  }

  // --- memory of the guest --------------------------------------------------------------------
  // Right before an instruction that accesses it, at place_in_guest() or, with vector indices,
  // vector_place_in_guest().
  void guest_segment() {
    if (base_ == MemoryBase::Segment) putSeg(gs);
  }
  // A register that holds a guest address, and a displacement.
  [[nodiscard]] Xbyak::RegExp place_in_guest(const Xbyak::RegExp& place) const {
    return base_ == MemoryBase::Segment ? place : r14 + place;
  }

  // Where a loop keeps ticks of the turn for later (thunks.cpp makes the room).
  [[nodiscard]] Xbyak::Address budget_put_by() const { return qword[rsp + 8]; }

  void load_pinned() {
    for (const PinnedRegister& each : pinned_registers(base_))
      mov(Xbyak::Reg64(each.host), x_in_memory(each.guest));
  }
  void store_pinned() {
    for (const PinnedRegister& each : pinned_registers(base_))
      mov(x_in_memory(each.guest), Xbyak::Reg64(each.host));
  }

  // --- the counters of vector register 15 -----------------------------------------------------
  void clear_counters() {
    if (level_ != HostLevel::Portable) {
      vpxor(xmm15, xmm15, xmm15);
    } else {
      pxor(xmm14, xmm14);
      pxor(xmm15, xmm15);
    }
  }
  // Adds them to hart.units. They are not cleared.
  void flush_counters() {
    const std::size_t units = offset_of(&isa::Hart::units);
    if (level_ != HostLevel::Portable) {
      const auto place = yword[rbp + hart_offset(units)];
      vpaddd(ymm15, ymm15, place);
      vmovdqu(place, ymm15);
      return;
    }
    const Xbyak::Xmm halves[] = {xmm14, xmm15};
    for (int half = 0; half < 2; ++half) {
      const auto place = xword[rbp + hart_offset(units) + 16 * half];
      movdqu(xmm0, place);
      paddd(xmm0, halves[half]);
      movdqu(place, xmm0);
    }
  }

  // Where a label is executed that is known.
  [[nodiscard]] const std::uint8_t* executable(const Label& label) {
    return cache_.executable(getCode() + labels_.place_of(label));
  }

  // --- constants ------------------------------------------------------------------------------
  // Behind ptr[rip + ...].
  [[nodiscard]] const std::uint8_t* constant(std::span<const std::uint64_t> words) {
    const void* const place = cache_.constants().place_of(words);
    if (place == nullptr) throw Xbyak::Error(Xbyak::ERR_CODE_IS_TOO_BIG);
    return static_cast<const std::uint8_t*>(place);
  }
  [[nodiscard]] const std::uint8_t* constant128(std::uint64_t low, std::uint64_t high) {
    return constant(std::array{low, high});
  }
  [[nodiscard]] const std::uint8_t* constant512(const std::array<std::uint64_t, 8>& words) {
    return constant(words);
  }

  // --- addresses of the executable mapping ----------------------------------------------------
  // Where a jump or call must seem to lead so that its displacement is right when executed.
  [[nodiscard]] const void* as_written(const std::uint8_t* executable) const noexcept {
    return cache_.writable(executable);
  }

 private:
  [[nodiscard]] std::int32_t here() const noexcept { return static_cast<std::int32_t>(getSize()); }

  // Emits it if it may be short.
  bool short_jump(const Label& to, LabelType type, int code) {
    constexpr std::int32_t kBytes = 2;
    const std::int32_t place = labels_.place_of(to), distance = place - here() - kBytes;
    const bool known = place != Labels::kUnknown;
    if (known ? distance < -128 : type == T_NEAR) return false;
    db(code);
    db(known ? distance & 0xff : 0);
    if (!known) labels_.wait(to, here(), 1);
    return true;
  }
  void near_distance(const Label& to) {
    const std::int32_t place = labels_.place_of(to);
    dd(static_cast<std::uint32_t>(place - here() - 4));
    if (place == Labels::kUnknown) labels_.wait(to, here(), 4);
  }

  CodeCache& cache_;
  HostLevel level_;
  MemoryBase base_;
  Labels labels_;
};

}  // namespace d1::emulator
