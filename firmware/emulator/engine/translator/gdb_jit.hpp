// SPDX-License-Identifier: Apache-2.0
// Host code as gdb sees it, by gdb's JIT interface: each piece is an ELF object in memory with its
// name and with what is needed to find the frame above. One thread at a time; registrations of all
// objects of this kind are ordered among each other.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/translator/host_code.hpp"

// Names and layout are gdb's, which finds them by name.
extern "C" {
struct jit_code_entry {
  jit_code_entry* next_entry;
  jit_code_entry* prev_entry;
  const char* symfile_addr;
  std::uint64_t symfile_size;
};
struct jit_descriptor {
  std::uint32_t version;
  std::uint32_t action_flag;
  jit_code_entry* relevant_entry;
  jit_code_entry* first_entry;
};
extern jit_descriptor __jit_debug_descriptor;
}

namespace d1::emulator {

class GdbJit {
 public:
  GdbJit();
  ~GdbJit();  // gdb forgets all of it
  GdbJit(const GdbJit&) = delete;
  GdbJit& operator=(const GdbJit&) = delete;

  void add(const HostCode& code);
  // Forgets what begins at or behind `begin`.
  void drop_from(const std::uint8_t* begin);

 private:
  struct Object;
  std::vector<std::unique_ptr<Object>> objects_;
};

// The ELF object that describes the code: section .text where it lies, a symbol, .debug_frame.
[[nodiscard]] std::vector<std::uint8_t> make_symbol_file(const HostCode& code);

}  // namespace d1::emulator
