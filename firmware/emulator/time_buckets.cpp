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
    const std::uint32_t larger = capacity_ == 0 ? 4 : capacity_ * 2;
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

std::uint64_t TimeBuckets::used(std::uint64_t bucket) const {
  const std::uint64_t index = bucket / chunk_buckets;
  const auto chunk = std::partition_point(chunks_.begin(), chunks_.end(),
                                          [&](const Chunk& c) { return c.index < index; });
  if (chunk == chunks_.end() || chunk->index != index) return 0;
  return chunk->used[bucket % chunk_buckets];
}

// The position of chunk `index`, made where it is not there yet; `hint` is where it may stand.
std::size_t TimeBuckets::chunk_at(std::uint64_t index, std::size_t hint, std::uint64_t watermark) {
  if (hint < chunks_.size() && chunks_[hint].index == index) return hint;
  const auto is_before = [&](const Chunk& c) { return c.index < index; };
  auto place = chunks_.end();
  if (!chunks_.empty() && chunks_.back().index >= index) {
    place = std::partition_point(chunks_.begin(), chunks_.end(), is_before);
    if (place->index == index) return static_cast<std::size_t>(place - chunks_.begin());
  }
  if (chunks_.size() >= forget_at_) {
    forget(watermark);
    place = std::partition_point(chunks_.begin(), chunks_.end(), is_before);
  }
  place = chunks_.insert(place, Chunk{index, {}});
  return static_cast<std::size_t>(place - chunks_.begin());
}

void TimeBuckets::forget(std::uint64_t watermark) {
  const std::uint64_t oldest = watermark / bucket_cycles_ / chunk_buckets;
  const auto kept = std::partition_point(chunks_.begin(), chunks_.end(),
                                         [&](const Chunk& c) { return c.index < oldest; });
  chunks_.erase(chunks_.begin(), kept);
  forget_at_ = std::max<std::size_t>(64, 2 * chunks_.size());
}

void TimeBuckets::remember(FullRun run, std::uint64_t watermark) {
  if (run.begin == run.end) return;
  if (run.begin <= full_.end && full_.begin <= run.end) {
    full_ = {std::min(run.begin, full_.begin), std::max(run.end, full_.end)};
  } else if (run.end - run.begin > full_.end - full_.begin ||
             full_.end * bucket_cycles_ <= watermark) {
    full_ = run;
  }
}

Passage TimeBuckets::reserve(std::uint64_t time, std::uint64_t bytes, std::uint64_t flow,
                             std::uint64_t watermark) {
  carried_ += bytes;
  flow = std::min(flow, capacity_);
  Passage passage{UINT64_MAX, 0};
  FullRun run{0, 0};
  std::size_t position = 0;
  std::uint64_t bucket = time / bucket_cycles_;
  for (std::uint64_t left = bytes; left > 0;) {
    if (bucket >= full_.begin && bucket < full_.end) {
      bucket = full_.end;
      run = {full_.begin, full_.end};
    }
    position = chunk_at(bucket / chunk_buckets, position, watermark);
    std::uint64_t& used = chunks_[position].used[bucket % chunk_buckets];
    const std::uint64_t begin = bucket * bucket_cycles_;
    const std::uint64_t start = std::max(time, begin);
    const std::uint64_t cycles = begin + bucket_cycles_ - start;
    const std::uint64_t taken =
        std::min({left, capacity_ - used, flow * cycles, capacity_ * cycles / bucket_cycles_});
    if (taken > 0) {
      used += taken;
      left -= taken;
      passage.first = std::min(passage.first, start);
      // Not before its own bytes have come, nor before all that shares the bucket has passed.
      passage.last = std::max(start + std::max((taken + flow - 1) / flow, cycles_for(taken)),
                              begin + cycles_for(used)) -
                     1;
    }
    if (used == capacity_) run = {run.end == bucket ? run.begin : bucket, bucket + 1};
    ++bucket;
    if (bucket % chunk_buckets == 0) ++position;
  }
  remember(run, watermark);
  return passage;
}

}  // namespace d1::emulator
