// SPDX-License-Identifier: Apache-2.0
#include <d1/vfio_user/control.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>

namespace d1::vfio_user::control {
namespace {

constexpr std::string_view kGood = "ok\n", kBad = "error ";

bool wait_for(int socket, short events, Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  pollfd entry{socket, events, 0};
  return left.count() > 0 && ::poll(&entry, 1, static_cast<int>(left.count())) > 0;
}

std::unexpected<Error> no_answer(const std::string& path, Deadline deadline) {
  if (std::chrono::steady_clock::now() >= deadline)
    return fail(ErrorKind::Timeout,
                fmt::format("The daemon at '{}' does not answer in time; it may be stopped.",
                            path));
  return fail(ErrorKind::DeviceLost,
              fmt::format("The daemon at '{}' ended before it answered.", path));
}

Result<std::string> parse(std::string_view answer, const std::string& path) {
  if (answer.starts_with(kGood)) return std::string(answer.substr(kGood.size()));
  int kind = 0;
  const std::size_t line = answer.find('\n');
  if (!answer.starts_with(kBad) || line == std::string_view::npos ||
      std::from_chars(answer.data() + kBad.size(), answer.data() + line, kind).ec != std::errc() ||
      kind < 0 || kind > static_cast<int>(ErrorKind::Internal))
    return fail(ErrorKind::Protocol,
                fmt::format("What answers at '{}' is not a daemon of this version.", path));
  return fail(static_cast<ErrorKind>(kind), std::string(answer.substr(line + 1)));
}

}  // namespace

std::string path_for(std::string_view socket_path) {
  constexpr std::string_view kSocket = ".sock";
  if (socket_path.ends_with(kSocket)) socket_path.remove_suffix(kSocket.size());
  return std::string(socket_path) + ".control";
}

Result<std::string> ask(const std::string& path, std::string_view verb, std::string_view text,
                        Deadline deadline) {
  auto socket = connect_to(path, deadline);
  if (!socket) return std::unexpected(std::move(socket.error()));
  const std::string request = fmt::format("{}\n{}", verb, text);
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t count = ::send(socket->get(), request.data() + sent, request.size() - sent,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) sent += static_cast<std::size_t>(count);
    else if ((errno != EAGAIN && errno != EINTR) || !wait_for(socket->get(), POLLOUT, deadline))
      return no_answer(path, deadline);
  }
  ::shutdown(socket->get(), SHUT_WR);
  std::string answer;
  for (;;) {
    if (!wait_for(socket->get(), POLLIN, deadline)) return no_answer(path, deadline);
    std::array<char, 65536> piece;
    const ssize_t count = ::recv(socket->get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (count == 0) break;
    if (count > 0) answer.append(piece.data(), static_cast<std::size_t>(count));
    else if (errno != EAGAIN && errno != EINTR) break;
  }
  if (answer.empty()) return no_answer(path, deadline);
  return parse(answer, path);
}

std::string answer_of(const Result<std::string>& result) {
  if (result) return fmt::format("{}{}", kGood, *result);
  return fmt::format("{}{}\n{}", kBad, static_cast<int>(result.error().kind()),
                     result.error().sentence());
}

}  // namespace d1::vfio_user::control
