// SPDX-License-Identifier: Apache-2.0
#include <d1/hil/node_tests.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

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
bool set_up_told = false;

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

// Runs these of its tests, which leave `tests` as they end; false if the group came to none.
bool run_some(const NodeSuite& suite, std::vector<std::uint32_t>& tests) {
  const NodeReport said = program->run(suite.file_number, suite.group, tests);
  const std::size_t before = tests.size();
  std::uint32_t running = D1_TEST_GROUP_TESTS;
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
  if (said.error.empty()) return false;
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

const NodeSuite& current_suite() {
  return node_suites.find(testing::UnitTest::GetInstance()->current_test_suite()->name())->second;
}

class NodeTestCase : public testing::Test {
 public:
  explicit NodeTestCase(std::uint32_t test) : test_(test) {}

  static void SetUpTestSuite() {
    const NodeSuite& suite = current_suite();
    const testing::TestSuite& chosen = *testing::UnitTest::GetInstance()->current_test_suite();
    std::vector<std::uint32_t> tests;
    for (int i = 0; i < chosen.total_test_count(); ++i) {
      const testing::TestInfo& info = *chosen.GetTestInfo(i);
      for (const NodeTest& test : suite.tests)
        if (info.should_run() && test.name == info.name()) tests.push_back(test.index);
    }
    outcomes.clear();
    set_up = {D1_TEST_FAILED, "the node never came to the group\n", "", 0};
    set_up_told = false;
    torn_down = {D1_TEST_PASSED, "", "", 0};
    while (!tests.empty() && run_some(suite, tests)) {}
  }
  static void TearDownTestSuite() { report(torn_down, current_suite().file); }

  void TestBody() override {
    const NodeSuite& suite = current_suite();
    if (set_up.verdict != D1_TEST_PASSED) return report(set_up, suite.file);
    const auto found = outcomes.find(test_);
    if (found == outcomes.end())
      return report({D1_TEST_FAILED, "the node never came to it\n", "", 0}, suite.file);
    const Told& told = found->second;
    if (told.verdict == D1_TEST_SKIPPED)
      GTEST_SKIP_("") << told.file << ":" << told.line << ": skipped\n" << told.message;
    report(told, suite.file);
  }

 private:
  std::uint32_t test_;
};

// The suites of a file; throws d1::Exception if it cannot be listed.
std::vector<NodeSuite> suites_of(const CTestFile& file, std::uint64_t number) {
  const NodeReport said = program->list(number);
  if (!said.error.empty())
    throw Exception(Error(ErrorKind::Internal,
                          std::string("The groups of '") + file.source +
                              "' cannot be listed on a node: " + said.error));
  std::vector<NodeSuite> found;
  for (const NodeRecord& record : said.records) {
    if (record.head.kind == D1_TEST_RECORD_GROUP) {
      found.push_back({file, record.text, number, found.size(), {}});
    } else if (record.head.kind == D1_TEST_RECORD_TEST) {
      std::string name = record.text;
      int same = 1;
      for (const NodeTest& other : found.back().tests)
        same += other.name == record.text || other.name.starts_with(record.text + "/");
      if (same > 1) name += "/" + std::to_string(same);
      found.back().tests.push_back({name, record.head.index});
    }
  }
  return found;
}

}  // namespace

int run_node_tests(int argc, char** argv, std::span<const std::byte> elf,
                   std::span<const CTestFile> files) {
  testing::InitGoogleTest(&argc, argv);
  try {
    program = std::make_unique<NodeProgram>(elf);
    for (std::size_t i = 0; i < files.size(); ++i) {
      for (NodeSuite& suite : suites_of(files[i], i)) {
        if (node_suites.contains(suite.name))
          suite.name = std::string(files[i].name) + "/" + suite.name;
        for (const NodeTest& test : suite.tests)
          testing::RegisterTest(
              suite.name.c_str(), test.name.c_str(), nullptr, nullptr, files[i].source, 1,
              [index = test.index]() -> NodeTestCase* { return new NodeTestCase(index); });
        node_suites.emplace(suite.name, suite);
      }
    }
  } catch (const Exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  const int result = RUN_ALL_TESTS();
  program.reset();
  return result;
}

}  // namespace d1::hil
