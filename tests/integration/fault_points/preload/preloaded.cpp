// SPDX-License-Identifier: Apache-2.0
// The fault points in a library, for a program that is started with it (LD_PRELOAD): the k-th call,
// k in D1_FAILING_CALL, fails, and its name goes to the file D1_FAILED_CALL names.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "../failing_calls.hpp"

namespace {

std::optional<d1::test::FailingCall> failing;

[[gnu::constructor]] void arm() {
  const char* const k = std::getenv("D1_FAILING_CALL");
  if (k != nullptr) failing.emplace(static_cast<unsigned>(std::atoi(k)));
}
[[gnu::destructor]] void tell() {
  const char* const path = std::getenv("D1_FAILED_CALL");
  if (!failing || path == nullptr) return;
  const std::string name = failing->failed();
  const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) return;
  (void)!::write(file, name.data(), name.size());
  ::close(file);
}

}  // namespace
