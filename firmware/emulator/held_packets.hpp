// SPDX-License-Identifier: Apache-2.0
// What a seed holds back. The order of the network promises less than a quiet network keeps: puts
// of one node to one destination arrive in order, and nothing else does. With a seed, some
// transfers and posts wait for a few quanta while others pass them, so that programs which rely on
// more fail in a test instead of on a busy machine.
//
// Never changed: the order of puts and multicasts from one node to one destination, and what a
// fence or a completion waits for: what is held back has not arrived, and only puts whose data was
// taken out of the source are complete there.
// The same seed holds back the same packets. Only the committing thread comes here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "packet.hpp"

namespace d1::emulator {

class HeldPackets {
 public:
  [[nodiscard]] bool empty() const noexcept { return held_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return held_.size(); }

  struct Entry {
    Packet packet;
    std::uint64_t launch;
    std::uint64_t release;  // commit
    // A put that has left its source, which may be reused: the data is here. Others are as if they
    // had not been issued yet.
    bool left = false;
    std::vector<std::uint8_t> data = {};
  };
  // The packet was taken and comes back from release(), or null. `launch` is what it belongs to, 0
  // if nothing. The entry is valid until the next call; the caller fills in the data of one that
  // left.
  Entry* take(const Packet& packet, std::uint64_t launch, std::uint64_t seed);

  // A commit begins: what has waited long enough, in the order it was sent.
  [[nodiscard]] std::vector<Entry> release();

 private:
  static constexpr std::uint64_t kMostCommits = 4;

  std::vector<Entry> held_;
  std::uint64_t commit_ = 0;
};

}  // namespace d1::emulator
