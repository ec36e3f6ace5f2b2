// SPDX-License-Identifier: Apache-2.0
// Memory of a client that its device may reach: files of the client mapped here, or, without a
// file, ranges whose bytes are asked for by message.
//
// Ownership: owns the mappings; unmaps them from the device when it dies. Threads: one at a time.
#pragma once

#include <d1/emulator/device.hpp>
#include <d1/vfio_user/message_socket.hpp>

#include <cstdint>
#include <map>

#include "shrink_guard.hpp"

namespace d1::server {

class ClientMemory {
 public:
  // `remote`: asks the client for bytes of memory that came without a file; outlives this.
  ClientMemory(emulator::Device& device, emulator::RemoteMemory& remote)
      : device_(device), remote_(remote) {}
  ~ClientMemory();
  ClientMemory(const ClientMemory&) = delete;
  ClientMemory& operator=(const ClientMemory&) = delete;

  // Both give an errno, 0 for success; a failure changes nothing. File -1: by message.
  [[nodiscard]] int map(const d1_vfio_user_dma_map& request, int file);
  [[nodiscard]] int unmap(std::uint64_t address, std::uint64_t bytes);

  [[nodiscard]] std::size_t maps() const noexcept { return ranges_.size(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  struct Range {
    std::uint64_t bytes;
    void* mapping;  // null: by message
    std::size_t guarded;
  };
  void let_go(std::uint64_t address, const Range& range);

  emulator::Device& device_;
  emulator::RemoteMemory& remote_;
  ShrinkGuard guard_;
  std::map<std::uint64_t, Range> ranges_;
  std::uint64_t bytes_ = 0;
};

}  // namespace d1::server
