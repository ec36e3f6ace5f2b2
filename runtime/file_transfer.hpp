// SPDX-License-Identifier: Apache-2.0
// Between a file and memory, with many reads or writes in flight by io_uring, or one after the
// other where the host has none.
//
// Ownership: the caller's file and memory must outlive the call. One thread at a time.
// Blocking: transfer() waits for the file; asked to stop, it ends with what is in flight.
#pragma once

#include <d1/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>

namespace d1::runtime {

enum class FileDirection : std::uint8_t { Read, Write };

struct FilePiece {
  std::byte* memory = nullptr;
  std::uint64_t bytes = 0;
};

class FileTransfer {
 public:
  virtual ~FileTransfer() = default;
  // The pieces in a row, from `offset` of the file on. What was done before an error stays done.
  [[nodiscard]] virtual Result<> transfer(int file, FileDirection direction, std::uint64_t offset,
                                          std::span<const FilePiece> pieces,
                                          const std::stop_token& stop) = 0;
};

// By io_uring, unless the host refuses it or D1_IO_URING is 0.
[[nodiscard]] std::unique_ptr<FileTransfer> make_file_transfer();
// By pread() and pwrite().
[[nodiscard]] std::unique_ptr<FileTransfer> make_plain_file_transfer();
// Null where the host has no io_uring.
[[nodiscard]] std::unique_ptr<FileTransfer> make_ring_file_transfer();

// done: what read() or write() returned, or a negative errno.
[[nodiscard]] Error file_error(FileDirection direction, std::int64_t done, std::uint64_t offset,
                               std::uint64_t bytes);
[[nodiscard]] Error file_stopped();

}  // namespace d1::runtime
