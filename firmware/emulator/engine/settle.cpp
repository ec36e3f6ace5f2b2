// SPDX-License-Identifier: Apache-2.0
// Closing a hart's account (rules: timing.hpp). What a turn used of each unit is spread evenly over
// its spans. Mostly every span has room for it; then the turn ends when the hart itself does, and
// all units of a span are accounted for at once. take() is the rule itself, unit by unit, for turns
// that find a span full.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include <d1/isa/csr.hpp>

#include "engine/timing.hpp"

namespace d1::emulator {

using isa::Hart;
using isa::Unit;

namespace {

constexpr std::uint64_t kSpan = UnitShare::kSpanTicks;
constexpr std::uint64_t kSpans = UnitShare::kSpans;

static_assert(kSpan < 1 << 14, "sums of a few spans' ticks stay below the top bit");

SpanTicks& taken_in(UnitShare& share, std::uint64_t span) noexcept {
  SpanTicks& taken = share.taken[span % kSpans];
  if (!taken.is_of(span)) taken = SpanTicks::none_of(span);
  return taken;
}

// Whether a span that holds `taken` has room for what a turn uses of it, a span's ticks or two of
// each unit at most.
bool has_room(const SpanTicks& taken, const SpanTicks& due) noexcept {
  constexpr std::uint64_t kEach = 0x0001'0001'0001'0001;
  constexpr std::uint64_t kToTop = (0x7fff - kSpan) * kEach;  // sets the top bit of what is more
  constexpr std::uint64_t kUnitsOnly = (std::uint64_t{1} << SpanTicks::kNumberShift) - 1;
  const std::uint64_t full = (taken.words[0] + due.words[0] + kToTop) |
                             ((taken.words[1] & kUnitsOnly) + due.words[1] + (kToTop & kUnitsOnly));
  return (full & 0x8000 * kEach) == 0;
}

// Makes room in memory for spans up to `last`.
void remember(UnitShare& share, std::uint64_t last) noexcept {
  if (last < share.first + kSpans) return;
  const std::uint64_t first = last - kSpans + 1;
  // Before the low bits of a number can come again.
  constexpr std::uint64_t kNumbers = std::uint64_t{1} << (64 - SpanTicks::kNumberShift);
  if (first / (kNumbers / 2) != share.first / (kNumbers / 2))
    for (std::uint64_t span = first; span <= last; ++span)
      if (span >= share.first + kSpans) share.taken[span % kSpans] = SpanTicks::none_of(span);
  share.first = first;
}

// take_evenly() for turns in one or two spans, both remembered: those that end where they wait.
bool take_briefly(UnitShare& share, const UnitTicks& units, std::uint64_t begin,
                  std::uint64_t end) noexcept {
  const std::uint64_t first = begin / kSpan, length = end - begin;
  SpanTicks& here = taken_in(share, first);
  SpanTicks due{};
  if ((end - 1) / kSpan == first) {
    for (unsigned unit = 0; unit < isa::kUnits; ++unit) due.add(unit, units[unit]);
    if (!has_room(here, due)) return false;
    here.add(due);
    return true;
  }
  // One division for all units: ticks, the time passed and length are below 2^10, so what the
  // inverse, rounded up, is too large cannot change a quotient.
  const std::uint64_t passed = (first + 1) * kSpan - begin;
  const std::uint64_t inverse = (std::uint64_t{1} << 40) / length + 1;
  SpanTicks rest{};
  for (unsigned unit = 0; unit < isa::kUnits; ++unit) {
    const std::uint64_t part = units[unit] * passed * inverse >> 40;
    due.add(unit, part);
    rest.add(unit, units[unit] - part);
  }
  SpanTicks& there = taken_in(share, first + 1);
  if (!has_room(here, due) || !has_room(there, rest)) return false;
  here.add(due);
  there.add(rest);
  return true;
}

constexpr unsigned kLanes = 8;  // a unit each
static_assert(kLanes >= isa::kUnits);
static_assert(std::endian::native == std::endian::little, "the first unit is in the lowest bits");

// What falls into each of the spans from `from` to before `to`: what is due by its end, by the part
// of the turn that has passed then, less what was due before, so that the parts add up exactly.
// `Lane` is as wide as twice the turn's ticks need.
template <typename Lane>
void spread(const UnitTicks& units, std::uint64_t begin, std::uint64_t end, std::uint64_t from,
            std::uint64_t to, std::array<SpanTicks, kSpans>& parts) noexcept {
  using Lanes [[gnu::vector_size(kLanes * sizeof(Lane))]] = Lane;
  using Packed [[gnu::vector_size(sizeof(SpanTicks))]] = std::int16_t;
  const std::uint64_t length = end - begin;
  // As above, for products of ticks below 2^14.
  const std::uint64_t inverse = (std::uint64_t{1} << 44) / length + 1;
  const auto over_length = [&](std::uint64_t product) {
    return sizeof(Lane) == 2 ? product * inverse >> 44 : product / length;
  };
  const std::uint64_t before = std::max(begin, from * kSpan) - begin;
  const std::uint64_t passed = (from + 1) * kSpan - begin;
  // From one span's end to the next the quotient grows by a constant and the carry of the rest.
  Lanes all{}, due{}, next{}, rest{}, step{}, step_rest{};
  for (unsigned unit = 0; unit < isa::kUnits; ++unit) {
    const std::uint64_t ticks = units[unit];
    if (ticks == 0) continue;
    const auto set = [unit](Lanes& lanes, std::uint64_t value) {
      lanes[unit] = static_cast<Lane>(value);
    };
    const std::uint64_t each = over_length(ticks * kSpan), first = over_length(ticks * passed);
    set(all, ticks);
    set(due, over_length(ticks * before));
    set(next, first);
    set(rest, ticks * passed - first * length);
    set(step, each);
    set(step_rest, ticks * kSpan - each * length);
  }
  const Lanes whole = Lanes{} + static_cast<Lane>(length);
  for (std::uint64_t span = from; span < to; ++span) {
    if ((span + 1) * kSpan >= end) next = all;
    parts[span - from] = std::bit_cast<SpanTicks>(__builtin_convertvector(next - due, Packed));
    due = next;
    rest += step_rest;
    const Lanes carry = rest >= whole;  // -1 where there is one
    rest -= carry & whole;
    next += step - carry;
  }
}

void spread(const UnitTicks& units, std::uint64_t begin, std::uint64_t end, std::uint64_t from,
            std::uint64_t to, std::array<SpanTicks, kSpans>& parts) noexcept {
  // Turns of a node that is alone are longer.
  if (end - begin < 1 << 14) spread<std::int16_t>(units, begin, end, from, to, parts);
  else spread<std::int32_t>(units, begin, end, from, to, parts);
}

// Adds the turn's work to the spans if all of them have room, else changes nothing.
bool take_evenly(UnitShare& share, const UnitTicks& units, std::uint64_t begin,
                 std::uint64_t end) noexcept {
  const std::uint64_t first = begin / kSpan, last = (end - 1) / kSpan;
  if (last - first <= 1 && first >= share.first) {
    if (first >= share.first + kSpans) remember(share, last);
    if (last < share.first + kSpans) return take_briefly(share, units, begin, end);
  }
  std::array<SpanTicks, kSpans> parts;
  // Spans that nobody has used yet have room for anybody's part of them.
  const std::uint64_t known = std::min(last + 1, share.first + kSpans);
  std::uint64_t from = std::max(first, share.first);
  if (from < known) {
    spread(units, begin, end, from, known, parts);
    for (std::uint64_t span = from; span < known; ++span)
      if (!has_room(taken_in(share, span), parts[span - from])) return false;
  }
  remember(share, last);
  const std::uint64_t checked = from;
  from = std::max(first, share.first);
  if (from > last) return true;
  if (from != checked || known != last + 1) spread(units, begin, end, from, last + 1, parts);
  for (std::uint64_t span = from; span <= last; ++span)
    taken_in(share, span).add(parts[span - from]);
  return true;
}

// Takes `ticks` of a unit from `begin` on, spread evenly until `end`; when it is through with them.
std::uint64_t take(UnitShare& share, unsigned unit, std::uint64_t begin, std::uint64_t end,
                   std::uint64_t ticks) noexcept {
  const std::uint64_t length = end - begin;
  std::uint64_t spread = 0, waiting = 0;
  for (std::uint64_t span = begin / kSpan;; ++span) {
    if (span >= share.first + kSpans) remember(share, span);
    const std::uint64_t passed = std::min(end, (span + 1) * kSpan) - begin;
    const std::uint64_t due = passed >= length ? ticks : ticks * passed / length;
    waiting += due - spread;
    spread = due;
    std::uint64_t through = 0;
    if (span < share.first) {
      waiting = 0;  // too long ago to know who was there
    } else {
      SpanTicks& taken = taken_in(share, span);
      const std::uint64_t now = std::min(waiting, kSpan - taken.of(unit));
      taken.add(unit, now);
      waiting -= now;
      through = span * kSpan + taken.of(unit);
    }
    if (spread == ticks && waiting == 0) return span * kSpan < end ? end : through;
  }
}

}  // namespace

void settle(Hart& hart, UnitShare& share) noexcept {
  hart.units[static_cast<unsigned>(Unit::None)] = 0;
  const std::uint64_t begin = hart.clock, own_end = isa::ticks_now(hart);
  hart.work = 0;
  hart.clock = own_end;
  std::uint32_t any = 0;
  for (unsigned unit = 0; unit < isa::kUnits; ++unit) {
    share.busy[unit] += hart.units[unit];
    any |= hart.units[unit];
  }
  if (any == 0) return;
  if (!take_evenly(share, hart.units, begin, own_end)) {
    std::uint64_t end = own_end;
    for (unsigned unit = 0; unit < isa::kUnits; ++unit)
      if (const std::uint64_t ticks = hart.units[unit]; ticks != 0)
        end = std::max(end, take(share, unit, begin, own_end, ticks));
    hart.clock = end;
  }
  hart.units.fill(0);
}

}  // namespace d1::emulator
