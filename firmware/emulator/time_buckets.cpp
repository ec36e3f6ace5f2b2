// SPDX-License-Identifier: Apache-2.0
#include "time_buckets.hpp"

#include <algorithm>

namespace d1::emulator {

// --- PacketSlots --------------------------------------------------------------------------------

std::uint32_t PacketSlots::first_ending_at_or_after(std::uint64_t time) const {
  // Stamps come nearly in order: look at the end first.
  std::uint32_t i = size_;
  for (std::uint32_t steps = 0; steps < 8; ++steps) {
    if (i == 0 || intervals_[i - 1].end < time) return i;
    --i;
  }
  const Interval* const begin = intervals_.get();
  return static_cast<std::uint32_t>(
      std::partition_point(begin, begin + i, [&](const Interval& x) { return x.end < time; }) -
      begin);
}

Passage PacketSlots::fill_gaps(std::uint64_t time, std::uint64_t packets, std::uint64_t watermark) {
  const std::uint32_t from = first_ending_at_or_after(time);
  Interval merged{std::min(time, intervals_[from].begin), 0};
  std::uint32_t next = from;
  std::uint64_t cursor = time;
  std::uint64_t first = 0;
  std::uint64_t left = packets;
  while (left > 0) {
    if (next < size_ && intervals_[next].begin <= cursor) {
      cursor = std::max(cursor, intervals_[next++].end);
      continue;
    }
    const std::uint64_t gap = next < size_ ? intervals_[next].begin - cursor : left;
    const std::uint64_t taken = std::min(gap, left);
    if (left == packets) first = cursor;
    cursor += taken;
    left -= taken;
  }
  merged.end = cursor;
  if (next < size_ && intervals_[next].begin == cursor) merged.end = intervals_[next++].end;
  replace(from, next, merged, watermark);
  return {first, cursor - 1};
}

void PacketSlots::block(std::uint64_t first, std::uint64_t last, std::uint64_t watermark) {
  const std::uint32_t from = first_ending_at_or_after(first);
  Interval merged{first, last + 1};
  std::uint32_t next = from;
  while (next < size_ && intervals_[next].begin <= merged.end) {
    merged.begin = std::min(merged.begin, intervals_[next].begin);
    merged.end = std::max(merged.end, intervals_[next].end);
    ++next;
  }
  replace(from, next, merged, watermark);
}

bool PacketSlots::busy(std::uint64_t cycle) const {
  const std::uint32_t i = first_ending_at_or_after(cycle + 1);
  return i < size_ && intervals_[i].begin <= cycle;
}

// Puts `merged` in the place of the intervals [from, to).
void PacketSlots::replace(std::uint32_t from, std::uint32_t to, Interval merged,
                          std::uint64_t watermark) {
  if (from == to && size_ == capacity_) {
    const std::uint32_t behind = size_ - from;  // pruning drops from the front only
    make_room(watermark);
    from = size_ >= behind ? size_ - behind : 0;
    to = from;
  }
  Interval* const data = intervals_.get();
  if (from == to) {
    std::move_backward(data + from, data + size_, data + size_ + 1);
    ++size_;
  } else {
    std::move(data + to, data + size_, data + from + 1);
    size_ -= to - from - 1;
  }
  data[from] = merged;
}

// Drops what ended by the watermark; doubles the memory where that gave less than half back.
void PacketSlots::make_room(std::uint64_t watermark) {
  Interval* const data = intervals_.get();
  Interval* const kept = std::partition_point(
      data, data + size_, [&](const Interval& x) { return x.end <= watermark; });
  const auto remaining = static_cast<std::uint32_t>(data + size_ - kept);
  if (remaining > capacity_ / 2 || capacity_ == 0) {
    const std::uint32_t larger = std::max(1u, capacity_ * 2);  // most links carry little
    auto fresh = std::make_unique<Interval[]>(larger);
    std::move(kept, data + size_, fresh.get());
    intervals_ = std::move(fresh);
    capacity_ = larger;
  } else {
    std::move(kept, data + size_, data);
  }
  size_ = remaining;
}

// --- TimeBuckets --------------------------------------------------------------------------------

std::uint64_t TimeBuckets::cycles_for(std::uint64_t bytes) const {
  return (bytes * bucket_cycles_ + capacity_ - 1) / capacity_;
}

// Index of the first segment that ends after `bucket`; stamps come nearly in order, so from the
// end.
std::size_t TimeBuckets::first_ending_after(std::uint64_t bucket) const {
  std::size_t i = segments_.size();
  for (int steps = 0; steps < 8; ++steps) {
    if (i == 0 || segments_[i - 1].end <= bucket) return i;
    --i;
  }
  const auto begin = segments_.begin();
  return static_cast<std::size_t>(
      std::partition_point(begin, begin + static_cast<std::ptrdiff_t>(i),
                           [&](const Segment& x) { return x.end <= bucket; }) -
      begin);
}

std::uint64_t TimeBuckets::used(std::uint64_t bucket) const {
  const std::size_t i = first_ending_after(bucket);
  return i < segments_.size() && segments_[i].begin <= bucket ? segments_[i].used : 0;
}

void TimeBuckets::note(std::uint64_t begin, std::uint64_t end, std::uint64_t used) {
  if (begin == end || used == 0) return;
  if (!changed_.empty() && changed_.back().end == begin && changed_.back().used == used) {
    changed_.back().end = end;
  } else {
    changed_.push_back({begin, end, used});
  }
}

// Puts changed_ in the place of the segments [from, to), joined with equal neighbours.
void TimeBuckets::splice(std::size_t from, std::size_t to, std::uint64_t watermark) {
  const auto at = [&](std::size_t i) { return segments_.begin() + static_cast<std::ptrdiff_t>(i); };
  const auto joins = [](const Segment& a, const Segment& b) {
    return a.end == b.begin && a.used == b.used;
  };
  if (from > 0 && joins(segments_[from - 1], changed_.front())) {
    changed_.front().begin = segments_[--from].begin;
  }
  if (to < segments_.size() && joins(changed_.back(), segments_[to])) {
    changed_.back().end = segments_[to++].end;
  }
  const std::size_t kept = std::min(changed_.size(), to - from);
  std::copy_n(changed_.begin(), kept, at(from));
  if (kept < to - from) {
    segments_.erase(at(from + kept), at(to));
  } else {
    segments_.insert(at(to), changed_.begin() + static_cast<std::ptrdiff_t>(kept), changed_.end());
  }
  if (segments_.size() >= forget_at_) {
    const auto old =
        std::partition_point(segments_.begin(), segments_.end(),
                             [&](const Segment& x) { return x.end * bucket_cycles_ <= watermark; });
    segments_.erase(segments_.begin(), old);
    forget_at_ = std::max<std::size_t>(64, 2 * segments_.size());
  }
}

// Walks over the runs of equally used buckets from `time` on and takes from each what is free.
Passage TimeBuckets::reserve(std::uint64_t time, std::uint64_t bytes, std::uint64_t flow,
                             std::uint64_t watermark) {
  carried_ += bytes;
  flow = std::min(flow, capacity_);
  changed_.clear();
  Passage passage{UINT64_MAX, 0};
  std::uint64_t bucket = time / bucket_cycles_;
  const std::size_t from = first_ending_after(bucket);
  std::size_t next = from;  // the segment `bucket` is in or before
  const auto inside = [&] { return next < segments_.size() && segments_[next].begin <= bucket; };
  if (inside()) note(segments_[next].begin, bucket, segments_[next].used);
  for (std::uint64_t left = bytes; left > 0;) {
    const bool in_segment = inside();
    const std::uint64_t used = in_segment ? segments_[next].used : 0;
    const std::uint64_t run_end = in_segment                ? segments_[next].end
                                  : next < segments_.size() ? segments_[next].begin
                                                            : UINT64_MAX;
    std::uint64_t count = run_end - bucket;
    std::uint64_t taken = 0;  // from each of `count` buckets
    if (used < capacity_) {
      const std::uint64_t start = std::max(time, bucket * bucket_cycles_);
      const std::uint64_t cycles = (bucket + 1) * bucket_cycles_ - start;
      const std::uint64_t room =
          std::min({capacity_ - used, flow * cycles, capacity_ * cycles / bucket_cycles_});
      // As many whole buckets as this run has; what is less than a bucket's room by itself.
      taken = std::min(room, left);
      count = cycles < bucket_cycles_ || room > left ? 1 : std::min(count, left / room);
      left -= taken * count;
      if (taken > 0) {
        passage.first = std::min(passage.first, start);
        // Not before its own bytes have come, nor before all that shares the bucket has passed.
        const std::uint64_t last_begin = (bucket + count - 1) * bucket_cycles_;
        passage.last = std::max(std::max(time, last_begin) +
                                    std::max((taken + flow - 1) / flow, cycles_for(taken)),
                                last_begin + cycles_for(used + taken)) -
                       1;
      }
    }
    note(bucket, bucket + count, used + taken);
    bucket += count;
    if (in_segment && bucket == run_end) ++next;
  }
  if (inside()) {
    note(bucket, segments_[next].end, segments_[next].used);
    ++next;
  }
  splice(from, next, watermark);
  return passage;
}

}  // namespace d1::emulator
