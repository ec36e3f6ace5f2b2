// SPDX-License-Identifier: Apache-2.0
// A tool's end of the debug interface (d1/abi/debug.h). One thread at a time. Whatever waits does
// so until its deadline at most, which is a Timeout; a device that is gone is DeviceLost.
#pragma once

#include <d1/abi/debug.h>
#include <d1/base/error.hpp>
#include <d1/vfio_user/unix_socket.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace d1::debug_door {

class Link {
 public:
  struct Answer {
    std::uint64_t cycle = 0;
    std::vector<std::byte> data;
  };

  [[nodiscard]] static Result<Link> connect(std::string path, vfio_user::Deadline deadline);

  // Fills in magic and size of the request. The answer's error is this call's; after any other one
  // the link is of no use any more.
  [[nodiscard]] Result<Answer> ask(d1_debug_request request, std::span<const std::byte> data,
                                   vfio_user::Deadline deadline);
  [[nodiscard]] int process() const noexcept { return process_; }

 private:
  Link(std::string path, vfio_user::Descriptor socket);
  [[nodiscard]] Result<> send(std::span<const std::byte> bytes, vfio_user::Deadline deadline);
  [[nodiscard]] Result<> receive(std::span<std::byte> bytes, vfio_user::Deadline deadline);
  [[nodiscard]] Result<> wait_for(short events, vfio_user::Deadline deadline) const;
  [[nodiscard]] std::unexpected<Error> gone() const;

  std::string path_;
  vfio_user::Descriptor socket_;
  int process_ = 0;
};

}  // namespace d1::debug_door
