// SPDX-License-Identifier: Apache-2.0
// `d1 build`: from kernel source to a program file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <d1/runtime/compiler.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "compile_options.hpp"

namespace d1::tools {
namespace {

struct BuildOptions {
  runtime::CompileRequest request;
  std::string output;
  bool json = false;
};

// The file appears whole or not at all.
Result<> write_program(const std::string& path, std::span<const std::byte> bytes) {
  const std::string temporary = path + ".part";
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(temporary.c_str(), "wb"),
                                                       std::fclose);
  const bool good =
      file && std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() &&
      std::fclose(file.release()) == 0 && std::rename(temporary.c_str(), path.c_str()) == 0;
  if (good) return {};
  const int reason = errno;
  std::remove(temporary.c_str());
  return fail(ErrorKind::Invalid,
              fmt::format("{} cannot be written: {}.", path, std::strerror(reason)));
}

Result<int> build(const BuildOptions& options) {
  Result<runtime::CompiledProgram> compiled = runtime::compile(options.request);
  if (!compiled) return std::unexpected(compiled.error());
  fmt::print(stderr, "{}", compiled->diagnostics);
  Result<runtime::ElfImage> image = runtime::ElfImage::parse(compiled->elf, options.request.source);
  if (!image) return std::unexpected(image.error());
  if (Result<> written = write_program(options.output, compiled->elf); !written)
    return std::unexpected(written.error());
  nlohmann::ordered_json kernels = nlohmann::ordered_json::array();
  std::string names;
  for (const runtime::Symbol& kernel : image->kernels()) {
    kernels.push_back(kernel.name);
    names += fmt::format("{}{}", names.empty() ? "" : ", ", kernel.name);
  }
  if (options.json)
    print_json({{"program", options.output},
                {"kernels", std::move(kernels)},
                {"sram_end", image->end()},
                {"from_cache", compiled->from_cache}});
  else
    fmt::print("{}: kernels {}; takes SRAM up to {:#x}{}\n", options.output, names, image->end(),
               compiled->from_cache ? "; from the cache" : "");
  return kSuccess;
}

}  // namespace

void add_compile_options(CLI::App& command, runtime::CompileRequest& request) {
  // As compilers take them: -Iinclude, -DN=4; joined or apart.
  command.add_option("-I", request.include_directories, "Folder of headers (may be repeated)")
      ->allow_extra_args(false)
      ->option_text("FOLDER");
  command.add_option("-D", request.definitions, "Macro definition (may be repeated)")
      ->allow_extra_args(false)
      ->option_text("NAME[=VALUE]");
}

void add_build(CLI::App& application, Action& action) {
  auto options = std::make_shared<BuildOptions>();
  CLI::App* command = application.add_subcommand("build", "Compile a kernel to a program");
  command->add_option("source", options->request.source, "C++ source")
      ->option_text("KERNEL.cpp")
      ->required();
  command->add_option("-o,--output", options->output, "The program to write")
      ->option_text("PROGRAM.elf")
      ->required();
  add_compile_options(*command, options->request);
  command->add_flag("--json", options->json, "One JSON document about the result");
  command->callback([options, &action] { action = [options] { return build(*options); }; });
}

}  // namespace d1::tools
