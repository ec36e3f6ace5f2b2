// SPDX-License-Identifier: Apache-2.0
// Settling looks at all units of a span at once where it can. Here is the rule unit by unit and
// span by span; both must agree to the tick, whatever turns come.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include <d1/isa/csr.hpp>

#include "engine/timing.hpp"

namespace d1::emulator {
namespace {

constexpr std::uint64_t kSpan = UnitShare::kSpanTicks, kSpans = UnitShare::kSpans;

class PlainShare {
 public:
  void settle(isa::Hart& hart) {
    const std::uint64_t own_end = isa::ticks_now(hart);
    std::uint64_t end = own_end;
    for (unsigned unit = 0; unit < isa::kUnits; ++unit) {
      if (hart.units[unit] == 0) continue;
      end = std::max(end, take(unit, hart.clock, own_end, hart.units[unit]));
      hart.units[unit] = 0;
    }
    hart.clock = end;
    hart.work = 0;
  }

 private:
  std::uint64_t take(unsigned unit, std::uint64_t begin, std::uint64_t end, std::uint64_t ticks) {
    std::uint64_t spread = 0, waiting = 0;
    for (std::uint64_t span = begin / kSpan;; ++span) {
      remember(span);
      const std::uint64_t passed = std::min(end, (span + 1) * kSpan) - begin;
      const std::uint64_t due = passed >= end - begin ? ticks : ticks * passed / (end - begin);
      waiting += due - spread;
      spread = due;
      std::uint64_t through = 0;
      if (span < first_) {
        waiting = 0;
      } else {
        std::uint64_t& taken = taken_[unit][span % kSpans];
        const std::uint64_t now = std::min(waiting, kSpan - taken);
        taken += now;
        waiting -= now;
        through = span * kSpan + taken;
      }
      if (spread == ticks && waiting == 0) return span * kSpan < end ? end : through;
    }
  }

  void remember(std::uint64_t last) {
    for (; last >= first_ + kSpans; ++first_)
      for (auto& unit : taken_) unit[first_ % kSpans] = 0;
  }

  std::uint64_t first_ = 0;
  std::array<std::array<std::uint64_t, kSpans>, isa::kUnits> taken_{};
};

TEST(Settlement, EqualsThePlainRuleForAnyTurns) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&random](std::uint64_t limit) { return random() % limit; };
    // Turns that mostly end where they wait, that fill a slice or a quantum, that run on alone.
    const std::uint64_t longest = std::array<std::uint64_t, 4>{300, 1500, 9000, 600'000}[seed % 4];
    UnitShare share;
    PlainShare plain;
    std::array<isa::Hart, 4> harts{};
    for (unsigned turn = 0; turn < 3000; ++turn) {
      isa::Hart& hart = below(3) == 0 ? harts[below(4)]
                                      : *std::min_element(harts.begin(), harts.end(),
                                                          [](const auto& a, const auto& b) {
                                                            return a.clock < b.clock;
                                                          });
      if (below(20) == 0) hart.clock += below(5 * longest + 3 * kSpans * kSpan);
      // Numbers of spans whose low bits are those of others before.
      if (below(200) == 0) hart.clock += (1 + below(2)) * (kSpan << 16);
      const std::uint64_t length = below(longest);
      hart.work = below(2) * length;
      // Few units are busy; sometimes one of them all the time, so that harts meet there.
      for (std::uint32_t& ticks : hart.units)
        ticks = below(2) == 0 ? 0 : static_cast<std::uint32_t>(below(length / (1 + below(4)) + 1));
      hart.units[7] = 0;
      isa::Hart other = hart;
      settle(hart, share);
      plain.settle(other);
      ASSERT_EQ(hart.clock, other.clock) << "turn " << turn;
      ASSERT_EQ(hart.work, 0u);
      ASSERT_EQ(hart.units, isa::Hart{}.units);
    }
  }
}

}  // namespace
}  // namespace d1::emulator
