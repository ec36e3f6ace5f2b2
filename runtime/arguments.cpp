// SPDX-License-Identifier: Apache-2.0
#include <d1/runtime/arguments.hpp>

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>
#include <optional>

namespace d1::runtime {
namespace {

std::string describe(const Argument& argument) {
  if (const auto* value = std::get_if<std::int64_t>(&argument)) return fmt::format("{}", *value);
  if (const auto* value = std::get_if<std::uint64_t>(&argument)) return fmt::format("{}", *value);
  if (const auto* value = std::get_if<double>(&argument))
    return fmt::format("the number {}", *value);
  if (const auto* value = std::get_if<PointerArgument>(&argument)) {
    return fmt::format("the address {:#x}", value->address);
  }
  const auto& buffer = std::get<BufferArgument>(argument);
  const bool raw = buffer.type.kind == ElementKind::Class && buffer.type.bytes == 0;
  return fmt::format("a {} buffer of {}{}", to_string(buffer.placement),
                     buffer.access == ElementAccess::ReadOnly ? "const " : "",
                     raw ? "bytes" : to_string(buffer.type));
}

class Marshaller {
 public:
  Marshaller(const Signature& signature, ArgumentBlock& block)
      : signature_(signature), block_(block) {}

  Result<> add(std::size_t index, const Argument& argument) {
    parameter_ = &signature_.parameters[index];
    index_ = index;
    switch (parameter_->kind) {
      case ParameterKind::Buffer:
        return add_buffer(argument);
      case ParameterKind::Pointer:
        return add_pointer(argument);
      case ParameterKind::Scalar:
        break;
    }
    return parameter_->type.kind == ElementKind::Float ? add_float(argument)
                                                       : add_integer(argument);
  }

 private:
  std::unexpected<Error> mismatch(const Argument& given, std::string_view why = {}) {
    const std::string name =
        parameter_->name.empty() ? fmt::format("{}", index_) : "'" + parameter_->name + "'";
    return fail(ErrorKind::Invalid,
                fmt::format("Kernel '{}' takes its parameter {} as {}, and {} was given{}{}.",
                            signature_.kernel, name, parameter_->type_name, describe(given),
                            why.empty() ? "" : "; ", why));
  }

  Result<> slot(std::uint64_t value) {
    if (block_.slots == D1_KERNEL_ARGUMENTS) {
      return fail(ErrorKind::Invalid,
                  fmt::format("Kernel '{}' needs more than {} argument slots (a buffer takes two); "
                              "pass a buffer that holds the values.",
                              signature_.kernel, D1_KERNEL_ARGUMENTS));
    }
    block_.argument[block_.slots++] = value;
    return {};
  }

  Result<> add_buffer(const Argument& argument) {
    const auto* buffer = std::get_if<BufferArgument>(&argument);
    if (!buffer || buffer->placement != parameter_->placement) return mismatch(argument);
    const bool raw = buffer->type.kind == ElementKind::Class && buffer->type.bytes == 0;
    if (!raw && !buffer->type.matches(parameter_->type)) return mismatch(argument);
    if (buffer->access == ElementAccess::ReadOnly &&
        parameter_->access == ElementAccess::ReadWrite) {
      return mismatch(argument, "the kernel writes to it");
    }
    const std::uint64_t element = parameter_->type.bytes;
    if (element == 0 || buffer->bytes % element != 0) {
      return mismatch(argument, fmt::format("its {} bytes are no whole number of elements of {} "
                                            "bytes",
                                            buffer->bytes, element));
    }
    if (auto result = slot(buffer->address); !result) return result;
    return slot(buffer->bytes / element);
  }

  Result<> add_pointer(const Argument& argument) {
    if (const auto* pointer = std::get_if<PointerArgument>(&argument))
      return slot(pointer->address);
    const auto* buffer = std::get_if<BufferArgument>(&argument);
    // A buffer at one offset on every node is an address of its own there.
    if (buffer &&
        (buffer->placement == Placement::Sharded || buffer->placement == Placement::Replicated)) {
      return slot(buffer->address);
    }
    return mismatch(argument);
  }

  Result<> add_float(const Argument& argument) {
    std::optional<double> value;
    if (const auto* number = std::get_if<double>(&argument)) value = *number;
    if (const auto* number = std::get_if<std::int64_t>(&argument)) {
      value = static_cast<double>(*number);
      if (std::abs(*value) > 9007199254740992.0) return mismatch(argument, "it is not exact");
    }
    if (const auto* number = std::get_if<std::uint64_t>(&argument)) {
      value = static_cast<double>(*number);
      if (*value > 9007199254740992.0) return mismatch(argument, "it is not exact");
    }
    if (!value) return mismatch(argument);
    std::uint64_t bits = 0;
    switch (parameter_->type.bytes) {
      case 8:
        bits = std::bit_cast<std::uint64_t>(*value);
        break;
      case 4: {
        const float narrow = static_cast<float>(*value);
        if (std::isinf(narrow) && !std::isinf(*value)) {
          return mismatch(argument, "it is too large");
        }
        // NaN-boxed, as a register holds a narrower value.
        bits = 0xffffffff00000000u | std::bit_cast<std::uint32_t>(narrow);
        break;
      }
      default:
        return fail(
            ErrorKind::Unsupported,
            fmt::format("Kernel '{}' takes a {}-byte floating-point number by value; take a "
                        "float and convert it in the kernel.",
                        signature_.kernel, parameter_->type.bytes));
    }
    if (block_.floats == D1_KERNEL_FLOAT_ARGUMENTS) return slot(bits);
    block_.float_argument[block_.floats++] = bits;
    return {};
  }

  Result<> add_integer(const Argument& argument) {
    std::uint64_t bits = 0;
    bool negative = false;
    if (const auto* number = std::get_if<std::int64_t>(&argument)) {
      bits = static_cast<std::uint64_t>(*number);
      negative = *number < 0;
    } else if (const auto* wide = std::get_if<std::uint64_t>(&argument)) {
      bits = *wide;
    } else {
      return mismatch(argument);
    }
    const unsigned width = parameter_->type.bytes * 8;
    if (parameter_->type.kind == ElementKind::Boolean) {
      if (bits > 1) return mismatch(argument, "a bool is 0 or 1");
      return slot(bits);
    }
    const bool is_signed = parameter_->type.kind == ElementKind::Signed;
    const std::uint64_t most =
        is_signed ? ~std::uint64_t{0} >> (65 - width) : ~std::uint64_t{0} >> (64 - width);
    const bool fits = negative ? is_signed && ~bits <= most : bits <= most;
    if (!fits) {
      return mismatch(argument, is_signed ? fmt::format("it holds -{} to {}", most + 1, most)
                                          : fmt::format("it holds 0 to {}", most));
    }
    // lp64d: 32-bit values are sign-extended, unsigned ones too.
    if (width == 32) {
      bits = static_cast<std::uint64_t>(
          static_cast<std::int64_t>(static_cast<std::int32_t>(static_cast<std::uint32_t>(bits))));
    }
    return slot(bits);
  }

  const Signature& signature_;
  ArgumentBlock& block_;
  const Parameter* parameter_ = nullptr;
  std::size_t index_ = 0;
};

}  // namespace

Result<> marshal(const Signature& signature, std::span<const Argument> arguments,
                 ArgumentBlock& block) {
  block.slots = 0;
  block.floats = 0;
  if (arguments.size() != signature.parameters.size()) {
    return fail(ErrorKind::Invalid,
                fmt::format("Kernel {} takes {} arguments, and {} were given.",
                            to_string(signature), signature.parameters.size(), arguments.size()));
  }
  Marshaller marshaller(signature, block);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (auto result = marshaller.add(i, arguments[i]); !result) return result;
  }
  return {};
}

}  // namespace d1::runtime
