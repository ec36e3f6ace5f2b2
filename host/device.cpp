// SPDX-License-Identifier: Apache-2.0
#include <d1/d1.hpp>

#include <cstdio>
#include <cstdlib>

namespace d1 {
namespace {

std::string from_environment(const std::string& given, const char* variable,
                             const char* otherwise) {
  if (!given.empty()) return given;
  const char* named = std::getenv(variable);
  return named && *named ? named : otherwise;
}

void print_to_standard_output(const driver::LogLine& line) {
  std::fwrite(line.text.data(), 1, line.text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

Device Device::open(const DeviceOptions& options) {
  driver::DeviceOptions below;
  below.transport = from_environment(options.transport, "D1_DEVICE", "in-process");
  below.transport_options.machine = from_environment(options.machine, "D1_MACHINE", "d1");
  below.transport_options.host_threads = options.threads;
  below.transport_options.seed = options.seed;
  below.transport_options.engine = options.engine;
  below.transport_options.count_execution = options.count_execution;
  below.transport_options.debug = options.debug;
  below.transport_options.rom_image = options.rom_image;
  Device device(detail::value(runtime::Context::open(below)));
  device.on_print(print_to_standard_output);
  return device;
}

Statistics Device::statistics() const { return context_->device().transport().statistics(); }

Grid Device::all() const { return Grid(detail::value(context_->all_nodes())); }

Grid Device::grid(std::uint32_t rows, std::uint32_t columns, std::uint32_t first_row,
                  std::uint32_t first_column) const {
  return Grid(detail::value(context_->grid({rows, columns, first_row, first_column})));
}

Program Device::compile(const std::string& source, const CompileOptions& options) const {
  runtime::CompileRequest request;
  request.source = source;
  request.include_directories = options.include_directories;
  request.definitions = options.definitions;
  request.flags = options.flags;
  auto compiled = detail::value(runtime::compile(request));
  // Warnings, as a compiler shows them.
  std::fwrite(compiled.diagnostics.data(), 1, compiled.diagnostics.size(), stderr);
  return Program(runtime::Program::create(
      detail::value(runtime::ElfImage::parse(std::move(compiled.elf), source))));
}

Program Device::load(const std::string& path) const {
  return Program(runtime::Program::create(detail::value(runtime::ElfImage::load(path))));
}

Program Device::load(std::span<const std::byte> elf, const std::string& name) const {
  return Program(runtime::Program::create(
      detail::value(runtime::ElfImage::parse({elf.begin(), elf.end()}, name))));
}

Stream Device::stream() const { return Stream(detail::value(runtime::Stream::create(context_))); }

Event Device::event() const { return Event(detail::value(runtime::Event::create(context_))); }

void Device::on_print(PrintSink sink) const { context_->device().log().set_sink(std::move(sink)); }

}  // namespace d1
