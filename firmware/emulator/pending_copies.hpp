// SPDX-License-Identifier: Apache-2.0
// What transfers copy at a quantum's end, put off so that all host threads share it. The result is
// that of copying at once, in the order of add(): who is about to touch memory that a copy reads or
// writes calls finish() before. Copies to one node stay in order, on one thread; a copy that reads
// what an earlier one writes, or writes what an earlier one reads, waits for all earlier ones.
// Used by the committing thread only.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "packet.hpp"
#include "worker_pool.hpp"

namespace d1::emulator {

class PendingCopies {
 public:
  // Some memory of the machine: an offset in a node's SRAM, or in HBM (kHbmDestination).
  struct Place {
    NodeIndex node;
    std::uint64_t offset;
    std::uint8_t* address;
    std::uint64_t pitch;  // from row to row, in bytes
  };

  // Copies `rows` rows of `row_bytes` bytes, sooner or later. The rows of each place lie within
  // (rows - 1) * pitch + row_bytes from its beginning.
  void add(const Place& to, const Place& from, std::uint32_t rows, std::uint32_t row_bytes);
  // Whatever was added is done.
  void finish();
  // Whose threads share the work, from now on; null: add() copies at once.
  void share_with(WorkerPool* pool) noexcept { pool_ = pool; }

 private:
  struct Copy {
    std::uint8_t* to;
    const std::uint8_t* from;
    std::uint64_t to_pitch, from_pitch;
    std::uint32_t rows, row_bytes;
  };
  struct Extent {
    std::uint64_t begin = ~std::uint64_t{0}, end = 0;
    [[nodiscard]] bool overlaps(const Extent& other) const noexcept {
      return begin < other.end && other.begin < end;
    }
    void include(const Extent& other) noexcept;
  };
  // What pending copies read and write of a node, at most, and those that write there.
  struct Memory {
    Extent read, written;
    std::vector<Copy> copies;
    bool listed = false;
  };
  enum class Way : std::uint8_t { ThroughCaches, PastCaches };

  [[nodiscard]] static Extent extent(const Place& place, std::uint32_t rows,
                                     std::uint32_t row_bytes) noexcept;
  static void carry_out(const Copy& copy, Way way) noexcept;
  [[nodiscard]] Memory& list(NodeIndex node);
  void forget();

  WorkerPool* pool_ = nullptr;
  std::unordered_map<NodeIndex, Memory> memories_;  // kept, since the next copies are much alike
  std::vector<Memory*> listed_;   // those that pending copies read or write
  std::vector<Memory*> targets_;  // those with copies
  std::uint64_t bytes_ = 0;       // of all copies
};

}  // namespace d1::emulator
