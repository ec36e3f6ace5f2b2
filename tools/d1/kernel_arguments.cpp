// SPDX-License-Identifier: Apache-2.0
#include "kernel_arguments.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string_view>

namespace d1::tools {
namespace {

using runtime::ElementKind;
using runtime::ElementType;
using runtime::Parameter;
using runtime::ParameterKind;

[[noreturn]] void reject(std::string sentence) {
  throw Exception(Error(ErrorKind::Invalid, std::move(sentence)));
}

std::map<std::string, std::string> by_name(const std::vector<std::string>& words,
                                           std::string_view option,
                                           const runtime::Signature& signature) {
  std::map<std::string, std::string> values;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == word.size())
      reject(fmt::format("{} {} is not NAME=VALUE.", option, word));
    const std::string name = word.substr(0, equals);
    if (std::ranges::find(signature.parameters, name, &Parameter::name) ==
        signature.parameters.end())
      reject(fmt::format("{} {}: the kernel has no parameter {}; it is {}.", option, word, name,
                         to_string(signature)));
    if (!values.emplace(name, word.substr(equals + 1)).second)
      reject(fmt::format("{} is given twice for parameter {}.", option, name));
  }
  return values;
}

// NumPy's names of an element type; the first is the one to write.
std::vector<std::string> npy_types(const ElementType& type) {
  switch (type.kind) {
    case ElementKind::Float:
      return {fmt::format("f{}", type.bytes)};
    case ElementKind::Signed:
      return {fmt::format("i{}", type.bytes)};
    case ElementKind::Unsigned:
      return {fmt::format("u{}", type.bytes)};
    case ElementKind::Boolean:
      return {fmt::format("b{}", type.bytes)};
    case ElementKind::Class:
      break;  // bf16 and other formats that NumPy lacks: raw bits
  }
  std::vector<std::string> types = {fmt::format("V{}", type.bytes)};
  if (type.bytes == 1 || type.bytes == 2 || type.bytes == 4 || type.bytes == 8)
    types.insert(types.begin(), fmt::format("u{}", type.bytes));
  return types;
}

std::vector<std::size_t> parse_shape(const std::string& name, const std::string& text) {
  std::vector<std::size_t> shape;
  for (const char *at = text.data(), *end = at + text.size();;) {
    std::uint64_t extent = 0;
    const auto [stop, fault] = std::from_chars(at, end, extent);
    if (fault != std::errc() || extent == 0 || (stop != end && *stop != 'x')) break;
    shape.push_back(extent);
    if (stop == end) return shape;
    at = stop + 1;
  }
  reject(
      fmt::format("--shape {}={} is not sizes with x between them, such as 64x128.", name, text));
}

// Bytes of an array, or a rejection where there is no such size.
std::uint64_t bytes_of(const std::string& name, const std::vector<std::size_t>& shape,
                       std::uint64_t element_bytes) {
  std::uint64_t bytes = element_bytes;
  for (const std::uint64_t extent : shape) {
    if (extent == 0 || bytes > std::numeric_limits<std::uint32_t>::max() * 64ull / extent)
      reject(
          fmt::format("Parameter {}: an array of {} elements of {} bytes is empty or too large "
                      "for any memory of the device.",
                      name, fmt::join(shape, " x "), element_bytes));
    bytes *= extent;
  }
  return bytes;
}

// A kernel may run for long: what can be known of the place of its result is said before.
void check_output(const std::string& path) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  errno = 0;
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    reject(fmt::format("'{}' cannot be written: {}.", path, std::strerror(errno)));
  if (!std::filesystem::is_directory(folder) || std::filesystem::is_directory(path))
    reject(fmt::format("'{}' cannot be written: it is no place for a file.", path));
}

runtime::Argument parse_number(const Parameter& parameter, const std::string& text) {
  const char *begin = text.data(), *end = begin + text.size();
  const auto complete = [&](auto parsed) { return parsed.ec == std::errc() && parsed.ptr == end; };
  if (parameter.kind == ParameterKind::Scalar && parameter.type.kind == ElementKind::Float) {
    double value = 0;
    if (complete(std::from_chars(begin, end, value))) return value;
    reject(fmt::format("--arg {}={} is no number.", parameter.name, text));
  }
  if (parameter.type.kind == ElementKind::Boolean && (text == "true" || text == "false"))
    return std::uint64_t{text == "true"};
  std::int64_t negative = 0;
  std::uint64_t value = 0;
  const bool hexadecimal = text.starts_with("0x");
  if (complete(std::from_chars(begin + (hexadecimal ? 2 : 0), end, value, hexadecimal ? 16 : 10))) {
    if (parameter.kind == ParameterKind::Pointer) return runtime::PointerArgument{value};
    return value;
  }
  if (complete(std::from_chars(begin, end, negative))) return negative;
  reject(fmt::format("--arg {}={} is no whole number of up to 64 bits, which {} takes.",
                     parameter.name, text, parameter.type_name));
}

}  // namespace

KernelArguments::KernelArguments(const runtime::Signature& signature,
                                 const ArgumentOptions& options)
    : signature_(signature),
      inputs_(by_name(options.inputs, "--in", signature)),
      outputs_(by_name(options.outputs, "--out", signature)),
      shapes_(by_name(options.shapes, "--shape", signature)),
      numbers_(by_name(options.numbers, "--arg", signature)) {
  if (!options.inputs.empty()) {
    const std::string& first = options.inputs.front();
    first_shape_ = detail::value(read_npy_head(first.substr(first.find('=') + 1))).shape;
  }
  arguments_.resize(signature.parameters.size());
  for (const Parameter& parameter : signature.parameters) {
    if (parameter.kind == ParameterKind::Buffer)
      add_buffer(parameter);
    else
      add_number(parameter);
  }
}

void KernelArguments::add_number(const Parameter& parameter) {
  const std::string& name = parameter.name;
  if (inputs_.contains(name) || outputs_.contains(name) || shapes_.contains(name))
    reject(fmt::format("Parameter {} is a {}, no buffer: give it with --arg {}=VALUE.", name,
                       parameter.type_name, name));
  const auto number = numbers_.find(name);
  if (number == numbers_.end())
    reject(fmt::format("Parameter {} is missing: give --arg {}=VALUE ({}). The kernel is {}.", name,
                       name, parameter.type_name, to_string(signature_)));
  const auto index = static_cast<std::size_t>(&parameter - signature_.parameters.data());
  arguments_[index] = parse_number(parameter, number->second);
}

void KernelArguments::add_buffer(const Parameter& parameter) {
  const std::string& name = parameter.name;
  if (numbers_.contains(name))
    reject(fmt::format("Parameter {} is a {}: give it with --in, --out or --shape, not --arg.",
                       name, parameter.type_name));
  BufferArgument made;
  made.parameter = &parameter;
  const std::vector<std::string> types = npy_types(parameter.type);
  const auto input = inputs_.find(name), output = outputs_.find(name), shape = shapes_.find(name);
  if (output != outputs_.end()) {
    made.output = output->second;
    check_output(made.output);
  }
  if (input != inputs_.end()) {
    made.content = detail::value(read_npy_head(input->second));
    if (std::ranges::find(types, made.content.type) == types.end())
      reject(fmt::format("{} holds elements of type '{}'; parameter {} takes {}, which is '{}'.",
                         input->second, made.content.type, name, to_string(parameter.type),
                         fmt::join(types, "' or '")));
    if (shape != shapes_.end() && parse_shape(name, shape->second) != made.content.shape)
      reject(fmt::format("{} has shape {}, but --shape says {}.", input->second,
                         fmt::join(made.content.shape, "x"), shape->second));
  } else {
    if (shape == shapes_.end() && (output == outputs_.end() || inputs_.empty()))
      reject(
          fmt::format("Parameter {} is missing: give --in {}=FILE.npy, or --shape {}=SIZE for a "
                      "buffer of zeroes ({}). The kernel is {}.",
                      name, name, name, parameter.type_name, to_string(signature_)));
    made.content.shape = shape != shapes_.end() ? parse_shape(name, shape->second) : first_shape_;
  }
  made.count = bytes_of(name, made.content.shape, parameter.type.bytes) / parameter.type.bytes;
  made.content.type = types.front();
  made.content.element_bytes = parameter.type.bytes;
  buffers_.push_back(std::move(made));
}

void KernelArguments::read_file(Stream& stream, const BufferArgument& buffer,
                                const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) reject(fmt::format("'{}' cannot be opened: {}.", path, std::strerror(errno)));
  auto reading = stream.shared().read_file(buffer.buffer, 0, file, buffer.content.data_at,
                                           buffer.content.data_bytes);
  ::close(file);  // the stream has its own
  (void)detail::value(std::move(reading));
}

const std::vector<runtime::Argument>& KernelArguments::put(const Device& device, const Grid& grid,
                                                           Stream& stream) {
  for (BufferArgument& each : buffers_) {
    const Parameter& parameter = *each.parameter;
    Result<runtime::Buffer> buffer = device.shared()->allocate(
        {parameter.placement, each.count, parameter.type.bytes, grid.shared(), 0});
    if (!buffer)
      throw Exception(std::move(buffer.error())
                          .while_doing(fmt::format("making the buffer of {}", parameter.name)));
    each.buffer = std::move(*buffer);
    // Zeroes too are written: a result must not depend on what lay there before.
    if (const auto input = inputs_.find(parameter.name); input != inputs_.end())
      read_file(stream, each, input->second);
    else
      (void)detail::value(stream.shared().fill(each.buffer, 0, each.buffer.bytes(), 0, 1));
    const auto index = static_cast<std::size_t>(&parameter - signature_.parameters.data());
    arguments_[index] = each.buffer.argument(parameter.type, parameter.access);
  }
  stream.synchronize();
  return arguments_;
}

std::vector<std::string> KernelArguments::fetch(Stream& stream) {
  std::vector<std::string> written;
  for (BufferArgument& each : buffers_) {
    if (each.output.empty()) continue;
    const NpyWriter write_elements = [&](int file, std::uint64_t data_at) -> Result<> {
      auto writing = stream.shared().write_file(file, data_at, each.buffer, 0, each.buffer.bytes());
      if (!writing) return std::unexpected(std::move(writing.error()));
      return writing->wait(driver::after(kDefaultWait));
    };
    detail::value(write_npy(each.output, each.content.type, each.content.shape, write_elements));
    written.push_back(fmt::format("{} = {}, {} of '{}'", each.parameter->name, each.output,
                                  fmt::join(each.content.shape, "x"), each.content.type));
  }
  return written;
}

}  // namespace d1::tools
