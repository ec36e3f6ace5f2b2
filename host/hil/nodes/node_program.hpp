// SPDX-License-Identifier: Apache-2.0
// The program of C tests on its node: launches, and what their reports say. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <d1/d1.hpp>
#include <d1/hil/c_test_core.h>
#include <d1/hil/c_test_report.h>

namespace d1::hil {

struct NodeRecord {
  d1_test_record head;
  std::string text, file;
};

struct NodeReport {
  std::vector<NodeRecord> records;
  std::uint32_t lost = 0;  // records that had no room
  std::string error;       // how the launch ended, if not well
};

class NodeProgram {
 public:
  // Throws d1::Exception.
  explicit NodeProgram(std::span<const std::byte> elf);

  // Waits no longer than kLaunchTime. What was told before a trap is in the report.
  // A group may be D1_TEST_NO_GROUP.
  [[nodiscard]] NodeReport list(std::uint64_t file);
  [[nodiscard]] NodeReport run(std::uint64_t file, std::uint64_t group,
                               std::span<const std::uint32_t> tests);

 private:
  NodeReport launch(std::uint64_t file, std::uint64_t group, const d1_test_report& head);

  Device device_;
  std::span<const std::byte> elf_;
  Grid grid_;
  Stream stream_;
  Buffer<std::uint8_t> memory_;
};

}  // namespace d1::hil
