// SPDX-License-Identifier: Apache-2.0
// Device memory with a placement, and host memory that the device reaches directly.
//
// Ownership: both are move-only, keep their Context alive and free what they hold when they die. A
// buffer must outlive the launches that use it; copies keep it alive by themselves.
// Threads: const members may be used from any thread. Nothing here waits.
#pragma once

#include <d1/base/error.hpp>
#include <d1/driver/dma.hpp>
#include <d1/runtime/arguments.hpp>
#include <d1/runtime/grid.hpp>
#include <d1/runtime/memory.hpp>
#include <d1/runtime/signature.hpp>

#include <cstdint>
#include <memory>

namespace d1::runtime {

class Context;

struct BufferRequest {
  Placement placement = Placement::Hbm;
  std::uint64_t count = 0;  // elements of the whole buffer
  std::uint32_t element_bytes = 1;
  std::shared_ptr<const Grid> grid;  // sharded, replicated; null: all nodes
  std::uint64_t rank = 0;            // on_node: the node, a rank of `grid`
};

// What operations share of a buffer.
struct BufferState {
  std::shared_ptr<Context> context;
  std::shared_ptr<const Grid> grid;
  Placement placement = Placement::Hbm;
  std::uint64_t count = 0;
  std::uint32_t element_bytes = 1;
  std::uint64_t address = 0;      // as in d1_buffer_argument
  std::uint64_t chunk_bytes = 0;  // sharded: bytes of a rank's chunk
  SramAllocator::Id sram = 0;     // 0: in HBM
  ~BufferState();
};

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::shared_ptr<const BufferState> state) : state_(std::move(state)) {}
  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(Buffer&&) noexcept = default;

  [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }
  [[nodiscard]] Placement placement() const noexcept { return state_->placement; }
  [[nodiscard]] std::uint64_t count() const noexcept { return state_->count; }
  [[nodiscard]] std::uint64_t bytes() const noexcept {
    return state_->count * state_->element_bytes;
  }
  [[nodiscard]] std::uint32_t element_bytes() const noexcept { return state_->element_bytes; }
  [[nodiscard]] std::uint64_t address() const noexcept { return state_->address; }
  [[nodiscard]] std::uint64_t chunk_bytes() const noexcept { return state_->chunk_bytes; }
  [[nodiscard]] const std::shared_ptr<const BufferState>& state() const noexcept { return state_; }
  // As a kernel's argument; a type of kind Class and 0 bytes fits any element type.
  [[nodiscard]] BufferArgument argument(const ElementType& type = {},
                                        ElementAccess access = ElementAccess::ReadWrite) const {
    return {state_->placement, access, type, state_->address, bytes()};
  }

 private:
  std::shared_ptr<const BufferState> state_;
};

// Zeroed, page-aligned, mapped for the device as long as it lives: copies from and to it need no
// map of their own.
class HostBuffer {
 public:
  HostBuffer() = default;
  HostBuffer(std::shared_ptr<Context> context, driver::DmaBuffer memory)
      : context_(std::move(context)), memory_(std::move(memory)) {}
  HostBuffer(HostBuffer&&) noexcept = default;
  HostBuffer& operator=(HostBuffer&& other) noexcept {
    memory_ = std::move(other.memory_);  // the old memory goes before its context
    context_ = std::move(other.context_);
    return *this;
  }

  [[nodiscard]] std::byte* data() const noexcept { return memory_.data(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return memory_.bytes(); }

 private:
  std::shared_ptr<Context> context_;
  driver::DmaBuffer memory_;
};

}  // namespace d1::runtime
