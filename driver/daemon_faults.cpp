// SPDX-License-Identifier: Apache-2.0
#include "daemon_faults.hpp"

#include <d1/driver/limits.hpp>

#include <sstream>

namespace d1::driver {

namespace control = vfio_user::control;

namespace {

Result<> done(Result<std::string> answer) {
  if (!answer) return std::unexpected(std::move(answer.error()));
  return {};
}

}  // namespace

Result<std::string> DaemonFaults::ask(std::string_view verb, std::string_view text) const {
  return control::ask(path_, verb, text, after(timeout_));
}

bool DaemonFaults::available() const { return ask(control::kEvents, "").has_value(); }

Result<> DaemonFaults::inject(std::string_view plan_toml) const {
  return done(ask(control::kInject, plan_toml));
}

Result<> DaemonFaults::clear() const { return done(ask(control::kClear, "")); }

Result<std::vector<std::string>> DaemonFaults::events() const {
  auto answer = ask(control::kEvents, "");
  if (!answer) return std::unexpected(std::move(answer.error()));
  std::vector<std::string> events;
  std::istringstream lines(*answer);
  for (std::string line; std::getline(lines, line);) events.push_back(line);
  return events;
}

}  // namespace d1::driver
