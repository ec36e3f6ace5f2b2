// SPDX-License-Identifier: Apache-2.0
// A function as a parameter: refers to what the caller has, allocates nothing, must not be kept.
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

namespace d1::emulator {

template <typename Signature>
class FunctionReference;

template <typename Result, typename... Arguments>
class FunctionReference<Result(Arguments...)> {
 public:
  template <typename Function>
    requires(!std::same_as<Function, FunctionReference>)
  FunctionReference(const Function& function) noexcept
      : function_(&function), call_([](const void* called, Arguments... arguments) -> Result {
          return (*static_cast<const Function*>(called))(std::forward<Arguments>(arguments)...);
        }) {}

  Result operator()(Arguments... arguments) const {
    return call_(function_, std::forward<Arguments>(arguments)...);
  }

 private:
  const void* function_;
  Result (*call_)(const void* function, Arguments... arguments);
};

}  // namespace d1::emulator
