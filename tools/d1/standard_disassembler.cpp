// SPDX-License-Identifier: Apache-2.0
#include "standard_disassembler.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <llvm-c/Disassembler.h>

#include <algorithm>
#include <array>

namespace d1::tools {
namespace {

constexpr const char* kTriple = "riscv64-unknown-elf";
// What of the node's instruction set LLVM has to be told; the rest is implied.
constexpr const char* kFeatures =
    "+m,+a,+f,+d,+c,+v,+zba,+zbb,+zbs,+zfh,+zvfh,+zfbfmin,+zvfbfmin,+zvfbfwma,+zicsr,+zifencei,"
    "+zicond,+zihintpause";
// Debian's name, the one of a development package, and that of other systems.
constexpr std::array kNames = {"libLLVM.so.19.1", "libLLVM-19.so", "libLLVM-19.so.1"};

}  // namespace

struct StandardDisassembler::Library {
  void* handle = nullptr;
  LLVMDisasmContextRef context = nullptr;
  decltype(&LLVMDisasmInstruction) disassemble = nullptr;
  decltype(&LLVMDisasmDispose) dispose = nullptr;

  template <typename Function>
  [[nodiscard]] Function* find(const char* name) const {
    return reinterpret_cast<Function*>(dlsym(handle, name));
  }
};

StandardDisassembler::StandardDisassembler() : library_(std::make_unique<Library>()) {}

StandardDisassembler::~StandardDisassembler() {
  if (library_->context != nullptr) library_->dispose(library_->context);
  // The library stays loaded: it does not bear being closed.
}

Result<std::unique_ptr<StandardDisassembler>> StandardDisassembler::create() {
  std::unique_ptr<StandardDisassembler> made(new StandardDisassembler);
  Library& library = *made->library_;
  for (const char* name : kNames)
    if (library.handle == nullptr) library.handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library.handle == nullptr)
    return fail(
        ErrorKind::Unsupported,
        fmt::format("LLVM 19 cannot be loaded ({}); install package libllvm19.", dlerror()));
  for (const char* part : {"LLVMInitializeRISCVTargetInfo", "LLVMInitializeRISCVTarget",
                           "LLVMInitializeRISCVTargetMC", "LLVMInitializeRISCVDisassembler"}) {
    auto* initialize = library.find<void()>(part);
    if (initialize == nullptr)
      return fail(ErrorKind::Unsupported,
                  fmt::format("LLVM 19 is there but built without RISC-V: no {}.", part));
    initialize();
  }
  auto* create_context =
      library.find<decltype(LLVMCreateDisasmCPUFeatures)>("LLVMCreateDisasmCPUFeatures");
  library.disassemble = library.find<decltype(LLVMDisasmInstruction)>("LLVMDisasmInstruction");
  library.dispose = library.find<decltype(LLVMDisasmDispose)>("LLVMDisasmDispose");
  if (create_context != nullptr && library.disassemble != nullptr && library.dispose != nullptr)
    library.context = create_context(kTriple, "", kFeatures, nullptr, 0, nullptr, nullptr);
  if (library.context == nullptr)
    return fail(ErrorKind::Unsupported, "LLVM 19 makes no disassembler for RISC-V.");
  return made;
}

std::optional<std::string> StandardDisassembler::text(std::span<const std::uint8_t> bytes,
                                                      std::uint64_t address) {
  std::array<char, 256> line;
  // LLVM takes the bytes by a pointer that is not const, and only reads them.
  const std::size_t used =
      library_->disassemble(library_->context, const_cast<std::uint8_t*>(bytes.data()),
                            bytes.size(), address, line.data(), line.size());
  if (used != bytes.size()) return std::nullopt;
  std::string text(line.data());
  text.erase(0, text.find_first_not_of("\t "));
  std::ranges::replace(text, '\t', ' ');
  return text;
}

}  // namespace d1::tools
