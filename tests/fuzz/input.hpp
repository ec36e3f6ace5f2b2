// SPDX-License-Identifier: Apache-2.0
// An input of a fuzz target, taken from its front piece by piece. Past its end everything reads as
// zero, so that every prefix of an input means something.
#pragma once

#include <d1/isa/instruction.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace d1::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t bytes) : rest_(data, bytes) {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] T take() {
    T value{};
    const std::span<const std::uint8_t> bytes = take_bytes(sizeof(T));
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }

  // Fewer at the input's end.
  [[nodiscard]] std::span<const std::uint8_t> take_bytes(std::size_t most) {
    const auto taken = rest_.first(std::min(most, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

// Six bytes of the input: an instruction of the table with operands as they come, or, where the
// number names none, any word at all.
[[nodiscard]] inline std::uint32_t take_instruction(Input& input) {
  constexpr auto kCount = static_cast<std::uint16_t>(isa::InstructionId::Count);
  const auto number = input.take<std::uint16_t>();
  const auto bits = input.take<std::uint32_t>();
  if (number == 0 || number >= kCount) return bits;
  const isa::InstructionFacts& facts = isa::facts(static_cast<isa::InstructionId>(number));
  return facts.match | (bits & ~facts.mask);
}

}  // namespace d1::fuzz
