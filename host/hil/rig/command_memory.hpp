// SPDX-License-Identifier: Apache-2.0
// Which host memory a command of the device's queues reads and writes. Pure functions of the
// command; malformed ones name nothing.
#pragma once

#include <d1/driver/queue_pair.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace d1::hil {

// Rows of bytes at an I/O address, each `pitch` behind the one before.
struct IoRange {
  std::uint64_t iova = 0, row_bytes = 0, rows = 1, pitch = 0;

  [[nodiscard]] std::uint64_t bytes() const noexcept { return rows * row_bytes; }
  // From the first byte to the last; nothing if addresses have no room for that.
  [[nodiscard]] std::optional<std::uint64_t> extent() const noexcept;
};

// The bytes of a range whose first is at `memory`, without what lies between its rows, and back.
[[nodiscard]] std::vector<std::byte> gather(const std::byte* memory, const IoRange& range);
void scatter(std::byte* memory, const IoRange& range, const char* bytes);

[[nodiscard]] std::vector<IoRange> read_by(const driver::CommandBytes& command);
// What is the same in every run: reports that hold times are left out.
[[nodiscard]] std::vector<IoRange> written_by(const driver::CommandBytes& command,
                                              const driver::Completion& completion);

}  // namespace d1::hil
