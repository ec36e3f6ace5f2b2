// SPDX-License-Identifier: Apache-2.0
#include "faults/link_faults.hpp"

#include <algorithm>

#include <d1/isa/hart.hpp>

#include "mix.hpp"

namespace d1::emulator {

void LinkFaults::set(Links links, std::vector<bool> lost_dies) {
  for (auto& [place, link] : links)
    if (const auto before = links_.find(place); before != links_.end())
      link.busy_until = before->second.busy_until;
  links_ = std::move(links);
  lost_dies_ = std::move(lost_dies);
  any_die_lost_ = std::ranges::find(lost_dies_, true) != lost_dies_.end();
  any_ = any_die_lost_ || !links_.empty();
}

LinkFaults::Passage LinkFaults::pass(NodeId from, std::span<const NodeId> to, std::uint64_t bytes,
                                     std::uint64_t departure) {
  Passage passage{.departure = departure};
  std::vector<Link*> slow;
  for (const NodeId destination : to) {
    const std::vector<NodeId> path = noc_.path(from, destination);
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (lost_dies_[path[i].die]) passage.lost = true;
      if (i == 0) continue;
      const auto found = links_.find({path[i - 1], path[i]});
      if (found == links_.end()) continue;
      Link& link = found->second;
      passage.lost = passage.lost || link.lost;
      passage.corrupt = passage.corrupt || link.corrupt;
      if (link.factor != 1 && std::ranges::find(slow, &link) == slow.end()) slow.push_back(&link);
    }
  }
  if (bytes == 0) return passage;
  // One behind the other, each as long as it takes at this link; the rest of the way is the
  // model's, from a departure that puts the last packet there in time.
  const std::uint64_t alone = noc_.packets_of(bytes) * isa::kTicksPerCycle;
  for (Link* link : slow) {
    link->busy_until = std::max(passage.departure, link->busy_until) + alone * link->factor;
    passage.departure = link->busy_until - alone;
  }
  return passage;
}

void LinkFaults::corrupt(std::uint8_t* data, std::uint64_t bytes) {
  const std::uint64_t choice = mix(seed_ ^ mix(++corrupted_));
  std::uint8_t& victim = data[choice / 8 % bytes];
  victim = static_cast<std::uint8_t>(victim ^ 1u << choice % 8);
}

}  // namespace d1::emulator
