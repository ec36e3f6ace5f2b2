// SPDX-License-Identifier: Apache-2.0
// Debug information of a program: kernels' signatures, and source places of addresses. libdw is
// loaded by the first DebugInfo that is made, not with the library.
// Threads: any (one lock inside). Nothing here waits on a device; the first use reads the program's
// debug sections, some milliseconds.
#pragma once

#include <d1/base/error.hpp>
#include <d1/runtime/elf_image.hpp>
#include <d1/runtime/signature.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace d1::runtime {

// A function and a line in it.
struct SourceFrame {
  std::string function;
  std::string file;  // empty: not known
  int line = 0;
};

// The innermost function at an address, inlined ones included, and the calls that led to it as far
// as they were inlined: its caller first, the function that has code of its own last.
struct SourcePlace : SourceFrame {
  std::vector<SourceFrame> callers;
};

// "d1_sem_wait (d1/xd1.h:154), called in ring (kernels/ring.cpp:12)"; the address alone where
// nothing is known.
[[nodiscard]] std::string to_string(const SourcePlace& place, std::uint64_t address);

class DebugInfo {
 public:
  // Keeps a reference to the image: it must live as long. A program without debug information is no
  // error here; asking for a signature then is.
  [[nodiscard]] static Result<std::unique_ptr<DebugInfo>> open(const ElfImage& image);
  ~DebugInfo();
  DebugInfo(const DebugInfo&) = delete;
  DebugInfo& operator=(const DebugInfo&) = delete;

  [[nodiscard]] Result<Signature> signature(const Symbol& kernel);
  // Falls back to the symbol's name, then to nothing: never fails.
  [[nodiscard]] SourcePlace place(std::uint64_t address);

 private:
  struct State;
  DebugInfo(const ElfImage& image, std::unique_ptr<State> state);

  const ElfImage& image_;
  std::unique_ptr<State> state_;
};

}  // namespace d1::runtime
