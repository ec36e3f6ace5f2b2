// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/code_register.hpp"

#include <fmt/format.h>

#include "engine/translator/perf_map.hpp"

namespace d1::emulator {

CodeRegister::CodeRegister(const EngineOptions& options)
    : perf_map_(options.perf_map),
      gdb_jit_(options.gdb_jit ? std::make_unique<GdbJit>() : nullptr) {}

void CodeRegister::add(const HostCode& code) {
  if (perf_map_) PerfMap::add(code);
  if (gdb_jit_ != nullptr) gdb_jit_->add(code);
}

void CodeRegister::drop(const std::uint8_t* begin, const std::uint8_t* end) {
  if (perf_map_) PerfMap::drop(begin, end);
  if (gdb_jit_ != nullptr) gdb_jit_->drop_from(begin);
}

std::string name_of_code(const CodeImage& image, std::uint64_t pc) {
  std::string place = image.names() != nullptr ? image.names()->place(pc) : "";
  return place.empty() ? fmt::format("{:#x}", pc) : place;
}

}  // namespace d1::emulator
