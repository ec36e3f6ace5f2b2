// SPDX-License-Identifier: Apache-2.0
// How often translated code was left, and which semantics functions it called: kept only while
// somebody asks for statistics. Any thread counts and reads at any time.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include <d1/emulator/engine_statistics.hpp>
#include <d1/isa/instruction.hpp>

#include "engine/translator/per_thread.hpp"
#include "engine/translator/translation.hpp"

namespace d1::emulator {

class ExecutionCounters {
 public:
  // reason: Hart::exit_reason. instructions: retired since translated code was entered.
  void count_exit(std::uint32_t reason, std::uint32_t instructions) noexcept {
    Counts& counts = threads_.mine();
    add(counts.exits[reason], 1);
    add(counts.retired, instructions);
  }
  void count_helper(isa::InstructionId id) noexcept {
    add(threads_.mine().helpers[static_cast<unsigned>(id)], 1);
  }
  [[nodiscard]] TranslatedExecution read() const;

 private:
  using Count = std::atomic<std::uint64_t>;
  static constexpr unsigned kOutcomes = static_cast<unsigned>(isa::Outcome::Stop) + 1;
  static constexpr unsigned kReasons = static_cast<unsigned>(ExitReason::Outcome) + kOutcomes;
  static constexpr unsigned kInstructions = static_cast<unsigned>(isa::InstructionId::Count);
  struct Counts {
    std::array<Count, kReasons> exits{};
    Count retired{0};
    std::array<Count, kInstructions> helpers{};
  };

  static void add(Count& count, std::uint64_t more) noexcept {
    count.fetch_add(more, std::memory_order_relaxed);
  }

  PerThread<Counts> threads_;
};

}  // namespace d1::emulator
