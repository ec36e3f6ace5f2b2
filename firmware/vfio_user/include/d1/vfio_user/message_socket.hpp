// SPDX-License-Identifier: Apache-2.0
// vfio-user messages (d1/abi/vfio_user.h) over a UNIX stream socket, descriptors included; for both
// ends of a connection.
//
// Ownership: owns the socket, and the descriptors of a message until they are taken.
// Threads: one may send and one may receive at the same time; each side needs its users to take
// turns. Blocking: try_receive never waits; receive and send wait at most until their deadline.
// SIGPIPE is never raised.
#pragma once

#include <d1/abi/vfio_user.h>
#include <d1/base/error.hpp>
#include <d1/vfio_user/descriptor.hpp>
#include <d1/vfio_user/unix_socket.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

namespace d1::vfio_user {

// Bounds of a message: what a peer may make us hold before it has said anything sensible. A region
// access of the largest transfer and its header fit.
inline constexpr std::uint32_t kMessageBytes = D1_VFIO_USER_DEFAULT_TRANSFER + 4096;
// As many as SET_IRQS can need for the vectors of a device, and half of what Linux lets pass.
inline constexpr std::size_t kMessageDescriptors = 64;

struct Message {
  d1_vfio_user_header header{};
  std::vector<std::byte> payload;
  std::vector<Descriptor> descriptors;

  [[nodiscard]] bool is_reply() const noexcept {
    return (header.flags & D1_VFIO_USER_TYPE) == D1_VFIO_USER_REPLY;
  }
  // A structure at `offset` of the payload; nothing if it does not fit.
  template <typename Structure>
  [[nodiscard]] std::optional<Structure> read(std::size_t offset = 0) const {
    static_assert(std::is_trivially_copyable_v<Structure>);
    if (payload.size() < offset || payload.size() - offset < sizeof(Structure)) return {};
    Structure structure;
    std::memcpy(&structure, payload.data() + offset, sizeof structure);
    return structure;
  }
};

template <typename Structure>
[[nodiscard]] std::span<const std::byte> bytes_of(const Structure& structure) {
  static_assert(std::is_trivially_copyable_v<Structure>);
  return std::as_bytes(std::span(&structure, 1));
}

class MessageSocket {
 public:
  MessageSocket() = default;
  explicit MessageSocket(Descriptor socket) : socket_(std::move(socket)) {}

  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }

  // The next message, if all of it is there. An error (Protocol: what came is no message;
  // DeviceLost: the other side closed or died) is final.
  [[nodiscard]] Result<std::optional<Message>> try_receive();
  // Waits for one; Timeout at the deadline, and what has come of a message by then is kept.
  [[nodiscard]] Result<Message> receive(Deadline deadline);

  // Sends a message whose payload is the parts, one behind the other; fills in its size.
  [[nodiscard]] Result<> send(d1_vfio_user_header header,
                              std::initializer_list<std::span<const std::byte>> parts,
                              std::span<const int> descriptors, Deadline deadline);
  // Both ends see the connection closed.
  void shut_down() noexcept;

 private:
  [[nodiscard]] Result<bool> fill(std::span<std::byte> where);

  Descriptor socket_;
  Message message_;       // being received
  std::size_t have_ = 0;  // bytes of it
};

}  // namespace d1::vfio_user
