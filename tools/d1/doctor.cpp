// SPDX-License-Identifier: Apache-2.0
// `d1 doctor`: what of this host helps or hinders, and what to do about it. Each check tries the
// thing itself where that is possible, instead of reading a setting that may or may not apply.
#include <fmt/format.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstring>
#include <d1/runtime/compiler.hpp>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "command.hpp"
#include "standard_disassembler.hpp"
#include "toolchain.hpp"

namespace d1::tools {
namespace {

enum class Verdict { Ok, Warn, Fail };  // Fail: something needed is missing

struct Finding {
  std::string subject;
  Verdict verdict = Verdict::Ok;
  std::string found;
  std::string advice;  // empty where all is well
};

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::Ok:
      return "ok";
    case Verdict::Warn:
      return "warn";
    case Verdict::Fail:
      return "fail";
  }
  return "";
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

Finding processor() {
  const unsigned count = std::max(1u, std::thread::hardware_concurrency());
  const std::string threads = fmt::format(", {} processor{}", count, count == 1 ? "" : "s");
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl"))
    return {"vector units", Verdict::Ok, "AVX-512 with BF16" + threads, {}};
  if (__builtin_cpu_supports("avx512f"))
    return {"vector units", Verdict::Ok, "AVX-512 without BF16" + threads,
            "Matrix products run slower than on a host with AVX512_BF16; results are the same."};
  if (__builtin_cpu_supports("avx2"))
    return {"vector units", Verdict::Warn, "AVX2" + threads,
            "Kernels run slower than on a host with AVX-512; results are the same."};
#endif
  return {"vector units", Verdict::Warn, "no AVX2" + threads,
          "Kernels run by the portable path: the same results, several times slower."};
}

Finding memory() {
  constexpr double kGiB = 1024.0 * 1024 * 1024, kComfortable = 2;
  const double pages = static_cast<double>(sysconf(_SC_AVPHYS_PAGES));
  double available = pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / kGiB;
  std::ifstream table("/proc/meminfo");
  for (std::string line; std::getline(table, line);)
    if (line.starts_with("MemAvailable:"))
      available = std::stod(line.substr(line.find_first_of("0123456789"))) / (1024 * 1024);
  std::string found = fmt::format("{:.1f} GiB available", available);
  const std::string group = first_line("/sys/fs/cgroup/memory.max");
  if (!group.empty() && group != "max") {
    const double limit = std::stod(group) / kGiB;
    found += fmt::format(", {:.1f} GiB allowed by the control group", limit);
    available = std::min(available, limit);
  }
  if (available < kComfortable)
    return {"memory", Verdict::Warn, found,
            fmt::format("Machines of many dies want {} GiB or more; free some, or keep to d1.",
                        kComfortable)};
  return {"memory", Verdict::Ok, found, {}};
}

// The machine's SRAM is one sparse reservation; the largest built-in machine's is about 4 TiB.
Finding reservation() {
  constexpr std::size_t kTile = std::size_t{64} << 30, kLargest = std::size_t{4} << 40;
  const std::string mode = first_line("/proc/sys/vm/overcommit_memory");
  std::string found = fmt::format("vm.overcommit_memory = {}", mode.empty() ? "?" : mode);
  rlimit limit{};
  getrlimit(RLIMIT_AS, &limit);
  if (limit.rlim_cur != RLIM_INFINITY)
    found += fmt::format(", address space limited to {}",
                         with_unit(static_cast<double>(limit.rlim_cur), "B"));
  const auto possible = [](std::size_t bytes) {
    void* place = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) return false;
    munmap(place, bytes);
    return true;
  };
  const std::string advice = "Set sysctl vm.overcommit_memory=0 (or 1) and ulimit -v unlimited.";
  if (!possible(kTile))
    return {"address space", Verdict::Fail, found + "; 64 GiB cannot be reserved", advice};
  if (!possible(kLargest))
    return {"address space", Verdict::Warn, found + "; 64 GiB can be reserved, 4 TiB cannot",
            advice + " Until then only small machines can be opened."};
  return {"address space", Verdict::Ok, found + "; 4 TiB can be reserved", {}};
}

Finding huge_pages() {
  const std::string modes = first_line("/sys/kernel/mm/transparent_hugepage/enabled");
  const auto open = modes.find('['), close = modes.find(']');
  const std::string mode = open == std::string::npos || close == std::string::npos
                               ? "not there"
                               : modes.substr(open + 1, close - open - 1);
  if (mode == "always" || mode == "madvise")
    return {"huge pages", Verdict::Ok, fmt::format("transparent_hugepage is {}", mode), {}};
  return {"huge pages", Verdict::Warn, fmt::format("transparent_hugepage is {}", mode),
          "Large copies are slower; as root: echo madvise > "
          "/sys/kernel/mm/transparent_hugepage/enabled"};
}

Finding uring() {
  io_uring_params parameters{};
  const long descriptor = syscall(SYS_io_uring_setup, 4, &parameters);
  if (descriptor >= 0) {
    close(static_cast<int>(descriptor));
    return {"io_uring", Verdict::Ok, "allowed", {}};
  }
  return {"io_uring", Verdict::Warn, fmt::format("not allowed ({})", std::strerror(errno)),
          "Plain system calls are used instead. In a container, its seccomp profile decides; else "
          "sysctl kernel.io_uring_disabled=0."};
}

Finding shared_memory() {
  struct statvfs volume {};
  const std::string advice =
      "Memory shared with a device in another process lies there; mount a tmpfs on /dev/shm.";
  if (access("/dev/shm", W_OK) != 0 || statvfs("/dev/shm", &volume) != 0)
    return {"/dev/shm", Verdict::Warn, fmt::format("cannot be written ({})", std::strerror(errno)),
            advice};
  constexpr double kComfortable = 256.0 * 1024 * 1024;
  const double free = static_cast<double>(volume.f_bavail) * static_cast<double>(volume.f_frsize);
  return {"/dev/shm", free < kComfortable ? Verdict::Warn : Verdict::Ok,
          with_unit(free, "B") + " free", free < kComfortable ? advice : ""};
}

Finding program(const std::string& subject, const std::string& name, const std::string& package) {
  if (const std::string path = find_program(name); !path.empty())
    return {subject, Verdict::Ok, path, {}};
  return {subject, Verdict::Fail, name + " is not in PATH",
          fmt::format("Kernels are built from source with it: apt-get install {}", package)};
}

// The kernel SDK and everything its flag files name.
std::vector<Finding> device_files() {
  const Result<std::string> found = runtime::find_device_directory();
  if (!found) return {{"kernel SDK", Verdict::Fail, "not found", found.error().sentence()}};
  const std::string& directory = *found;
  std::vector<Finding> findings = {{"kernel SDK", Verdict::Ok, directory, {}}};
  std::vector<std::string> missing;
  for (const std::string& file : toolchain_files(directory))
    if (access(file.c_str(), R_OK) != 0) missing.push_back(file);
  if (missing.empty())
    findings.push_back(
        {"kernel libraries", Verdict::Ok, "C and C++ headers, libc, libm, libgcc", {}});
  else
    findings.push_back({"kernel libraries", Verdict::Fail,
                        fmt::format("{} missing, the first is {}", missing.size(), missing[0]),
                        "Run tools/setup.sh: it installs the cross packages."});
  return findings;
}

Finding disassembler() {
  Result<std::unique_ptr<StandardDisassembler>> made = StandardDisassembler::create();
  if (made) return {"disassembler", Verdict::Ok, "LLVM 19", {}};
  return {"disassembler", Verdict::Warn, "LLVM 19 cannot be used",
          made.error().sentence() + " Only d1 disasm needs it."};
}

Result<int> examine(bool json) {
  std::vector<Finding> findings = {processor(),
                                   memory(),
                                   reservation(),
                                   huge_pages(),
                                   uring(),
                                   shared_memory(),
                                   program("compiler", "clang++-19", "clang-19"),
                                   program("linker", "ld.lld-19", "lld-19")};
  for (Finding& each : device_files()) findings.push_back(std::move(each));
  findings.push_back(disassembler());
  int status = kSuccess;
  nlohmann::ordered_json document = nlohmann::ordered_json::array();
  for (const Finding& each : findings) {
    if (each.verdict == Verdict::Fail) status = kFailure;
    if (json) {
      document.push_back({{"subject", each.subject},
                          {"verdict", to_string(each.verdict)},
                          {"found", each.found},
                          {"advice", each.advice}});
      continue;
    }
    fmt::print("{:<4}  {:<16}  {}\n", to_string(each.verdict), each.subject, each.found);
    if (!each.advice.empty()) fmt::print("{:24}-> {}\n", "", each.advice);
  }
  if (json) print_json({{"ready", status == kSuccess}, {"findings", std::move(document)}});
  return status;
}

}  // namespace

void add_doctor(CLI::App& application, Action& action) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = application.add_subcommand(
      "doctor", "Check what of this host helps or hinders, and say what to do");
  command->add_flag("--json", *json, "One JSON document instead of lines");
  command->footer("The exit status is 0 unless something needed is missing.");
  command->callback([json, &action] { action = [json] { return examine(*json); }; });
}

}  // namespace d1::tools
