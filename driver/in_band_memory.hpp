// SPDX-License-Identifier: Apache-2.0
// Host memory that a server reads and writes by asking for it, where no memory is shared.
// Memory stays its owner's, who removes it before it goes. Any thread; nothing waits.
#pragma once

#include <d1/vfio_user/message_socket.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

namespace d1::driver {

class InBandMemory {
 public:
  void add(std::uint64_t iova, void* memory, std::uint64_t bytes);
  bool remove(std::uint64_t iova);  // false: it was not there
  // What this thread wrote before is there for what is asked for afterwards.
  void publish() { const std::lock_guard guard(mutex_); }
  // Carries out a DMA_READ or DMA_WRITE: an errno, 0 with the reply's payload in `reply`.
  [[nodiscard]] int serve(const vfio_user::Message& request, std::vector<std::byte>& reply);

 private:
  struct Range {
    std::byte* memory;
    std::uint64_t bytes;
  };
  std::mutex mutex_;
  std::map<std::uint64_t, Range> ranges_;  // by first I/O address
};

}  // namespace d1::driver
