// SPDX-License-Identifier: Apache-2.0
// d1-difftest: the same random instruction sequences on our core and on QEMU.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "comparison.hpp"
#include "coverage.hpp"
#include "generator.hpp"
#include "machine_session.hpp"
#include "oracle_faults.hpp"
#include "work_folder.hpp"

namespace d1::difftest {

namespace {

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t instructions = 0;
  std::string filter;
  bool coverage = false;
  unsigned most_reports = 5;
  OracleRun::Options oracle;
};

// Passes over the cells that are still missing before all cells are drawn anew.
constexpr unsigned kRepairRounds = 24;

template <typename T>
void shuffle(Random& random, std::vector<T>& values) {
  for (std::size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[random.bits() % i]);
}

// Cases in which the steps are of one element width, so that the registers hold its special values,
// with a scalar instruction among them.
std::vector<Case> make_cases(Random& random, std::vector<Cell> cells,
                             const std::vector<Cell>& scalar_cells) {
  shuffle(random, cells);
  std::vector<Cell> by_width;
  for (const unsigned width : {0U, 3U, 4U, 5U, 6U})
    std::ranges::copy_if(cells, std::back_inserter(by_width),
                         [&](const Cell& cell) { return cell.sew_log2 == width; });
  cells = std::move(by_width);
  std::vector<Case> cases;
  for (std::size_t i = 0; i < cells.size();) {
    Case each;
    const unsigned width = cells[i].sew_log2;
    each.pointer = kFirstPointer + random.below(kPointers);
    fill_state(random, width, each.initial);
    const bool mix = width != 0 && !scalar_cells.empty();
    const unsigned place = random.below(kStepsPerCase);
    for (unsigned step = 0; step < kStepsPerCase; ++step) {
      if (mix && step == place)
        each.steps.push_back(make_step(
            random, scalar_cells[random.below(static_cast<unsigned>(scalar_cells.size()))]));
      else if (i < cells.size() && cells[i].sew_log2 == width)
        each.steps.push_back(make_step(random, cells[i++]));
    }
    cases.push_back(std::move(each));
  }
  shuffle(random, cases);
  return cases;
}

class Session {
 public:
  explicit Session(const Options& options)
      : options_(options),
        random_(options.seed),
        coverage_(all_cells(options.filter.empty() ? std::nullopt
                                                   : std::optional(std::regex(options.filter)))),
        comparer_(options.oracle, folder_.path()) {
    std::ranges::copy_if(coverage_.cells(), std::back_inserter(scalar_cells_),
                         [](const Cell& cell) { return cell.sew_log2 == 0; });
  }

  int run();

 private:
  bool run_batch(std::span<const Case> cases);
  int finish();

  Options options_;
  Random random_;
  WorkFolder folder_;
  Coverage coverage_;
  Comparer comparer_;
  std::vector<Cell> scalar_cells_;
  unsigned rounds_ = 0;
  std::uint64_t tested_ = 0, executed_ = 0, different_ = 0, traps_ = 0;
};

// False when the run cannot go on.
bool Session::run_batch(std::span<const Case> cases) {
  const auto outcomes = comparer_.run(cases);
  if (!outcomes) {
    if (outcomes.error().kind() == ErrorKind::Unsupported) {
      fmt::print(stderr, "d1-difftest: {}\n", outcomes.error().to_string());
      return false;
    }
    if (cases.size() > 1)  // one of them ended a side: find it
      return run_batch(cases.first(cases.size() / 2)) && run_batch(cases.subspan(cases.size() / 2));
    if (different_++ < options_.most_reports)
      fmt::print("--- difference {}: {}\n{}\n", different_, outcomes.error().to_string(),
                 comparer_.report(comparer_.shrink(cases[0])));
    return true;
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& each = cases[i];
    for (const Step& step : each.steps) executed_ += step.code.size() / 2;
    tested_ += each.steps.size();
    traps_ += outcomes->oracle[i].traps;
    if (differences(each, outcomes->ours[i], outcomes->oracle[i]).empty()) {
      coverage_.add(each, outcomes->ours[i]);
      continue;
    }
    if (different_++ < options_.most_reports)
      fmt::print("--- difference {}\n{}\n", different_, comparer_.report(comparer_.shrink(each)));
    std::fflush(stdout);
  }
  return true;
}

int Session::run() {
  fmt::print("seed {}, {} cells\n", options_.seed, coverage_.cells().size());
  if (coverage_.cells().empty()) {
    fmt::print(stderr, "d1-difftest: no instruction matches '{}'.\n", options_.filter);
    return 2;
  }
  std::vector<Cell> wanted = coverage_.cells();
  do {
    const std::vector<Case> cases = make_cases(random_, std::move(wanted), scalar_cells_);
    for (std::size_t i = 0; i < cases.size(); i += kCasesPerImage)
      if (!run_batch(
              std::span(cases).subspan(i, std::min<std::size_t>(kCasesPerImage, cases.size() - i))))
        return 2;
    if (isatty(STDERR_FILENO) != 0)
      fmt::print(stderr, "\r{} instructions, {} differences", tested_, different_);
    // Some steps only prepare their cell (vl 0, a fault): those cells again, before all anew.
    wanted = coverage_.missing();
    if (wanted.empty() || ++rounds_ == kRepairRounds) {
      rounds_ = 0;
      if (tested_ >= options_.instructions) break;
      wanted = coverage_.cells();
    }
  } while (true);
  return finish();
}

int Session::finish() {
  if (options_.coverage) fmt::print("{}", coverage_.table());
  const std::vector<Cell> missing = coverage_.missing();
  fmt::print(
      "{} instructions under test ({} with what prepares them), {} traps, {} of {} cells "
      "covered, {} differences\n",
      tested_, executed_, traps_, coverage_.cells().size() - missing.size(),
      coverage_.cells().size(), different_);
  constexpr std::size_t kNamed = 30;
  for (std::size_t i = 0; i < std::min(missing.size(), kNamed); ++i)
    fmt::print("not covered: {}\n", name_of(missing[i]));
  if (missing.size() > kNamed) fmt::print("and {} more\n", missing.size() - kNamed);
  return different_ == 0 && missing.empty() ? 0 : 1;
}

}  // namespace
}  // namespace d1::difftest

int main(int argc, char** argv) {
  CLI::App app{"Random instruction sequences on our core and on qemu-riscv64, compared."};
  d1::difftest::Options options;
  d1::difftest::MachineOptions machine_options;
  app.add_option("--seed", options.seed, "Seed of everything random")->capture_default_str();
  app.add_option("--instructions", options.instructions,
                 "Instructions under test, at the least; 0: until every cell is covered");
  app.add_option("--filter", options.filter, "Only mnemonics in which this expression is found");
  app.add_option("--reports", options.most_reports, "Differences to shrink and print");
  app.add_option("--oracle", options.oracle.program, "The QEMU to compare with");
  app.add_flag("--coverage", options.coverage, "Print the coverage of each instruction");
  bool oracle_faults = false;
  app.add_flag("--oracle-faults", oracle_faults,
               "Show that each known fault of the oracle is still there, and nothing else");
  bool machine = false;
  app.add_flag("--machine", machine, "M-mode: CSRs and traps, compared with qemu-system-riscv64");
  app.add_option("--machine-oracle", machine_options.oracle, "The QEMU for --machine");
  CLI11_PARSE(app, argc, argv);
  try {
    if (machine) {
      machine_options.seed = options.seed;
      machine_options.instructions = options.instructions;
      machine_options.filter = options.filter;
      machine_options.most_reports = options.most_reports;
      return d1::difftest::run_machine_session(machine_options);
    }
    if (oracle_faults)
      return d1::difftest::check_oracle_faults(options.oracle, machine_options.oracle);
    return d1::difftest::Session(options).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "d1-difftest: {}\n", error.what());
    return 2;
  }
}
