// SPDX-License-Identifier: Apache-2.0
// What an execution engine does: one turn of one hart. Engines hold no state of a hart outside
// HartState; several host threads may run turns of different harts on one engine at once.
#pragma once

#include <memory>

#include <d1/emulator/engine_options.hpp>
#include <d1/emulator/engine_statistics.hpp>

#include "engine/code_image.hpp"

namespace d1::emulator {

enum class TurnEnd : std::uint8_t {
  Budget,    // the work limit was passed at a taken backward or indirect branch
  Parked,    // the hart waits (Hart::wait)
  Stopped,   // d1.halt
  Unhandled, // a trap without a handler: Hart::trap, pc
  Block      // the turn goes on: see Reach::Block
};

// How far one call of Engine::run goes.
enum class Reach : std::uint8_t {
  Turn,
  // Through the block at hart.pc. Who calls gives what is left of the turn's budget each time,
  // modulo 2^64: it is below zero where a turn goes on to a place where it may end.
  Block
};

class Engine {
 public:
  virtual ~Engine() = default;

  // Runs the hart until it parks, stops, or reaches the first taken backward or indirect branch
  // after `budget` ticks of work in this turn. The view may change under the hart (fence.i).
  virtual TurnEnd run(isa::Hart& hart, const CodeView& code, std::uint64_t budget) = 0;

  // What it did so far. Blocks and instructions are counted by whoever owns the code and the harts.
  [[nodiscard]] virtual EngineStatistics statistics() = 0;
};

[[nodiscard]] std::unique_ptr<Engine> make_interpreter(Reach reach = Reach::Turn);
// Null where the host cannot run translated code (no x86-64, no memory that may be executed).
[[nodiscard]] std::unique_ptr<Engine> make_translator(const EngineOptions& options,
                                                      Reach reach = Reach::Turn);
// The engine asked for, or the interpreter where that one cannot be had.
[[nodiscard]] std::unique_ptr<Engine> make_engine(const EngineOptions& options);

}  // namespace d1::emulator
