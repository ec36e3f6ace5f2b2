// SPDX-License-Identifier: Apache-2.0
#include "engine/lockstep.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "engine/block_run.hpp"
#include "engine/hart_comparison.hpp"
#include "engine/recorded_environment.hpp"
#include "engine/shadow_memory.hpp"

namespace d1::emulator {

using isa::Hart;

namespace {

constexpr const char* kEndNames[] = {"over budget", "parked", "stopped", "without a trap handler",
                                     "going on"};

// What translated code runs on instead of the hart.
struct Twin {
  std::array<Hart, isa::kHartsPerNode> harts;  // of the node: reservations are looked up there
  isa::VectorRegisters vectors;
  ShadowMemory memory;
  CodeView code;
  RecordingEnvironment recorder;
  ReplayingEnvironment replay;

  // Makes it the hart's equal, but for memory.
  Hart& renew(const Hart& hart, const CodeView& its_code) {
    for (unsigned i = 0; i < isa::kHartsPerNode; ++i) harts[i] = hart.node_harts[i];
    Hart& twin = harts[hart.hart_id];
    twin = hart;
    vectors = *hart.v;
    code = its_code;
    twin.memory.host = memory.data();
    twin.v = &vectors;
    twin.environment = &replay;
    twin.node_harts = harts.data();
    return twin;
  }
};

// A hart asks another environment while this lives.
class EnvironmentScope {
 public:
  EnvironmentScope(Hart& hart, isa::Environment& environment)
      : hart_(hart), before_(std::exchange(hart.environment, &environment)) {}
  ~EnvironmentScope() { hart_.environment = before_; }
  EnvironmentScope(const EnvironmentScope&) = delete;
  EnvironmentScope& operator=(const EnvironmentScope&) = delete;

 private:
  Hart& hart_;
  isa::Environment* before_;
};

std::vector<std::string> disassembly(const CodeView& code, std::uint64_t pc) {
  std::vector<std::string> lines;
  CodeImage* const image = code.find(pc);
  if (image == nullptr) return lines;
  const Block& block = image->block(pc);
  for (unsigned i = 0; i < block.count; ++i) {
    const isa::Operation& operation = block.operations[i];
    const std::uint32_t bits = operation.compressed != 0 ? operation.compressed : operation.full;
    lines.push_back(
        fmt::format("{:#x}: {}", operation.pc, isa::disassemble(isa::decode(bits), operation.pc)));
  }
  return lines;
}

class Lockstep final : public Engine {
 public:
  Lockstep(const EngineOptions& options, std::unique_ptr<Engine> translator,
           LockstepObserver observer)
      : level_(std::min(options.level, detect_host_level())),
        unit_(options.lockstep_unit),
        interpreter_(make_interpreter(reach_of(options))),
        translator_(std::move(translator)),
        observer_(std::move(observer)) {}

  [[nodiscard]] static Reach reach_of(const EngineOptions& options) noexcept {
    return options.lockstep_unit == LockstepUnit::Block ? Reach::Block : Reach::Turn;
  }

  TurnEnd run(Hart& hart, const CodeView& code, std::uint64_t budget) override {
    std::unique_ptr<Twin> twin = take_twin();
    const std::uint64_t limit = work_done(hart) + budget, pc = hart.pc, first = hart.instret;
    const CodeView code_before = code;  // blocks that a fence.i replaces are in use for a while
    twin->memory.renew(hart.memory);
    TurnEnd end;
    do end = step(*twin, hart, code, limit);
    while (end == TurnEnd::Block);
    if (const auto place = twin->memory.first_difference(hart.memory)) {
      const std::uint64_t offset = *place - hart.memory.base;
      report(hart, code_before, pc, first,
             {fmt::format("memory at {:#x} after the turn: interpreted {:#04x}, translated {:#04x}",
                          *place, hart.memory.host[offset], twin->memory.data()[offset])});
    }
    const std::lock_guard guard(mutex_);
    twins_.push_back(std::move(twin));
    return end;
  }

  // What its translator did; what that retired, the interpreter retired too.
  EngineStatistics statistics() override {
    EngineStatistics statistics = translator_->statistics();
    statistics.kind = EngineKind::Lockstep;
    return statistics;
  }

 private:
  // A block or a turn, by both.
  TurnEnd step(Twin& twin, Hart& hart, const CodeView& code, std::uint64_t limit) {
    const std::uint64_t budget = limit - work_done(hart), pc = hart.pc, first = hart.instret;
    const CodeView code_before = code;
    const std::uint32_t mxcsr = isa::detail::read_mxcsr();
    Hart& copy = twin.renew(hart, code);
    twin.recorder.begin(*hart.environment, code);
    TurnEnd end;
    {
      const EnvironmentScope scope(hart, twin.recorder);
      end = interpreter_->run(hart, code, budget);
    }
    twin.replay.begin(twin.recorder.answers(), twin.code);
    const TurnEnd translated = translator_->run(copy, twin.code, budget);
    const auto complaint = twin.replay.complaint();
    const std::uint32_t mxcsr_after = isa::detail::read_mxcsr();
    if (end == translated && !complaint && mxcsr_after == mxcsr && same_state(hart, copy))
        [[likely]]
      return end;
    std::vector<std::string> differs = state_differences(hart, copy);
    if (end != translated)
      differs.insert(differs.begin(), fmt::format("the hart is: interpreted {}, translated {}",
                                                  kEndNames[static_cast<unsigned>(end)],
                                                  kEndNames[static_cast<unsigned>(translated)]));
    if (mxcsr_after != mxcsr)
      differs.push_back(
          fmt::format("MXCSR of the host: before {:#x}, after {:#x}", mxcsr, mxcsr_after));
    if (complaint) differs.insert(differs.begin(), *complaint);
    report(hart, code_before, pc, first, std::move(differs));
    return end;
  }

  void report(const Hart& hart, const CodeView& code, std::uint64_t pc, std::uint64_t first,
              std::vector<std::string> differs) {
    observer_({.level = level_,
               .unit = unit_,
               .hart = hart.hart_id,
               .pc = pc,
               .ran = hart.instret - first,
               .code = disassembly(code, pc),
               .differs = std::move(differs)});
  }

  std::unique_ptr<Twin> take_twin() {
    const std::lock_guard guard(mutex_);
    if (twins_.empty()) return std::make_unique<Twin>();
    std::unique_ptr<Twin> twin = std::move(twins_.back());
    twins_.pop_back();
    return twin;
  }

  HostLevel level_;
  LockstepUnit unit_;
  std::unique_ptr<Engine> interpreter_, translator_;
  LockstepObserver observer_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Twin>> twins_;  // not in use: one for each thread that runs harts
};

}  // namespace

std::string LockstepDifference::to_string() const {
  std::string text = fmt::format(
      "Translated code ({}) and the interpreter differ after the {} at {:#x} of hart {}, in which "
      "the interpreter retired {} instructions.\n",
      name_of(level), unit == LockstepUnit::Block ? "block" : "turn", pc,
      hart, ran);
  for (const std::string& line : differs) text += "  " + line + "\n";
  text += unit == LockstepUnit::Block ? "The block:\n" : "The turn's first block:\n";
  for (const std::string& line : code) text += "  " + line + "\n";
  return text;
}

void end_with_report(const LockstepDifference& difference) {
  std::fputs(difference.to_string().c_str(), stderr);
  std::fflush(stderr);
  std::abort();
}

std::unique_ptr<Engine> make_lockstep(const EngineOptions& options, LockstepObserver observer) {
  auto translator = make_translator(options, Lockstep::reach_of(options));
  if (translator == nullptr) return nullptr;
  return std::make_unique<Lockstep>(options, std::move(translator), std::move(observer));
}

}  // namespace d1::emulator
