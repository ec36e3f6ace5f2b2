// SPDX-License-Identifier: Apache-2.0
// Where device code can be run in tests: a model, or the emulated machine. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <d1/abi/mailbox.h>

namespace d1::test {

class KernelGrid {
 public:
  virtual ~KernelGrid() = default;

  [[nodiscard]] virtual std::uint32_t size() const = 0;
  // A segment of a program on every node; zeroes follow what the file holds.
  virtual void load(std::uint64_t offset, std::span<const std::uint8_t> file,
                    std::uint64_t memory_bytes, bool executable) = 0;
  // Runs a launch to its end; id, rank, nodes and the grid's shape are filled in. True: success.
  [[nodiscard]] virtual bool launch(d1_launch launch) = 0;

  virtual void write(std::uint32_t rank, std::uint64_t offset,
                     std::span<const std::uint8_t> bytes) = 0;
  virtual void read(std::uint32_t rank, std::uint64_t offset, std::span<std::uint8_t> bytes) = 0;
  virtual void write_hbm(std::uint64_t offset, std::span<const std::uint8_t> bytes) = 0;
  virtual void read_hbm(std::uint64_t offset, std::span<std::uint8_t> bytes) = 0;
  // What a node has printed so far.
  [[nodiscard]] virtual std::string printed(std::uint32_t rank) = 0;
  // Whether all semaphores are zero, where that can be known.
  [[nodiscard]] virtual std::optional<bool> semaphores_are_zero() { return std::nullopt; }
};

// Each test program that runs the suite says what it runs it on.
[[nodiscard]] std::unique_ptr<KernelGrid> make_kernel_grid(std::uint32_t rows,
                                                           std::uint32_t columns,
                                                           std::uint64_t seed);

}  // namespace d1::test
