// SPDX-License-Identifier: Apache-2.0
// Typed pointers into any memory of the machine: another node's SRAM, or HBM. They own nothing.
//
// Reading or writing through one is a packet over the network and waits for it: for single values.
// Blocks move by the transfers of <d1/device/transfers.hpp>.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <d1/abi/memory_map.h>

namespace d1 {

// What a global pointer points at: reads and writes are single packets.
template <typename T>
class global_ref {
 public:
  static_assert(std::is_trivially_copyable_v<T> &&
                    (sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8),
                "a single packet carries 1, 2, 4 or 8 bytes: use get() and put() for more");
  using value_type = std::remove_cv_t<T>;

  explicit global_ref(std::uint64_t address) : address_(address) {}
  // By scalar instructions, whatever the type: vector ones cannot leave the node.
  operator value_type() const {
    const auto bits = *reinterpret_cast<const volatile word*>(address_);
    return __builtin_bit_cast(value_type, bits);
  }
  const global_ref& operator=(value_type value) const requires(!std::is_const_v<T>) {
    *reinterpret_cast<volatile word*>(address_) = __builtin_bit_cast(word, value);
    return *this;
  }
  global_ref(const global_ref&) = default;
  const global_ref& operator=(const global_ref& other) const { return *this = value_type(other); }

 private:
  using word = std::conditional_t<
      sizeof(T) == 1, std::uint8_t,
      std::conditional_t<sizeof(T) == 2, std::uint16_t,
                         std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
  std::uint64_t address_;
};

template <typename T>
class global_ptr {
 public:
  global_ptr() = default;
  explicit constexpr global_ptr(std::uint64_t address) : address_(address) {}

  // The object that lies on node `rank` of the launch where `local` lies here. Programs, globals
  // and buffers have the same addresses on all nodes.
  [[nodiscard]] static global_ptr at(std::uint32_t rank, T* local) {
    return global_ptr(
        d1_grid_address(rank, static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(local))));
  }

  [[nodiscard]] constexpr std::uint64_t address() const { return address_; }
  [[nodiscard]] global_ref<T> operator*() const { return global_ref<T>(address_); }
  [[nodiscard]] global_ref<T> operator[](std::size_t index) const { return *(*this + index); }
  constexpr global_ptr& operator+=(std::ptrdiff_t elements) {
    address_ += static_cast<std::uint64_t>(elements) * sizeof(T);
    return *this;
  }
  [[nodiscard]] friend constexpr global_ptr operator+(global_ptr pointer, std::ptrdiff_t elements) {
    return pointer += elements;
  }
  [[nodiscard]] constexpr operator global_ptr<const T>() const requires(!std::is_const_v<T>) {
    return global_ptr<const T>(address_);
  }
  friend constexpr bool operator==(global_ptr, global_ptr) = default;

 private:
  std::uint64_t address_ = 0;
};

}  // namespace d1
