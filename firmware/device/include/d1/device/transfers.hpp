// SPDX-License-Identifier: Apache-2.0
// Block transfers between this node's SRAM and other nodes or HBM. They run beside the hart.
//
//   d1::put(std::span<const float>(edge), to).wait();   // until `edge` may be changed
//   auto arriving = d1::get(from, block);                // compute meanwhile ...
//   arriving.wait();                                     // ... until `block` is filled
//
// A put's data may still be on its way when wait() returns: to tell the receiver, give put() a
// semaphore to post there, which is seen after the data. Puts from one node to another arrive in
// order. A get has arrived when wait() returns.
//
// Every transfer posts a semaphore of this node when it is done: that of its hart, or one of the
// kernel's own. A token waits for as many posts as it stands for. Those of one semaphore are all
// alike, so before using the data of any one transfer, wait for all that post the same semaphore.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <d1/abi/transfer.h>
#include <d1/xd1.h>
#include <d1/device/global_pointer.hpp>
#include <d1/device/grid.hpp>

namespace d1 {

// A semaphore for a transfer to post; see semaphore_of().
enum class semaphore_number : std::uint8_t { none = D1_NO_SEMAPHORE };
template <typename Semaphore>
[[nodiscard]] constexpr semaphore_number semaphore_of() {
  return static_cast<semaphore_number>(Semaphore::number);
}
[[nodiscard]] inline semaphore_number transfer_semaphore() {
  return static_cast<semaphore_number>(D1_SEMAPHORE_TRANSFER + hart());
}

// What a transfer posts, each once: `far` on a put's destination, after the data, or on a get's
// source, after it was read; `done` here, when the source may be reused or the data has arrived.
struct posts {
  semaphore_number far = semaphore_number::none;
  semaphore_number done = transfer_semaphore();
};

// Stands for transfers under way that post one semaphore when done.
class [[nodiscard]] completion {
 public:
  explicit completion(semaphore_number done = transfer_semaphore(), std::uint32_t transfers = 0)
      : done_(done), transfers_(transfers) {}
  void wait() const {
    if (transfers_ != 0) d1_sem_wait(static_cast<std::uint64_t>(done_), transfers_);
  }
  // Both must post the same semaphore.
  completion& operator+=(completion other) {
    transfers_ += other.transfers_;
    return *this;
  }
  friend completion operator+(completion a, completion b) { return a += b; }

 private:
  semaphore_number done_;
  std::uint32_t transfers_;
};

// Rows of one block in memory, `pitch` bytes apart.
struct rows {
  std::uint32_t count;
  std::uint32_t row_bytes;
  std::uint32_t local_pitch, remote_pitch;
};

// Part of the launch grid.
struct rectangle {
  std::uint32_t first_row, first_column, rows, columns;
};

namespace detail {

// Hands one descriptor over; it may lie on the stack, since it is read as it is issued.
inline completion start(const d1_transfer& transfer) {
  d1_xfer(&transfer, 1);
  return completion(static_cast<semaphore_number>(transfer.local_semaphore), 1);
}

inline d1_transfer describe(d1_transfer_kind kind, const volatile void* local, std::uint64_t remote,
                            rows shape, posts post) {
  d1_transfer transfer{};
  transfer.kind = static_cast<std::uint8_t>(kind);
  transfer.local_semaphore = static_cast<std::uint8_t>(post.done);
  transfer.remote_semaphore = static_cast<std::uint8_t>(post.far);
  transfer.row_bytes = shape.row_bytes;
  transfer.rows = shape.count;
  transfer.local = reinterpret_cast<std::uintptr_t>(local);
  transfer.remote = remote;
  transfer.local_pitch = shape.local_pitch;
  transfer.remote_pitch = shape.remote_pitch;
  return transfer;
}

inline rows one_row(std::size_t bytes) { return {1, static_cast<std::uint32_t>(bytes), 0, 0}; }

}  // namespace detail

// Sends a block to `to`. Empty blocks are not allowed here or below.
template <typename T>
completion put(std::span<T> from, global_ptr<std::remove_const_t<T>> to, posts post = {}) {
  return detail::start(detail::describe(D1_TRANSFER_PUT, from.data(), to.address(),
                                        detail::one_row(from.size_bytes()), post));
}

// Fetches a block.
template <typename T, typename U>
requires std::is_same_v<std::remove_const_t<T>, U> completion get(global_ptr<T> from,
                                                                  std::span<U> to,
                                                                  posts post = {}) {
  return detail::start(detail::describe(D1_TRANSFER_GET, to.data(), from.address(),
                                        detail::one_row(to.size_bytes()), post));
}

// The same for blocks of rows.
template <typename T>
completion put_2d(const T* from, global_ptr<T> to, rows shape, posts post = {}) {
  return detail::start(detail::describe(D1_TRANSFER_PUT, from, to.address(), shape, post));
}
template <typename T>
completion get_2d(global_ptr<const T> from, T* to, rows shape, posts post = {}) {
  return detail::start(detail::describe(D1_TRANSFER_GET, to, from.address(), shape, post));
}

// Sends a block to the same address on every node of a part of the grid but this one.
template <typename T>
completion multicast(std::span<T> block, std::remove_const_t<T>* to, rectangle where,
                     posts post = {}) {
  d1_transfer transfer =
      detail::describe(D1_TRANSFER_MULTICAST, block.data(), reinterpret_cast<std::uintptr_t>(to),
                       detail::one_row(block.size_bytes()), post);
  transfer.first_row = where.first_row;
  transfer.first_column = where.first_column;
  transfer.grid_rows = where.rows;
  transfer.grid_columns = where.columns;
  return detail::start(transfer);
}

// Until all transfers of this hart are complete locally, whatever semaphores they post. It takes no
// counts: call it in addition to, not instead of, completion::wait().
inline void drain_transfers() { d1_xfer_wait(); }

}  // namespace d1
