// SPDX-License-Identifier: Apache-2.0
// d1-lockstep: random programs, run by the interpreter and by translated code, compared.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "emitters.hpp"
#include "program_generator.hpp"
#include "program_run.hpp"
#include "reduction.hpp"

namespace d1::difftest {

namespace {

using emulator::HostLevel;
using emulator::LockstepUnit;
using emulator::MemoryBase;

std::vector<HostLevel> levels(const std::string& asked) {
  std::vector<HostLevel> all;
  for (const HostLevel each : {HostLevel::Portable, HostLevel::Avx2, HostLevel::Avx512})
    if (each <= emulator::detect_host_level() && (asked.empty() || asked == name_of(each)))
      all.push_back(each);
  return all;
}

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t instructions = 500'000;
  std::string level, profile;
  bool json = false, reduce = true;
};

// All ways in which each program is run. Turns compare whole regions and the links between them,
// blocks name the culprit; translation after some runs enters regions in their middle; a small
// cache is dropped again and again. The last is what hosts without FSGSBASE always do.
std::vector<Variant> variants(const std::string& level) {
  std::vector<Variant> all;
  for (const HostLevel each : levels(level)) {
    all.push_back({each, LockstepUnit::Turn, 0});
    all.push_back({each, LockstepUnit::Turn, 2, std::size_t{1} << 20});
    all.push_back({each, LockstepUnit::Block, 0});
    if (emulator::detect_memory_base() == MemoryBase::Segment)
      all.push_back({.level = each, .base = MemoryBase::Register});
  }
  return all;
}

class Session {
 public:
  explicit Session(const Options& options) : options_(options) {
    for (const Variant& each : variants(options.level))
      runners_.push_back({each, std::make_unique<ProgramRunner>(each)});
    for (unsigned i = 0; i < static_cast<unsigned>(Profile::Count); ++i) {
      const auto profile = static_cast<Profile>(i);
      if (name_of(profile).find(options.profile) != std::string_view::npos)
        profiles_.push_back(profile);
    }
  }

  int run();

 private:
  struct Runner {
    Variant variant;
    std::unique_ptr<ProgramRunner> runner;
  };

  // False when it differs.
  bool run_program(std::uint64_t seed, Profile profile);
  void report(const Variant& variant, ProgramRunner& runner, const Program& program,
              std::uint64_t seed, Profile profile);

  Options options_;
  std::vector<Runner> runners_;
  std::vector<Profile> profiles_;
  std::uint64_t programs_ = 0, instructions_ = 0, traps_ = 0, turns_ = 0;
};

bool Session::run_program(std::uint64_t seed, Profile profile) {
  Random random(seed);
  const Program program = make_program(random, profile);
  ++programs_;
  bool first = true;
  for (const auto& [variant, runner] : runners_) {
    const ProgramRunner::Result outcome = runner->run(program);
    if (first) instructions_ += outcome.instructions;
    first = false;
    traps_ += outcome.traps;
    turns_ += outcome.turns;
    if (!outcome.difference) continue;
    report(variant, *runner, program, seed, profile);
    return false;
  }
  return true;
}

void Session::report(const Variant& variant, ProgramRunner& runner, const Program& program,
                     std::uint64_t seed, Profile profile) {
  const auto differs = [&](const Program& candidate) {
    return runner.run(candidate).difference.has_value();
  };
  fmt::print("--- difference: program {:#x} ({}), {}\n", seed, name_of(profile), name_of(variant));
  std::fflush(stdout);
  if (!differs(program)) {
    fmt::print("It does not differ when it is run again: something outlives a program.\n");
    return;
  }
  const Program small = options_.reduce ? reduce(program, differs) : program;
  const auto outcome = runner.run(small);
  fmt::print("{}reduced from {} to {} items:\n{}\n", outcome.difference->to_string(),
             program.items.size(), small.items.size(), to_text(small));
}

int Session::run() {
  if (runners_.empty() || profiles_.empty()) {
    fmt::print(stderr, "d1-lockstep: this host has no level '{}', or there is no profile '{}'.\n",
               options_.level, options_.profile);
    return 2;
  }
  const auto start = std::chrono::steady_clock::now();
  Random random(options_.seed);
  bool same = true;
  while (same && instructions_ < options_.instructions) {
    const Profile profile = profiles_[programs_ % profiles_.size()];
    same = run_program(random.bits(), profile);
    if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r{} instructions", instructions_);
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (options_.json)
    fmt::print(
        "{{\"seed\": {}, \"programs\": {}, \"instructions\": {}, \"variants\": {}, "
        "\"turns\": {}, \"traps\": {}, \"differences\": {}, \"seconds\": {:.1f}}}\n",
        options_.seed, programs_, instructions_, runners_.size(), turns_, traps_, same ? 0 : 1,
        seconds.count());
  else
    fmt::print(
        "seed {}: {} instructions of {} programs in each of {} variants, {} turns, {} "
        "traps, {} in {:.1f} s\n",
        options_.seed, instructions_, programs_, runners_.size(), turns_, traps_,
        same ? "no difference" : "a difference", seconds.count());
  return same ? 0 : 1;
}

// Every emitter must have been seen to run.
int check_emitters(const Options& options) {
  int unseen = 0;
  for (const HostLevel level : levels(options.level)) {
    unsigned emitters = 0;
    const auto uses = try_emitters(level, options.seed);
    for (const auto& [mnemonic, use] : uses) {
      if (options.json)
        fmt::print(
            "{{\"level\": \"{}\", \"instruction\": \"{}\", \"in_line\": {}, "
            "\"ran_in_line\": {}, \"called\": {}}}\n",
            name_of(level), mnemonic, use.in_line, use.ran_in_line, use.called);
      if (use.in_line == 0) continue;
      ++emitters;
      if (use.ran_in_line != 0) continue;
      ++unseen;
      fmt::print(stderr, "{}: {} was translated to host code {} times, which never ran\n",
                 name_of(level), mnemonic, use.in_line);
    }
    if (!options.json)
      fmt::print("{}: {} of {} instructions have an emitter\n", name_of(level), emitters,
                 uses.size());
  }
  return unseen == 0 ? 0 : 1;
}

}  // namespace
}  // namespace d1::difftest

int main(int argc, char** argv) {
  CLI::App app{"Random programs, run by the interpreter and by translated code, and compared."};
  d1::difftest::Options options;
  app.add_option("--seed", options.seed, "Seed of everything random")->capture_default_str();
  app.add_option("--instructions", options.instructions,
                 "Instructions to run in each variant, at the least")
      ->capture_default_str();
  app.add_option("--level", options.level, "portable, avx2 or avx512; default: all of this host");
  app.add_option("--profile", options.profile, "Only programs of profiles with this in their name");
  app.add_flag("--json", options.json, "Print the result as JSON");
  bool no_reduce = false;
  app.add_flag("--no-reduce", no_reduce, "Print the whole program where something differs");
  bool emitters = false;
  app.add_flag("--emitters", emitters,
               "Show for each level that the code of every emitter runs, and nothing else");
  CLI11_PARSE(app, argc, argv);
  options.reduce = !no_reduce;
  try {
    if (emitters) return d1::difftest::check_emitters(options);
    return d1::difftest::Session(options).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "d1-lockstep: {}\n", error.what());
    return 2;
  }
}
