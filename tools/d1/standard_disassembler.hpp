// SPDX-License-Identifier: Apache-2.0
// Assembler text of standard instructions by LLVM's C interface. The library (48 MiB) is loaded
// when the first object is made. One thread.
#pragma once

#include <cstdint>
#include <d1/base/error.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace d1::tools {

class StandardDisassembler {
 public:
  [[nodiscard]] static Result<std::unique_ptr<StandardDisassembler>> create();
  ~StandardDisassembler();
  StandardDisassembler(const StandardDisassembler&) = delete;
  StandardDisassembler& operator=(const StandardDisassembler&) = delete;

  // Nothing where LLVM knows no instruction.
  [[nodiscard]] std::optional<std::string> text(std::span<const std::uint8_t> bytes,
                                                std::uint64_t address);

 private:
  struct Library;
  StandardDisassembler();
  std::unique_ptr<Library> library_;
};

}  // namespace d1::tools
