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

  void note(unsigned guest, std::uint32_t times = 1) noexcept { uses_[guest] += times; }
  void note_write(unsigned guest) noexcept { written_ |= 1u << guest; }
  void exclude(unsigned guest) noexcept { excluded_ |= 1u << guest; }  // is better off in memory
  [[nodiscard]] bool excluded(unsigned guest) const noexcept { return excluded_ >> guest & 1; }
  [[nodiscard]] std::uint32_t uses(unsigned guest) const noexcept { return uses_[guest]; }
  [[nodiscard]] bool written(unsigned guest) const noexcept { return written_ >> guest & 1; }

  void keep(unsigned guest, int host) noexcept { host_[guest] = static_cast<std::int8_t>(host); }
  [[nodiscard]] int host(unsigned guest) const noexcept { return host_[guest]; }  // -1: in memory
  [[nodiscard]] bool any_kept() const noexcept {
    return any([](unsigned) { return true; });
  }

  // Before code is emitted: it notes anew what it uses.
  void forget_uses() noexcept { uses_ = {}; }
  void keep_none() noexcept { host_.fill(-1); }
  // Of what was emitted since then.
  [[nodiscard]] bool keeps_excluded() const noexcept {
    return any([this](unsigned guest) { return excluded(guest); });
  }
  [[nodiscard]] bool keeps_unused() const noexcept {
    return any([this](unsigned guest) { return uses_[guest] == 0 && !written(guest); });
  }

 private:
  // Whether it is so with a register that is kept.
  template <typename Predicate>
  [[nodiscard]] bool any(const Predicate& is_so) const noexcept {
    for (unsigned guest = 0; guest < 32; ++guest)
      if (host_[guest] >= 0 && is_so(guest)) return true;
    return false;
  }

  std::array<std::uint32_t, 32> uses_{};
  std::array<std::int8_t, 32> host_{};
  std::uint32_t written_ = 0, excluded_ = 0;
};

// Shares out the host's registers: the most used first, but sums of mma.bf16 before all others.
void choose_kept(KeptRegisters& floats, KeptRegisters& vectors, MatrixRegisters& matrix,
                 HostLevel level, Scratch scratch);

}  // namespace d1::emulator
