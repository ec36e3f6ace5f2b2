// SPDX-License-Identifier: Apache-2.0
#include "dip/log_ring.hpp"

#include <cstring>

namespace d1::emulator {

namespace {
// Some 200,000 lines: far more than one launch prints.
constexpr std::uint64_t kStoreBytes = 16 << 20;
}

void LogRing::configure(std::uint64_t base, std::uint64_t bytes) noexcept {
  base_ = base;
  size_ = bytes;
  head_.store(0);
  tail_.store(0);
}

void LogRing::append(DmaMap& dma, d1_log_record record, std::string_view text) {
  record.bytes = static_cast<std::uint32_t>(text.size());
  std::string bytes(sizeof(record) + (text.size() + 7) / 8 * 8, '\0');
  std::memcpy(bytes.data(), &record, sizeof(record));
  std::memcpy(bytes.data() + sizeof(record), text.data(), text.size());
  if (store_.empty() && put(dma, bytes)) return;
  if (stored_ + bytes.size() > kStoreBytes) {
    lost_.fetch_add(1);
    return;
  }
  stored_ += bytes.size();
  store_.push_back(std::move(bytes));
}

void LogRing::flush(DmaMap& dma) {
  while (!store_.empty() && put(dma, store_.front())) {
    stored_ -= store_.front().size();
    store_.pop_front();
  }
}

bool LogRing::put(DmaMap& dma, std::string_view bytes) {
  if (size_ == 0) return false;
  std::uint64_t head = head_.load(std::memory_order_relaxed);
  // What the host has consumed it no longer reads: pairs with the release of its tail.
  const std::uint64_t tail = tail_.load(std::memory_order_acquire);
  const std::uint64_t at = head & (size_ - 1);
  const std::uint64_t to_end = size_ - at;
  const std::uint64_t skip = bytes.size() > to_end ? to_end : 0;
  if (head + skip + bytes.size() - tail > size_) return false;
  if (skip != 0) {
    const std::uint32_t mark = D1_LOG_SKIP;
    std::uint8_t* place = dma.find(base_ + at, sizeof(mark), DmaAccess::Write);
    if (place == nullptr) return false;
    std::memcpy(place, &mark, sizeof(mark));
    head += skip;
  }
  std::uint8_t* place = dma.find(base_ + (head & (size_ - 1)), bytes.size(), DmaAccess::Write);
  if (place == nullptr) return false;
  std::memcpy(place, bytes.data(), bytes.size());
  dma.flush();
  head_.store(head + bytes.size(), std::memory_order_release);  // pairs with the host's read of it
  return true;
}

}  // namespace d1::emulator
