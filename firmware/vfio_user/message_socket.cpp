// SPDX-License-Identifier: Apache-2.0
#include <d1/vfio_user/message_socket.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace d1::vfio_user {
namespace {

constexpr std::size_t kHeaderBytes = sizeof(d1_vfio_user_header);

std::string errno_text(int number) { return std::generic_category().message(number); }

std::unexpected<Error> closed() {
  return fail(ErrorKind::DeviceLost, "The other side closed the connection.");
}

std::unexpected<Error> broken(int number) {
  return fail(ErrorKind::DeviceLost,
              fmt::format("The connection broke: {}.", errno_text(number)));
}

// False: the deadline came first.
bool wait_for(int socket, short events, Deadline deadline) {
  for (;;) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) return false;
    pollfd entry{socket, events, 0};
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec wait{std::min<long>(seconds.count(), 1'000'000),
                        std::chrono::nanoseconds(left - seconds).count()};
    if (::ppoll(&entry, 1, &wait, nullptr) > 0) return true;
  }
}

void take_descriptors(msghdr& from, std::vector<Descriptor>& to) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&from); part != nullptr; part = CMSG_NXTHDR(&from, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
      to.emplace_back(number);
    }
  }
}

}  // namespace

// Reads no byte beyond `where`, so that descriptors belong to the message they came with. True: all
// of it is there.
Result<bool> MessageSocket::fill(std::span<std::byte> where) {
  while (!where.empty()) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kMessageDescriptors * sizeof(int))> control;
    iovec part{where.data(), where.size()};
    msghdr head{};
    head.msg_iov = &part;
    head.msg_iovlen = 1;
    head.msg_control = control.data();
    head.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(socket_.get(), &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
    if (got < 0) return broken(errno);
    if (got == 0) return closed();
    take_descriptors(head, message_.descriptors);
    if ((head.msg_flags & MSG_CTRUNC) != 0 || message_.descriptors.size() > kMessageDescriptors)
      return fail(ErrorKind::Protocol,
                  fmt::format("A message came with more than {} descriptors.",
                              kMessageDescriptors));
    have_ += static_cast<std::size_t>(got);
    where = where.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

Result<std::optional<Message>> MessageSocket::try_receive() {
  if (have_ < kHeaderBytes) {
    auto* header = reinterpret_cast<std::byte*>(&message_.header);
    auto there = fill({header + have_, kHeaderBytes - have_});
    if (!there) return std::unexpected(std::move(there.error()));
    if (!*there) return std::nullopt;
    const std::uint32_t size = message_.header.size;
    if (size < kHeaderBytes || size > kMessageBytes)
      return fail(ErrorKind::Protocol,
                  fmt::format("A message says that it has {} bytes; it must have {} to {}.", size,
                              kHeaderBytes, kMessageBytes));
    message_.payload.resize(size - kHeaderBytes);
  }
  const std::size_t done = have_ - kHeaderBytes;
  auto there = fill(std::span(message_.payload).subspan(done));
  if (!there) return std::unexpected(std::move(there.error()));
  if (!*there) return std::nullopt;
  have_ = 0;
  return std::exchange(message_, Message{});
}

Result<Message> MessageSocket::receive(Deadline deadline) {
  for (;;) {
    auto message = try_receive();
    if (!message) return std::unexpected(std::move(message.error()));
    if (*message) return std::move(**message);
    if (!wait_for(socket_.get(), POLLIN, deadline))
      return fail(ErrorKind::Timeout, "No message came before the deadline.");
  }
}

Result<> MessageSocket::send(d1_vfio_user_header header,
                             std::initializer_list<std::span<const std::byte>> parts,
                             std::span<const int> descriptors, Deadline deadline) {
  std::array<iovec, 5> pieces;
  std::size_t count = 0;
  std::size_t left = 0;
  const auto add = [&](std::span<const std::byte> bytes) {
    pieces[count++] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
    left += bytes.size();
  };
  add(bytes_of(header));
  for (const auto part : parts) add(part);
  header.size = static_cast<std::uint32_t>(left);

  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMessageDescriptors * sizeof(int))> control{};
  msghdr head{};
  head.msg_iov = pieces.data();
  head.msg_iovlen = count;
  if (!descriptors.empty()) {
    head.msg_control = control.data();
    head.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&head);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  while (left > 0) {
    const ssize_t sent = ::sendmsg(socket_.get(), &head, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (wait_for(socket_.get(), POLLOUT, deadline)) continue;
      // A part may be on its way: nothing sensible can follow it.
      shut_down();
      return fail(ErrorKind::Timeout, "The other side takes no messages: its socket stayed full.");
    }
    if (sent < 0) return errno == EPIPE ? closed() : broken(errno);
    left -= static_cast<std::size_t>(sent);
    head.msg_control = nullptr;  // the descriptors went with the first byte
    head.msg_controllen = 0;
    for (auto done = static_cast<std::size_t>(sent); done > 0;) {
      iovec& piece = *head.msg_iov;
      const std::size_t step = std::min(done, piece.iov_len);
      piece.iov_base = static_cast<char*>(piece.iov_base) + step;
      piece.iov_len -= step;
      done -= step;
      if (piece.iov_len == 0 && head.msg_iovlen > 1) ++head.msg_iov, --head.msg_iovlen;
    }
  }
  return {};
}

void MessageSocket::shut_down() noexcept {
  if (socket_.valid()) ::shutdown(socket_.get(), SHUT_RDWR);
}

}  // namespace d1::vfio_user
