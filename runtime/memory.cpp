// SPDX-License-Identifier: Apache-2.0
#include <d1/runtime/memory.hpp>

#include <d1/abi/mailbox.h>
#include <d1/abi/memory_map.h>
#include <fmt/format.h>

#include <algorithm>

namespace d1::runtime {
namespace {

constexpr std::uint64_t kHeapEnd = D1_STACK_TOP - D1_HARTS * D1_STACK_BYTES;

std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

}  // namespace

std::vector<SramAllocator::Gap> SramAllocator::gaps(const NodeSet& nodes) const {
  std::vector<Gap> taken;
  for (const auto& [id, range] : ranges_) {
    if (range.nodes.intersects(nodes)) {
      taken.push_back({range.offset, std::uint64_t{range.offset} + range.bytes});
    }
  }
  std::sort(taken.begin(), taken.end(),
            [](const Gap& a, const Gap& b) { return a.first < b.first; });
  std::vector<Gap> free;
  std::uint64_t at = D1_PROGRAM_BASE;
  for (const Gap& each : taken) {
    if (each.first > at) free.push_back({at, std::min(each.first, kHeapEnd)});
    at = std::max(at, each.end);
  }
  if (at < kHeapEnd) free.push_back({at, kHeapEnd});
  return free;
}

std::uint64_t SramAllocator::largest_free(const NodeSet& nodes) const {
  std::uint64_t largest = 0;
  for (const Gap& gap : gaps(nodes)) largest = std::max(largest, gap.end - gap.first);
  return largest;
}

Result<SramAllocator::Id> SramAllocator::allocate(const NodeSet& nodes, std::uint64_t bytes,
                                                  std::uint64_t alignment) {
  const auto free = gaps(nodes);
  for (auto gap = free.rbegin(); gap != free.rend(); ++gap) {
    if (bytes > gap->end - gap->first) continue;
    const std::uint64_t offset = (gap->end - bytes) / alignment * alignment;
    if (offset < gap->first) continue;
    ranges_[next_] = {nodes, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(bytes),
                      Kind::Buffer};
    return next_++;
  }
  return fail(ErrorKind::ResourceExhausted,
              fmt::format("A buffer needs {} bytes of SRAM on each of its nodes; the largest free "
                          "piece has {} of {} bytes. Free buffers, use more nodes, or place it in "
                          "HBM.",
                          bytes, largest_free(nodes), kHeapEnd - D1_PROGRAM_BASE));
}

Result<> SramAllocator::check(const NodeSet& nodes, std::uint64_t offset, std::uint64_t bytes,
                              const std::string& what) const {
  for (const auto& [id, range] : ranges_) {
    if (range.kind == Kind::Buffer && range.offset < offset + bytes &&
        offset < std::uint64_t{range.offset} + range.bytes && range.nodes.intersects(nodes)) {
      return fail(
          ErrorKind::ResourceExhausted,
          fmt::format("{} needs SRAM [{:#x}, {:#x}), where a buffer lies at [{:#x}, {:#x}) on "
                      "some of the same nodes; free that first.",
                      what, offset, offset + bytes, range.offset,
                      std::uint64_t{range.offset} + range.bytes));
    }
  }
  return {};
}

Result<SramAllocator::Id> SramAllocator::reserve_program(const NodeSet& nodes, std::uint64_t offset,
                                                         std::uint64_t bytes) {
  auto free = check(nodes, offset, bytes, "The program");
  if (!free) return std::unexpected(std::move(free.error()));
  for (auto entry = ranges_.begin(); entry != ranges_.end();) {
    Range& range = entry->second;
    if (range.kind == Kind::Program) range.nodes.remove(nodes);
    entry = range.nodes.empty() ? ranges_.erase(entry) : std::next(entry);
  }
  ranges_[next_] = {nodes, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(bytes),
                    Kind::Program};
  return next_++;
}

void SramAllocator::release(Id id) { ranges_.erase(id); }

Result<std::uint64_t> HbmAllocator::allocate(std::uint64_t bytes, std::uint64_t alignment) {
  std::uint64_t at = 0;
  for (const auto& [offset, length] : ranges_) {
    if (offset >= at && offset - at >= bytes) break;
    at = round_up(offset + length, alignment);
  }
  if (at > size_ || bytes > size_ - at) {
    return fail(
        ErrorKind::ResourceExhausted,
        fmt::format("A buffer of {} bytes does not fit in HBM: {} of {} bytes are in use, and "
                    "no gap is large enough.",
                    bytes, used_, size_));
  }
  ranges_[at] = bytes;
  used_ += bytes;
  return at;
}

void HbmAllocator::release(std::uint64_t offset) {
  const auto found = ranges_.find(offset);
  if (found == ranges_.end()) return;
  used_ -= found->second;
  ranges_.erase(found);
}

}  // namespace d1::runtime
