// SPDX-License-Identifier: Apache-2.0
// The host assembler as all emitters use it: writes into the code cache, knows where the hart's
// state is and which of it lives in registers (thunks.hpp). Not thread-safe.
#pragma once

#include <cstddef>

#include <xbyak/xbyak.h>

#include <d1/emulator/engine_options.hpp>
#include <d1/isa/hart.hpp>

#include "engine/translator/code_cache.hpp"
#include "engine/translator/translation.hpp"

namespace d1::emulator {

class Assembler : public Xbyak::CodeGenerator {
 public:
  // rbp points this far into the hart.
  static constexpr int kHartBias = 128;

  Assembler(CodeCache& cache, HostLevel level)
      : Xbyak::CodeGenerator(cache.room(), cache.next()), cache_(cache), level_(level) {}

  [[nodiscard]] HostLevel level() const noexcept { return level_; }
  [[nodiscard]] CodeCache& cache() const noexcept { return cache_; }

  // Keeps what was emitted.
  void finish() {
    ready();
    cache_.take(getSize());
  }

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

  // Where a loop keeps ticks of the turn for later (thunks.cpp makes the room).
  [[nodiscard]] Xbyak::Address budget_put_by() const { return qword[rsp + 8]; }

  void load_pinned() {
    for (const PinnedRegister& each : kPinned)
      mov(Xbyak::Reg64(each.host), x_in_memory(each.guest));
  }
  void store_pinned() {
    for (const PinnedRegister& each : kPinned)
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

  // --- addresses of the executable mapping ----------------------------------------------------
  // Where a jump or call must seem to lead so that its displacement is right when executed.
  [[nodiscard]] const void* as_written(const std::uint8_t* executable) const noexcept {
    return cache_.writable(executable);
  }

 private:
  CodeCache& cache_;
  HostLevel level_;
};

}  // namespace d1::emulator
