// SPDX-License-Identifier: Apache-2.0
// Faults of a device that a daemon serves, by that daemon's second door (d1/vfio_user/control.hpp).
// Other servers have no such door. Any thread; each call waits for an answer, `timeout` at most.
#pragma once

#include <d1/vfio_user/control.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace d1::driver {

class DaemonFaults {
 public:
  // By the path of the device's own socket.
  DaemonFaults(std::string_view socket_path, std::chrono::milliseconds timeout)
      : path_(vfio_user::control::path_for(socket_path)), timeout_(timeout) {}

  [[nodiscard]] bool available() const;
  [[nodiscard]] Result<> inject(std::string_view plan_toml) const;
  [[nodiscard]] Result<> clear() const;
  [[nodiscard]] Result<std::vector<std::string>> events() const;

 private:
  [[nodiscard]] Result<std::string> ask(std::string_view verb, std::string_view text) const;

  std::string path_;
  std::chrono::milliseconds timeout_;
};

}  // namespace d1::driver
