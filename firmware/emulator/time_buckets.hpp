// SPDX-License-Identifier: Apache-2.0
// Capacity over time. Transfers are committed out of order of their time stamps, so a resource must
// know its future and its recent past, not only when it is free next.
//
//   PacketSlots  a link or port that moves one packet a cycle: exact, a slot is a cycle. Kept as
//                the busy intervals, so a transfer of any size is one step, a saturated resource
//                is a single interval, and a resource that was never used is 24 bytes of zeros.
//   TimeBuckets  something wider than a link, shared by many flows that each come at link speed (a
//                die's edge, HBM, PCIe): a count of bytes per bucket of cycles, equal neighbours
//                kept together.
//
// Both give the earliest free capacity at or after the time asked for, in the order of the calls,
// and forget what lies before a watermark: no call may then ask for a time before it.
// One thread at a time; nothing blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace d1::emulator {

// First and last cycle in which a transfer passes.
struct Passage {
  std::uint64_t first;
  std::uint64_t last;
};

class PacketSlots {
 public:
  // Takes the first `packets` (> 0) free cycles from `time` on.
  Passage reserve(std::uint64_t time, std::uint64_t packets, std::uint64_t watermark) {
    carried_ += packets;
    if (size_ == 0 || time > intervals_[size_ - 1].end) {
      if (size_ == capacity_) make_room(watermark);
      intervals_[size_++] = {time, time + packets};
      return {time, time + packets - 1};
    }
    if (time == intervals_[size_ - 1].end) {
      intervals_[size_ - 1].end += packets;
      return {time, time + packets - 1};
    }
    return fill_gaps(time, packets, watermark);
  }

  // Makes every cycle from `first` to `last` busy without moving anything: a transfer that is held
  // up behind this link keeps it.
  void block(std::uint64_t first, std::uint64_t last, std::uint64_t watermark);

  [[nodiscard]] std::uint64_t carried() const { return carried_; }  // packets, ever
  [[nodiscard]] bool busy(std::uint64_t cycle) const;               // at or after the watermark
  [[nodiscard]] std::uint32_t interval_count() const { return size_; }

 private:
  struct Interval {
    std::uint64_t begin;
    std::uint64_t end;
  };

  Passage fill_gaps(std::uint64_t time, std::uint64_t packets, std::uint64_t watermark);
  [[nodiscard]] std::uint32_t first_ending_at_or_after(std::uint64_t time) const;
  void replace(std::uint32_t from, std::uint32_t to, Interval merged, std::uint64_t watermark);
  void make_room(std::uint64_t watermark);

  std::unique_ptr<Interval[]> intervals_;  // ascending; a free cycle lies between neighbours
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
  std::uint64_t carried_ = 0;
};

class TimeBuckets {
 public:
  // `capacity` bytes pass in each `bucket_cycles` cycles.
  TimeBuckets(std::uint64_t capacity, std::uint32_t bucket_cycles)
      : capacity_(capacity), bucket_cycles_(bucket_cycles) {}

  // Takes the first free capacity from `time` on for `bytes` (> 0) that come at most `flow` bytes
  // a cycle. With nothing else in its buckets the last byte passes in cycle
  // time + ceil(bytes / min(flow, capacity / bucket_cycles)) - 1.
  Passage reserve(std::uint64_t time, std::uint64_t bytes, std::uint64_t flow,
                  std::uint64_t watermark);

  [[nodiscard]] std::uint64_t carried() const { return carried_; }  // bytes, ever
  [[nodiscard]] std::uint64_t capacity() const { return capacity_; }
  [[nodiscard]] std::uint64_t used(std::uint64_t bucket) const;  // at or after the watermark
  [[nodiscard]] std::size_t segment_count() const { return segments_.size(); }

 private:
  // Buckets [begin, end) of which each has as much used. Gaps between segments are unused, and
  // neighbours differ: a long transfer, and a backlog, are one segment.
  struct Segment {
    std::uint64_t begin;
    std::uint64_t end;
    std::uint64_t used;
  };

  [[nodiscard]] std::uint64_t cycles_for(std::uint64_t bytes) const;
  [[nodiscard]] std::size_t first_ending_after(std::uint64_t bucket) const;
  void note(std::uint64_t begin, std::uint64_t end, std::uint64_t used);
  void splice(std::size_t from, std::size_t to, std::uint64_t watermark);

  std::uint64_t capacity_;
  std::uint32_t bucket_cycles_;
  std::uint64_t carried_ = 0;
  std::size_t forget_at_ = 64;  // segments at which to look for old ones
  std::vector<Segment> segments_;
  std::vector<Segment> changed_;  // what reserve() puts in place of those it met
};

}  // namespace d1::emulator
