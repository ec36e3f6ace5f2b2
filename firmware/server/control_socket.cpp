// SPDX-License-Identifier: Apache-2.0
#include "control_socket.hpp"

#include <d1/vfio_user/control.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace d1::server {
namespace {

constexpr std::size_t kAskers = 16;  // own: that have not said all they want

}  // namespace

Result<std::unique_ptr<ControlSocket>> ControlSocket::create(std::string path, EventLoop& loop,
                                                             Handler handler) {
  auto listener = vfio_user::listen_at(path);
  if (!listener) return std::unexpected(std::move(listener.error()));
  std::unique_ptr<ControlSocket> made(
      new ControlSocket(std::move(path), loop, std::move(handler), std::move(*listener)));
  if (auto seen = loop.watch(made->listener_.get(), [raw = made.get()] { raw->accept(); }); !seen)
    return std::unexpected(std::move(seen.error()));
  return made;
}

ControlSocket::ControlSocket(std::string path, EventLoop& loop, Handler handler,
                             vfio_user::Descriptor listener)
    : path_(std::move(path)),
      loop_(loop),
      handler_(std::move(handler)),
      listener_(std::move(listener)) {}

ControlSocket::~ControlSocket() {
  while (!askers_.empty()) end(askers_.begin());
  loop_.unwatch(listener_.get());
  ::unlink(path_.c_str());
}

void ControlSocket::accept() {
  vfio_user::Descriptor socket(
      ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.valid()) return;
  if (askers_.size() >= kAskers) end(askers_.begin());
  const int number = socket.get();
  const auto who = askers_.emplace(askers_.end(), std::move(socket), std::string());
  if (!loop_.watch(number, [this, who] { receive(who); })) end(who);  // who may ask again
}

void ControlSocket::receive(std::list<Asker>::iterator who) {
  std::array<char, 65536> piece;
  const ssize_t count = ::recv(who->socket.get(), piece.data(), piece.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count > 0) {
    who->request.append(piece.data(), static_cast<std::size_t>(count));
    if (who->request.size() > vfio_user::control::kMostBytes) end(who);
    return;
  }
  const std::string_view request = who->request;
  const std::size_t line = request.find('\n');
  if (count == 0 && line != std::string_view::npos) {
    const std::string answer = vfio_user::control::answer_of(
        handler_(request.substr(0, line), request.substr(line + 1)));
    // An answer is smaller than what a socket holds; who does not read it gets no more.
    (void)!::send(who->socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  end(who);
}

void ControlSocket::end(std::list<Asker>::iterator who) {
  loop_.unwatch(who->socket.get());
  askers_.erase(who);
}

}  // namespace d1::server
