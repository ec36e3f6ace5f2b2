// SPDX-License-Identifier: Apache-2.0
// A client of a daemon's DPU that does what an input says. Its format is what Client::act() takes.
#pragma once

#include "input.hpp"
#include "target.hpp"

#include <d1/vfio_user/message_socket.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "session.hpp"

namespace d1::fuzz {

using Clock = std::chrono::steady_clock;
using server::Function;
using server::Session;
using vfio_user::bytes_of;
using vfio_user::Descriptor;
using vfio_user::Message;
using vfio_user::MessageSocket;

// What the device asks for, and what the loop does, is waited for so long.
inline constexpr std::chrono::milliseconds kPatience{200};

// How the first byte of a message wants it sent.
inline constexpr std::uint8_t kDescriptors = 0x07;  // how many
inline constexpr std::uint8_t kWhole = 0x08;  // the header gets the right size, and is a command
// From here on the byte is no message's, but chooses one of these; see Client.
inline constexpr std::uint8_t kOther = 0xf0;
enum class Other : std::uint8_t { Answer, Files, Many, Leave, Count };

// What an answer to the device is to have wrong.
enum Wrong : std::uint8_t {
  kNoAnswer = 1,
  kRefusal = 2,
  kOtherId = 4,
  kOtherAddress = 8,
  kTooShort = 16,
  kNoReply = 32  // it is a command
};

// What clients pass: memory, an event, what is neither, and memory that can only be read.
class Files {
 public:
  static constexpr unsigned kOfMessages = 3;  // of which messages choose

  Files() {
    for (int& file : files_) file = ::memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    for (const int file : files_) require(::ftruncate(file, 1 << 16) == 0, "No memory.");
    replace(files_[1], ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    replace(files_[2], ::open("/dev/null", O_RDWR | O_CLOEXEC));
    const std::string link = "/proc/self/fd/" + std::to_string(files_[3]);
    replace(files_[3], ::open(link.c_str(), O_RDONLY | O_CLOEXEC));
  }
  [[nodiscard]] int operator[](unsigned number) const { return files_[number % files_.size()]; }

 private:
  static void replace(int& file, int by) {
    ::close(file);
    file = by;
  }
  std::array<int, 4> files_{};
};

struct Connection {
  Descriptor client;
  std::unique_ptr<Session> session;
};

inline Connection connect(Function& function) {
  std::array<int, 2> ends{};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "No sockets.");
  const int room = 1 << 20;
  for (const int end : ends) (void)::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  return {Descriptor(ends[0]),
          std::make_unique<Session>(function, MessageSocket(Descriptor(ends[1])), [] {})};
}

inline void send(int socket, std::span<const std::byte> bytes, std::span<const int> files) {
  if (bytes.empty()) return;
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(255 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!files.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(files.size_bytes());
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(files.size_bytes());
    std::memcpy(CMSG_DATA(head), files.data(), files.size_bytes());
  }
  (void)::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

class Client {
 public:
  Client(Function& function, const Files& files) : files_(files) {
    Connection connection = connect(function);
    socket_ = MessageSocket(std::move(connection.client));
    session_ = std::move(connection.session);
  }
  ~Client() {
    hang_up();
    (void)session_->receive();
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // One thing that a client may do. False: the session has ended.
  bool act(Input& input) {
    const auto how = input.take<std::uint8_t>();
    if (how < kOther) {
      message(input, how, how & kDescriptors, how >> 4, Files::kOfMessages);
      return receive_and_read();
    }
    switch (static_cast<Other>(how % static_cast<unsigned>(Other::Count))) {
      case Other::Answer: answer(input); break;
      case Other::Files: {
        const auto count = input.take<std::uint8_t>();
        message(input, kWhole, count, input.take<std::uint8_t>(), ~0u);
        break;
      }
      case Other::Many: return many(input.take<std::uint16_t>());
      case Other::Leave: return leave(input);
      case Other::Count: break;
    }
    return receive_and_read();
  }

 private:
  void message(Input& input, std::uint8_t how, unsigned descriptors, unsigned first,
               unsigned kinds) {
    const auto length = input.take<std::uint16_t>();
    const auto whole = std::as_bytes(input.take_bytes(length));
    std::vector<std::byte> bytes(whole.begin(), whole.end());
    if ((how & kWhole) != 0 && bytes.size() >= sizeof(d1_vfio_user_header)) {
      d1_vfio_user_header header;
      std::memcpy(&header, bytes.data(), sizeof header);
      header.size = static_cast<std::uint32_t>(bytes.size());
      header.flags &= D1_VFIO_USER_NO_REPLY;
      std::memcpy(bytes.data(), &header, sizeof header);
    }
    std::vector<int> passed;
    for (unsigned i = 0; i < descriptors; ++i) passed.push_back(files_[(first + i) % kinds]);
    send(socket_.descriptor(), bytes, passed);
  }

  // To what the device asks next, if it does.
  void answer(Input& input) {
    const auto wrong = input.take<std::uint8_t>();
    const auto data = std::as_bytes(input.take_bytes(input.take<std::uint16_t>()));
    const auto asked = next_request();
    const auto access = asked ? asked->read<d1_vfio_user_dma_access>() : std::nullopt;
    owes_ = access.has_value();
    if (!access || (wrong & kNoAnswer) != 0) return;
    d1_vfio_user_header header = asked->header;
    header.flags = (wrong & kNoReply) != 0 ? 0 : D1_VFIO_USER_REPLY;
    if ((wrong & kRefusal) != 0) header.flags |= D1_VFIO_USER_ERROR;
    if ((wrong & kOtherId) != 0) ++header.id;
    d1_vfio_user_dma_access echo = *access;
    if ((wrong & kOtherAddress) != 0) ++echo.address;
    std::vector<std::byte> payload(header.command == D1_VFIO_USER_DMA_READ ? echo.count : 0);
    std::copy_n(data.begin(), std::min(data.size(), payload.size()), payload.begin());
    if ((wrong & kTooShort) != 0 && !payload.empty()) payload.pop_back();
    MessageSocket& way = twin_ ? *twin_ : socket_;
    (void)way.send(header, {bytes_of(echo), payload}, {}, Clock::now() + kPatience);
    owes_ = false;
  }

  // Maps so many pages by message, each on its own, without waiting for replies. Only one number
  // stands for all that a session takes and one more, since those take a second.
  bool many(unsigned count) {
    constexpr unsigned kAtOnce = 2048;  // more than a session keeps, and a socket takes them
    if (count != D1_VFIO_USER_DEFAULT_MAPS) count %= kAtOnce;
    constexpr std::uint64_t kPage = 4096, kFirst = std::uint64_t{1} << 40;
    struct Map {
      d1_vfio_user_header header;
      d1_vfio_user_dma_map map;
    };
    std::vector<Map> maps;
    for (unsigned i = 0; i <= count; ++i) {
      maps.push_back({{0, D1_VFIO_USER_DMA_MAP, sizeof(Map), D1_VFIO_USER_NO_REPLY, 0},
                      {sizeof(d1_vfio_user_dma_map), D1_VFIO_USER_DMA_READABLE, 0,
                       kFirst + i * kPage, kPage}});
      if (maps.size() < kAtOnce && i < count) continue;
      send(socket_.descriptor(), std::as_bytes(std::span(maps)), {});
      maps.clear();
      // The device finds them while it waits for the client, and gives the client up.
      pollfd end{socket_.descriptor(), 0, 0};
      if (owes_) (void)::poll(&end, 1, static_cast<int>(kPatience.count()));
      if (!receive_and_read()) return false;
    }
    return true;
  }

  // With a last message: gone before it is answered, or with the answer unread.
  bool leave(Input& input) {
    const bool answered = input.take<std::uint8_t>() % 2 != 0;
    const auto how = input.take<std::uint8_t>();
    message(input, how, how & kDescriptors, how >> 4, Files::kOfMessages);
    if (answered && !receive()) return false;
    socket_ = MessageSocket();
    return receive();
  }

  // The loop waits for the device, and that for a client who owes it an answer: not for long here.
  bool receive() {
    if (session_->counts().maps == 0) return session_->receive().has_value();
    auto done = std::async(std::launch::async, [this] { return session_->receive().has_value(); });
    if (done.wait_for(kPatience) == std::future_status::timeout) hang_up();
    return done.get();
  }
  bool receive_and_read() {
    const bool goes_on = receive();
    for (;;) {
      auto message = socket_.try_receive();
      if (!message || !*message) return goes_on;
      sort(std::move(**message));
    }
  }
  void sort(Message message) {
    if (!message.is_reply())
      requests_.push_back(std::move(message));
    else if (message.header.command == D1_VFIO_USER_VERSION && !message.descriptors.empty())
      twin_.emplace(std::move(message.descriptors.front()));
  }
  // Nothing is asked of who has mapped nothing.
  std::optional<Message> next_request() {
    if (session_->counts().maps == 0) return {};
    const auto deadline = Clock::now() + kPatience;
    while (requests_.empty()) {
      auto message = (twin_ ? *twin_ : socket_).receive(deadline);
      if (!message) return {};
      sort(std::move(*message));
    }
    Message first = std::move(requests_.front());
    requests_.pop_front();
    return first;
  }
  void hang_up() {
    socket_.shut_down();
    if (twin_) twin_->shut_down();
  }

  const Files& files_;
  MessageSocket socket_;
  std::optional<MessageSocket> twin_;  // by which the device asks, if the two agreed on it
  std::deque<Message> requests_;
  bool owes_ = false;  // an answer
  std::unique_ptr<Session> session_;
};

}  // namespace d1::fuzz
