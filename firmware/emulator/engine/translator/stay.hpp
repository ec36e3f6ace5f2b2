// SPDX-License-Identifier: Apache-2.0
// Which threads may be in translated code, so that code is dropped only when none is; and from
// where it is always left so soon that it had better be interpreted.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/code_image.hpp"
#include "engine/translator/per_thread.hpp"

namespace d1::emulator {

// Entering host code and leaving it costs as much as interpreting some instructions, so a block
// from which it is always left sooner is better interpreted. Neither changes what the guest sees.
class StayLengths {
 public:
  // Whether to enter the block's code: mostly not if the last stays were brief, but now and then,
  // since what comes behind it may be another program by now.
  [[nodiscard]] static bool worth_entering(const Block& block, const isa::Hart& hart) noexcept {
    return block.brief_stays.load(std::memory_order_relaxed) < kBriefStays ||
           one_in<64>(hart.instret);
  }
  // How far the hart has come, in what the interpreter takes for an instruction, about.
  [[nodiscard]] static std::uint64_t progress(const isa::Hart& hart) noexcept {
    constexpr std::uint64_t kVectorTick = 4;  // own
    const auto of = [&hart](isa::Unit unit) { return hart.units[static_cast<unsigned>(unit)]; };
    return hart.instret + kVectorTick * (of(isa::Unit::Simd) + of(isa::Unit::Matrix));
  }
  // A stay that began in the block is over. Looks at some of them, so that threads seldom write to
  // what all of them read.
  static void note(const Block& block, const isa::Hart& hart, std::uint64_t before) noexcept {
    if (!one_in<4>(before)) return;
    const std::uint32_t brief = block.brief_stays.load(std::memory_order_relaxed);
    if (progress(hart) - before >= kBrief) {
      if (brief != 0) block.brief_stays.store(0, std::memory_order_relaxed);
    } else if (brief < kBriefStays) {
      block.brief_stays.store(brief + 1, std::memory_order_relaxed);
    }
  }

 private:
  static constexpr std::uint64_t kBrief = 24;      // own: interpreted in the time of an entry
  static constexpr std::uint32_t kBriefStays = 4;  // own

  template <std::uint32_t kMany>
  [[nodiscard]] static bool one_in(std::uint64_t number) noexcept {
    constexpr std::uint32_t kGolden = 0x9e37'79b1;  // spreads numbers that differ regularly
    return static_cast<std::uint32_t>(number) * kGolden < ~std::uint32_t{0} / kMany;
  }
};

using Insiders = PerThread<std::atomic<std::uint32_t>>;

[[nodiscard]] inline bool any(const Insiders& insiders) noexcept {
  bool found = false;
  insiders.for_each([&found](const std::atomic<std::uint32_t>& count) {
    found = found || count.load(std::memory_order_seq_cst) != 0;
  });
  return found;
}

// A thread stays from the first entry in a turn to the turn's end: it comes and goes between
// interpreted blocks without telling anybody. Each thread counts in a line of its own; none waits
// for others.
class Stay {
 public:
  explicit Stay(Insiders& insiders) noexcept : insiders_(insiders) {}
  ~Stay() { end(); }
  Stay(const Stay&) = delete;
  Stay& operator=(const Stay&) = delete;

  [[nodiscard]] bool begun() const noexcept { return mine_ != nullptr; }
  void begin() noexcept {
    mine_ = &insiders_.mine();
    mine_->fetch_add(1, std::memory_order_seq_cst);
  }
  void end() noexcept {
    if (mine_ != nullptr) mine_->fetch_sub(1, std::memory_order_release);
    mine_ = nullptr;
  }

 private:
  Insiders& insiders_;
  std::atomic<std::uint32_t>* mine_ = nullptr;
};

}  // namespace d1::emulator
