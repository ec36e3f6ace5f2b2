// SPDX-License-Identifier: Apache-2.0
// A folder named after the running test, for what helps to understand its failure. It is there
// from the start, since a test can end in a crash; when a test has passed it is deleted.
// One thread, but for the test's first failure, which may come on any.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace d1::hil {

class Artefacts {
 public:
  // `state`: called once at the test's first failure; its text becomes state.txt.
  explicit Artefacts(std::function<std::string()> state);
  ~Artefacts();
  Artefacts(const Artefacts&) = delete;
  Artefacts& operator=(const Artefacts&) = delete;

  // As at a failure, for a test that ends otherwise.
  void tell(const std::string& why);
  [[nodiscard]] const std::string& folder() const noexcept { return folder_; }
  [[nodiscard]] std::string file(const char* name) const { return folder_ + "/" + name; }

 private:
  class Listener;
  std::string folder_;
  Listener* listener_;  // GoogleTest's while it is registered
};

}  // namespace d1::hil
