// SPDX-License-Identifier: Apache-2.0
// The functions of a program by their addresses, so that whoever shows code to people can say where
// an address lies. Immutable once made: any thread may ask.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace d1 {

struct NamedFunction {
  std::string name;  // as in the ELF file; those of C++ are told as people write them
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;  // 0: up to the next function
};

class CodeNames {
 public:
  explicit CodeNames(std::vector<NamedFunction> functions);

  // "saxpy+0x1c", or "saxpy" at its beginning; empty where no function is.
  [[nodiscard]] std::string place(std::uint64_t address) const;

 private:
  std::vector<NamedFunction> functions_;  // by address
};

}  // namespace d1
