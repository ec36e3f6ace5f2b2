// SPDX-License-Identifier: Apache-2.0
#include <d1/runtime/program.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>

namespace d1::runtime {

const std::string& Kernel::name() const noexcept {
  return program_->image().kernels()[index_].name;
}

std::uint64_t Kernel::entry() const noexcept { return program_->image().kernels()[index_].address; }

Result<const Signature*> Kernel::signature() const { return program_->signature(index_); }

namespace {

std::uint64_t next_program_id() {
  static std::atomic<std::uint64_t> next = 1;
  return next.fetch_add(1);
}

}  // namespace

Program::Program(ElfImage image)
    : image_(std::move(image)), id_(next_program_id()), signatures_(image_.kernels().size()) {}

std::shared_ptr<const Program> Program::create(ElfImage image) {
  return std::shared_ptr<const Program>(new Program(std::move(image)));
}

std::vector<std::string> Program::kernel_names() const {
  std::vector<std::string> names;
  for (const Symbol& symbol : image_.kernels()) names.push_back(symbol.name);
  return names;
}

Result<Kernel> Program::kernel(std::string_view name) const {
  const auto& all = image_.kernels();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Symbol& symbol) { return symbol.name == name; });
  if (found == all.end()) {
    return fail(ErrorKind::Invalid,
                fmt::format("Program '{}' has no kernel '{}'; it has: {}.", image_.origin(), name,
                            fmt::join(kernel_names(), ", ")));
  }
  return Kernel(shared_from_this(), static_cast<std::size_t>(found - all.begin()));
}

Result<Kernel> Program::only_kernel() const {
  if (image_.kernels().size() != 1) {
    return fail(ErrorKind::Invalid,
                fmt::format("Program '{}' has {} kernels; name one of: {}.", image_.origin(),
                            image_.kernels().size(), fmt::join(kernel_names(), ", ")));
  }
  return Kernel(shared_from_this(), 0);
}

Result<DebugInfo*> Program::debug_info() const {
  // mutex_ is held.
  if (!debug_info_) {
    auto opened = DebugInfo::open(image_);
    if (!opened) return std::unexpected(std::move(opened.error()));
    debug_info_ = std::move(*opened);
  }
  return debug_info_.get();
}

Result<const Signature*> Program::signature(std::size_t kernel) const {
  std::lock_guard lock(mutex_);
  auto& known = signatures_[kernel];
  if (!known) {
    auto info = debug_info();
    if (!info) return std::unexpected(std::move(info.error()));
    known = std::make_unique<Result<Signature>>((*info)->signature(image_.kernels()[kernel]));
  }
  if (!*known) return std::unexpected(known->error());
  return &known->value();
}

SourcePlace Program::place(std::uint64_t address) const {
  std::lock_guard lock(mutex_);
  auto info = debug_info();
  if (info) return (*info)->place(address);
  SourcePlace place;
  place.function = image_.function_at(address);
  return place;
}

}  // namespace d1::runtime
