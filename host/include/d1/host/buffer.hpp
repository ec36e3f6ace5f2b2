// SPDX-License-Identifier: Apache-2.0
// Typed buffers on the device and host memory it reaches directly. Made by Device.
//
// Ownership: move-only; free what they hold when they die. A buffer must outlive the launches that
// use it; copies keep it alive by themselves. Threads: const members from any thread. Nothing
// waits.
#pragma once

#include <d1/host/element.hpp>
#include <d1/runtime/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace d1 {

using runtime::Placement;

// Device memory of `size()` elements: sharded over a grid, replicated on each of its nodes, on one
// node, or in HBM. Its contents are undefined until written.
template <typename T>
class Buffer {
 public:
  using element_type = T;

  Buffer() = default;
  explicit Buffer(runtime::Buffer buffer) : buffer_(std::move(buffer)) {}

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(buffer_); }
  [[nodiscard]] std::size_t size() const noexcept { return buffer_.count(); }
  [[nodiscard]] std::size_t size_bytes() const noexcept { return buffer_.bytes(); }
  [[nodiscard]] Placement placement() const noexcept { return buffer_.placement(); }
  // Elements of one rank's chunk, of a sharded buffer.
  [[nodiscard]] std::size_t chunk() const noexcept { return buffer_.chunk_bytes() / sizeof(T); }
  [[nodiscard]] const runtime::Buffer& untyped() const noexcept { return buffer_; }

 private:
  runtime::Buffer buffer_;
};

// Zeroed host memory that copies need no preparation for: use it where speed counts.
template <typename T>
class HostBuffer {
 public:
  HostBuffer() = default;
  explicit HostBuffer(runtime::HostBuffer buffer) : buffer_(std::move(buffer)) {}

  [[nodiscard]] T* data() const noexcept { return reinterpret_cast<T*>(buffer_.data()); }
  [[nodiscard]] std::size_t size() const noexcept { return buffer_.bytes() / sizeof(T); }
  [[nodiscard]] T* begin() const noexcept { return data(); }
  [[nodiscard]] T* end() const noexcept { return data() + size(); }
  [[nodiscard]] T& operator[](std::size_t index) const noexcept { return data()[index]; }
  [[nodiscard]] std::span<T> span() const noexcept { return {data(), size()}; }

 private:
  runtime::HostBuffer buffer_;
};

namespace detail {

template <typename T>
[[nodiscard]] runtime::Argument to_argument(const Buffer<T>& buffer) noexcept {
  return buffer.untyped().argument(element_type<T>());
}

}  // namespace detail
}  // namespace d1
