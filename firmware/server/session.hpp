// SPDX-License-Identifier: Apache-2.0
// One client of one function, from its VERSION message to the end of its connection. Commands are
// carried out one after the other, in the order in which they came.
//
// Ownership: owns the connection and what the client gave (memory, eventfds); both go with it. The
// function must outlive it. Threads: receive() is called by the loop's thread; the thread that runs
// the device may meanwhile ask the client for memory (RemoteMemory). Blocking: receive() waits for
// the device's lock, and for a client that takes no replies at most kReplyTimeout.
#pragma once

#include <d1/vfio_user/message_socket.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "client_memory.hpp"
#include "function.hpp"

namespace d1::server {

// A client that does not read its replies, or does not answer for its memory, for this long is
// given up: it is stopped, or gone in a way the kernel does not tell.
inline constexpr std::chrono::seconds kReplyTimeout{5};

class Session final : private emulator::RemoteMemory {
 public:
  // `found`: commands wait of which the socket will not tell, so receive() is to be called. Called
  // by the device's thread; it must not wait.
  Session(Function& function, vfio_user::MessageSocket socket, std::function<void()> found);
  ~Session() override;

  [[nodiscard]] int descriptor() const noexcept { return socket_.descriptor(); }
  // Carries out what has come. An error ends the session; its sentence is for the log.
  [[nodiscard]] Result<> receive();

  struct Counts {
    std::uint64_t commands = 0, refused = 0;
    std::size_t maps = 0;
    std::uint64_t mapped_bytes = 0;
  };
  [[nodiscard]] Counts counts() const noexcept;

 private:
  // What a command is answered with: an errno, or a payload and descriptors.
  struct Answer {
    int error = 0;
    std::vector<std::byte> payload;
    std::vector<int> descriptors;  // borrowed
  };
  [[nodiscard]] Result<> carry_out(vfio_user::Message& message);
  [[nodiscard]] Result<> answer(const vfio_user::Message& message, const Answer& answer);
  [[nodiscard]] Answer execute(vfio_user::Message& message);
  [[nodiscard]] Answer version(const vfio_user::Message& message);
  [[nodiscard]] Answer dma_map(const vfio_user::Message& message);
  [[nodiscard]] Answer dma_unmap(const vfio_user::Message& message);
  [[nodiscard]] Answer device_info(const vfio_user::Message& message) const;
  [[nodiscard]] Answer region_info(const vfio_user::Message& message) const;
  [[nodiscard]] Answer region_io_events(const vfio_user::Message& message) const;
  [[nodiscard]] Answer irq_info(const vfio_user::Message& message) const;
  [[nodiscard]] Answer set_irqs(vfio_user::Message& message);
  [[nodiscard]] Answer region_read(const vfio_user::Message& message);
  [[nodiscard]] Answer region_write(const vfio_user::Message& message);
  [[nodiscard]] Answer region_write_multi(const vfio_user::Message& message);

  // RemoteMemory: by message, in pieces the client takes.
  bool read(std::uint64_t address, std::span<std::uint8_t> data) noexcept override;
  bool write(std::uint64_t address, std::span<const std::uint8_t> data) noexcept override;
  [[nodiscard]] Result<vfio_user::Message> ask(std::uint16_t command, std::uint64_t address,
                                               std::uint64_t count,
                                               std::span<const std::byte> data);
  void give_up() noexcept;
  [[nodiscard]] Result<vfio_user::Message> reply_to(std::uint16_t id);

  Function& function_;
  vfio_user::MessageSocket socket_;
  std::function<void()> found_;
  std::mutex send_mutex_;
  // Taken by who reads the socket: the loop's thread, or the device's while it waits for a reply
  // and the loop's waits for the device. Commands it finds then wait in `backlog_`.
  std::mutex receive_mutex_;
  std::atomic<bool> loop_wants_ = false;  // to read: a mutex is not fair, so the device gives way
  std::deque<vfio_user::Message> backlog_, replies_;
  std::optional<vfio_user::MessageSocket> twin_;  // for what is asked of the client
  vfio_user::Descriptor twin_of_client_;          // until it was sent
  std::uint16_t next_id_ = 0;
  std::uint32_t client_transfer_ = D1_VFIO_USER_DEFAULT_TRANSFER;
  bool negotiated_ = false;
  std::atomic<bool> ended_ = false;
  std::atomic<std::uint64_t> commands_ = 0, refused_ = 0, maps_ = 0, mapped_bytes_ = 0;
  ClientMemory memory_;  // last: it goes first, while the client may still be asked
};

}  // namespace d1::server
