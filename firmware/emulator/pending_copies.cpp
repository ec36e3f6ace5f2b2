// SPDX-License-Identifier: Apache-2.0
#include "pending_copies.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace d1::emulator {

namespace {

constexpr std::uint64_t kWorthPuttingOff = 4096;     // bytes of a copy, own
constexpr std::uint64_t kWorthSharing = 256 << 10;   // bytes of all, own: a few times a wake's cost
// Bytes of all that no cache keeps until they are used: reading lines only to overwrite them would
// cost as much as the copy. Own, measured.
constexpr std::uint64_t kWorthStreaming = 8 << 20;
constexpr std::size_t kMemoriesKept = 4096;  // own: a few hundred KB

// Writes a row past the caches.
void stream_row(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes) noexcept {
#if defined(__x86_64__)
  const std::size_t head = std::min<std::size_t>(-reinterpret_cast<std::uintptr_t>(to) % 16, bytes);
  std::memcpy(to, from, head);
  std::size_t at = head;
  for (; at + 64 <= bytes; at += 64) {
    __m128i line[4];
    std::memcpy(line, from + at, sizeof line);
    for (int i = 0; i < 4; ++i) _mm_stream_si128(reinterpret_cast<__m128i*>(to + at) + i, line[i]);
  }
  std::memcpy(to + at, from + at, bytes - at);
#else
  std::memcpy(to, from, bytes);
#endif
}

// Others see streamed bytes once this thread says that it is done.
void end_streaming() noexcept {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

}  // namespace

void PendingCopies::Extent::include(const Extent& other) noexcept {
  begin = std::min(begin, other.begin);
  end = std::max(end, other.end);
}

PendingCopies::Extent PendingCopies::extent(const Place& place, std::uint32_t rows,
                                            std::uint32_t row_bytes) noexcept {
  return {place.offset, place.offset + std::uint64_t{rows - 1} * place.pitch + row_bytes};
}

void PendingCopies::carry_out(const Copy& copy, Way way) noexcept {
  for (std::uint32_t row = 0; row < copy.rows; ++row) {
    std::uint8_t* const to = copy.to + row * copy.to_pitch;
    const std::uint8_t* const from = copy.from + row * copy.from_pitch;
    if (way == Way::PastCaches) stream_row(to, from, copy.row_bytes);
    else std::memmove(to, from, copy.row_bytes);
  }
}

void PendingCopies::add(const Place& to, const Place& from, std::uint32_t rows,
                        std::uint32_t row_bytes) {
  const Copy copy{to.address, from.address, to.pitch, from.pitch, rows, row_bytes};
  const std::uint64_t bytes = std::uint64_t{rows} * row_bytes;
  const Extent read = extent(from, rows, row_bytes), written = extent(to, rows, row_bytes);
  const bool within = to.node == from.node && read.overlaps(written);
  const bool at_once = pool_ == nullptr || bytes < kWorthPuttingOff || within;
  if (bytes_ != 0) {
    const auto source = memories_.find(from.node), target = memories_.find(to.node);
    if ((source != memories_.end() && source->second.written.overlaps(read)) ||
        (target != memories_.end() && (target->second.read.overlaps(written) ||
                                       (at_once && target->second.written.overlaps(written)))))
      finish();
  }
  if (at_once) return carry_out(copy, Way::ThroughCaches);
  list(from.node).read.include(read);
  Memory& target = list(to.node);
  target.written.include(written);
  if (target.copies.empty()) targets_.push_back(&target);
  target.copies.push_back(copy);
  bytes_ += bytes;
}

void PendingCopies::finish() {
  if (bytes_ == 0) return;
  const Way way = bytes_ >= kWorthStreaming ? Way::PastCaches : Way::ThroughCaches;
  const auto fill = [&](std::uint32_t item, unsigned) {
    for (const Copy& copy : targets_[item]->copies) carry_out(copy, way);
    if (way == Way::PastCaches) end_streaming();
  };
  const auto count = static_cast<std::uint32_t>(targets_.size());
  if (bytes_ >= kWorthSharing) pool_->run(count, fill, [](std::uint32_t, WorkerPool::Ahead) {});
  else
    for (std::uint32_t item = 0; item < count; ++item) fill(item, 0);
  forget();
}

PendingCopies::Memory& PendingCopies::list(NodeIndex node) {
  Memory& memory = memories_[node];
  if (!std::exchange(memory.listed, true)) listed_.push_back(&memory);
  return memory;
}

void PendingCopies::forget() {
  for (Memory* const memory : listed_) {
    memory->read = memory->written = {};
    memory->copies.clear();
    memory->listed = false;
  }
  listed_.clear();
  targets_.clear();
  if (memories_.size() > kMemoriesKept) memories_.clear();
  bytes_ = 0;
}

}  // namespace d1::emulator
