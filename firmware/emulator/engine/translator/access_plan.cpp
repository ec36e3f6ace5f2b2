// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/access_plan.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <utility>

#include "engine/register_use.hpp"
#include "engine/translator/region.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;

namespace {

// Own: what one check covers at most, so that it fails at the window's edges alone; and rounds of a
// loop between two checks.
constexpr std::int64_t kReach = 4096;
constexpr std::int64_t kMostRounds = 256, kFewestRounds = 16;
constexpr std::uint64_t kSmallestWindow = 4 * kReach * kFewestRounds;  // larger than any check

// A value as a distance from a value that is not known: that of x1 to x31 at the block's beginning
// (origins 1 to 31), zero (origin 0), or one that came up on the way.
struct Value {
  int origin = 0;
  std::int64_t offset = 0;
};

std::int64_t wrapping_add(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

class Registers {
 public:
  Registers() {
    for (int i = 0; i < 32; ++i) values_[static_cast<unsigned>(i)] = {i, 0};
  }
  [[nodiscard]] Value operator[](unsigned guest) const noexcept { return values_[guest]; }

  // The operation was passed.
  void follow(const Operation& operation) noexcept {
    switch (operation.id) {
      case InstructionId::addi:
        return set(operation.rd, moved(values_[operation.rs1], operation.immediate));
      case InstructionId::lui:
        return set(operation.rd, {0, operation.immediate});
      case InstructionId::auipc:
        return set(operation.rd,
                   {0, wrapping_add(static_cast<std::int64_t>(operation.pc), operation.immediate)});
      case InstructionId::add:
        if (operation.rs1 == 0) return set(operation.rd, values_[operation.rs2]);
        if (operation.rs2 == 0) return set(operation.rd, values_[operation.rs1]);
        break;
      default:
        break;
    }
    if (const unsigned written = written_integer(operation)) set(written, {next_++, 0});
  }

 private:
  static Value moved(Value value, std::int64_t by) noexcept {
    return {value.origin, wrapping_add(value.offset, by)};
  }
  void set(unsigned guest, Value value) noexcept {
    if (guest != 0) values_[guest] = value;
  }

  std::array<Value, 32> values_;
  int next_ = 32;
};

// A scalar access, its place told from an origin.
struct Place {
  unsigned index = 0;
  Value base;
  std::int64_t low = 0, end = 0;
};

bool within(std::int64_t low, std::int64_t end, std::uint64_t window_base,
            std::uint64_t window_bytes) noexcept {
  const std::uint64_t offset = static_cast<std::uint64_t>(low) - window_base;
  const auto bytes = static_cast<std::uint64_t>(end - low);
  return offset <= window_bytes - bytes;
}

// Lets the first access of each group check for all of it.
void share_checks(std::span<const Place> places, std::pmr::vector<AccessPlan::Access>& accesses) {
  struct Group {
    const Place* leader;
    std::int64_t low, end;
  };
  std::pmr::vector<Group> groups(accesses.get_allocator());
  for (const Place& place : places) {
    const auto group = std::ranges::find_if(groups, [&](const Group& each) {
      return each.leader->base.origin == place.base.origin &&
             std::max(each.end, place.end) - std::min(each.low, place.low) <= kReach;
    });
    if (group == groups.end()) {
      groups.push_back({&place, place.low, place.end});
      continue;
    }
    group->low = std::min(group->low, place.low);
    group->end = std::max(group->end, place.end);
    const std::int64_t leader = group->leader->base.offset;
    accesses[group->leader->index] = {AccessPlan::Check::Group, group->low - leader,
                                      group->end - leader};
    accesses[place.index].check = AccessPlan::Check::Covered;
  }
}

void plan_loop(const Registers& at_end, std::span<const Place> places, AccessPlan& plan) {
  std::pmr::vector<Place> left(plan.accesses.get_allocator());
  std::int64_t longest_step = 0;
  for (const Place& place : places) {
    const auto guest = static_cast<std::uint8_t>(place.base.origin);
    if (place.base.origin >= 32 || at_end[guest].origin != place.base.origin) {
      left.push_back(place);
      continue;
    }
    const auto base = std::ranges::find(plan.bases, guest, &AccessPlan::Base::guest);
    if (base != plan.bases.end()) {
      base->low = std::min(base->low, place.low);
      base->end = std::max(base->end, place.end);
    } else {
      plan.bases.push_back({guest, at_end[guest].offset, place.low, place.end});
    }
    longest_step = std::max(longest_step, std::abs(at_end[guest].offset));
    plan.loop_accesses[place.index].check = AccessPlan::Check::Covered;
  }
  share_checks(left, plan.loop_accesses);
  plan.rounds = static_cast<std::uint32_t>(
      std::clamp(kReach / std::max<std::int64_t>(longest_step, 1), kFewestRounds, kMostRounds));
  // Nothing that a check at a 32-bit distance could not tell: then each round checks as others do.
  const bool far = std::ranges::any_of(plan.bases, [](const AccessPlan::Base& base) {
    return std::abs(base.step) > kReach || base.end - base.low > kReach ||
           std::abs(base.low) > kReach;
  });
  if (!far) return;
  plan.bases.clear();
  plan.loop_accesses = plan.accesses;
}

// Only of scalar code, whose rounds all take the same time.
AccessPlan::Count plan_count(const Block& block, const Registers& at_end) {
  const Operation& end = block.operations[block.count - 1];
  if (end.id != InstructionId::bne) return {};
  for (unsigned i = 0; i < block.count; ++i)
    if (is_vector(block.operations[i].id)) return {};
  for (const auto& [counter, limit] : {std::pair{end.rs1, end.rs2}, {end.rs2, end.rs1}}) {
    const Value moved = at_end[counter], fixed = at_end[limit];
    if (counter != 0 && moved.origin == counter && fixed.origin == limit && fixed.offset == 0 &&
        std::abs(moved.offset) <= kReach &&
        std::has_single_bit(static_cast<std::uint64_t>(std::abs(moved.offset))))
      return {counter, limit, moved.offset};
  }
  return {};
}

bool loops_to_itself(const Block& block) noexcept {
  const Successors after = successors_of(block);
  return after.has_taken && after.has_next && after.taken == block.start;
}

}  // namespace

unsigned scalar_access_bytes(InstructionId id) noexcept {
  using I = InstructionId;
  switch (id) {
    case I::lb: case I::lbu: case I::sb: return 1;
    case I::lh: case I::lhu: case I::sh: return 2;
    case I::lw: case I::lwu: case I::sw: case I::flw: case I::fsw: return 4;
    case I::ld: case I::sd: case I::fld: case I::fsd: return 8;
    default: return 0;
  }
}

bool is_planned(InstructionId id, HostLevel level) noexcept {
  using I = InstructionId;
  const bool is_float = id == I::flw || id == I::fld || id == I::fsw || id == I::fsd;
  return scalar_access_bytes(id) != 0 && (!is_float || level != HostLevel::Portable);
}

AccessPlan plan_accesses(const Block& block, HostLevel level, std::uint64_t window_base,
                         std::uint64_t window_bytes, std::pmr::memory_resource& memory) {
  AccessPlan plan(memory);
  plan.accesses.resize(block.count);
  if (window_bytes < kSmallestWindow) return plan;
  Registers registers;
  std::pmr::vector<Place> places(&memory);
  for (unsigned i = 0; i < block.count; ++i) {
    const Operation& operation = block.operations[i];
    if (is_planned(operation.id, level)) {
      const Value base = registers[operation.rs1];
      const std::int64_t low = wrapping_add(base.offset, operation.immediate);
      const Place place{i, base, low, wrapping_add(low, scalar_access_bytes(operation.id))};
      if (base.origin != 0) places.push_back(place);
      else if (within(low, place.end, window_base, window_bytes))
        plan.accesses[i].check = AccessPlan::Check::Covered;
    }
    registers.follow(operation);
  }
  const bool loops = loops_to_itself(block);
  if (loops) plan.loop_accesses = plan.accesses;
  share_checks(places, plan.accesses);
  if (loops) {
    plan_loop(registers, places, plan);
    if (level != HostLevel::Portable) plan.count = plan_count(block, registers);
  }
  return plan;
}

}  // namespace d1::emulator
