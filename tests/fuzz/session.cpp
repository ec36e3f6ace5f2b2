// SPDX-License-Identifier: Apache-2.0
// What a client can send to a DPU of a daemon: any bytes in messages of any kind, with files of all
// sorts. Whatever it was, the next client finds a device that it can ask what it is.
#include "input.hpp"
#include "target.hpp"

#include <d1/vfio_user/message_socket.hpp>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "session.hpp"

namespace {

using d1::fuzz::Input;
using d1::fuzz::require;
using d1::server::Function;
using d1::server::Session;
using d1::vfio_user::bytes_of;
using d1::vfio_user::Descriptor;
using d1::vfio_user::Message;
using d1::vfio_user::MessageSocket;
using namespace std::chrono_literals;

constexpr unsigned kMessages = 32;  // of an input

// How the first byte of a message wants it sent.
constexpr std::uint8_t kDescriptors = 0x07;  // how many
constexpr std::uint8_t kWhole = 0x08;        // the header gets the right size, and is a command

// What clients pass: memory, an event, and what is neither.
class Files {
 public:
  Files() {
    for (int& file : files_) file = ::memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    for (const int file : files_) require(::ftruncate(file, 1 << 16) == 0, "No memory.");
    ::close(files_[1]);
    files_[1] = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ::close(files_[2]);
    files_[2] = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  }
  [[nodiscard]] int operator[](unsigned number) const { return files_[number % files_.size()]; }

 private:
  std::array<int, 3> files_{};
};

struct Connection {
  Descriptor client;
  std::unique_ptr<Session> session;
};

Connection connect(Function& function) {
  std::array<int, 2> ends{};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "No sockets.");
  const int room = 1 << 20;
  for (const int end : ends) (void)::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  return {Descriptor(ends[0]),
          std::make_unique<Session>(function, MessageSocket(Descriptor(ends[1])), [] {})};
}

void send(int socket, std::span<const std::byte> bytes, std::span<const int> files) {
  if (bytes.empty()) return;
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(8 * sizeof(int))> control{};
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

void send_one(int socket, Input& input, const Files& files) {
  const auto how = input.take<std::uint8_t>();
  const auto length = input.take<std::uint16_t>();
  const auto taken = input.take_bytes(length);
  const auto whole = std::as_bytes(taken);
  std::vector<std::byte> bytes(whole.begin(), whole.end());
  if ((how & kWhole) != 0 && bytes.size() >= sizeof(d1_vfio_user_header)) {
    d1_vfio_user_header header;
    std::memcpy(&header, bytes.data(), sizeof header);
    header.size = static_cast<std::uint32_t>(bytes.size());
    header.flags &= D1_VFIO_USER_NO_REPLY;
    std::memcpy(bytes.data(), &header, sizeof header);
  }
  std::vector<int> passed;
  for (unsigned i = 0; i < (how & kDescriptors); ++i) passed.push_back(files[(how >> 4) + i]);
  send(socket, bytes, passed);
}

// A client that behaves: it agrees on a version, and asks what it has in front of it.
void check(Function& function) {
  Connection connection = connect(function);
  MessageSocket client(std::move(connection.client));
  using Parts = std::initializer_list<std::span<const std::byte>>;
  const auto ask = [&](std::uint16_t command, Parts parts) {
    d1_vfio_user_header header{};
    header.command = command;
    require(client.send(header, parts, {}, std::chrono::steady_clock::now() + 5s).has_value(),
            "A new client cannot send.");
    require(connection.session->receive().has_value(), "A new client was sent away.");
    auto reply = client.receive(std::chrono::steady_clock::now() + 5s);
    require(reply && reply->is_reply() && (reply->header.flags & D1_VFIO_USER_ERROR) == 0,
            "A new client got no answer.");
    return std::move(*reply);
  };
  const d1_vfio_user_version version{D1_VFIO_USER_MAJOR, D1_VFIO_USER_MINOR};
  constexpr std::string_view kNothing{"{}", 3};
  (void)ask(D1_VFIO_USER_VERSION, {bytes_of(version), std::as_bytes(std::span(kNothing))});
  const d1_vfio_user_device_info request{sizeof request, 0, 0, 0};
  const Message reply = ask(D1_VFIO_USER_DEVICE_GET_INFO, {bytes_of(request)});
  const auto info = reply.read<d1_vfio_user_device_info>();
  require(info && info->regions == VFIO_PCI_NUM_REGIONS, "The device is another one.");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  static const Files files;
  static const std::unique_ptr<Function> function = [] {
    d1::server::FunctionOptions options;
    options.device.machine = D1_FUZZ_MACHINE;
    options.device.host_threads = 1;
    options.poll = 0us;
    auto made = Function::create(std::move(options));
    require(made.has_value(), "The function cannot be made.");
    return std::move(*made);
  }();
  Input input(data, bytes);
  {
    Connection connection = connect(*function);
    const int client = connection.client.get();
    std::array<std::byte, 4096> replies;
    for (unsigned i = 0; i < kMessages && !input.empty(); ++i) {
      send_one(client, input, files);
      if (!connection.session->receive()) break;
      while (::recv(client, replies.data(), replies.size(), MSG_DONTWAIT) > 0) {}
    }
    (void)::shutdown(client, SHUT_RDWR);
    (void)connection.session->receive();
  }
  check(*function);
  return 0;
}
