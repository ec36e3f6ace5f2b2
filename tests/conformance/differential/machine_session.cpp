// SPDX-License-Identifier: Apache-2.0
#include "machine_session.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <map>
#include <regex>

#include "machine_steps.hpp"
#include "work_folder.hpp"

namespace d1::difftest {

namespace {

constexpr unsigned kStepsPerCase = 4;
constexpr unsigned kPointer = 31;

std::vector<std::string> differences(const MachineBlock& ours, const MachineBlock& oracle) {
  std::vector<std::string> lines;
  const auto number = [&](const std::string& name, std::uint64_t a, std::uint64_t b) {
    if (a != b) lines.push_back(fmt::format("{}: ours {:#x}, oracle {:#x}", name, a, b));
  };
  number("traps", ours.traps, oracle.traps);
  for (unsigned i = 0; i < kMachineTraps; ++i) {
    number(fmt::format("trap {} mepc", i), ours.log[i].pc, oracle.log[i].pc);
    number(fmt::format("trap {} mcause", i), ours.log[i].cause, oracle.log[i].cause);
    number(fmt::format("trap {} mtval", i), ours.log[i].value, oracle.log[i].value);
    number(fmt::format("trap {} mstatus", i), ours.log[i].status, oracle.log[i].status);
  }
  for (unsigned i = 1; i < kPointer; ++i) number(fmt::format("x{}", i), ours.x[i], oracle.x[i]);
  number("mstatus", ours.mstatus, oracle.mstatus);
  number("mtvec", ours.mtvec, oracle.mtvec);
  number("mepc", ours.mepc, oracle.mepc);
  number("mcause", ours.mcause, oracle.mcause);
  number("mtval", ours.mtval, oracle.mtval);
  number("mscratch", ours.mscratch, oracle.mscratch);
  number("mie", ours.mie, oracle.mie);
  number("fcsr", ours.fcsr, oracle.fcsr);
  number("vcsr", ours.vcsr, oracle.vcsr);
  number("vstart", ours.vstart, oracle.vstart);
  number("vl", ours.vl, oracle.vl);
  number("vtype", ours.vtype, oracle.vtype);
  return lines;
}

class MachineSession {
 public:
  explicit MachineSession(const MachineOptions& options)
      : options_(options), random_(options.seed), names_(machine_step_names()) {
    const std::regex filter(options.filter);
    for (std::size_t kind = 0; kind < names_.size(); ++kind)
      if (std::regex_search(names_[kind], filter)) kinds_.push_back(kind);
  }

  int run();

 private:
  std::vector<MachineCase> make_cases();
  MachineCase shrink(MachineCase failing) const;
  void report(const MachineCase& failing) const;

  MachineOptions options_;
  Random random_;
  WorkFolder folder_;
  std::vector<std::string> names_;
  std::vector<std::size_t> kinds_;
  std::map<std::string, std::uint64_t> compared_;
  std::uint64_t steps_ = 0, traps_ = 0, different_ = 0;
};

std::vector<MachineCase> MachineSession::make_cases() {
  std::vector<MachineCase> cases(kMachineCasesPerImage);
  for (MachineCase& each : cases) {
    for (unsigned i = 1; i < kPointer; ++i) each.initial.x[i] = random_.bits();
    each.initial.vector_mode = random_.below(2);
    for (unsigned i = 0; i < kStepsPerCase; ++i)
      each.steps.push_back(
          make_machine_step(random_, kinds_[random_.below(static_cast<unsigned>(kinds_.size()))]));
  }
  return cases;
}

MachineCase MachineSession::shrink(MachineCase failing) const {
  for (bool smaller = true; smaller && failing.steps.size() > 1;) {
    smaller = false;
    std::vector<MachineCase> candidates;
    for (std::size_t i = 0; i < failing.steps.size(); ++i) {
      candidates.push_back(failing);
      candidates.back().steps.erase(candidates.back().steps.begin() +
                                    static_cast<std::ptrdiff_t>(i));
    }
    const auto outcomes = run_machine(candidates, options_.oracle, folder_.path());
    if (!outcomes) return failing;
    for (std::size_t i = 0; i < candidates.size() && !smaller; ++i)
      if (!differences(outcomes->ours[i], outcomes->oracle[i]).empty()) {
        failing = candidates[i];
        smaller = true;
      }
  }
  return failing;
}

void MachineSession::report(const MachineCase& failing) const {
  std::uint64_t pc = 0;
  for (const MachineStep& step : failing.steps) {
    fmt::print("  # {}\n", step.name);
    for (std::size_t i = 0; i < step.code.size();) {
      std::uint32_t bits = step.code[i];
      if (i + 1 < step.code.size()) bits |= std::uint32_t{step.code[i + 1]} << 16;
      const isa::Instruction instruction = isa::decode(bits);
      fmt::print("  {:#06x}: {:0{}x}  {}\n", pc + 2 * i,
                 instruction.length == 2 ? bits & 0xffff : bits, instruction.length * 2,
                 isa::disassemble(instruction, pc + 2 * i));
      i += instruction.length / 2U;
    }
    pc += 2 * step.code.size();
  }
  for (unsigned i = 1; i < kPointer; ++i) fmt::print("  x{} {:#x}\n", i, failing.initial.x[i]);
  const auto outcomes = run_machine({&failing, 1}, options_.oracle, folder_.path());
  if (!outcomes) return;
  for (const std::string& line : differences(outcomes->ours[0], outcomes->oracle[0]))
    fmt::print("  {}\n", line);
}

int MachineSession::run() {
  fmt::print("M-mode, seed {}, {} kinds of steps\n", options_.seed, kinds_.size());
  if (kinds_.empty()) return 2;
  do {
    const std::vector<MachineCase> cases = make_cases();
    const auto outcomes = run_machine(cases, options_.oracle, folder_.path());
    if (!outcomes) {
      fmt::print(stderr, "d1-difftest: {}\n", outcomes.error().to_string());
      return 2;
    }
    for (std::size_t i = 0; i < cases.size(); ++i) {
      steps_ += cases[i].steps.size();
      traps_ += outcomes->oracle[i].traps;
      if (differences(outcomes->ours[i], outcomes->oracle[i]).empty()) {
        for (const MachineStep& step : cases[i].steps) ++compared_[step.name];
      } else if (different_++ < options_.most_reports) {
        fmt::print("--- difference {}\n", different_);
        report(shrink(cases[i]));
        std::fflush(stdout);
      }
    }
  } while (steps_ < options_.instructions);
  bool all = true;
  for (const std::size_t kind : kinds_) {
    fmt::print("{:>8} {}\n", compared_[names_[kind]], names_[kind]);
    all = all && compared_[names_[kind]] != 0;
  }
  fmt::print("{} steps, {} traps, {} differences\n", steps_, traps_, different_);
  return different_ == 0 && all ? 0 : 1;
}

}  // namespace

int run_machine_session(const MachineOptions& options) { return MachineSession(options).run(); }

}  // namespace d1::difftest
