// SPDX-License-Identifier: Apache-2.0
// Threads, where a host that has none left is an error like any other.
#pragma once

#include <d1/base/error.hpp>

#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace d1 {

[[nodiscard]] inline std::unexpected<Error> no_thread(const std::string& purpose,
                                                      const std::system_error& reason) {
  return fail(ErrorKind::ResourceExhausted,
              "The host gives no thread for " + purpose + ": " + reason.code().message() +
                  "; end other programs or raise 'ulimit -u'.");
}

// purpose: "watching the connection". None left: ResourceExhausted.
template <typename Function>
[[nodiscard]] Result<std::jthread> start_thread(const std::string& purpose, Function&& function) {
  try {
    return std::jthread(std::forward<Function>(function));
  } catch (const std::system_error& reason) {
    return no_thread(purpose, reason);
  }
}

}  // namespace d1
