// SPDX-License-Identifier: Apache-2.0
#include <d1/hil/node_tests.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "c_tests/suite_names.hpp"
#include "nodes/node_program.hpp"

namespace d1::hil {
namespace {

struct NodeTest {
  std::string name;
  std::uint32_t index;  // in its group
};

struct NodeSuite {
  CTestFile file;
  std::string name;
  std::uint64_t file_number, group;
  std::vector<NodeTest> tests;
  bool is_file = false;  // main() itself is the only test
};

struct Told {
  d1_test_verdict verdict = D1_TEST_FAILED;
  std::string message, file;
  int line = 0;
};

std::unique_ptr<NodeProgram> program;
std::map<std::string, NodeSuite, std::less<>> node_suites;
// Of the suite that runs.
std::map<std::uint32_t, Told> outcomes;
Told set_up, torn_down;

Told told_by(const NodeRecord& record) {
  return {static_cast<d1_test_verdict>(record.head.verdict), record.text, record.file,
          record.head.line};
}

void report(const Told& told, const CTestFile& file) {
  if (told.verdict == D1_TEST_PASSED) return;
  const bool placed = !told.file.empty();
  ADD_FAILURE_AT(placed ? told.file.c_str() : file.source, placed ? told.line : -1)
      << told.message << "(on a node)\n";
}

// Runs these of its tests, which leave `tests` as they end; false if the group came to none. Some
// are left where one ended the launch, or where the report is full.
bool run_some(const NodeSuite& suite, std::vector<std::uint32_t>& tests) {
  const NodeReport said = program->run(suite.file_number, suite.group, tests);
  const std::size_t before = tests.size();
  std::uint32_t running = D1_TEST_GROUP_TESTS;
  bool set_up_told = false;
  for (const NodeRecord& record : said.records) {
    switch (record.head.kind) {
      case D1_TEST_RECORD_SET_UP:
        set_up = told_by(record);
        set_up_told = true;
        break;
      case D1_TEST_RECORD_TEAR_DOWN: torn_down = told_by(record); break;
      case D1_TEST_RECORD_BEGIN: running = record.head.index; break;
      case D1_TEST_RECORD_OUTCOME:
        outcomes[record.head.index] = told_by(record);
        std::erase(tests, record.head.index);
        running = D1_TEST_GROUP_TESTS;
        break;
      default: break;
    }
  }
  if (said.error.empty()) return tests.size() != before;
  if (running != D1_TEST_GROUP_TESTS) {  // it ended the launch
    outcomes[running] = {D1_TEST_FAILED, said.error + "\n", "", 0};
    std::erase(tests, running);
  } else if (!set_up_told) {
    set_up.message = said.error + "\nthe group's setup failed\n";
  } else {
    torn_down = {D1_TEST_FAILED, said.error + "\n", "", 0};
  }
  return tests.size() != before;
}

// What main() does outside of its groups.
Told whole_file(const NodeSuite& suite) {
  const NodeReport said = program->run(suite.file_number, D1_TEST_NO_GROUP, {});
  if (!said.error.empty()) return {D1_TEST_FAILED, said.error + "\n", "", 0};
  for (const NodeRecord& record : said.records) {
    if (record.head.kind != D1_TEST_RECORD_MAIN) continue;
    Told told = told_by(record);
    if (told.verdict == D1_TEST_PASSED && record.head.value != 0) {
      told.verdict = D1_TEST_FAILED;
      told.message = "main() returned " + std::to_string(record.head.value) + "\n";
    }
    return told;
  }
  return {D1_TEST_FAILED, "the node never came to the end of main()\n", "", 0};
}

const NodeSuite& current_suite() {
  return node_suites.find(testing::UnitTest::GetInstance()->current_test_suite()->name())->second;
}

class NodeTestCase : public testing::Test {
 public:
  explicit NodeTestCase(std::uint32_t test) : test_(test) {}

  static void SetUpTestSuite() {
    const NodeSuite& suite = current_suite();
    torn_down = {D1_TEST_PASSED, "", "", 0};
    if (suite.is_file) return;
    const testing::TestSuite& chosen = *testing::UnitTest::GetInstance()->current_test_suite();
    std::vector<std::uint32_t> tests;
    for (int i = 0; i < chosen.total_test_count(); ++i) {
      const testing::TestInfo& info = *chosen.GetTestInfo(i);
      for (const NodeTest& test : suite.tests)
        if (info.should_run() && test.name == info.name()) tests.push_back(test.index);
    }
    outcomes.clear();
    set_up = {D1_TEST_FAILED, "the node never came to the group\n", "", 0};
    while (!tests.empty() && run_some(suite, tests)) {}
  }
  static void TearDownTestSuite() { report(torn_down, current_suite().file); }

  void TestBody() override {
    const NodeSuite& suite = current_suite();
    const Told told = suite.is_file ? whole_file(suite) : told_of_test();
    if (told.verdict == D1_TEST_SKIPPED)
      GTEST_SKIP_("") << told.file << ":" << told.line << ": skipped\n" << told.message;
    report(told, suite.file);
  }

 private:
  [[nodiscard]] Told told_of_test() const {
    if (const auto found = outcomes.find(test_); found != outcomes.end()) return found->second;
    if (set_up.verdict != D1_TEST_PASSED) return set_up;
    return {D1_TEST_FAILED, "the node never came to it\n", "", 0};
  }

  std::uint32_t test_;
};

// A list that is not whole would leave tests out, and nobody would see it.
void check_that_all_are_listed(const CTestFile& file, const NodeReport& said) {
  std::string reason;
  if (said.lost != 0)
    reason = std::to_string(said.lost) + " of its names have no room in a report of " +
             std::to_string(D1_TEST_REPORT_BYTES) + " bytes; divide it into several files.";
  for (const NodeRecord& record : said.records)
    if (record.head.kind == D1_TEST_RECORD_TEST && record.head.index >= D1_TEST_GROUP_TESTS)
      reason = "A group has more than " + std::to_string(D1_TEST_GROUP_TESTS) +
               " tests; divide it into several groups.";
  if (reason.empty()) return;
  throw Exception(Error(ErrorKind::ResourceExhausted,
                        std::string("The tests of '") + file.source +
                            "' cannot be listed on a node: " + reason));
}

// The suites of a file; throws d1::Exception if not all can be listed.
std::vector<NodeSuite> suites_of(const CTestFile& file, std::uint64_t number) {
  const NodeReport said = program->list(number);
  check_that_all_are_listed(file, said);
  std::vector<NodeSuite> found;
  CaseNames names;
  bool main_ended_well = false;
  for (const NodeRecord& record : said.records) {
    if (record.head.kind == D1_TEST_RECORD_GROUP) {
      found.push_back({file, record.text, number, found.size(), {}});
      names = {};
    } else if (record.head.kind == D1_TEST_RECORD_TEST) {
      found.back().tests.push_back({names.next(record.text), record.head.index});
    } else if (record.head.kind == D1_TEST_RECORD_MAIN) {
      main_ended_well = record.head.verdict == D1_TEST_PASSED;
    }
  }
  // One that fails or traps outside of its tests does so again as a case, where it is seen.
  if (found.empty() || !main_ended_well)
    found.push_back({file, file.name, number, D1_TEST_NO_GROUP, {{"main", 0}}, true});
  return found;
}

void register_suites(const std::vector<NodeSuite>& suites) {
  for (const NodeSuite& suite : suites) {
    for (const NodeTest& test : suite.tests)
      testing::RegisterTest(
          suite.name.c_str(), test.name.c_str(), nullptr, nullptr, suite.file.source, 1,
          [index = test.index]() -> NodeTestCase* { return new NodeTestCase(index); });
    node_suites.emplace(suite.name, suite);
  }
}

}  // namespace

int run_node_tests(int argc, char** argv, std::span<const std::byte> elf,
                   std::span<const CTestFile> files) {
  testing::InitGoogleTest(&argc, argv);
  try {
    program = std::make_unique<NodeProgram>(elf);
    std::vector<NodeSuite> found;
    for (std::size_t i = 0; i < files.size(); ++i) {
      for (NodeSuite& suite : suites_of(files[i], i)) found.push_back(std::move(suite));
    }
    give_unique_names(found);
    register_suites(found);
  } catch (const Exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  const int result = RUN_ALL_TESTS();
  program.reset();
  return result;
}

}  // namespace d1::hil
