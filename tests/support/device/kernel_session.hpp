// SPDX-License-Identifier: Apache-2.0
// A program on a grid, its buffers and one kernel's arguments. Owns the grid. One thread.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <d1/abi/memory_map.h>
#include <d1/abi/placement.h>
#include <gtest/gtest.h>

#include "kernel_grid.hpp"
#include "program_file.hpp"

namespace d1::test {

class Session {
 public:
  Session(const std::string& program, std::uint32_t rows, std::uint32_t columns,
          std::uint32_t harts, std::uint64_t seed)
      : file_(ProgramFile::open(program)), owned_(make_kernel_grid(rows, columns, seed)) {
    file_.load_into(grid);
    next_ = (file_.symbols.at("__d1_program_end") + 63) & ~63ull;
    launch_.stack_bytes = D1_STACK_BYTES;
    launch_.harts = harts;
  }

  // Arguments, in the order of the kernel's parameters. Buffers return their address.
  void scalar(std::uint64_t value) { launch_.argument[launch_.arguments++] = value; }
  template <typename T>
  std::uint64_t sharded(const std::vector<T>& values) {
    const std::uint64_t chunk = d1_shard_chunk(values.size(), grid.size(), sizeof(T));
    const std::uint64_t address = place(chunk * sizeof(T), values.size());
    for (std::uint32_t rank = 0; rank < grid.size(); ++rank) {
      const std::uint64_t first = d1_shard_first(values.size(), chunk, rank);
      if (const std::uint64_t size = d1_shard_size(values.size(), chunk, rank); size != 0)
        grid.write(rank, address, bytes_of(std::span(values).subspan(first, size)));
    }
    return address;
  }
  template <typename T>
  std::uint64_t replicated(std::uint64_t count) {
    return place(count * sizeof(T), count);
  }
  template <typename T>
  std::uint64_t hbm(const std::vector<T>& values) {
    const std::uint64_t offset = hbm_next_;
    hbm_next_ += (values.size() * sizeof(T) + 63) & ~63ull;
    grid.write_hbm(offset, bytes_of(std::span(values)));
    scalar(d1_hbm_address(offset));
    scalar(values.size());
    return offset;
  }

  bool launch(const std::string& kernel) {
    launch_.entry = file_.kernels.at(kernel);
    return grid.launch(launch_);
  }

  template <typename T>
  std::vector<T> gathered(std::uint64_t address, std::uint64_t count) {
    const std::uint64_t chunk = d1_shard_chunk(count, grid.size(), sizeof(T));
    std::vector<T> values(count);
    for (std::uint32_t rank = 0; rank < grid.size(); ++rank)
      if (const std::uint64_t size = d1_shard_size(count, chunk, rank); size != 0)
        grid.read(rank, address,
                  writable(std::span(values).subspan(d1_shard_first(count, chunk, rank), size)));
    return values;
  }
  template <typename T>
  T on(std::uint32_t rank, std::uint64_t address) {
    T value;
    grid.read(rank, address, writable(std::span(&value, 1)));
    return value;
  }
  template <typename T>
  std::vector<T> from_hbm(std::uint64_t offset, std::size_t count) {
    std::vector<T> values(count);
    grid.read_hbm(offset, writable(std::span(values)));
    return values;
  }

 private:
  template <typename T>
  static std::span<const std::uint8_t> bytes_of(std::span<const T> values) {
    return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
  }
  template <typename T>
  static std::span<std::uint8_t> writable(std::span<T> values) {
    return {reinterpret_cast<std::uint8_t*>(values.data()), values.size_bytes()};
  }
  std::uint64_t place(std::uint64_t bytes, std::uint64_t count) {
    const std::uint64_t address = next_;
    next_ += (bytes + 63) & ~63ull;
    EXPECT_LE(next_, D1_STACK_TOP - D1_HARTS * D1_STACK_BYTES);
    scalar(address);
    scalar(count);
    return address;
  }

  ProgramFile file_;
  std::unique_ptr<KernelGrid> owned_;
  d1_launch launch_{};
  std::uint64_t next_ = 0;
  std::uint64_t hbm_next_ = 0;

 public:
  KernelGrid& grid = *owned_;
};

}  // namespace d1::test
