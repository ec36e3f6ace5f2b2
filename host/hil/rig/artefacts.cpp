// SPDX-License-Identifier: Apache-2.0
#include "rig/artefacts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace d1::hil {
namespace {

namespace fs = std::filesystem;

std::string name_of(const testing::TestInfo& test) {
  return std::string(test.test_suite_name()) + "." + test.name();
}

std::string name_of_what_runs() {
  const auto& unit_test = *testing::UnitTest::GetInstance();
  if (const auto* test = unit_test.current_test_info()) return name_of(*test);
  if (const auto* suite = unit_test.current_test_suite()) return suite->name();
  return ::program_invocation_short_name;
}

// Sees all tests begin, fail and end, from the first rig to the end of the program.
class Keeper final : public testing::EmptyTestEventListener {
 public:
  static Keeper& instance() {
    static Keeper* const keeper = [] {  // GoogleTest's
      auto* made = new Keeper;
      testing::UnitTest::GetInstance()->listeners().Append(made);
      return made;
    }();
    return *keeper;
  }

  fs::path make_folder();
  void watch(std::shared_ptr<StateFile> state) {
    const std::lock_guard guard(mutex_);
    states_.push_back(std::move(state));
  }
  void forget(const std::shared_ptr<StateFile>& state) {
    const std::lock_guard guard(mutex_);
    std::erase(states_, state);
  }

  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::vector<std::shared_ptr<StateFile>> states;
    {
      const std::lock_guard guard(mutex_);
      states = states_;
    }
    for (const auto& state : states) state->tell(result.message(), Artefacts::kStateTime);
  }
  void OnTestEnd(const testing::TestInfo& test) override {
    end(name_of(test), test.result()->Failed());
  }
  void OnTestSuiteEnd(const testing::TestSuite& suite) override {
    end(suite.name(), suite.Failed());
  }
  void OnTestProgramEnd(const testing::UnitTest& program) override {
    end(::program_invocation_short_name, program.Failed());
  }

 private:
  struct Folder {
    fs::path path;
    unsigned rigs = 0;  // that have theirs in it
  };
  void end(const std::string& name, bool failed);

  std::mutex mutex_;
  std::map<std::string, Folder> folders_;  // by what they are named after, while that runs
  std::vector<std::shared_ptr<StateFile>> states_;
};

fs::path Keeper::make_folder() {
  const std::string name = name_of_what_runs();
  const std::lock_guard guard(mutex_);
  Folder& folder = folders_[name];
  if (++folder.rigs == 1) {
    const char* named = std::getenv("D1_HIL_ARTEFACTS");
    std::string last = name;  // what parameters put into names must not lead elsewhere
    std::ranges::replace(last, '/', '-');
    folder.path = fs::absolute(named != nullptr && *named != '\0' ? named : "hil-artefacts") / last;
    std::error_code error;
    fs::remove_all(folder.path, error);  // of an earlier run
  }
  const fs::path made =
      folder.rigs == 1 ? folder.path : folder.path / ("rig-" + std::to_string(folder.rigs));
  fs::create_directories(made);
  return made;
}

void Keeper::end(const std::string& name, bool failed) {
  const std::lock_guard guard(mutex_);
  const auto found = folders_.find(name);
  if (found == folders_.end()) return;
  const fs::path path = std::move(found->second.path);
  folders_.erase(found);
  if (failed) return;
  std::error_code error;
  fs::remove_all(path, error);
  fs::remove(path.parent_path(), error);  // if no other test has left anything
}

}  // namespace

Artefacts::Artefacts() : folder_(Keeper::instance().make_folder()) {}

void Artefacts::watch(StateFile::Look look, bool (*may_wait)()) {
  state_ = std::make_shared<StateFile>(file("state.txt"), std::move(look), may_wait);
  Keeper::instance().watch(state_);
}

void Artefacts::tell(const std::string& why) {
  if (state_) state_->tell(why, kStateTime);
}

void Artefacts::finish() {
  if (!state_) return;
  Keeper::instance().forget(state_);
  state_->finish();
}

Artefacts::~Artefacts() { finish(); }

}  // namespace d1::hil
