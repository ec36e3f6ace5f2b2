// SPDX-License-Identifier: Apache-2.0
// A grid: the nodes a launch, a program or a buffer is spread over, under one handle of the device.
//
// Ownership: a Grid keeps its Context alive and frees its handle when the last reference goes.
// Immutable; share it between threads. place_of() asks the device once, everything else waits
// never.
#pragma once

#include <d1/base/error.hpp>
#include <d1/runtime/memory.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace d1::runtime {

class Context;

struct GridShape {
  std::uint32_t rows = 0, columns = 0;
  std::uint32_t first_row = 0, first_column = 0;  // in the mesh of the DPU
};

// A node's place on the machine: the die, and row and column in the die's mesh.
struct NodePlace {
  std::uint32_t die = 0, node = 0;  // node: row * columns + column, as addresses name it
  std::uint32_t row = 0, column = 0;
};

class Grid {
 public:
  Grid(const Grid&) = delete;
  Grid& operator=(const Grid&) = delete;
  ~Grid();

  [[nodiscard]] std::uint32_t handle() const noexcept { return handle_; }
  [[nodiscard]] std::uint32_t rows() const noexcept { return shape_.rows; }
  [[nodiscard]] std::uint32_t columns() const noexcept { return shape_.columns; }
  [[nodiscard]] std::uint64_t nodes() const noexcept {
    return std::uint64_t{shape_.rows} * shape_.columns;
  }
  [[nodiscard]] const NodeSet& node_set() const noexcept { return nodes_; }
  [[nodiscard]] NodePlace place_of(std::uint64_t rank) const;
  [[nodiscard]] Context& context() const noexcept { return *context_; }

 private:
  friend class Context;
  Grid(std::shared_ptr<Context> context, std::uint32_t handle, const GridShape& shape,
       std::vector<std::uint32_t> topology);

  const std::shared_ptr<Context> context_;
  const std::uint32_t handle_;
  const GridShape shape_;
  const std::vector<std::uint32_t> topology_;  // die << 16 | node, by rank
  NodeSet nodes_;
  // The program that is known to be on all nodes, and the context's count of loads when that was.
  mutable std::atomic<std::uint64_t> resident_program_ = 0, resident_epoch_ = 0;
};

}  // namespace d1::runtime
