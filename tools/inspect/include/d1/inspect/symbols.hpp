// SPDX-License-Identifier: Apache-2.0
// Names and source lines of what the nodes run, from the ELF files that the device keeps. Asked for
// once each. One thread.
#pragma once

#include <d1/driver/debug_target.hpp>
#include <d1/runtime/debug_info.hpp>
#include <d1/runtime/elf_image.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace d1::inspect {

class Symbols {
 public:
  explicit Symbols(driver::DebugTarget& target) noexcept : target_(target) {}

  // What is at an address of a program (0: of none): "the boot ROM" as the function there.
  [[nodiscard]] const runtime::SourcePlace& place(std::uint64_t program, std::uint64_t address);
  // The same for people: "step (kernels/ring.cpp:12)"; the address where nothing is known.
  [[nodiscard]] std::string text(std::uint64_t program, std::uint64_t address);
  // Name of the function that an address is in, whatever was inlined there; empty if not known.
  [[nodiscard]] std::string function_at(std::uint64_t program, std::uint64_t address);
  // Null where nobody told the device, or the file is broken.
  [[nodiscard]] const runtime::ElfImage* image(std::uint64_t program);
  // Functions of any program that nodes have, by name.
  [[nodiscard]] std::optional<runtime::Symbol> function(std::uint64_t program,
                                                        std::string_view name);

 private:
  struct Program {
    std::optional<runtime::ElfImage> image;
    std::unique_ptr<runtime::DebugInfo> info;
  };
  Program& open(std::uint64_t program);

  driver::DebugTarget& target_;
  std::map<std::uint64_t, Program> programs_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, runtime::SourcePlace> places_;
};

}  // namespace d1::inspect
