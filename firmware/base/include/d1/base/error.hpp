// SPDX-License-Identifier: Apache-2.0
// The one error type of the project: a kind a program can act on, one complete sentence a person
// can act on (value, limit, what to do), and a chain of "while ..." contexts, innermost first.
// Plain values: safe to copy and move between threads; nothing here blocks or throws.
#pragma once

#if __cplusplus <= 202002L
#error "The C++ headers of OpenD1 need C++23: compile with -std=c++23."
#endif

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace d1 {

enum class ErrorKind {
  Invalid,            // the caller's input is wrong; nothing was changed
  Unsupported,        // well formed, but this device or build cannot do it
  ResourceExhausted,  // memory, queue slots, handles; retry after releasing some
  Timeout,            // the deadline passed
  Cancelled,          // given up on request
  KernelTrap,         // a kernel faulted; the message names die, node, hart and source line
  Deadlock,           // a kernel that can provably never end; the message says who waits for whom
  DeviceLost,         // the device or its process is gone
  Hardware,           // a part of the machine failed (memory, PCIe transfer, die); the rest goes on
  Protocol,           // the two sides of a transport disagree
  Internal            // a fault of this project
};

[[nodiscard]] std::string_view to_string(ErrorKind kind) noexcept;

class Error {
 public:
  Error(ErrorKind kind, std::string sentence) : kind_(kind), sentence_(std::move(sentence)) {}

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& sentence() const noexcept { return sentence_; }
  [[nodiscard]] const std::vector<std::string>& contexts() const noexcept { return contexts_; }

  // Adds "while <doing>"; returns itself so that it can be passed on in one expression.
  Error&& while_doing(std::string doing) && {
    contexts_.push_back(std::move(doing));
    return std::move(*this);
  }

  // "Invalid: <sentence> (while <inner>, while <outer>)".
  [[nodiscard]] std::string to_string() const;

 private:
  ErrorKind kind_;
  std::string sentence_;
  std::vector<std::string> contexts_;
};

template <typename T = void>
using Result = std::expected<T, Error>;

// return fail(ErrorKind::Invalid, fmt::format(...));
[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string sentence) {
  return std::unexpected<Error>(Error(kind, std::move(sentence)));
}

// Passes the error of a failed result on, with a context.
template <typename T>
[[nodiscard]] std::unexpected<Error> pass_on(Result<T>& failed, std::string while_doing) {
  return std::unexpected<Error>(std::move(failed.error()).while_doing(std::move(while_doing)));
}

}  // namespace d1
