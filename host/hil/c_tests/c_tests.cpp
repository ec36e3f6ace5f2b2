// SPDX-License-Identifier: Apache-2.0
#include <d1/hil/c_tests.hpp>

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "group_session.hpp"
#include "suite_names.hpp"

namespace d1::hil {
namespace {

struct CTest {
  std::string name;
  std::size_t index;  // in its group
};

struct Suite {
  CTestFile file;
  std::string name;
  std::size_t group;  // in its file
  std::vector<CTest> tests;
  bool is_file;  // main() itself is the only test
};

std::map<std::string, Suite, std::less<>> suites;
std::unique_ptr<GroupSession> session;
Outcome group_set_up;  // of session
std::vector<Suite>* collected = nullptr;
const CTestFile* collected_file = nullptr;

int collect_group(const d1_test_group* group) {
  Suite suite{*collected_file, group->name, 0, {}, false};
  for (const Suite& other : *collected) suite.group += other.file.main == collected_file->main;
  CaseNames names;
  for (std::size_t i = 0; i < group->count; ++i) {
    if (!d1_test_selected(&group->tests[i])) continue;
    suite.tests.push_back({names.next(group->tests[i].name), i});
  }
  collected->push_back(suite);
  return 0;
}

// What a main() prints must not come between the lines of --gtest_list_tests.
class OutputToErrors {
 public:
  OutputToErrors() {
    std::fflush(stdout);
    output_ = dup(STDOUT_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
  }
  ~OutputToErrors() {
    std::fflush(stdout);
    dup2(output_, STDOUT_FILENO);
    close(output_);
  }
  OutputToErrors(const OutputToErrors&) = delete;
  OutputToErrors& operator=(const OutputToErrors&) = delete;

 private:
  int output_;
};

std::vector<Suite> collect(std::span<const CTestFile> files) {
  const OutputToErrors redirected;
  std::vector<Suite> found;
  collected = &found;
  d1_test_group_runner before = d1_test_set_group_runner(collect_group);
  for (const CTestFile& file : files) {
    collected_file = &file;
    const std::size_t groups_before = found.size();
    int result = 0;
    const Outcome outcome = call_main(file, &result);
    // One that fails outside of its tests does so again as a case, where it is seen.
    if (found.size() == groups_before || outcome.verdict != D1_TEST_PASSED) {
      found.push_back({file, file.name, 0, {{"main", 0}}, true});
    }
  }
  d1_test_set_group_runner(before);
  collected = nullptr;
  return found;
}

void report(const Outcome& outcome, const CTestFile& file) {
  if (outcome.verdict == D1_TEST_PASSED) return;
  const bool placed = !outcome.file.empty();
  const std::string& where = placed ? outcome.file : file.source;
  const int line = placed ? outcome.line : -1;
  ADD_FAILURE_AT(where.c_str(), line) << outcome.message;
}

const Suite& current_suite() {
  return suites.find(testing::UnitTest::GetInstance()->current_test_suite()->name())->second;
}

// One class for all groups: GoogleTest says which suite runs.
class CTestCase : public testing::Test {
 public:
  explicit CTestCase(std::size_t test) : test_(test) {}

  static void SetUpTestSuite() {
    const Suite& suite = current_suite();
    if (suite.is_file) return;
    session = std::make_unique<GroupSession>(suite.file, suite.group);
    group_set_up = session->set_up();
  }

  static void TearDownTestSuite() {
    if (session == nullptr) return;
    report(session->tear_down(), current_suite().file);
    session.reset();
  }

  void TestBody() override {
    const Suite& suite = current_suite();
    // In each test, and not once for the suite: GoogleTest would call them skipped then.
    if (!suite.is_file && group_set_up.verdict != D1_TEST_PASSED)
      return report(group_set_up, suite.file);
    const Outcome outcome = suite.is_file ? whole_file(suite) : session->run(test_);
    if (outcome.verdict == D1_TEST_SKIPPED) {
      GTEST_SKIP_("") << outcome.file << ":" << outcome.line << ": skipped\n" << outcome.message;
    }
    report(outcome, suite.file);
  }

 private:
  static Outcome whole_file(const Suite& suite) {
    int result = 0;
    d1_test_group_runner before = d1_test_set_group_runner([](const d1_test_group*) { return 0; });
    Outcome outcome = call_main(suite.file, &result);
    d1_test_set_group_runner(before);
    if (outcome.verdict == D1_TEST_PASSED && result != 0) {
      outcome.verdict = D1_TEST_FAILED;
      outcome.message = "main() returned " + std::to_string(result) + "\n";
    }
    return outcome;
  }

  std::size_t test_;
};

}  // namespace

void register_c_tests(std::span<const CTestFile> files) {
  std::vector<Suite> found = collect(files);
  give_unique_names(found);
  for (const Suite& suite : found) {
    for (const CTest& test : suite.tests) {
      testing::RegisterTest(suite.name.c_str(), test.name.c_str(), nullptr, nullptr,
                            suite.file.source, 1,
                            [index = test.index]() -> CTestCase* { return new CTestCase(index); });
    }
    suites.emplace(suite.name, suite);
  }
}

int run_c_tests(int argc, char** argv, std::span<const CTestFile> files) {
  testing::InitGoogleTest(&argc, argv);
  register_c_tests(files);
  return RUN_ALL_TESTS();
}

}  // namespace d1::hil
