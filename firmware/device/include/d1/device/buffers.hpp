// SPDX-License-Identifier: Apache-2.0
// The buffers a kernel can take as parameters. Each is two argument slots, an address and the
// number of elements of the whole buffer (d1/abi/placement.h). The runtime reads their names from
// the program's debug information to know where to put what the host passes.
//
// They are views: the host owns the memory, and keeps it for the length of the launch.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include <d1/abi/placement.h>
#include <d1/device/global_pointer.hpp>
#include <d1/device/grid.hpp>
#include <d1/device/transfers.hpp>

namespace d1 {

// A whole number of packets of `all`, for this hart; the harts of the node together have all.
template <typename T>
[[nodiscard]] std::span<T> part_of_hart(std::span<T> all) {
  constexpr std::size_t packet = sizeof(T) < 64 ? 64 / sizeof(T) : 1;
  const range packets = part_of((all.size() + packet - 1) / packet, harts(), hart());
  const std::size_t first = packets.first * packet, last = packets.last * packet;
  return all.subspan(
      first < all.size() ? first : all.size(),
      (last < all.size() ? last : all.size()) - (first < all.size() ? first : all.size()));
}

// Divided in contiguous chunks over the nodes. The elements of this node:
template <typename T>
class sharded {
 public:
  using element_type = T;

  [[nodiscard]] T* data() const { return reinterpret_cast<T*>(address_); }
  [[nodiscard]] std::size_t size() const { return d1_shard_size(count_, chunk(), rank()); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] T* begin() const { return data(); }
  [[nodiscard]] T* end() const { return data() + size(); }
  [[nodiscard]] T& operator[](std::size_t index) const { return data()[index]; }
  [[nodiscard]] std::span<T> local() const { return {data(), size()}; }
  [[nodiscard]] std::span<T> part_of_hart() const { return d1::part_of_hart(local()); }

  // Index in the whole buffer of the first element here.
  [[nodiscard]] std::size_t first_index() const { return d1_shard_first(count_, chunk(), rank()); }
  [[nodiscard]] std::size_t total() const { return count_; }
  [[nodiscard]] std::size_t chunk() const { return d1_shard_chunk(count_, nodes(), sizeof(T)); }

  // Any element of the whole buffer, on whichever node it is.
  [[nodiscard]] global_ptr<T> at(std::size_t index) const {
    const std::size_t each = chunk();
    return global_ptr<T>::at(static_cast<std::uint32_t>(index / each), data() + index % each);
  }

 private:
  std::uint64_t address_;
  std::uint64_t count_;
};

// A full copy on every node.
template <typename T>
class replicated {
 public:
  using element_type = T;

  [[nodiscard]] T* data() const { return reinterpret_cast<T*>(address_); }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] T* begin() const { return data(); }
  [[nodiscard]] T* end() const { return data() + size(); }
  [[nodiscard]] T& operator[](std::size_t index) const { return data()[index]; }
  [[nodiscard]] std::span<T> local() const { return {data(), size()}; }
  [[nodiscard]] std::span<T> part_of_hart() const { return d1::part_of_hart(local()); }
  [[nodiscard]] global_ptr<T> at(std::uint32_t on_rank, std::size_t index) const {
    return global_ptr<T>::at(on_rank, data() + index);
  }

 private:
  std::uint64_t address_;
  std::uint64_t count_;
};

// In one node's SRAM, or in HBM: reached from every node by global pointers and transfers.
template <typename T>
class remote_buffer {
 public:
  using element_type = T;

  [[nodiscard]] global_ptr<T> data() const { return global_ptr<T>(address_); }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] global_ref<T> operator[](std::size_t index) const { return data()[index]; }

  // Copies between this buffer, from element `first` on, and SRAM. Blocks until the data is there,
  // or the source may be reused.
  void copy_in(std::size_t first, std::span<std::remove_const_t<T>> to) const {
    if (!to.empty()) get(data() + first, to).wait();
  }
  void copy_out(std::size_t first, std::span<const T> from) const requires(!std::is_const_v<T>) {
    if (!from.empty()) put(from, data() + first).wait();
  }

 private:
  std::uint64_t address_;
  std::uint64_t count_;
};

template <typename T>
class hbm : public remote_buffer<T> {};
template <typename T>
class on_node : public remote_buffer<T> {};

static_assert(sizeof(sharded<float>) == sizeof(d1_buffer_argument) &&
              sizeof(hbm<float>) == sizeof(d1_buffer_argument) &&
              std::is_trivially_copyable_v<sharded<float>> &&
              std::is_trivially_copyable_v<hbm<float>>);

}  // namespace d1
