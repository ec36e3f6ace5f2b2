// SPDX-License-Identifier: Apache-2.0
// One transfer to many nodes: packets pass each link of the routes' union once.
#include <cassert>

#include "d1/emulator/noc.hpp"
#include "noc_fabric.hpp"

namespace d1::emulator {

// Every destination's route is walked from the start; the marks tell which of its links an earlier
// destination's route has brought into the plan already.
MulticastPlan Noc::plan(NodeId source, std::span<const NodeId> destinations) {
  assert(geometry_.usable(source));
  const std::uint64_t number = ++impl_->plans;
  MulticastPlan plan;
  plan.source_ = source;
  plan.destinations_.reserve(destinations.size());
  for (const NodeId destination : destinations) {
    assert(geometry_.usable(destination));
    std::uint32_t before = MulticastPlan::at_source;
    std::uint32_t die = source.die;
    Fabric* here = nullptr;
    impl_->routing.walk(source, destination, [&](NodeId from, Direction direction, NodeId to) {
      if (here == nullptr || from.die != die) {
        die = from.die;
        here = &fabric(die);
        here->marks.resize(std::size_t{geometry_.node_positions()} * direction_count);
      }
      Fabric::Mark& mark =
          here->marks[from.node * direction_count + static_cast<std::uint32_t>(direction)];
      if (mark.plan != number) {
        mark = {number, static_cast<std::uint32_t>(plan.links_.size())};
        plan.links_.push_back({from, to, direction, before});
      }
      before = mark.link;
    });
    plan.destinations_.push_back({destination, before});
  }
  return plan;
}

void Noc::spread(const MulticastPlan& plan, const Train& start, std::span<std::uint64_t> arrivals) {
  assert(arrivals.size() >= plan.destinations_.size());
  std::vector<Train>& trains = impl_->trains;
  trains.clear();
  for (const MulticastPlan::Link& link : plan.links_) {
    Train train = link.before == MulticastPlan::at_source ? start : trains[link.before];
    if (link.from.die == link.to.die) {
      hop(fabric(link.from.die), link.from, link.direction, train);
    } else {
      cross(link.from, link.direction, link.to, train);
    }
    trains.push_back(train);
  }
  for (std::size_t i = 0; i < plan.destinations_.size(); ++i) {
    const auto [node, last] = plan.destinations_[i];
    Train train = last == MulticastPlan::at_source ? start : trains[last];
    deliver(node, train);
    arrivals[i] = train.tail;
  }
}

void Noc::multicast(const MulticastPlan& plan, std::uint64_t bytes, std::uint64_t departure,
                    std::span<std::uint64_t> arrivals) {
  Train train = this->train(bytes, departure);
  train.pass(fabric(plan.source_.die)
                 .port(plan.source_.node, NodePort::Out)
                 .reserve(train.head, train.packets, watermark_));
  train.delay(cycles_.injection);
  spread(plan, train, arrivals);
}

void Noc::multicast(NodeId source, std::span<const NodeId> destinations, std::uint64_t bytes,
                    std::uint64_t departure, std::span<std::uint64_t> arrivals) {
  multicast(plan(source, destinations), bytes, departure, arrivals);
}

void Noc::multicast_from_dip(std::uint32_t index, DipEnd end, const MulticastPlan& plan,
                             std::uint64_t bytes, std::uint64_t departure,
                             std::span<std::uint64_t> arrivals) {
  const auto& ports = geometry_.dips()[index].ports;
  assert(plan.source_ == geometry_.dip_port(index));
  Train train = this->train(bytes, departure);
  access(dip(index), end, true, train);
  enter_mesh(dip(index), static_cast<std::uint32_t>(ports.size() / 2), train);
  spread(plan, train, arrivals);
}

void Noc::multicast_from_dip(std::uint32_t index, DipEnd end, std::span<const NodeId> destinations,
                             std::uint64_t bytes, std::uint64_t departure,
                             std::span<std::uint64_t> arrivals) {
  multicast_from_dip(index, end, plan(geometry_.dip_port(index), destinations), bytes, departure,
                     arrivals);
}

}  // namespace d1::emulator
