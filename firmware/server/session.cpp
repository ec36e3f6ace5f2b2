// SPDX-License-Identifier: Apache-2.0
// The order of things in a session: receiving, answering, asking the client for its memory. What
// the commands mean stands in session_commands.cpp.
#include "session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

namespace d1::server {

using vfio_user::bytes_of;
using vfio_user::Message;
using Clock = std::chrono::steady_clock;

namespace {

// How long the device's thread keeps the socket to itself while it waits for a reply.
constexpr std::chrono::milliseconds kTurn{5};
constexpr std::chrono::microseconds kGiveWay{20};
// A client may send so many commands ahead while it owes the device a reply.
constexpr std::size_t kBacklog = 1024;
constexpr std::size_t kReplies = 64;

}  // namespace

Session::Session(Function& function, vfio_user::MessageSocket socket, std::function<void()> found)
    : function_(function),
      socket_(std::move(socket)),
      found_(std::move(found)),
      memory_(function.device(), *this) {}

Session::~Session() {
  ended_ = true;  // whoever waits for the client in the device stops waiting
  socket_.shut_down();
  if (twin_) twin_->shut_down();
  function_.release();
}

Session::Counts Session::counts() const noexcept {
  return {commands_.load(), refused_.load(), maps_.load(), mapped_bytes_.load()};
}

Result<> Session::receive() {
  for (;;) {
    std::optional<Message> message;
    {
      loop_wants_ = true;
      const std::lock_guard guard(receive_mutex_);
      loop_wants_ = false;
      if (!backlog_.empty()) {
        message = std::move(backlog_.front());
        backlog_.pop_front();
      } else {
        auto received = socket_.try_receive();
        if (!received && ended_)
          return fail(ErrorKind::DeviceLost, "It did not answer when it was asked for its memory.");
        if (!received) return std::unexpected(std::move(received.error()));
        if (!*received) return {};
        message = std::move(*received);
      }
      if (message->is_reply()) {
        // One that nobody waits for is dropped when its place is needed.
        replies_.push_back(std::move(*message));
        if (replies_.size() > kReplies) replies_.pop_front();
        continue;
      }
    }
    if (auto done = carry_out(*message); !done) return done;
  }
}

Result<> Session::carry_out(Message& message) {
  ++commands_;
  const std::uint16_t command = message.header.command;
  const bool first = !negotiated_;
  Answer result;
  if (first != (command == D1_VFIO_USER_VERSION) ||
      (message.header.flags & D1_VFIO_USER_TYPE) != 0) {
    result.error = EINVAL;
  } else {
    result = execute(message);
  }
  maps_ = memory_.maps();
  mapped_bytes_ = memory_.bytes();
  if (result.error != 0) ++refused_;
  if ((message.header.flags & D1_VFIO_USER_NO_REPLY) == 0) {
    if (auto sent = answer(message, result); !sent) return sent;
  }
  twin_of_client_ = {};  // it has its own by now
  if (first && !negotiated_)
    return fail(ErrorKind::Protocol,
                fmt::format("The client began with command {} instead of an acceptable version.",
                            command));
  return {};
}

Result<> Session::answer(const Message& message, const Answer& answer) {
  d1_vfio_user_header header{};
  header.id = message.header.id;
  header.command = message.header.command;
  header.flags = D1_VFIO_USER_REPLY;
  const std::lock_guard guard(send_mutex_);
  const auto deadline = Clock::now() + kReplyTimeout;
  if (answer.error != 0) {
    header.flags |= D1_VFIO_USER_ERROR;
    header.error = static_cast<std::uint32_t>(answer.error);
    return socket_.send(header, {}, {}, deadline);
  }
  return socket_.send(header, {answer.payload}, answer.descriptors, deadline);
}

// In pieces, each a message that the client answers before the next.
bool Session::read(std::uint64_t address, std::span<std::uint8_t> data) noexcept {
  while (!data.empty()) {
    const std::size_t piece = std::min<std::size_t>(data.size(), client_transfer_);
    auto reply = ask(D1_VFIO_USER_DMA_READ, address, piece, {});
    if (!reply || reply->payload.size() != sizeof(d1_vfio_user_dma_access) + piece) return false;
    std::memcpy(data.data(), reply->payload.data() + sizeof(d1_vfio_user_dma_access), piece);
    data = data.subspan(piece);
    address += piece;
  }
  return true;
}

bool Session::write(std::uint64_t address, std::span<const std::uint8_t> data) noexcept {
  while (!data.empty()) {
    const std::size_t piece = std::min<std::size_t>(data.size(), client_transfer_);
    if (!ask(D1_VFIO_USER_DMA_WRITE, address, piece, std::as_bytes(data.first(piece))))
      return false;
    data = data.subspan(piece);
    address += piece;
  }
  return true;
}

// The device can do nothing more for it. Its end is seen by the loop's thread, which ends the
// session, and by the client, which else would wait for what cannot complete.
void Session::give_up() noexcept {
  ended_ = true;
  socket_.shut_down();
}

Result<Message> Session::ask(std::uint16_t command, std::uint64_t address, std::uint64_t count,
                             std::span<const std::byte> data) {
  if (ended_) return fail(ErrorKind::DeviceLost, "The client has not answered before.");
  d1_vfio_user_header header{};
  header.id = next_id_++;
  header.command = command;
  const d1_vfio_user_dma_access access{address, count};
  const auto deadline = Clock::now() + kReplyTimeout;
  Result<> sent;
  if (twin_) {
    sent = twin_->send(header, {bytes_of(access), data}, {}, deadline);
  } else {
    const std::lock_guard guard(send_mutex_);
    sent = socket_.send(header, {bytes_of(access), data}, {}, deadline);
  }
  Result<Message> reply =
      sent ? reply_to(header.id) : Result<Message>(std::unexpected(std::move(sent.error())));
  if (!reply) {
    give_up();  // a client that has not answered once is not asked again
    return reply;
  }
  const auto echoed = reply->read<d1_vfio_user_dma_access>();
  const bool good = (reply->header.flags & D1_VFIO_USER_ERROR) == 0 &&
                    reply->header.command == command && echoed && echoed->address == address;
  if (!good)
    return fail(ErrorKind::Protocol,
                fmt::format("The client refused {} bytes at I/O address {:#x}.", count, address));
  return reply;
}

Result<Message> Session::reply_to(std::uint16_t id) {
  const auto deadline = Clock::now() + kReplyTimeout;
  if (twin_) {
    auto reply = twin_->receive(deadline);
    if (reply && (!reply->is_reply() || reply->header.id != id))
      return fail(ErrorKind::Protocol, "The client's reply does not fit what it was asked.");
    return reply;
  }
  while (!ended_ && Clock::now() < deadline) {
    if (loop_wants_) {
      std::this_thread::sleep_for(kGiveWay);
      continue;
    }
    const std::lock_guard guard(receive_mutex_);
    const auto found = std::ranges::find_if(
        replies_, [id](const Message& reply) { return reply.header.id == id; });
    if (found != replies_.end()) {
      Message reply = std::move(*found);
      replies_.erase(found);
      return reply;
    }
    auto message = socket_.receive(std::min(deadline, Clock::now() + kTurn));
    if (!message && message.error().kind() == ErrorKind::Timeout) continue;
    if (!message) return message;
    if (message->is_reply()) {
      replies_.push_back(std::move(*message));
      continue;
    }
    backlog_.push_back(std::move(*message));
    found_();
    if (backlog_.size() > kBacklog)
      return fail(ErrorKind::Protocol,
                  fmt::format("The client sent more than {} commands and no reply.", kBacklog));
  }
  return fail(ErrorKind::Timeout,
              fmt::format("The client has not answered for its memory within {} s.",
                          kReplyTimeout.count()));
}

}  // namespace d1::server
