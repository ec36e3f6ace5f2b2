// SPDX-License-Identifier: Apache-2.0
// The one exception of the C++ API: carries the Error of the floors below.
#pragma once

#include <d1/base/error.hpp>

#include <exception>
#include <string>
#include <utility>

namespace d1 {

class Exception : public std::exception {
 public:
  explicit Exception(Error error) : error_(std::move(error)), text_(error_.to_string()) {}

  [[nodiscard]] const Error& error() const noexcept { return error_; }
  [[nodiscard]] ErrorKind kind() const noexcept { return error_.kind(); }
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

 private:
  Error error_;
  std::string text_;
};

namespace detail {

template <typename T>
T value(Result<T> result) {
  if (!result) throw Exception(std::move(result.error()));
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace detail
}  // namespace d1
