// SPDX-License-Identifier: Apache-2.0
// Why a launch can never end, or what still moves in it, in words: a group for all harts that do
// the same at the same place, so that thousands of harts make a few lines.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "stream_core.hpp"

namespace d1::runtime {
namespace {

// Harts that do the same. What differs between them is told as a range.
struct Group {
  std::string what;  // as an example says it, but for the range
  std::uint64_t harts = 0;
  bool stuck = false;
  std::uint64_t least = ~std::uint64_t{0}, most = 0;  // of the semaphore's number
  std::uint64_t least_amount = ~std::uint64_t{0}, most_amount = 0;
  const d1_debug_wait* first = nullptr;
  std::vector<std::string> places;
};

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}
std::string range(std::uint64_t least, std::uint64_t most) {
  return least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
}

class Account {
 public:
  Account(const OperationState& operation, const Context::Waits& waits)
      : operation_(operation),
        waits_(waits),
        columns_(operation.grid->context().info().node_columns) {
    for (const d1_debug_wait& wait : waits.harts) {
      by_place_[key(wait.die, wait.node, wait.hart)] = &wait;
      ranks_.insert(wait.rank);
    }
    for (const d1_debug_wait& wait : waits.harts) enter(wait);
  }

  // Those that are stuck first, then in the order of how many they are.
  [[nodiscard]] std::vector<const Group*> groups() const {
    std::vector<const Group*> sorted;
    for (const auto& [what, group] : groups_) sorted.push_back(&group);
    std::ranges::stable_sort(sorted, [](const Group* a, const Group* b) {
      return std::tuple(!a->stuck, b->harts) < std::tuple(!b->stuck, a->harts);
    });
    return sorted;
  }
  // Those that only gather the stuck ones of their node count where there are no others.
  [[nodiscard]] std::uint64_t stuck() const {
    const auto count = [this](auto&& which) {
      return static_cast<std::uint64_t>(std::ranges::count_if(
          waits_.harts, [&](const d1_debug_wait& wait) { return wait.stuck != 0 && which(wait); }));
    };
    const std::uint64_t in_kernel =
        count([](const auto& wait) { return wait.state == D1_DEBUG_WAIT_WAITS; });
    return in_kernel != 0 ? in_kernel : count([](const auto&) { return true; });
  }
  [[nodiscard]] std::uint64_t completed_nodes() const {
    return operation_.grid->nodes() - ranks_.size();
  }
  [[nodiscard]] std::string lines() const;
  [[nodiscard]] std::string place_of(std::uint64_t pc) const;

 private:
  static std::tuple<std::uint32_t, std::uint32_t, std::uint32_t> key(std::uint32_t die,
                                                                     std::uint32_t node,
                                                                     std::uint32_t hart) {
    return {die, node, hart};
  }
  [[nodiscard]] std::string node_text(std::uint32_t die, std::uint32_t node) const {
    return fmt::format("die {} row {} column {}", die, node / columns_, node % columns_);
  }
  [[nodiscard]] static bool alike(const d1_debug_wait& a, const d1_debug_wait& b);
  void enter(const d1_debug_wait& wait);
  [[nodiscard]] std::string short_place_of(std::uint64_t pc) const;
  [[nodiscard]] std::string missed_nodes(const d1_debug_wait& wait) const;
  [[nodiscard]] std::string missed(const d1_debug_wait& wait) const;
  [[nodiscard]] std::string peer(const d1_debug_wait& wait, std::string_view where) const;
  [[nodiscard]] std::string what_of(const d1_debug_wait& wait) const;
  [[nodiscard]] std::string title(const Group& group) const;

  const OperationState& operation_;
  const Context::Waits& waits_;
  const std::uint32_t columns_;
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, const d1_debug_wait*> by_place_;
  std::set<std::uint32_t> ranks_;  // of nodes that have not completed
  std::map<std::string, Group> groups_;
  // By pc: the debug information is read once each.
  mutable std::map<std::uint64_t, std::string> places_, short_places_;
  // Thousands of harts mostly do what the one before does.
  std::pair<const d1_debug_wait*, Group*> latest_{};
};

std::string Account::place_of(std::uint64_t pc) const {
  std::string& place = places_[pc];
  if (place.empty())
    place = pc >= D1_ROM_BASE ? "the boot ROM, behind the kernel"
                              : to_string(operation_.program->place(pc), pc);
  return place;
}

// Without the way into the functions of the kernel SDK.
std::string Account::short_place_of(std::uint64_t pc) const {
  if (pc >= D1_ROM_BASE) return place_of(pc);
  std::string& text = short_places_[pc];
  if (!text.empty()) return text;
  SourcePlace place = operation_.program->place(pc);
  if (!place.callers.empty()) {
    static_cast<SourceFrame&>(place) = place.callers.back();
    place.callers.clear();
  }
  return text = to_string(place, pc);
}

// A few words about the hart that is waited for.
std::string Account::peer(const d1_debug_wait& wait, std::string_view where) const {
  if (wait.for_hart >= D1_HARTS) return {};
  const auto found = by_place_.find(key(wait.for_die, wait.for_node, wait.for_hart));
  std::string does = "does not run the kernel";
  if (found != by_place_.end()) {
    const d1_debug_wait& other = *found->second;
    switch (other.state) {
      case D1_DEBUG_WAIT_RUNS: does = "runs"; break;
      case D1_DEBUG_WAIT_HELD: does = "is held by a fault"; break;
      case D1_DEBUG_WAIT_ENDED: does = "has ended the kernel"; break;
      case D1_DEBUG_WAIT_STOPPED: does = "has stopped"; break;
      default: does = "waits in " + short_place_of(other.pc); break;
    }
  }
  return fmt::format("hart {}{}, which {}", wait.for_hart, where, does);
}

std::string Account::missed_nodes(const d1_debug_wait& wait) const {
  const std::uint64_t completed = completed_nodes();
  std::string text = fmt::format("{} of {}", wait.missing + completed,
                                 counted(operation_.grid->nodes(), "node"));
  if (const std::string first = peer(wait, {}); !first.empty())
    text += fmt::format(", first {}, {}", node_text(wait.for_die, wait.for_node), first);
  if (completed == 0) return text;
  std::uint64_t rank = 0;
  while (ranks_.contains(static_cast<std::uint32_t>(rank))) ++rank;
  const NodePlace place = operation_.grid->place_of(rank);
  return text + fmt::format(", {} completed without it, first {}", counted(completed, "node"),
                            node_text(place.die, place.node));
}

std::string Account::missed(const d1_debug_wait& wait) const {
  if (wait.kind == D1_WAIT_GRID_BARRIER && wait.index == 1) return missed_nodes(wait);
  const std::string first = peer(wait, " of their node");
  if (!first.empty()) return first;
  return fmt::format("{} more than the launch runs on a node", counted(wait.missing, "hart"));
}

// Also what tells groups apart: no numbers that differ from hart to hart.
std::string Account::what_of(const d1_debug_wait& wait) const {
  switch (wait.state) {
    case D1_DEBUG_WAIT_RUNS: return "running, in " + place_of(wait.pc);
    case D1_DEBUG_WAIT_HELD: return "held by a fault, in " + place_of(wait.pc);
    case D1_DEBUG_WAIT_ENDED:
      if (wait.stuck == 0 || wait.for_hart >= D1_HARTS) return "done with the kernel";
      return "done with the kernel, waiting for " + peer(wait, " of their node");
    case D1_DEBUG_WAIT_STOPPED: return "stopped";
    default: break;
  }
  const std::string in = ", in " + place_of(wait.pc);
  switch (wait.kind) {
    case D1_WAIT_SEMAPHORE:
      return fmt::format("{}{}", wait.stuck != 0 ? "that nobody is left to post" : "", in);
    case D1_WAIT_NODE_BARRIER:
      return fmt::format("waiting at the barrier of their node for {} ({} there){}; missing: {}",
                         counted(wait.amount, "hart"), wait.value, in, missed(wait));
    case D1_WAIT_GRID_BARRIER:
      return fmt::format("waiting at the barrier of the grid{}; missing: {}", in, missed(wait));
    case D1_WAIT_REMOTE_ACCESS:
      return "waiting for the answer to an access of another node or HBM, which was lost" + in;
    case D1_WAIT_TRANSFER:
      return "waiting for their own transfers, of which some were lost" + in;
    case D1_WAIT_INTERRUPT: return "waiting for an interrupt, which nobody raises" + in;
    default: return "waiting" + in;
  }
}

// Whether both are told alike, and those that they wait for are the same.
bool Account::alike(const d1_debug_wait& a, const d1_debug_wait& b) {
  const auto key = [](const d1_debug_wait& wait) {
    const bool semaphore = wait.kind == D1_WAIT_SEMAPHORE && wait.state == D1_DEBUG_WAIT_WAITS;
    return std::tuple(wait.state, wait.kind, wait.stuck, wait.pc, semaphore ? 0 : wait.index,
                      semaphore ? 0 : wait.amount, semaphore ? 0 : wait.value, wait.missing,
                      wait.for_die, wait.for_node, wait.for_hart);
  };
  return key(a) == key(b);
}

void Account::enter(const d1_debug_wait& wait) {
  constexpr std::size_t kExamples = 3;
  if (latest_.first == nullptr || !alike(*latest_.first, wait)) {
    const std::string what = what_of(wait);
    const bool semaphore = wait.state == D1_DEBUG_WAIT_WAITS && wait.kind == D1_WAIT_SEMAPHORE;
    Group& group = groups_[(semaphore ? "semaphore " : "") + what];
    if (group.harts == 0) {
      group.what = what;
      group.stuck = wait.stuck != 0;
      group.first = &wait;
    }
    latest_ = {&wait, &group};
  }
  Group& group = *latest_.second;
  ++group.harts;
  group.least = std::min(group.least, wait.index);
  group.most = std::max(group.most, wait.index);
  group.least_amount = std::min(group.least_amount, wait.amount);
  group.most_amount = std::max(group.most_amount, wait.amount);
  if (group.places.size() < kExamples)
    group.places.push_back(
        fmt::format("{} hart {}", node_text(wait.die, wait.node), wait.hart));
}

std::string Account::title(const Group& group) const {
  const d1_debug_wait& first = *group.first;
  if (first.state != D1_DEBUG_WAIT_WAITS || first.kind != D1_WAIT_SEMAPHORE) return group.what;
  const std::string held =
      group.harts == 1 ? fmt::format(" (it holds {})", first.value) : std::string();
  return fmt::format("waiting for semaphore {} to hold {}{}{}{}", range(group.least, group.most),
                     range(group.least_amount, group.most_amount), held,
                     group.what.starts_with(',') ? "" : ", ", group.what);
}

std::string Account::lines() const {
  constexpr std::size_t kGroups = 10;
  std::string text;
  const std::vector<const Group*> sorted = groups();
  for (std::size_t i = 0; i < sorted.size() && i < kGroups; ++i) {
    const Group& group = *sorted[i];
    text += fmt::format("\n  {:>7} {}\n          on {}", group.harts, title(group),
                        fmt::join(group.places, "; "));
    if (group.harts > group.places.size()) text += "; ...";
  }
  if (sorted.size() > kGroups)
    text += fmt::format("\n  ... and {} more groups", sorted.size() - kGroups);
  return text;
}

}  // namespace

std::string deadlock_report(const OperationState& operation, const Context::Waits& waits) {
  const Account account(operation, waits);
  const d1_debug_verdict& verdict = waits.verdict;
  std::string why;
  if (verdict.runnable_harts == 0) {
    why = "no hart of the machine runs, nothing is on its way, and no command in a queue of the "
          "device could let one go on";
  } else {
    why = fmt::format(
        "{} of the machine run, and none of them, nor what is in the device's queues, can let "
        "these go on",
        counted(verdict.runnable_harts, "hart"));
  }
  std::string text = fmt::format(
      "Kernel '{}' can never end and was aborted: {} for what cannot come. This is proven: {}. If "
      "the host was to do it, launch with host_interactive.",
      operation.kernel,
      account.stuck() == 1 ? "1 hart waits" : fmt::format("{} harts wait", account.stuck()), why);
  if (account.completed_nodes() != 0)
    text += fmt::format(" {} of {} had completed.", account.completed_nodes(),
                        counted(operation.grid->nodes(), "node"));
  return text + " Who waits for whom:" + account.lines();
}

std::string slow_report(const OperationState& operation, const Context::Waits& waits) {
  constexpr std::size_t kPlaces = 3;
  const Account account(operation, waits);
  const d1_debug_verdict& verdict = waits.verdict;
  std::map<std::string, std::uint64_t> running;
  std::uint64_t runs = 0;
  for (const d1_debug_wait& wait : waits.harts)
    if (wait.state == D1_DEBUG_WAIT_RUNS) {
      ++running[account.place_of(wait.pc)];
      ++runs;
    }
  std::vector<std::pair<std::string, std::uint64_t>> sorted(running.begin(), running.end());
  std::ranges::stable_sort(sorted, std::ranges::greater{},
                           [](const auto& each) { return each.second; });
  std::string text =
      runs == 0 ? "None of its harts runs now, but it is not proven to be stuck"
                : fmt::format("It is slow, or runs in circles, but not proven to be stuck: {} of "
                              "its harts run",
                              runs);
  for (std::size_t i = 0; i < sorted.size() && i < kPlaces; ++i)
    text += fmt::format("{} {} in {}", i == 0 ? ":" : ",", sorted[i].second, sorted[i].first);
  if (sorted.size() > kPlaces)
    text += fmt::format(", others in {} places more", sorted.size() - kPlaces);
  if (verdict.runnable_harts > runs)
    text += fmt::format("; {} of the machine that are not its own run",
                        counted(verdict.runnable_harts - runs, "hart"));
  if (verdict.packets_in_flight != 0)
    text += fmt::format("; {} on the way", counted(verdict.packets_in_flight, "packet"));
  text += fmt::format("; {} sent since power-on", counted(verdict.packets, "packet"));
  if (verdict.held_harts != 0)
    text += fmt::format("; {} held by a fault", counted(verdict.held_harts, "hart"));
  if (verdict.faults != 0)
    text += fmt::format("; {} in force or to come, which may change that",
                        counted(verdict.faults, "fault"));
  if (verdict.commands != 0)
    text += fmt::format("; {} with commands that may let it go on",
                        counted(verdict.commands, "queue"));
  if (operation.host_interactive) text += "; the host has said that it will let it go on";
  return text + ".";
}

}  // namespace d1::runtime
