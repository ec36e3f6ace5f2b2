// SPDX-License-Identifier: Apache-2.0
#include <d1/debug_door/door.hpp>

#include <d1/base/thread.hpp>
#include <d1/vfio_user/event.hpp>
#include <d1/vfio_user/socket_directory.hpp>
#include <d1/vfio_user/unix_socket.hpp>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace d1::debug_door {
namespace {

// As it is sent.
std::vector<std::uint8_t> bytes_of(const Answer& from) {
  std::span<const std::uint8_t> data;
  d1_debug_answer header{D1_DEBUG_MAGIC, 0, 0, from.cycle};
  if (from.data) {
    data = *from.data;
  } else {
    const std::string& text = from.data.error().sentence();
    data = {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    header.status = 1 + static_cast<std::uint32_t>(from.data.error().kind());
  }
  header.bytes = data.size();
  std::vector<std::uint8_t> answer(sizeof header + data.size());
  std::memcpy(answer.data(), &header, sizeof header);
  if (!data.empty()) std::memcpy(answer.data() + sizeof header, data.data(), data.size());
  return answer;
}

}  // namespace

std::string path_for(std::string_view socket_path) {
  constexpr std::string_view kSocket = ".sock";
  if (socket_path.ends_with(kSocket)) socket_path.remove_suffix(kSocket.size());
  return std::string(socket_path) + ".debug";
}

std::string path_of_process(int process, unsigned device_number) {
  return fmt::format("{}/{}.{}.debug", vfio_user::socket_directory(), process, device_number);
}

Result<std::unique_ptr<Door>> Door::open(std::string path, Visit visit) {
  auto listener = vfio_user::listen_at(path);
  if (!listener) return std::unexpected(std::move(listener.error()));
  auto wake = vfio_user::make_event("the debug interface of a device");
  if (!wake) {
    ::unlink(path.c_str());
    return std::unexpected(std::move(wake.error()));
  }
  std::unique_ptr<Door> door(
      new Door(std::move(path), std::move(visit), std::move(*listener), std::move(*wake)));
  auto thread = start_thread("answering tools", [raw = door.get()](const std::stop_token& stop) {
    raw->serve(stop);
  });
  if (!thread) return std::unexpected(std::move(thread.error()));
  door->thread_ = std::move(*thread);
  return door;
}

Door::Door(std::string path, Visit visit, vfio_user::Descriptor listener,
           vfio_user::Descriptor wake)
    : path_(std::move(path)),
      visit_(std::move(visit)),
      listener_(std::move(listener)),
      wake_(std::move(wake)) {}

Door::~Door() {
  thread_.request_stop();
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  ::unlink(path_.c_str());
}

void Door::serve(const std::stop_token& stop) {
  std::vector<pollfd> entries;
  while (!stop.stop_requested()) {
    entries = {{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const Tool& tool : tools_)
      entries.push_back({tool.socket.get(),
                         static_cast<short>(tool.answer.empty() ? POLLIN : POLLOUT), 0});
    if (::poll(entries.data(), entries.size(), -1) <= 0) continue;
    auto entry = entries.begin() + 2;
    for (auto tool = tools_.begin(); tool != tools_.end(); ++entry) {
      const bool stays =
          entry->revents == 0 || (tool->answer.empty() ? receive(*tool) : send(*tool));
      tool = stays ? std::next(tool) : tools_.erase(tool);
    }
    if (entries[1].revents != 0) accept();
  }
}

void Door::accept() {
  vfio_user::Descriptor socket(
      ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.valid()) return;
  ucred who{};
  socklen_t bytes = sizeof who;
  const bool mine = ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &who, &bytes) == 0 &&
                    (who.uid == ::geteuid() || who.uid == 0);
  if (!mine || tools_.size() >= kMostTools) return;
  tools_.push_back({std::move(socket), visit_(), {}, {}});
}

// False: the tool is gone, or breaks the rules.
bool Door::receive(Tool& tool) {
  std::array<std::uint8_t, 65536> piece;
  const ssize_t count = ::recv(tool.socket.get(), piece.data(), piece.size(), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  tool.received.insert(tool.received.end(), piece.begin(), piece.begin() + count);
  answer_request(tool);
  return tool.answer.empty() || send(tool);
}

// If a whole one has come.
void Door::answer_request(Tool& tool) {
  d1_debug_request request;
  if (tool.received.size() < sizeof request) return;
  std::memcpy(&request, tool.received.data(), sizeof request);
  if (request.magic != D1_DEBUG_MAGIC || request.bytes > D1_DEBUG_MAX_BYTES) {
    tool.answer = bytes_of(
        {0, fail(ErrorKind::Protocol,
                 fmt::format("That is no request of the debug interface: it begins with {:#x} and "
                             "announces {} bytes.",
                             request.magic, request.bytes))});
    tool.ends = true;
    return;
  }
  const std::size_t whole = sizeof request + request.bytes;
  if (tool.received.size() < whole) return;
  tool.answer = bytes_of(tool.answers(
      request, std::span(tool.received).subspan(sizeof request, request.bytes)));
  tool.received.erase(tool.received.begin(),
                      tool.received.begin() + static_cast<std::ptrdiff_t>(whole));
}

bool Door::send(Tool& tool) {
  while (tool.sent < tool.answer.size()) {
    const ssize_t count = ::send(tool.socket.get(), tool.answer.data() + tool.sent,
                                 tool.answer.size() - tool.sent, MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    tool.sent += static_cast<std::size_t>(count);
  }
  tool.answer.clear();
  tool.sent = 0;
  if (tool.ends) return false;
  answer_request(tool);  // the next one may be here already
  return true;
}

}  // namespace d1::debug_door
