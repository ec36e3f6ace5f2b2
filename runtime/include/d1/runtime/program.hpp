// SPDX-License-Identifier: Apache-2.0
// A program and its kernels on the host's side: image, debug information, signatures.
//
// Ownership: kernels keep their program alive. Thread-safe. Nothing here talks to the device:
// loading is Context::load_program. The first signature or source place reads the debug
// information.
#pragma once

#include <d1/base/error.hpp>
#include <d1/runtime/debug_info.hpp>
#include <d1/runtime/elf_image.hpp>
#include <d1/runtime/signature.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace d1::runtime {

class Program;

class Kernel {
 public:
  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] std::uint64_t entry() const noexcept;
  [[nodiscard]] const std::shared_ptr<const Program>& program() const noexcept { return program_; }
  // Names and types of the parameters; an error if the program was built without -g.
  [[nodiscard]] Result<const Signature*> signature() const;

 private:
  friend class Program;
  Kernel(std::shared_ptr<const Program> program, std::size_t index)
      : program_(std::move(program)), index_(index) {}

  std::shared_ptr<const Program> program_;
  std::size_t index_;
};

class Program : public std::enable_shared_from_this<Program> {
 public:
  [[nodiscard]] static std::shared_ptr<const Program> create(ElfImage image);

  [[nodiscard]] const ElfImage& image() const noexcept { return image_; }
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }  // unique in the process, not 0
  [[nodiscard]] std::vector<std::string> kernel_names() const;
  // The error names the kernels there are.
  [[nodiscard]] Result<Kernel> kernel(std::string_view name) const;
  // The only kernel, if there is just one.
  [[nodiscard]] Result<Kernel> only_kernel() const;
  [[nodiscard]] SourcePlace place(std::uint64_t address) const;

 private:
  friend class Kernel;
  explicit Program(ElfImage image);
  [[nodiscard]] Result<DebugInfo*> debug_info() const;
  [[nodiscard]] Result<const Signature*> signature(std::size_t kernel) const;

  const ElfImage image_;
  const std::uint64_t id_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<DebugInfo> debug_info_;
  mutable std::vector<std::unique_ptr<Result<Signature>>> signatures_;  // by kernel, when known
};

}  // namespace d1::runtime
