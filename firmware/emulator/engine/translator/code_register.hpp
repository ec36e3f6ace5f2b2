// SPDX-License-Identifier: Apache-2.0
// Where a translator tells of its code those who show it to people: perf and gdb, each if asked
// for. Under the translator's lock.
#pragma once

#include <memory>
#include <string>

#include <d1/emulator/engine_options.hpp>

#include "engine/code_image.hpp"
#include "engine/translator/code_cache.hpp"
#include "engine/translator/gdb_jit.hpp"
#include "engine/translator/host_code.hpp"

namespace d1::emulator {

class CodeRegister {
 public:
  explicit CodeRegister(const EngineOptions& options);

  [[nodiscard]] bool wanted() const noexcept { return perf_map_ || gdb_jit_ != nullptr; }
  void add(const HostCode& code);
  // What lies at [begin, end) is no more.
  void drop(const std::uint8_t* begin, const std::uint8_t* end);

 private:
  bool perf_map_;
  std::unique_ptr<GdbJit> gdb_jit_;  // null: nobody asked
};

// "saxpy+0x1c", or the address where no function is known.
[[nodiscard]] std::string name_of_code(const CodeImage& image, std::uint64_t pc);

}  // namespace d1::emulator
