// SPDX-License-Identifier: Apache-2.0
// Links of the mesh that lose, delay or corrupt what passes them, and dies that are lost. The
// fabric asks here for each message while there are any. Used by the committing thread only.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <d1/emulator/noc.hpp>

#include "packet.hpp"

namespace d1::emulator {

class LinkFaults {
 public:
  struct Link {
    bool lost = false, corrupt = false;
    std::uint32_t factor = 1;       // times as long for each packet
    std::uint64_t busy_until = 0;   // ticks, of a slow link
  };
  using Links = std::map<std::pair<NodeId, NodeId>, Link>;

  LinkFaults(Noc& noc, std::uint32_t dies) : noc_(noc), lost_dies_(dies) {}

  // From now on; what slow links have on the way stays in order.
  void set(Links links, std::vector<bool> lost_dies);
  void set_seed(std::uint64_t seed) noexcept { seed_ = seed; }

  [[nodiscard]] bool any() const noexcept { return any_; }
  [[nodiscard]] bool any_die_lost() const noexcept { return any_die_lost_; }
  [[nodiscard]] bool die_lost(std::uint32_t die) const { return lost_dies_[die]; }

  struct Passage {
    bool lost = false, corrupt = false;
    std::uint64_t departure = 0;  // ticks: so that it arrives when slow links let it
  };
  // Of a message from one usable node to another, or along a tree to several; then `lost` and
  // `corrupt` say that some of them are concerned.
  [[nodiscard]] Passage pass(NodeId from, std::span<const NodeId> to, std::uint64_t bytes,
                             std::uint64_t departure);
  [[nodiscard]] Passage pass(NodeId from, NodeId to, std::uint64_t bytes,
                             std::uint64_t departure) {
    return pass(from, std::span(&to, 1), bytes, departure);
  }
  [[nodiscard]] bool reaches(NodeId from, NodeId to) { return !pass(from, to, 0, 0).lost; }

  // Flips a bit of `bytes` bytes, which one is up to the seed.
  void corrupt(std::uint8_t* data, std::uint64_t bytes);

 private:
  Noc& noc_;
  Links links_;
  std::vector<bool> lost_dies_;
  bool any_ = false, any_die_lost_ = false;
  std::uint64_t seed_ = 0, corrupted_ = 0;
};

}  // namespace d1::emulator
