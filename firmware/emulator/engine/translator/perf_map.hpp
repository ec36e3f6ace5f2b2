// SPDX-License-Identifier: Apache-2.0
// /tmp/perf-PID.map, where `perf report` looks up code that no file holds: a line for each piece of
// host code. All translators of a process share the file, which stays when the process ends, since
// it is read afterwards. What was dropped is no longer in it. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "engine/translator/host_code.hpp"

namespace d1::emulator {

class PerfMap {
 public:
  // The path for this process.
  [[nodiscard]] static std::string path();

  // Code that lay there before is forgotten.
  static void add(const HostCode& code);
  // Forgets what begins at [begin, end).
  static void drop(const std::uint8_t* begin, const std::uint8_t* end);
};

}  // namespace d1::emulator
