// SPDX-License-Identifier: Apache-2.0
// Who has which device memory: sets of nodes, the SRAM of nodes, and HBM. Bookkeeping only, nothing
// here talks to a device or waits. Not locked: the Context that owns them is.
#pragma once

#include <d1/base/error.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace d1::runtime {

// Nodes of the DPU by a dense number (rank in the grid of all nodes).
class NodeSet {
 public:
  NodeSet() = default;
  explicit NodeSet(std::uint64_t nodes) : words_((nodes + 63) / 64) {}

  void add(std::uint64_t node) { words_[node / 64] |= std::uint64_t{1} << (node % 64); }
  [[nodiscard]] bool contains(std::uint64_t node) const {
    return words_[node / 64] >> (node % 64) & 1;
  }
  [[nodiscard]] bool intersects(const NodeSet& other) const noexcept {
    for (std::size_t i = 0; i < words_.size() && i < other.words_.size(); ++i) {
      if (words_[i] & other.words_[i]) return true;
    }
    return false;
  }
  [[nodiscard]] bool empty() const noexcept {
    for (const std::uint64_t word : words_) {
      if (word) return false;
    }
    return true;
  }
  // Sets of one machine only, here and below: all are of one size.
  void add(const NodeSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }
  void remove(const NodeSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
  }
  [[nodiscard]] bool includes(const NodeSet& other) const noexcept {
    for (std::size_t i = 0; i < other.words_.size(); ++i) {
      if (other.words_[i] & ~(i < words_.size() ? words_[i] : 0)) return false;
    }
    return true;
  }

 private:
  std::vector<std::uint64_t> words_;
};

// Ranges of SRAM offsets, each on a set of nodes. A buffer lies at one offset on all its nodes, so
// a range is free where no range of an intersecting set is. Buffers are placed from the stacks
// downwards and programs from the bottom up, so that either may come first.
class SramAllocator {
 public:
  using Id = std::uint64_t;
  enum class Kind : std::uint8_t { Buffer, Program };
  struct Range {
    NodeSet nodes;
    std::uint32_t offset = 0, bytes = 0;
    Kind kind = Kind::Buffer;
  };

  // Highest free place for `bytes` on all of `nodes`; first bytes aligned to `alignment`.
  [[nodiscard]] Result<Id> allocate(const NodeSet& nodes, std::uint64_t bytes,
                                    std::uint64_t alignment);
  // A program's place. Other programs may be there: it takes their nodes over.
  [[nodiscard]] Result<Id> reserve_program(const NodeSet& nodes, std::uint64_t offset,
                                           std::uint64_t bytes);
  // Whether a fixed place is free of buffers.
  [[nodiscard]] Result<> check(const NodeSet& nodes, std::uint64_t offset, std::uint64_t bytes,
                               const std::string& what) const;
  void release(Id id);
  [[nodiscard]] const Range& range(Id id) const { return ranges_.at(id); }
  // Largest piece that can be allocated on all of `nodes`.
  [[nodiscard]] std::uint64_t largest_free(const NodeSet& nodes) const;

 private:
  struct Gap {
    std::uint64_t first, end;
  };
  [[nodiscard]] std::vector<Gap> gaps(const NodeSet& nodes) const;

  std::map<Id, Range> ranges_;
  Id next_ = 1;
};

// First fit over HBM.
class HbmAllocator {
 public:
  explicit HbmAllocator(std::uint64_t bytes) : size_(bytes) {}

  [[nodiscard]] Result<std::uint64_t> allocate(std::uint64_t bytes, std::uint64_t alignment);
  void release(std::uint64_t offset);
  [[nodiscard]] std::uint64_t used() const noexcept { return used_; }

 private:
  const std::uint64_t size_;
  std::uint64_t used_ = 0;
  std::map<std::uint64_t, std::uint64_t> ranges_;  // offset -> bytes
};

}  // namespace d1::runtime
