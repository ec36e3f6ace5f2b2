// SPDX-License-Identifier: Apache-2.0
// The only file of the runtime that names liburing.
#include <liburing.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "file_transfer.hpp"

namespace d1::runtime {

namespace {

// Own: enough to keep a disk busy, in blocks that a core's cache holds.
constexpr unsigned kInFlight = 32;
constexpr std::uint64_t kBlockBytes = 512u << 10;

class RingFileTransfer final : public FileTransfer {
 public:
  explicit RingFileTransfer(const io_uring& ring) : ring_(ring) {
    for (unsigned i = 0; i < kInFlight; ++i) free_[i] = i;
  }
  ~RingFileTransfer() override { ::io_uring_queue_exit(&ring_); }
  RingFileTransfer(const RingFileTransfer&) = delete;
  RingFileTransfer& operator=(const RingFileTransfer&) = delete;

  Result<> transfer(int file, FileDirection direction, std::uint64_t offset,
                    std::span<const FilePiece> pieces, const std::stop_token& stop) override {
    std::optional<Error> error;
    std::uint64_t within = 0;  // the first piece
    for (;;) {
      if (!error && stop.stop_requested()) error = file_stopped();
      while (!error && !pieces.empty() && free_count_ != 0) {
        const FilePiece& piece = pieces.front();
        const std::uint64_t bytes = std::min(piece.bytes - within, kBlockBytes);
        if (bytes != 0) {
          const unsigned slot = free_[--free_count_];
          blocks_[slot] = {piece.memory + within, bytes, offset};
          prepare(slot, file, direction);
        }
        offset += bytes;
        within += bytes;
        if (within == piece.bytes) {
          pieces = pieces.subspan(1);
          within = 0;
        }
      }
      if (free_count_ == kInFlight) break;
      // Memory is in use until its block has ended, so an error waits for the others, too.
      const int submitted = ::io_uring_submit_and_wait(&ring_, 1);
      if (submitted < 0 && submitted != -EINTR && submitted != -EAGAIN && !error)
        error = file_error(direction, submitted, offset, 0);
      end_blocks(file, direction, error);
    }
    if (error) return std::unexpected(std::move(*error));
    return {};
  }

 private:
  struct Block {
    std::byte* memory;
    std::uint64_t bytes, offset;
  };

  void prepare(unsigned slot, int file, FileDirection direction) {
    io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);  // there are as many as slots
    const Block& block = blocks_[slot];
    const auto bytes = static_cast<unsigned>(block.bytes);
    if (direction == FileDirection::Read)
      ::io_uring_prep_read(entry, file, block.memory, bytes, block.offset);
    else
      ::io_uring_prep_write(entry, file, block.memory, bytes, block.offset);
    ::io_uring_sqe_set_data64(entry, slot);
  }

  // Takes what has come; the rest of a block that was only begun goes on its way again.
  void end_blocks(int file, FileDirection direction, std::optional<Error>& error) {
    io_uring_cqe* entry = nullptr;
    while (::io_uring_peek_cqe(&ring_, &entry) == 0) {
      const auto slot = static_cast<unsigned>(::io_uring_cqe_get_data64(entry));
      const int done = entry->res;
      ::io_uring_cqe_seen(&ring_, entry);
      Block& block = blocks_[slot];
      if (done > 0) {
        block.memory += done;
        block.bytes -= static_cast<unsigned>(done);
        block.offset += static_cast<unsigned>(done);
      } else if (done != -EINTR && !error) {
        error = file_error(direction, done, block.offset, block.bytes);
      }
      if (block.bytes != 0 && !error) prepare(slot, file, direction);
      else free_[free_count_++] = slot;
    }
  }

  io_uring ring_;
  std::array<Block, kInFlight> blocks_{};
  std::array<unsigned, kInFlight> free_{};
  unsigned free_count_ = kInFlight;
};

}  // namespace

std::unique_ptr<FileTransfer> make_ring_file_transfer() {
  io_uring ring;
  if (::io_uring_queue_init(kInFlight, &ring, 0) != 0) return nullptr;
  // A kernel may have rings and not these operations.
  io_uring_probe* const probe = ::io_uring_get_probe_ring(&ring);
  const bool able = probe != nullptr && ::io_uring_opcode_supported(probe, IORING_OP_READ) &&
                    ::io_uring_opcode_supported(probe, IORING_OP_WRITE);
  ::io_uring_free_probe(probe);
  if (able) return std::make_unique<RingFileTransfer>(ring);
  ::io_uring_queue_exit(&ring);
  return nullptr;
}

}  // namespace d1::runtime
