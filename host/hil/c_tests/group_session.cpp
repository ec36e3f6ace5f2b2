// SPDX-License-Identifier: Apache-2.0
#include "group_session.hpp"

#include <array>
#include <utility>

namespace d1::hil {
namespace {

GroupSession* current = nullptr;

}  // namespace

Outcome outcome_of(const d1_test_outcome& outcome) {
  return {outcome.verdict, outcome.message, outcome.file != nullptr ? outcome.file : "",
          outcome.line};
}

Outcome call_main(const CTestFile& file, int* result) {
  std::string name = file.name;
  std::array<char*, 2> arguments = {name.data(), nullptr};
  d1_test_clear_filters();
  return outcome_of(d1_test_call_main(file.main, 1, arguments.data(), result));
}

GroupSession::GroupSession(const CTestFile& file, std::size_t index) : file_(file), index_(index) {
  current = this;
  thread_ = std::thread([this] { run_main(); });
  answered_.acquire();
}

GroupSession::~GroupSession() {
  if (group_ != nullptr && !torn_down_) tear_down();
  if (group_ != nullptr) {
    work_ = nullptr;
    asked_.release();
  }
  thread_.join();
  current = nullptr;
}

void GroupSession::run_main() {
  d1_test_group_runner before = d1_test_set_group_runner(&GroupSession::on_group);
  int result = 0;
  Outcome ended = call_main(file_, &result);
  d1_test_set_group_runner(before);
  if (groups_seen_ > index_) return;
  // Nobody has been answered yet.
  outcome_ = {D1_TEST_FAILED,
              ended.message + "main() does not come to this group, as it did before\n", ended.file,
              ended.line};
  answered_.release();
}

int GroupSession::on_group(const d1_test_group* group) {
  if (current->groups_seen_++ != current->index_) return 0;
  return current->serve(*group);
}

int GroupSession::serve(const d1_test_group& group) {
  group_ = &group;
  answered_.release();
  for (;;) {
    asked_.acquire();
    if (!work_) break;
    outcome_ = outcome_of(work_());
    if (outcome_.verdict == D1_TEST_FAILED) ++failures_;
    answered_.release();
  }
  group_ = nullptr;
  return failures_;
}

Outcome GroupSession::on_thread(std::function<d1_test_outcome()> work) {
  if (group_ == nullptr) return outcome_;
  work_ = std::move(work);
  asked_.release();
  answered_.acquire();
  return outcome_;
}

Outcome GroupSession::set_up() {
  return on_thread([this] { return d1_test_set_up_group(group_, &session_); });
}

Outcome GroupSession::run(std::size_t test) {
  return on_thread([this, test] { return d1_test_run(&group_->tests[test], &session_); });
}

Outcome GroupSession::tear_down() {
  torn_down_ = true;
  return on_thread([this] { return d1_test_tear_down_group(group_, &session_); });
}

}  // namespace d1::hil
