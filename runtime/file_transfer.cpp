// SPDX-License-Identifier: Apache-2.0
#include "file_transfer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace d1::runtime {

namespace {

constexpr std::uint64_t kAtOnce = 4u << 20;  // bytes: how late a stop is seen

class PlainFileTransfer final : public FileTransfer {
 public:
  Result<> transfer(int file, FileDirection direction, std::uint64_t offset,
                    std::span<const FilePiece> pieces, const std::stop_token& stop) override {
    for (FilePiece piece : pieces) {
      while (piece.bytes != 0) {
        if (stop.stop_requested()) return std::unexpected(file_stopped());
        const std::uint64_t wanted = std::min(piece.bytes, kAtOnce);
        const auto at = static_cast<off_t>(offset);
        const ssize_t done = direction == FileDirection::Read
                                 ? ::pread(file, piece.memory, wanted, at)
                                 : ::pwrite(file, piece.memory, wanted, at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0)
          return std::unexpected(
              file_error(direction, done < 0 ? -errno : 0, offset, piece.bytes));
        piece.memory += done;
        piece.bytes -= static_cast<std::uint64_t>(done);
        offset += static_cast<std::uint64_t>(done);
      }
    }
    return {};
  }
};

}  // namespace

Error file_error(FileDirection direction, std::int64_t done, std::uint64_t offset,
                 std::uint64_t bytes) {
  const char* const verb = direction == FileDirection::Read ? "read" : "written";
  if (done == 0 && direction == FileDirection::Read)
    return Error(ErrorKind::Invalid,
                 fmt::format("The file ends at byte {}, and {} more were to be read; read less, or "
                             "give another offset.",
                             offset, bytes));
  const auto number = static_cast<int>(-done);
  const std::string reason = std::generic_category().message(number);
  const bool caller = number == EBADF || number == EISDIR || number == EINVAL || number == EFBIG;
  return Error(caller ? ErrorKind::Invalid : ErrorKind::ResourceExhausted,
               fmt::format("{} bytes at byte {} of the file could not be {}: {}.", bytes, offset,
                           verb, done == 0 ? "nothing was taken" : reason));
}

Error file_stopped() {
  return Error(ErrorKind::Cancelled,
               "The stream was closed before this copy of a file had been carried out.");
}

std::unique_ptr<FileTransfer> make_plain_file_transfer() {
  return std::make_unique<PlainFileTransfer>();
}

std::unique_ptr<FileTransfer> make_file_transfer() {
  const char* const asked = std::getenv("D1_IO_URING");
  if (asked == nullptr || std::string_view(asked) != "0")
    if (auto ring = make_ring_file_transfer()) return ring;
  return make_plain_file_transfer();
}

}  // namespace d1::runtime
