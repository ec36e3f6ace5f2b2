// SPDX-License-Identifier: Apache-2.0
#include "node_program.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace d1::hil {

namespace {

// Own: a group's tests take milliseconds. D1_HIL_NODE_TIME_MS has another.
std::chrono::milliseconds launch_time() {
  const char* const asked = std::getenv("D1_HIL_NODE_TIME_MS");
  const long given = asked != nullptr ? std::atol(asked) : 0;
  return std::chrono::milliseconds(given > 0 ? given : 30'000);
}
constexpr std::chrono::seconds kCopyTime{30};
constexpr std::uint32_t kStackBytes = 64u << 10;

void read(std::span<const std::uint8_t> memory, NodeReport& report) {
  d1_test_report head;
  std::memcpy(&head, memory.data(), sizeof head);
  report.lost = head.lost;
  const std::size_t used = std::min(head.used, D1_TEST_REPORT_BYTES);
  for (std::size_t at = sizeof head; at + sizeof(d1_test_record) <= used;) {
    NodeRecord record;
    std::memcpy(&record.head, memory.data() + at, sizeof record.head);
    if (record.head.bytes < sizeof record.head || record.head.bytes > used - at) break;
    const auto* const text = reinterpret_cast<const char*>(memory.data() + at) + sizeof record.head;
    record.text = text;
    record.file = text + record.text.size() + 1;
    report.records.push_back(std::move(record));
    at += report.records.back().head.bytes;
  }
}

}  // namespace

NodeProgram::NodeProgram(std::span<const std::byte> elf)
    : device_(Device::open()),
      elf_(elf),
      grid_(device_.grid(1, 1)),
      stream_(device_.stream()),
      memory_(device_.replicated<std::uint8_t>(D1_TEST_REPORT_BYTES, grid_)) {}

NodeReport NodeProgram::list(std::uint64_t file) {
  return launch(file, D1_TEST_LIST_GROUPS, {});
}

NodeReport NodeProgram::run(std::uint64_t file, std::uint64_t group,
                            std::span<const std::uint32_t> tests) {
  d1_test_report head{};
  for (const std::uint32_t test : tests)
    if (test < D1_TEST_GROUP_TESTS) head.wanted[test] = 1;
  return launch(file, group, head);
}

// The program is loaded each time, so that its globals are what they were at first.
NodeReport NodeProgram::launch(std::uint64_t file, std::uint64_t group,
                               const d1_test_report& head) {
  std::vector<std::uint8_t> memory(D1_TEST_REPORT_BYTES);
  d1_test_report first = head;
  first.bytes = D1_TEST_REPORT_BYTES;
  first.used = sizeof first;
  std::memcpy(memory.data(), &first, sizeof first);
  stream_.copy_in(memory_, memory).wait(kCopyTime);
  NodeReport report;
  try {
    const Kernel kernel = device_.load(elf_, "c_tests").kernel("d1_c_tests");
    LaunchOptions options;
    options.harts = 1;
    options.stack_bytes = kStackBytes;
    options.timeout = launch_time();
    kernel.launch(stream_, grid_, options, memory_, file, group).wait(launch_time() + kCopyTime);
  } catch (const Exception& ended) {
    report.error = ended.what();
  }
  stream_.copy_out(std::span(memory), memory_).wait(kCopyTime);
  read(memory, report);
  return report;
}

}  // namespace d1::hil
