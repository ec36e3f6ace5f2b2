// SPDX-License-Identifier: Apache-2.0
// A folder for what helps to understand a failure, named after the test that runs, or after its
// suite or program where none does. It is there from the start, since a test can end in a crash,
// and deleted when what it is named after has passed: a test can also fail when its rig is gone.
//
// Threads: one, but for failures, which may come on any.
// Blocking: the first failure waits for the state to be written, kStateTime at most, and finish()
// until it has been.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "rig/state_file.hpp"

namespace d1::hil {

class Artefacts {
 public:
  static constexpr std::chrono::seconds kStateTime{10};

  Artefacts();
  ~Artefacts();
  Artefacts(const Artefacts&) = delete;
  Artefacts& operator=(const Artefacts&) = delete;

  // At the first failure state.txt is written (see StateFile). may_wait: whether the thread that
  // fails may wait for that, which needs the device's queues.
  void watch(StateFile::Look look, bool (*may_wait)());
  // As at a failure, for a test that ends otherwise.
  void tell(const std::string& why);
  // From now on nothing is looked at any more.
  void finish();
  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }
  [[nodiscard]] std::string file(const char* name) const { return folder_ + "/" + name; }

 private:
  std::string folder_;
  std::shared_ptr<StateFile> state_;  // null: not watched
};

}  // namespace d1::hil
