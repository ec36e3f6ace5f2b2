// SPDX-License-Identifier: Apache-2.0
#include <d1/vfio_user/unix_socket.hpp>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>

namespace d1::vfio_user {
namespace {

constexpr int kBacklog = 16;  // own: clients that knock at once
constexpr std::chrono::milliseconds kKnockAgain{1};

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path))
    return fail(ErrorKind::Invalid,
                fmt::format("The socket path '{}' has {} bytes; Linux takes 1 to {}: use a shorter "
                            "folder.",
                            path, path.size(), sizeof(address.sun_path) - 1));
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

std::string errno_text(int number) { return std::generic_category().message(number); }

}  // namespace

Result<Descriptor> connect_to(const std::string& path, Deadline deadline) {
  auto address = address_of(path);
  if (!address) return std::unexpected(std::move(address.error()));
  // A socket that blocks would wait for ever for a listener that was stopped.
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto knock = [&] {
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  };
  int error = 0;
  while ((error = knock() == 0 ? 0 : errno) != 0) {
    if (error == EINTR) continue;
    if (error != EAGAIN || std::chrono::steady_clock::now() >= deadline) break;
    std::this_thread::sleep_for(kKnockAgain);
  }
  if (error == 0) return socket;
  if (error == EAGAIN)
    return fail(ErrorKind::Timeout,
                fmt::format("Whoever serves at '{}' takes no connections: {} wait already. The "
                            "process may be stopped or overloaded.",
                            path, kBacklog));
  if (error == ENOENT || error == ECONNREFUSED)
    return fail(ErrorKind::DeviceLost,
                fmt::format("Nobody serves a device at '{}' ({}); start one with 'd1 serve', or "
                            "see 'd1 ps' for what is there.",
                            path, errno_text(error)));
  return fail(ErrorKind::Invalid,
              fmt::format("The socket '{}' cannot be used: {}.", path, errno_text(error)));
}

Result<Descriptor> listen_at(const std::string& path) {
  auto address = address_of(path);
  if (!address) return std::unexpected(std::move(address.error()));
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid())
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("The host gives no socket for '{}': {}; close other files of this "
                            "process or raise 'ulimit -n'.",
                            path, errno_text(errno)));
  const auto* name = reinterpret_cast<const sockaddr*>(&*address);
  int done = ::bind(socket.get(), name, sizeof *address);
  if (done != 0 && errno == EADDRINUSE) {
    const auto served = connect_to(path, std::chrono::steady_clock::now());
    if (served || served.error().kind() == ErrorKind::Timeout)
      return fail(ErrorKind::ResourceExhausted,
                  fmt::format("Another process serves a device at '{}'; end it or choose another "
                              "folder.",
                              path));
    struct stat what{};
    if (::lstat(path.c_str(), &what) == 0 && S_ISSOCK(what.st_mode)) ::unlink(path.c_str());
    done = ::bind(socket.get(), name, sizeof *address);
  }
  const bool bound = done == 0;
  if (bound && ::chmod(path.c_str(), S_IRUSR | S_IWUSR) == 0 &&
      ::listen(socket.get(), kBacklog) == 0)
    return socket;
  const int error = errno;
  if (bound) ::unlink(path.c_str());
  return fail(ErrorKind::Invalid,
              fmt::format("No socket can be made at '{}': {}.", path, errno_text(error)));
}

int peer_process(int socket) noexcept {
  ucred who{};
  socklen_t bytes = sizeof who;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &bytes) == 0 ? who.pid : 0;
}

}  // namespace d1::vfio_user
