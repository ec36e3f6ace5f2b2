// SPDX-License-Identifier: Apache-2.0
#include <d1/debug_door/link.hpp>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace d1::debug_door {

Result<Link> Link::connect(std::string path, vfio_user::Deadline deadline) {
  auto socket = vfio_user::connect_to(path, deadline);
  if (!socket) return std::unexpected(std::move(socket.error()));
  return Link(std::move(path), std::move(*socket));
}

Link::Link(std::string path, vfio_user::Descriptor socket)
    : path_(std::move(path)),
      socket_(std::move(socket)),
      process_(vfio_user::peer_process(socket_.get())) {}

Result<Link::Answer> Link::ask(d1_debug_request request, std::span<const std::byte> data,
                               vfio_user::Deadline deadline) {
  if (data.size() > D1_DEBUG_MAX_BYTES)
    return fail(ErrorKind::Invalid,
                fmt::format("{} bytes do not fit into a request of the debug interface; give {} at "
                            "most.",
                            data.size(), D1_DEBUG_MAX_BYTES));
  request.magic = D1_DEBUG_MAGIC;
  request.bytes = data.size();
  if (auto sent = send(std::as_bytes(std::span(&request, 1)), deadline); !sent)
    return std::unexpected(std::move(sent.error()));
  if (auto sent = send(data, deadline); !sent) return std::unexpected(std::move(sent.error()));
  d1_debug_answer header{};
  if (auto come = receive(std::as_writable_bytes(std::span(&header, 1)), deadline); !come)
    return std::unexpected(std::move(come.error()));
  if (header.magic != D1_DEBUG_MAGIC || header.bytes > D1_DEBUG_MAX_BYTES)
    return fail(ErrorKind::Protocol,
                fmt::format("What answers at '{}' is no device of this version.", path_));
  Answer answer{header.cycle, std::vector<std::byte>(header.bytes)};
  if (auto come = receive(answer.data, deadline); !come)
    return std::unexpected(std::move(come.error()));
  if (header.status == 0) return answer;
  const auto kind = header.status - 1;
  const std::string text(reinterpret_cast<const char*>(answer.data.data()), answer.data.size());
  return fail(kind <= static_cast<std::uint32_t>(ErrorKind::Internal) ? static_cast<ErrorKind>(kind)
                                                                      : ErrorKind::Protocol,
              text);
}

std::unexpected<Error> Link::gone() const {
  return fail(ErrorKind::DeviceLost,
              fmt::format("The process {} that emulates the device at '{}' has ended.", process_,
                          path_));
}

Result<> Link::wait_for(short events, vfio_user::Deadline deadline) const {
  pollfd entry{socket_.get(), events, 0};
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const int ready = left.count() > 0 ? ::poll(&entry, 1, static_cast<int>(left.count())) : 0;
    if (ready > 0) return {};
    if (ready < 0 && errno == EINTR) continue;
    return fail(ErrorKind::Timeout,
                fmt::format("The process {} that emulates the device at '{}' does not answer in "
                            "time; it may be stopped.",
                            process_, path_));
  }
}

Result<> Link::send(std::span<const std::byte> bytes, vfio_user::Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) return gone();
    if (auto ready = wait_for(POLLOUT, deadline); !ready) return ready;
  }
  return {};
}

Result<> Link::receive(std::span<std::byte> bytes, vfio_user::Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      continue;
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) return gone();
    if (auto ready = wait_for(POLLIN, deadline); !ready) return ready;
  }
  return {};
}

}  // namespace d1::debug_door
