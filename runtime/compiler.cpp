// SPDX-License-Identifier: Apache-2.0
#include <d1/runtime/compiler.hpp>

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>

#include "compile_cache.hpp"
#include "subprocess.hpp"

namespace d1::runtime {

namespace fs = std::filesystem;

namespace {

constexpr const char* kCompiler = "clang++-19";
constexpr const char* kLinker = "ld.lld-19";

std::mutex directory_mutex;
// Made at first use: headers set it while globals are still being initialised.
std::string& chosen_directory() {
  static std::string directory;
  return directory;
}

// A folder of this process alone, gone with its contents when the compilation is over.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const char* base = std::getenv("TMPDIR");
    std::string name = std::string(base && *base ? base : "/tmp") + "/opend1-XXXXXX";
    if (::mkdtemp(name.data())) path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// One argument a line; '#' begins a comment line; ${D1_DEVICE_DIR} is replaced.
Result<std::vector<std::string>> read_flags(const std::string& path, const std::string& device) {
  std::ifstream file(path);
  if (!file) {
    return fail(
        ErrorKind::Unsupported,
        fmt::format("The kernel compiler's flags '{}' cannot be read; set D1_DEVICE_DIR to the "
                    "device folder of a build or an installation.",
                    path));
  }
  constexpr std::string_view variable = "${D1_DEVICE_DIR}";
  std::vector<std::string> flags;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    for (auto at = line.find(variable); at != std::string::npos;
         at = line.find(variable, at + device.size())) {
      line.replace(at, variable.size(), device);
    }
    flags.push_back(std::move(line));
  }
  return flags;
}

std::string file_stamp(const std::string& path) {
  std::error_code error;
  const auto real = fs::canonical(path, error);
  const auto bytes = fs::file_size(path, error);
  const auto time = fs::last_write_time(path, error).time_since_epoch().count();
  return fmt::format("{} {} {}", real.string(), bytes, time);
}

// Which compiler and linker these are: their own words.
const std::string& tool_versions() {
  static const std::string versions = [] {
    std::string text;
    for (const char* tool : {kCompiler, kLinker}) {
      auto run = run_process({tool, "--version"}, driver::after(driver::limits::kCompileTimeout));
      if (run) text += run->output;
    }
    return text;
  }();
  return versions;
}

class Compilation {
 public:
  explicit Compilation(const CompileRequest& request) : request_(request) {}

  Result<CompiledProgram> run() {
    if (auto ready = prepare(); !ready) return std::unexpected(std::move(ready.error()));
    std::optional<std::string> key;
    if (request_.cache == CachePolicy::Use) {
      auto made = content_key();
      if (!made) return std::unexpected(std::move(made.error()));
      key = std::move(*made);
      if (auto known = read_compile_cache(*key)) {
        if (ElfImage::parse(*known, request_.source))
          return CompiledProgram{std::move(*known), {}, true};
      }
    }
    auto built = build();
    // A program with warnings is built again, so that they are seen again.
    if (built && key && built->diagnostics.empty()) write_compile_cache(*key, built->elf);
    return built;
  }

 private:
  Result<> prepare() {
    std::error_code error;
    if (!fs::is_regular_file(request_.source, error)) {
      return fail(
          ErrorKind::Invalid,
          fmt::format("The kernel source '{}' is not a file that can be read.", request_.source));
    }
    device_ = request_.device_directory;
    if (device_.empty()) {
      auto found = find_device_directory();
      if (!found) return std::unexpected(std::move(found.error()));
      device_ = std::move(*found);
    }
    auto compile = read_flags(device_ + "/toolchain/compile_flags.txt", device_);
    if (!compile) return std::unexpected(std::move(compile.error()));
    compile_flags_ = std::move(*compile);
    auto link = read_flags(device_ + "/toolchain/link_flags.txt", device_);
    if (!link) return std::unexpected(std::move(link.error()));
    link_flags_ = std::move(*link);
    for (const auto& each : request_.include_directories) compile_flags_.push_back("-I" + each);
    for (const auto& each : request_.definitions) compile_flags_.push_back("-D" + each);
    compile_flags_.insert(compile_flags_.end(), request_.flags.begin(), request_.flags.end());
    return {};
  }

  Result<ProcessResult> compiler(std::initializer_list<std::string> extra) {
    std::vector<std::string> arguments{kCompiler};
    arguments.insert(arguments.end(), compile_flags_.begin(), compile_flags_.end());
    arguments.insert(arguments.end(), extra);
    return start(arguments);
  }

  Result<ProcessResult> start(const std::vector<std::string>& arguments) {
    auto run = run_process(arguments, driver::after(driver::limits::kCompileTimeout));
    if (!run && run.error().kind() == ErrorKind::Unsupported) {
      return pass_on(run, "compiling a kernel; install the packages clang-19 and lld-19");
    }
    return run;
  }

  std::unexpected<Error> refused(const char* what, const ProcessResult& run) {
    std::string words = run.errors.empty() ? run.output : run.errors;
    while (!words.empty() && words.back() == '\n') words.pop_back();
    return fail(ErrorKind::Invalid,
                fmt::format("The kernel source '{}' does not {} (exit code {}):\n{}",
                            request_.source, what, run.exit_code, words));
  }

  Result<std::string> content_key() {
    // -P would merge lines; without it, line markers keep the debug information's paths in the key.
    auto run = compiler({"-E", request_.source});
    if (!run) return std::unexpected(std::move(run.error()));
    if (run->exit_code != 0) return refused("compile", *run);
    ContentKey key;
    key.add(run->output);
    key.add(tool_versions());
    key.add(fs::current_path().string());  // stands in the debug information
    for (const auto& flag : compile_flags_) key.add(flag);
    for (const auto& flag : link_flags_) {
      key.add(flag);
      if (flag.starts_with('/')) key.add(file_stamp(flag));
      if (flag.starts_with("-T")) {
        const auto script = read_whole_file(flag.substr(2));
        if (script) key.add({reinterpret_cast<const char*>(script->data()), script->size()});
      }
    }
    return key.to_string();
  }

  Result<CompiledProgram> build() {
    const TemporaryDirectory folder;
    if (folder.path().empty()) {
      return fail(
          ErrorKind::ResourceExhausted,
          "No temporary folder could be made for the compiler; see that $TMPDIR or /tmp can be "
          "written.");
    }
    const std::string object = folder.path() + "/kernel.o", program = folder.path() + "/kernel.elf";
    auto compiled = compiler({"-c", request_.source, "-o", object});
    if (!compiled) return std::unexpected(std::move(compiled.error()));
    if (compiled->exit_code != 0) return refused("compile", *compiled);
    std::vector<std::string> arguments{kLinker, "-o", program, object};
    arguments.insert(arguments.end(), link_flags_.begin(), link_flags_.end());
    auto linked = start(arguments);
    if (!linked) return std::unexpected(std::move(linked.error()));
    if (linked->exit_code != 0) return refused("link", *linked);
    auto bytes = read_whole_file(program);
    if (!bytes) {
      return fail(ErrorKind::Internal,
                  fmt::format("The linker said that it made '{}', and the file "
                              "cannot be read.",
                              program));
    }
    return CompiledProgram{std::move(*bytes), compiled->errors + linked->errors, false};
  }

  const CompileRequest& request_;
  std::string device_;
  std::vector<std::string> compile_flags_, link_flags_;
};

bool is_device_directory(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path + "/toolchain/compile_flags.txt", error);
}

}  // namespace

void set_installed_header(const std::string& path) {
  const fs::path prefix = fs::path(path).parent_path().parent_path().parent_path();
  std::lock_guard lock(directory_mutex);
  chosen_directory() = (prefix / D1_DATA_PATH).lexically_normal().string();
}

Result<std::string> find_device_directory() {
  std::vector<std::string> candidates;
  if (const char* named = std::getenv("D1_DEVICE_DIR"); named && *named) {
    if (is_device_directory(named)) return std::string(named);
    return fail(
        ErrorKind::Invalid,
        fmt::format("D1_DEVICE_DIR names '{}', which has no toolchain/compile_flags.txt.", named));
  }
  {
    std::lock_guard lock(directory_mutex);
    if (!chosen_directory().empty()) candidates.push_back(chosen_directory());
  }
  std::error_code error;
  const auto program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    candidates.push_back((program.parent_path().parent_path() / D1_DATA_PATH).string());
    candidates.push_back((program.parent_path().parent_path() / "device").string());
  }
  candidates.push_back(D1_BUILD_DEVICE_DIR);
  candidates.push_back(D1_INSTALLED_DEVICE_DIR);
  for (const auto& each : candidates) {
    if (is_device_directory(each)) return each;
  }
  return fail(
      ErrorKind::Unsupported,
      fmt::format("The kernel SDK was not found (last looked for in '{}'); set D1_DEVICE_DIR to "
                  "the device folder of a build, or share/opend1/device of an installation.",
                  candidates.back()));
}

Result<CompiledProgram> compile(const CompileRequest& request) {
  return Compilation(request).run();
}

Result<ElfImage> compile_image(const CompileRequest& request) {
  auto compiled = compile(request);
  if (!compiled) return std::unexpected(std::move(compiled.error()));
  return ElfImage::parse(std::move(compiled->elf), request.source);
}

}  // namespace d1::runtime
