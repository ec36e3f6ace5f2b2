// SPDX-License-Identifier: Apache-2.0
// Places in code that is being emitted, known or yet to come, and the jumps that wait for them.
// (Xbyak's own labels live in hash tables, which costs more than the encoding of the jumps.)
// Plain data; not thread-safe.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include <xbyak/xbyak.h>

namespace d1::emulator {

// Copies that are made once it was used stand for the same place.
class Label {
  friend class Labels;
  mutable std::int32_t number_ = -1;
};

// Of the code that begins at `code`; places are offsets there.
class Labels {
 public:
  static constexpr std::int32_t kUnknown = -1;

  Labels() {
    states_.reserve(kUsual);
    jumps_.reserve(kUsual);
  }

  [[nodiscard]] std::int32_t place_of(const Label& label) { return state_of(label).place; }

  // The displacement that ends at `end` and has so many bytes leads to the label.
  void wait(const Label& label, std::int32_t end, std::uint8_t bytes) {
    State& state = state_of(label);
    jumps_.push_back({end, state.jumps, bytes});
    state.jumps = static_cast<std::int32_t>(jumps_.size()) - 1;
  }

  void define(const Label& label, std::int32_t place, std::uint8_t* code) {
    State& state = state_of(label);
    if (state.place != kUnknown) throw Xbyak::Error(Xbyak::ERR_LABEL_IS_REDEFINED);
    state.place = place;
    for (; state.jumps >= 0; state.jumps = jumps_[static_cast<unsigned>(state.jumps)].next) {
      const Jump& jump = jumps_[static_cast<unsigned>(state.jumps)];
      const std::int32_t distance = place - jump.end;
      if (jump.bytes == 1 && distance > 127) throw Xbyak::Error(Xbyak::ERR_LABEL_IS_TOO_FAR);
      std::memcpy(code + jump.end - jump.bytes, &distance, jump.bytes);
    }
  }

  [[nodiscard]] bool any_waits() const noexcept {
    for (const State& state : states_)
      if (state.jumps >= 0) return true;
    return false;
  }

  // Labels that were used must not be used again.
  void clear() noexcept {
    states_.clear();
    jumps_.clear();
  }

 private:
  static constexpr std::size_t kUsual = 256;  // own: few regions have more labels, or jumps

  struct State {
    std::int32_t place = kUnknown;
    std::int32_t jumps = -1;  // the last one that waits
  };
  struct Jump {
    std::int32_t end;
    std::int32_t next;
    std::uint8_t bytes;
  };

  State& state_of(const Label& label) {
    if (label.number_ < 0) {
      label.number_ = static_cast<std::int32_t>(states_.size());
      states_.emplace_back();
    }
    return states_[static_cast<unsigned>(label.number_)];
  }

  std::vector<State> states_;
  std::vector<Jump> jumps_;
};

}  // namespace d1::emulator
