// SPDX-License-Identifier: Apache-2.0
// Device code: runs the groups of C test files on one hart of one node, and reports.
#include <d1/kernel.hpp>

#include <cstring>

#include <d1/hil/c_test_core.h>
#include <d1/hil/c_test_report.h>

#include "node_files.h"

namespace {

d1_test_report* report;
std::uint64_t wanted_group, groups_seen;

void tell(d1_test_record_kind kind, std::uint32_t index, const char* text,
          const d1_test_outcome* outcome = nullptr, std::int64_t value = 0) {
  const char* const file = outcome != nullptr && outcome->file != nullptr ? outcome->file : "";
  const std::size_t text_bytes = std::strlen(text) + 1, file_bytes = std::strlen(file) + 1;
  d1_test_record record{};
  const std::size_t bytes = (sizeof record + text_bytes + file_bytes + 7) / 8 * 8;
  if (bytes > report->bytes - report->used) {
    ++report->lost;
    return;
  }
  record.bytes = static_cast<std::uint32_t>(bytes);
  record.kind = static_cast<std::uint8_t>(kind);
  record.index = index;
  record.value = value;
  if (outcome != nullptr) {
    record.verdict = static_cast<std::uint8_t>(outcome->verdict);
    record.line = outcome->line;
  }
  char* const to = reinterpret_cast<char*>(report) + report->used;
  std::memcpy(to, &record, sizeof record);
  std::memcpy(to + sizeof record, text, text_bytes);
  std::memcpy(to + sizeof record + text_bytes, file, file_bytes);
  report->used += record.bytes;
}

// For the outcome of one more test, and of the teardown.
bool has_room() { return report->bytes - report->used >= 3 * D1_TEST_RECORD_BYTES; }

int list_group(const d1_test_group* group) {
  tell(D1_TEST_RECORD_GROUP, 0, group->name);
  for (std::size_t i = 0; i < group->count; ++i)
    if (d1_test_selected(&group->tests[i]))
      tell(D1_TEST_RECORD_TEST, static_cast<std::uint32_t>(i), group->tests[i].name);
  return 0;
}

int run_group(const d1_test_group* group) {
  if (groups_seen++ != wanted_group) return 0;
  d1_test_session session{};
  d1_test_outcome outcome = d1_test_set_up_group(group, &session);
  tell(D1_TEST_RECORD_SET_UP, 0, outcome.message, &outcome);
  int failures = 0;
  if (outcome.verdict == D1_TEST_PASSED) {
    for (std::uint32_t i = 0; i < group->count && i < D1_TEST_GROUP_TESTS; ++i) {
      if (report->wanted[i] == 0) continue;
      if (!has_room()) break;
      tell(D1_TEST_RECORD_BEGIN, i, "");
      outcome = d1_test_run(&group->tests[i], &session);
      tell(D1_TEST_RECORD_OUTCOME, i, outcome.message, &outcome);
      failures += outcome.verdict == D1_TEST_FAILED;
    }
  }
  outcome = d1_test_tear_down_group(group, &session);
  tell(D1_TEST_RECORD_TEAR_DOWN, 0, outcome.message, &outcome);
  return failures;
}

}  // namespace

// One of the program's files: all its groups are listed, or one of them runs.
D1_KERNEL void d1_c_tests(d1::replicated<std::uint8_t> memory, std::uint64_t file,
                          std::uint64_t group) {
  if (d1::rank() != 0 || d1::hart() != 0) return;
  report = reinterpret_cast<d1_test_report*>(memory.data());
  wanted_group = group;
  groups_seen = 0;
  d1_test_clear_filters();
  d1_test_set_group_runner(group == D1_TEST_LIST_GROUPS ? list_group : run_group);
  char name[] = "c_tests";
  char* arguments[] = {name, nullptr};
  int result = 0;
  const d1_test_outcome outcome =
      d1_test_call_main(d1_test_files[file].function, 1, arguments, &result);
  tell(D1_TEST_RECORD_MAIN, 0, outcome.message, &outcome, result);
}
