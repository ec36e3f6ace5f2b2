// SPDX-License-Identifier: Apache-2.0
#include "rig/artefacts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <utility>

namespace d1::hil {
namespace {

namespace fs = std::filesystem;

// SUITE.TEST; what parameters put into names beside letters must not lead elsewhere.
std::string name_of_test() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return "no-test";
  std::string name = std::string(test->test_suite_name()) + "." + test->name();
  std::ranges::replace(name, '/', '-');
  return name;
}

}  // namespace

class Artefacts::Listener final : public testing::EmptyTestEventListener {
 public:
  Listener(std::string path, std::function<std::string()> state)
      : path_(std::move(path)), state_(std::move(state)) {}
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed()) tell(result.message());
  }
  void tell(const std::string& why) {
    // What looks at the state may fail, too: then this comes again, from within.
    if (!told_.exchange(true)) std::ofstream(path_) << why << "\n\n" << state_();
  }

 private:
  const std::string path_;
  const std::function<std::string()> state_;
  std::atomic<bool> told_{false};
};

Artefacts::Artefacts(std::function<std::string()> state) {
  const char* named = std::getenv("D1_HIL_ARTEFACTS");
  const fs::path base = named != nullptr && *named != '\0' ? named : "hil-artefacts";
  const fs::path folder = fs::absolute(base) / name_of_test();
  std::error_code error;
  fs::remove_all(folder, error);
  fs::create_directories(folder);
  folder_ = folder;
  listener_ = new Listener(folder_ + "/state.txt", std::move(state));
  testing::UnitTest::GetInstance()->listeners().Append(listener_);
}

void Artefacts::tell(const std::string& why) { listener_->tell(why); }

Artefacts::~Artefacts() {
  delete testing::UnitTest::GetInstance()->listeners().Release(listener_);
  if (testing::Test::HasFailure() || std::uncaught_exceptions() != 0) return;
  std::error_code error;
  fs::remove_all(folder_, error);
  fs::remove(fs::path(folder_).parent_path(), error);  // if no other test has left anything
}

}  // namespace d1::hil
