// SPDX-License-Identifier: Apache-2.0
// The thread that carries out a stream's copies of files. Where one stands in the stream's order,
// the device fences, tells by that fence's completion that all before has ended, and waits for an
// event that the worker signals when it is done.
//
// Owned by the stream's core, whose queue must outlive it; when it goes, copies that have not begun
// are cancelled. Any thread may submit.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include "file_transfer.hpp"
#include "stream_core.hpp"

namespace d1::runtime {

// A descriptor that closes itself.
class OpenFile {
 public:
  // The caller's may be closed from then on. Invalid if it is no file with bytes at an offset.
  [[nodiscard]] static Result<OpenFile> duplicate(int file);
  OpenFile(OpenFile&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~OpenFile();
  [[nodiscard]] int get() const noexcept { return file_; }

 private:
  explicit OpenFile(int file) noexcept : file_(file) {}
  int file_ = -1;
};

struct FileJob {
  OperationState* operation = nullptr;  // alive while its part is held
  std::shared_ptr<const BufferState> buffer;
  std::uint64_t buffer_offset = 0;
  OpenFile file;
  std::uint64_t file_offset = 0, bytes = 0;
  FileDirection direction = FileDirection::Read;  // of the file
  std::uint64_t event_value = 0;                  // that the stream waits for
};

class FileWorker {
 public:
  // ResourceExhausted: no event of the device, or no thread of the host, is left.
  [[nodiscard]] static Result<std::unique_ptr<FileWorker>> create(StreamCore& core);
  ~FileWorker();
  FileWorker(const FileWorker&) = delete;
  FileWorker& operator=(const FileWorker&) = delete;

  // Puts the copy into the stream's order. Waits only for room in its queue.
  [[nodiscard]] Result<Operation> submit(FileJob job);

 private:
  explicit FileWorker(StreamCore& core, Context::EventSlot event)
      : core_(core), event_(event), transfer_(make_file_transfer()) {}
  void work(const std::stop_token& stop);
  Result<> carry_out(const FileJob& job, const std::stop_token& stop);
  Result<> by_way_of_bounce(const FileJob& job, const std::stop_token& stop);

  StreamCore& core_;
  std::mutex order_mutex_;     // around all others: copies are queued in the order of their events
  Context::EventSlot event_;
  const std::unique_ptr<FileTransfer> transfer_;
  driver::DmaBuffer bounce_;  // of the thread
  std::mutex mutex_;
  std::condition_variable_any pushed_;
  std::deque<FileJob> jobs_;
  std::jthread thread_;
};

}  // namespace d1::runtime
