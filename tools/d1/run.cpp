// SPDX-License-Identifier: Apache-2.0
// `d1 run`: a kernel of the user's own on an emulated machine, arrays from and to .npy files.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <d1/d1.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "compile_options.hpp"
#include "engine_options.hpp"
#include "kernel_arguments.hpp"
#include "progress.hpp"
#include "statistics.hpp"

namespace d1::tools {
namespace {

using Seconds = std::chrono::duration<double>;
using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

struct RunOptions {
  runtime::CompileRequest request;  // its source may be a program too
  std::string kernel;
  DeviceOptions device;
  std::string grid = "all";
  std::uint32_t harts = D1_HARTS;
  ArgumentOptions arguments;
  double timeout_s = 300;
  std::string faults;
  bool json = false;
  bool statistics = false;
};

struct Outcome {
  std::string kernel;
  std::uint32_t rows = 0, columns = 0;
  std::uint64_t cycles = 0;
  d1_launch_report report{};
  Seconds preparing{}, running{};
  bool from_cache = false;
  std::vector<std::string> written;
  ordered_json printed = ordered_json::array();
  Statistics statistics;
};

bool is_source(const std::string& path) {
  const std::string extension = std::filesystem::path(path).extension().string();
  constexpr std::array kSources = {".cpp", ".cc", ".cxx", ".c++", ".C"};
  return std::ranges::find(kSources, extension) != kSources.end();
}

std::shared_ptr<const runtime::Program> load_program(const RunOptions& options, Outcome& outcome) {
  if (!is_source(options.request.source))
    return runtime::Program::create(detail::value(runtime::ElfImage::load(options.request.source)));
  runtime::CompiledProgram compiled = detail::value(runtime::compile(options.request));
  fmt::print(stderr, "{}", compiled.diagnostics);
  outcome.from_cache = compiled.from_cache;
  return runtime::Program::create(
      detail::value(runtime::ElfImage::parse(std::move(compiled.elf), options.request.source)));
}

Grid make_grid(const Device& device, const std::string& text) {
  if (text == "all") return device.all();
  std::uint32_t rows = 0, columns = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, rows);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == 'x') {
    const auto second = std::from_chars(first.ptr + 1, end, columns);
    if (second.ec == std::errc() && second.ptr == end && rows != 0 && columns != 0)
      return device.grid(rows, columns);
  }
  throw Exception(
      Error(ErrorKind::Invalid,
            fmt::format("--grid {} is neither all nor ROWSxCOLUMNS, such as 4x8.", text)));
}

// Waits in short turns, so that the terminal shows how far the machine is. The launch's own
// time-out ends it.
void wait_for(const runtime::Operation& launch, Device& device, const std::string& kernel) {
  Progress progress("Running " + kernel);
  const std::uint64_t start = device.cycle();
  constexpr std::chrono::milliseconds kTurn(200);
  for (;;) {
    const auto turn = progress.visible() ? std::chrono::nanoseconds(kTurn) : kDefaultWait;
    Result<> ended = launch.wait(driver::after(turn));
    if (ended) return;
    if (launch.done() || ended.error().kind() != ErrorKind::Timeout || !progress.visible())
      throw Exception(std::move(ended.error()));
    progress.update(fmt::format("{} emulated cycles", device.cycle() - start));
  }
}

// Text that kernels print goes out at once, or is kept for the document.
void listen(const Device& device, const RunOptions& options, Outcome& outcome) {
  if (!options.json) return;
  device.on_print([&outcome](const driver::LogLine& line) {
    outcome.printed.push_back({{"die", line.die},
                               {"node", line.node},
                               {"rank", line.rank},
                               {"hart", line.hart},
                               {"cycle", line.cycle},
                               {"text", line.text}});
  });
}

// The device has the faults of a plan for as long as this lives; what they did is told then, also
// where the kernel failed because of them.
class Faults {
 public:
  Faults(const Device& device, const std::string& path) : device_(device), given_(!path.empty()) {
    if (given_) device_.inject_faults(detail::value(read_file(path)));
  }
  ~Faults() {
    if (!given_) return;
    driver::Transport& transport = device_.shared()->device().transport();
    const auto events = transport.fault_events();  // none from a daemon that a fault ended
    for (const std::string& event : events ? *events : std::vector<std::string>())
      fmt::print(stderr, "{}\n", event);
    (void)transport.clear_faults();
  }
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

 private:
  const Device& device_;
  const bool given_;
};

double matrix_share(const Outcome& outcome) {
  const double nodes = static_cast<double>(outcome.rows) * outcome.columns;
  return outcome.cycles == 0 ? 0
                             : static_cast<double>(outcome.report.matrix_cycles) /
                                   (nodes * static_cast<double>(outcome.cycles));
}

ordered_json to_json(const RunOptions& options, const driver::DeviceInfo& info, Outcome& outcome) {
  const double clock = static_cast<double>(info.clock_hz);
  ordered_json document = {{"program", options.request.source},
                           {"kernel", outcome.kernel},
                           {"device", info.description},
                           {"rows", outcome.rows},
                           {"columns", outcome.columns},
                           {"nodes", std::uint64_t{outcome.rows} * outcome.columns},
                           {"harts", options.harts},
                           {"cycles", outcome.cycles},
                           {"device_seconds", static_cast<double>(outcome.cycles) / clock},
                           {"clock_hz", info.clock_hz},
                           {"instructions", outcome.report.instructions},
                           {"matrix_cycles", outcome.report.matrix_cycles},
                           {"matrix_share", matrix_share(outcome)},
                           {"matrix_cycles_least", outcome.report.matrix_cycles_min},
                           {"matrix_cycles_most", outcome.report.matrix_cycles_max},
                           {"prepare_seconds", outcome.preparing.count()},
                           {"host_seconds", outcome.running.count()},
                           {"from_cache", outcome.from_cache},
                           {"written", outcome.written},
                           {"printed", std::move(outcome.printed)}};
  if (options.statistics) document["statistics"] = document_of(outcome.statistics);
  return document;
}

void print_summary(const RunOptions& options, const driver::DeviceInfo& info,
                   const Outcome& outcome) {
  const double clock = static_cast<double>(info.clock_hz);
  const double instructions = static_cast<double>(outcome.report.instructions);
  fmt::print("kernel        {} on {} x {} nodes with {} hart{} each ({})\n", outcome.kernel,
             outcome.rows, outcome.columns, options.harts, options.harts == 1 ? "" : "s",
             info.description);
  fmt::print("device time   {} cycles, {:.3f} us at {}\n", outcome.cycles,
             static_cast<double>(outcome.cycles) / clock * 1e6, with_unit(clock, "Hz"));
  fmt::print("instructions  {} retired\n", outcome.report.instructions);
  if (outcome.report.matrix_cycles != 0)
    fmt::print(
        "matrix unit   busy {:.1f} % of the time; the least busy node does {:.0f} % of the "
        "busiest\n",
        100 * matrix_share(outcome),
        100 * static_cast<double>(outcome.report.matrix_cycles_min) /
            static_cast<double>(outcome.report.matrix_cycles_max));
  fmt::print(
      "host time     {:.3f} s to prepare{}, {:.3f} s to run ({:.0f} million instructions a "
      "second)\n",
      outcome.preparing.count(), outcome.from_cache ? " (compiled before)" : "",
      outcome.running.count(), instructions / 1e6 / std::max(outcome.running.count(), 1e-9));
  for (const std::string& file : outcome.written) fmt::print("wrote         {}\n", file);
  if (options.statistics) fmt::print("\n{}", text_of(outcome.statistics));
}

Result<int> run(RunOptions& options) try {
  Outcome outcome;
  const auto start = Clock::now();
  const auto program = load_program(options, outcome);
  const runtime::Kernel kernel = detail::value(
      options.kernel.empty() ? program->only_kernel() : program->kernel(options.kernel));
  outcome.kernel = kernel.name();
  KernelArguments arguments(*detail::value(kernel.signature()), options.arguments);
  options.device.count_execution = options.statistics;
  Device device = Device::open(options.device);
  listen(device, options, outcome);
  const Faults faults(device, options.faults);
  const Grid grid = make_grid(device, options.grid);
  outcome.rows = grid.rows();
  outcome.columns = grid.columns();
  Stream stream = device.stream();
  const std::vector<runtime::Argument>& values = arguments.put(device, grid, stream);
  LaunchOptions launching;
  launching.harts = options.harts;
  launching.timeout = std::chrono::duration_cast<nanoseconds>(Seconds(options.timeout_s));
  outcome.preparing = Clock::now() - start;

  const auto launched = Clock::now();
  const runtime::Operation launch =
      detail::value(stream.shared().launch(kernel, grid.shared(), values, launching));
  wait_for(launch, device, outcome.kernel);
  outcome.running = Clock::now() - launched;
  outcome.cycles = launch.end_cycle() - launch.start_cycle();
  outcome.report = launch.report();
  outcome.written = arguments.fetch(stream);
  if (options.statistics) outcome.statistics = device.statistics();
  // What was printed last may still be in the ring.
  detail::value(device.shared()->device().log().poll());

  if (options.json)
    print_json(to_json(options, device.info(), outcome));
  else
    print_summary(options, device.info(), outcome);
  return kSuccess;
} catch (Exception& problem) {
  return std::unexpected(problem.error());
}

}  // namespace

void add_run(CLI::App& application, Action& action) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = application.add_subcommand("run", "Run a kernel on an emulated machine");
  command->add_option("file", options->request.source, "C++ source of a kernel, or a built program")
      ->option_text("KERNEL.cpp|PROGRAM.elf")
      ->required();
  command->add_option("--kernel", options->kernel, "Which one, where there are several")
      ->option_text("NAME");
  command
      ->add_option("--device", options->device.transport,
                   "Where it runs: in-process (default), or vfio-user:PATH, a DPU of d1 serve")
      ->option_text("DEVICE");
  command
      ->add_option("--machine", options->device.machine,
                   "What is emulated: d1 (default), tile, tray, cabinet, exapod, or a machine file")
      ->option_text("NAME|FILE.toml");
  command->add_option("--grid", options->grid, "Nodes it runs on (default: all)")
      ->option_text("ROWSxCOLUMNS|all");
  command->add_option("--harts", options->harts, "Harts of each node (default: 4)")
      ->check(CLI::Range(1, D1_HARTS))
      ->option_text("1..4");
  const auto repeated = [command](const char* name, std::vector<std::string>& words,
                                  const char* value, const char* help) {
    command->add_option(name, words, help)->allow_extra_args(false)->option_text(value);
  };
  repeated("--in", options->arguments.inputs, "NAME=FILE.npy",
           "What a buffer holds at the start (may be repeated, as the next three)");
  repeated("--out", options->arguments.outputs, "NAME=FILE.npy", "Where a buffer goes at the end");
  repeated("--shape", options->arguments.shapes, "NAME=AxB",
           "Shape of a buffer without --in (default: that of the first --in)");
  repeated("--arg", options->arguments.numbers, "NAME=VALUE", "A number");
  command
      ->add_option("--seed", options->device.seed,
                   "Other than 0 (default): shuffles the order of what is unordered")
      ->option_text("N");
  command
      ->add_option("--threads", options->device.threads,
                   "Host threads that run nodes (default: as many as the host has)")
      ->option_text("N");
  command
      ->add_option("--faults", options->faults,
                   "Plan of faults the device has meanwhile (see d1 fault --kinds)")
      ->option_text("PLAN.toml");
  add_engine_options(*command, options->device.engine, options->statistics);
  command
      ->add_option("--timeout", options->timeout_s,
                   "Seconds of host time the kernel may take (default: 300)")
      ->check(CLI::Range(0.001, 1e8))
      ->option_text("SECONDS");
  add_compile_options(*command, options->request);
  command->add_flag("--json", options->json,
                    "One JSON document at the end; what the kernel prints is in it");
  command->footer(
      "Buffers and numbers go by the names of the kernel's parameters. bf16 is stored as uint16.\n"
      "Example: d1 run saxpy.cpp --arg factor=2 --in x=x.npy --in y=y.npy --out y=sum.npy");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace d1::tools
