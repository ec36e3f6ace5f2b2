// SPDX-License-Identifier: Apache-2.0
#include <d1/abi/registers.h>
#include <fmt/format.h>
#include <d1/driver/log_reader.hpp>

#include <atomic>
#include <cstring>

namespace d1::driver {

LogReader::LogReader(Transport& transport, DmaBuffer ring)
    : transport_(transport), ring_(std::move(ring)) {
  transport_.write_register64(D1_REG_LOG_BYTES, ring_.bytes());
  transport_.write_register64(D1_REG_LOG_TAIL, 0);
  transport_.write_register64(D1_REG_LOG_BASE, ring_.iova());
  tail_ = transport_.read_register64(D1_REG_LOG_HEAD);
  transport_.write_register64(D1_REG_LOG_TAIL, tail_);
}

LogReader::~LogReader() { transport_.write_register64(D1_REG_LOG_BASE, 0); }

void LogReader::set_sink(LogSink sink) {
  std::lock_guard lock(mutex_);
  sink_ = std::move(sink);
}

std::uint64_t LogReader::lost_records() const {
  return transport_.read_register64(D1_REG_LOG_LOST);
}

Result<> LogReader::poll() {
  std::lock_guard lock(mutex_);
  const std::uint64_t head = transport_.read_register64(D1_REG_LOG_HEAD);
  // Pairs with the device's release of the head: the records below it are written.
  std::atomic_thread_fence(std::memory_order_acquire);
  // A device that is gone reads all ones: whoever waits for it says so, not the log.
  if (head == tail_ || head == ~std::uint64_t{0} || transport_.lost()) return {};
  const std::uint64_t size = ring_.bytes();
  Result<> result;
  if (head < tail_ || head - tail_ > size) {
    result =
        fail(ErrorKind::Protocol,
             fmt::format("The device's log head {} does not fit tail {} and a ring of {} bytes.",
                         head, tail_, size));
    tail_ = head;
  }
  while (tail_ != head) {
    const std::uint64_t offset = tail_ & (size - 1);
    d1_log_record record;
    const std::uint64_t room = std::min(size - offset, head - tail_);
    std::uint32_t bytes = 0;
    if (room >= sizeof bytes) std::memcpy(&bytes, ring_.data() + offset, sizeof bytes);
    if (bytes == D1_LOG_SKIP && room == size - offset) {
      tail_ += room;
      continue;
    }
    if (room < sizeof record || bytes > D1_LOG_TEXT_BYTES || bytes > room - sizeof record) {
      result = fail(ErrorKind::Protocol,
                    fmt::format("The device's log holds a record of {} bytes at offset {}, with {} "
                                "bytes of room and a limit of {}.",
                                bytes, offset, room, D1_LOG_TEXT_BYTES));
      tail_ = head;
      break;
    }
    std::memcpy(&record, ring_.data() + offset, sizeof record);
    if (sink_) {
      const char* text = reinterpret_cast<const char*>(ring_.data() + offset + sizeof record);
      sink_({record.die, record.node, record.rank, record.hart, record.launch_id, record.cycle,
             std::string_view(text, bytes)});
    }
    const std::uint64_t step = sizeof record + (bytes + 7) / 8 * 8;
    tail_ += std::min(step, head - tail_);
  }
  transport_.write_register64(D1_REG_LOG_TAIL, tail_);
  return result;
}

}  // namespace d1::driver
