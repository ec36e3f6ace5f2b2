// SPDX-License-Identifier: Apache-2.0
// The server's end of the debug interface (d1/abi/debug.h): a UNIX socket at which any number of
// tools ask, each on a connection of its own. What is asked is answered elsewhere.
//
// A thread of its own serves all connections; a tool that asks and does not read the answer holds
// up nobody else.
#pragma once

#include <d1/abi/debug.h>
#include <d1/base/error.hpp>
#include <d1/vfio_user/descriptor.hpp>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace d1::debug_door {

struct Answer {
  std::uint64_t cycle = 0;  // emulated time of what it says
  Result<std::vector<std::uint8_t>> data;
};
// Called on the door's thread.
using Answers = std::function<Answer(const d1_debug_request& request,
                                     std::span<const std::uint8_t> data)>;
// Called for each tool that comes; what it returns lives as long as the connection.
using Visit = std::function<Answers()>;

// Of the DPU whose vfio-user socket this is: NAME.sock -> NAME.debug.
[[nodiscard]] std::string path_for(std::string_view socket_path);
// Of the device_number-th device of a process, in the folder of sockets.
[[nodiscard]] std::string path_of_process(int process, unsigned device_number);

class Door {
 public:
  static constexpr std::size_t kMostTools = 64;  // at once; more are turned away

  // Listens at the path, which goes with the door.
  [[nodiscard]] static Result<std::unique_ptr<Door>> open(std::string path, Visit visit);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  struct Tool {
    vfio_user::Descriptor socket;
    Answers answers;
    std::vector<std::uint8_t> received, answer;
    std::size_t sent = 0;  // of the answer
    bool ends = false;     // once the answer is sent
  };

  Door(std::string path, Visit visit, vfio_user::Descriptor listener, vfio_user::Descriptor wake);
  void serve(const std::stop_token& stop);
  void accept();
  [[nodiscard]] static bool receive(Tool& tool);
  static void answer_request(Tool& tool);
  [[nodiscard]] static bool send(Tool& tool);

  const std::string path_;
  const Visit visit_;
  vfio_user::Descriptor listener_, wake_;
  std::list<Tool> tools_;
  std::jthread thread_;  // of open(); last: it uses everything above
};

}  // namespace d1::debug_door
