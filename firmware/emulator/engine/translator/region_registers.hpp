// SPDX-License-Identifier: Apache-2.0
// Which floating-point and vector registers of the guest a region keeps in vector registers of the
// host. The emitters are run twice: first to see what they use, then, with the answer, for good.
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

  // First run.
  void note(unsigned guest) noexcept { ++uses_[guest]; }
  void note_write(unsigned guest) noexcept { written_ |= 1u << guest; }
  void exclude(unsigned guest) noexcept { excluded_ |= 1u << guest; }  // is better off in memory
  [[nodiscard]] bool excluded(unsigned guest) const noexcept { return excluded_ >> guest & 1; }
  [[nodiscard]] unsigned uses(unsigned guest) const noexcept { return uses_[guest]; }
  void keep(unsigned guest, int host) noexcept { host_[guest] = static_cast<std::int8_t>(host); }

  // Second run. -1: in memory.
  [[nodiscard]] int host(unsigned guest) const noexcept { return host_[guest]; }
  [[nodiscard]] bool written(unsigned guest) const noexcept { return written_ >> guest & 1; }
  [[nodiscard]] bool any_kept() const noexcept {
    for (const std::int8_t host : host_)
      if (host >= 0) return true;
    return false;
  }

 private:
  std::array<std::uint16_t, 32> uses_{};
  std::array<std::int8_t, 32> host_{};
  std::uint32_t written_ = 0, excluded_ = 0;
};

// Shares out the host's registers: the most used first, but sums of mma.bf16 before all others.
void choose_kept(KeptRegisters& floats, KeptRegisters& vectors, MatrixRegisters& matrix,
                 HostLevel level, Scratch scratch);

}  // namespace d1::emulator
