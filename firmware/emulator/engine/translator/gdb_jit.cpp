// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/gdb_jit.hpp"

#include <algorithm>
#include <mutex>

extern "C" {
enum jit_actions : std::uint32_t { kJitNoAction, kJitRegister, kJitUnregister };

// Weak: other translators in the process have them too, and the first ones serve all.
[[gnu::weak, gnu::used]] jit_descriptor __jit_debug_descriptor = {1, kJitNoAction, nullptr,
                                                                  nullptr};
// gdb sets a breakpoint in it.
[[gnu::weak, gnu::used, gnu::noinline]] void __jit_debug_register_code() {
  asm volatile("" : : : "memory");
}
}

namespace d1::emulator {

namespace {

std::mutex& registration() {
  static std::mutex& mutex = *new std::mutex;  // translators of static objects outlive others
  return mutex;
}

void tell(jit_actions action, jit_code_entry& entry) {
  __jit_debug_descriptor.action_flag = action;
  __jit_debug_descriptor.relevant_entry = &entry;
  __jit_debug_register_code();
}

}  // namespace

struct GdbJit::Object {
  explicit Object(const HostCode& code)
      : begin(code.begin), file(make_symbol_file(code)) {
    const std::lock_guard lock(registration());
    jit_code_entry*& first = __jit_debug_descriptor.first_entry;
    entry = {first, nullptr, reinterpret_cast<const char*>(file.data()), file.size()};
    if (first != nullptr) first->prev_entry = &entry;
    first = &entry;
    tell(kJitRegister, entry);
  }
  ~Object() {
    const std::lock_guard lock(registration());
    if (entry.prev_entry != nullptr) entry.prev_entry->next_entry = entry.next_entry;
    else __jit_debug_descriptor.first_entry = entry.next_entry;
    if (entry.next_entry != nullptr) entry.next_entry->prev_entry = entry.prev_entry;
    tell(kJitUnregister, entry);
  }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  const std::uint8_t* begin;
  std::vector<std::uint8_t> file;
  jit_code_entry entry{};
};

GdbJit::GdbJit() = default;
GdbJit::~GdbJit() = default;

void GdbJit::add(const HostCode& code) { objects_.push_back(std::make_unique<Object>(code)); }

void GdbJit::drop_from(const std::uint8_t* begin) {
  std::erase_if(objects_, [begin](const auto& object) { return object->begin >= begin; });
}

}  // namespace d1::emulator
