// SPDX-License-Identifier: Apache-2.0
// From kernel source to a program: clang-19 and lld-19 with the device's flags, and a cache of what
// was built before, keyed by content.
//
// Ownership: none. Threads: any; two processes may fill the cache at once, entries appear whole.
// Blocking: runs the compiler, at most limits::kCompileTimeout.
#pragma once

#include <d1/base/error.hpp>
#include <d1/runtime/elf_image.hpp>

#include <string>
#include <vector>

namespace d1::runtime {

enum class CachePolicy : std::uint8_t { Use, Bypass };

struct CompileRequest {
  std::string source;                            // path of a C++ file
  std::vector<std::string> include_directories;  // -I
  std::vector<std::string> definitions;          // -D, "NAME" or "NAME=VALUE"
  std::vector<std::string> flags;                // passed on as they are, after the device's own
  CachePolicy cache = CachePolicy::Use;
  std::string device_directory;  // empty: found by find_device_directory()
};

struct CompiledProgram {
  std::vector<std::byte> elf;
  std::string diagnostics;  // warnings, as the compiler wrote them
  bool from_cache = false;
};

// A kernel that does not compile is an Invalid error that ends in the compiler's own words.
[[nodiscard]] Result<CompiledProgram> compile(const CompileRequest& request);
// compile(), and the ELF checked.
[[nodiscard]] Result<ElfImage> compile_image(const CompileRequest& request);

// The folder with the kernel SDK, flags and link map: $D1_DEVICE_DIR if set, else what belongs to
// the header or the running program (share/opend1/device of their prefix), else the build tree, or
// the prefix this library was configured for.
[[nodiscard]] Result<std::string> find_device_directory();
// Names a header of an installed package, PREFIX/include/d1/HEADER, as __FILE__ spells it there.
void set_installed_header(const std::string& path);

}  // namespace d1::runtime
