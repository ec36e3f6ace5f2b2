// SPDX-License-Identifier: Apache-2.0
#include "vfio_user_client.hpp"

#include <d1/base/thread.hpp>
#include <d1/vfio_user/event.hpp>
#include <d1/vfio_user/unix_socket.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>

namespace d1::driver {

using vfio_user::bytes_of;
using vfio_user::Message;

namespace {

std::string errno_text(std::uint32_t number) {
  if (number == 0) return "it gave no reason";
  return std::generic_category().message(static_cast<int>(number));
}

void signal(int event) noexcept {
  const std::uint64_t one = 1;
  (void)!::write(event, &one, sizeof one);
}

}  // namespace

Result<std::unique_ptr<VfioUserClient>> VfioUserClient::connect(const std::string& path,
                                                                Serve serve, Deadline deadline) {
  auto socket = vfio_user::connect_to(path, deadline);
  if (!socket) return std::unexpected(std::move(socket.error()));
  std::unique_ptr<VfioUserClient> client(
      new VfioUserClient(vfio_user::MessageSocket(std::move(*socket)), std::move(serve)));
  for (vfio_user::Descriptor* const event : {&client->lost_event_, &client->quit_event_}) {
    auto made = vfio_user::make_event("watching the connection to a device");
    if (!made) return std::unexpected(std::move(made.error()));
    *event = std::move(*made);
  }
  if (auto agreed = client->negotiate(path, deadline); !agreed)
    return std::unexpected(std::move(agreed.error()));
  auto watcher = start_thread("watching the connection to a device",
                              [raw = client.get()] { raw->watch(); });
  if (!watcher) return std::unexpected(std::move(watcher.error()));
  client->watcher_ = std::move(*watcher);
  return client;
}

VfioUserClient::VfioUserClient(vfio_user::MessageSocket socket, Serve serve)
    : socket_(std::move(socket)), serve_(std::move(serve)) {}

VfioUserClient::~VfioUserClient() { signal(quit_event_.get()); }

void VfioUserClient::give_up() noexcept {
  if (lost_.exchange(true, std::memory_order_acq_rel)) return;
  socket_.shut_down();
  signal(lost_event_.get());
}

Result<> VfioUserClient::negotiate(const std::string& path, Deadline deadline) {
  constexpr std::string_view ours =
      R"({"capabilities":{"max_msg_fds":64,"max_data_xfer_size":1048576,)"
      R"("twin_socket":{"supported":true}}})";
  const d1_vfio_user_version proposed{D1_VFIO_USER_MAJOR, D1_VFIO_USER_MINOR};
  const auto text = std::as_bytes(std::span(ours.data(), ours.size() + 1));  // with its NUL
  auto reply = exchange(D1_VFIO_USER_VERSION, {bytes_of(proposed), text}, {}, deadline);
  if (!reply) {
    if (reply.error().kind() == ErrorKind::ResourceExhausted)
      return fail(ErrorKind::ResourceExhausted,
                  fmt::format("The DPU at '{}' has a client already; wait until that ends (d1 ps "
                              "shows its process), or use another DPU.",
                              path));
    return pass_on(reply, fmt::format("agreeing with '{}' on a version", path));
  }
  const auto agreed = reply->read<d1_vfio_user_version>();
  if (!agreed || agreed->major != D1_VFIO_USER_MAJOR || agreed->minor > D1_VFIO_USER_MINOR)
    return fail(ErrorKind::Protocol,
                fmt::format("The server at '{}' agreed to version {}.{} of vfio-user, where {}.{} "
                            "was proposed.",
                            path, agreed ? agreed->major : 0, agreed ? agreed->minor : 0,
                            D1_VFIO_USER_MAJOR, D1_VFIO_USER_MINOR));
  // The one descriptor a server may send with its version.
  if (!reply->descriptors.empty())
    twin_ = vfio_user::MessageSocket(std::move(reply->descriptors.front()));
  return {};
}

class VfioUserClient::Turn {
 public:
  Turn(VfioUserClient& client, Deadline deadline) : client_(client) {
    std::unique_lock lock(client.turn_mutex_);
    taken_ = client.turn_ends_.wait_until(lock, deadline, [&] { return !client.turn_taken_; });
    if (taken_) client.turn_taken_ = true;
  }
  ~Turn() {
    if (!taken_) return;
    {
      const std::lock_guard lock(client_.turn_mutex_);
      client_.turn_taken_ = false;
    }
    client_.turn_ends_.notify_one();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  [[nodiscard]] bool taken() const noexcept { return taken_; }

 private:
  VfioUserClient& client_;
  bool taken_ = false;
};

Result<Message> VfioUserClient::exchange(std::uint16_t command,
                                         std::initializer_list<std::span<const std::byte>> parts,
                                         std::span<const int> descriptors, Deadline deadline) {
  const Turn turn(*this, deadline);
  if (!turn.taken())
    return fail(ErrorKind::Timeout, "The server has not answered commands before this one.");
  if (lost()) return fail(ErrorKind::DeviceLost, "The connection to the device is gone.");
  d1_vfio_user_header header{};
  header.command = command;
  {
    const std::lock_guard sending(send_mutex_);
    header.id = next_id_++;
    if (auto sent = socket_.send(header, parts, descriptors, deadline); !sent) {
      give_up();
      return std::unexpected(std::move(sent.error()));
    }
  }
  for (;;) {
    auto reply = socket_.receive(deadline);
    if (!reply) {
      if (reply.error().kind() != ErrorKind::Timeout) give_up();
      return reply;
    }
    // Of a command that was given up before; its reply came late.
    if (!reply->is_reply() || reply->header.id != header.id) continue;
    if (reply->header.command != command) {
      give_up();
      return fail(ErrorKind::Protocol,
                  fmt::format("The server answered command {} with a reply to command {}.", command,
                              reply->header.command));
    }
    if ((reply->header.flags & D1_VFIO_USER_ERROR) == 0) return reply;
    const std::uint32_t error = reply->header.error;
    return fail(error == EBUSY || error == ENOMEM || error == ENOSPC ? ErrorKind::ResourceExhausted
                                                                     : ErrorKind::Invalid,
                fmt::format("The server refused command {}: {}.", command, errno_text(error)));
  }
}

Result<> VfioUserClient::post(std::uint16_t command,
                              std::initializer_list<std::span<const std::byte>> parts,
                              Deadline deadline) {
  if (lost()) return fail(ErrorKind::DeviceLost, "The connection to the device is gone.");
  d1_vfio_user_header header{};
  header.command = command;
  header.flags = D1_VFIO_USER_NO_REPLY;
  const std::lock_guard sending(send_mutex_);
  header.id = next_id_++;
  auto sent = socket_.send(header, parts, {}, deadline);
  if (!sent) give_up();
  return sent;
}

// The watcher: the end of the connection, and what the server asks.
void VfioUserClient::watch() {
  for (;;) {
    pollfd entries[] = {{quit_event_.get(), POLLIN, 0},
                        {socket_.descriptor(), POLLRDHUP, 0},
                        {twin_.descriptor(), POLLIN, 0}};
    if (::poll(entries, std::size(entries), -1) < 0) continue;
    if (entries[0].revents != 0) return;
    if (entries[1].revents != 0) break;
    if (entries[2].revents != 0 && !serve_one()) break;
  }
  give_up();
}

Result<> VfioUserClient::serve_one() {
  auto request = twin_.try_receive();
  if (!request) return std::unexpected(std::move(request.error()));
  if (!*request) return {};
  const Message& message = **request;
  std::vector<std::byte> data;
  d1_vfio_user_header header = message.header;
  header.flags = D1_VFIO_USER_REPLY;
  if (const int error = serve_(message, data); error != 0) {
    header.flags |= D1_VFIO_USER_ERROR;
    header.error = static_cast<std::uint32_t>(error);
    data.clear();
  }
  if ((message.header.flags & D1_VFIO_USER_NO_REPLY) != 0) return {};
  return twin_.send(header, {data}, {}, after(limits::kReplyTimeout));
}

}  // namespace d1::driver
