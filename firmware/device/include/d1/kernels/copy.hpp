// SPDX-License-Identifier: Apache-2.0
// Copies and fills within a node's SRAM, in whole 64-byte packets where they can be. Each hart that
// calls does all of what it is given: divide by part_of_hart() first to share the work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <d1/kernel.hpp>

namespace d1::kernels {

// Copies from.size() elements; the blocks must not overlap.
template <typename T>
void copy(std::span<const T> from, T* to) {
  static_assert(std::is_trivially_copyable_v<T>);
  const auto* source = reinterpret_cast<const std::uint8_t*>(from.data());
  auto* target = reinterpret_cast<std::uint8_t*>(to);
  for (std::size_t left = from.size_bytes(); left != 0;) {
    const std::size_t bytes = __riscv_vsetvl_e8m8(left);
    __riscv_vse8_v_u8m8(target, __riscv_vle8_v_u8m8(source, bytes), bytes);
    source += bytes;
    target += bytes;
    left -= bytes;
  }
}

template <typename T>
void fill(std::span<T> block, std::type_identity_t<T> value) {
  for (T& element : block) element = value;
}

}  // namespace d1::kernels
