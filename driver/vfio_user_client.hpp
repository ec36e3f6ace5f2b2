// SPDX-License-Identifier: Apache-2.0
// The client's end of vfio-user: commands to the server and their replies, one at a time, each with
// a deadline; and a thread that notices the server's end and answers what it asks of us.
//
// Ownership: owns the connection. Threads: any. Blocking: exchange() waits for its turn and its
// reply, at most until the deadline; nothing else waits.
#pragma once

#include <d1/driver/limits.hpp>
#include <d1/vfio_user/message_socket.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace d1::driver {

class VfioUserClient {
 public:
  // Carries out what the server asks (DMA_READ, DMA_WRITE) on the client's own thread: an errno, 0
  // with the reply's payload in `reply`.
  using Serve =
      std::function<int(const vfio_user::Message& request, std::vector<std::byte>& reply)>;

  // Connects to the socket at `path` and agrees on the version; a DPU that has a client already is
  // ResourceExhausted.
  [[nodiscard]] static Result<std::unique_ptr<VfioUserClient>> connect(const std::string& path,
                                                                       Serve serve,
                                                                       Deadline deadline);
  ~VfioUserClient();
  VfioUserClient(const VfioUserClient&) = delete;
  VfioUserClient& operator=(const VfioUserClient&) = delete;

  // A command and its reply. DeviceLost: the connection is gone. Timeout: no reply came; a late one
  // is dropped, and the connection goes on. Invalid: the server refused, with its reason.
  [[nodiscard]] Result<vfio_user::Message> exchange(
      std::uint16_t command, std::initializer_list<std::span<const std::byte>> parts,
      std::span<const int> descriptors, Deadline deadline);
  // A command that wants no reply.
  [[nodiscard]] Result<> post(std::uint16_t command,
                              std::initializer_list<std::span<const std::byte>> parts,
                              Deadline deadline);

  [[nodiscard]] bool lost() const noexcept { return lost_.load(std::memory_order_acquire); }
  // Readable once the connection is lost: for those who wait for other things, too.
  [[nodiscard]] int lost_event() const noexcept { return lost_event_.get(); }
  void give_up() noexcept;  // counts as lost from now on

 private:
  VfioUserClient(vfio_user::MessageSocket socket, Serve serve);
  [[nodiscard]] Result<> negotiate(const std::string& path, Deadline deadline);
  void watch();
  [[nodiscard]] Result<> serve_one();

  vfio_user::MessageSocket socket_;
  vfio_user::MessageSocket twin_;  // what the server asks; none: it asks nothing
  Serve serve_;
  // Whose turn it is to ask. No timed mutex: ThreadSanitizer does not see those.
  class Turn;
  std::mutex turn_mutex_;
  std::condition_variable turn_ends_;
  bool turn_taken_ = false;
  std::mutex send_mutex_;  // within a turn, and for those who post
  std::uint16_t next_id_ = 0;
  std::atomic<bool> lost_ = false;
  vfio_user::Descriptor lost_event_, quit_event_;
  std::jthread watcher_;
};

}  // namespace d1::driver
