// SPDX-License-Identifier: Apache-2.0
// Which floating-point and vector registers of the guest a region keeps in vector registers of the
// host, chosen by what a survey of the region (register_survey.hpp), or its emission, has noted.
// Inside the region these registers are where the values are; what was written goes back to memory
// wherever the region is left or a semantics function is called. Plain data.
#pragma once

#include <array>
#include <cstdint>

#include <d1/emulator/engine_options.hpp>

#include "engine/translator/matrix_registers.hpp"

namespace d1::emulator {

// Vector registers of the host for whatever an emitter needs for itself.
inline constexpr int kScratchVector = 14, kSecondScratchVector = 13, kThirdScratchVector = 12;

// Further ones, which vector instructions of a region may need. With sums of mma.bf16 they are
// those of the forms of A.
inline constexpr int kFirstExtraScratch = kLeftForms;
enum class Scratch : std::uint8_t { Usual, WithExtra };

class KeptRegisters {
 public:
  KeptRegisters() { host_.fill(-1); }

  void note(unsigned guest, std::uint32_t times = 1) noexcept {
    uses_[guest] += times;
    used_ |= 1u << guest;
  }
  void note_write(unsigned guest) noexcept { written_ |= 1u << guest; }
  void exclude(unsigned guest) noexcept { excluded_ |= 1u << guest; }  // is better off in memory
  [[nodiscard]] bool excluded(unsigned guest) const noexcept { return excluded_ >> guest & 1; }
  [[nodiscard]] std::uint32_t uses(unsigned guest) const noexcept { return uses_[guest]; }
  [[nodiscard]] bool written(unsigned guest) const noexcept { return written_ >> guest & 1; }

  void keep(unsigned guest, int host) noexcept {
    host_[guest] = static_cast<std::int8_t>(host);
    kept_ |= 1u << guest;
  }
  [[nodiscard]] int host(unsigned guest) const noexcept { return host_[guest]; }  // -1: in memory
  [[nodiscard]] bool any_kept() const noexcept { return kept_ != 0; }
  [[nodiscard]] std::uint32_t all_kept() const noexcept { return kept_; }  // a bit for each

  // Before code is emitted: it notes anew what it uses.
  void forget_uses() noexcept {
    uses_ = {};
    used_ = 0;
  }
  void keep_none() noexcept {
    host_.fill(-1);
    kept_ = 0;
  }
  // Of what was emitted since then.
  [[nodiscard]] bool keeps_excluded() const noexcept { return (kept_ & excluded_) != 0; }
  [[nodiscard]] bool keeps_unused() const noexcept { return (kept_ & ~(used_ | written_)) != 0; }

 private:
  std::array<std::uint32_t, 32> uses_{};
  std::array<std::int8_t, 32> host_{};
  std::uint32_t kept_ = 0, used_ = 0, written_ = 0, excluded_ = 0;  // a bit for each register
};

// Shares out the host's registers: the most used first, but sums of mma.bf16 before all others.
void choose_kept(KeptRegisters& floats, KeptRegisters& vectors, MatrixRegisters& matrix,
                 HostLevel level, Scratch scratch);

}  // namespace d1::emulator
