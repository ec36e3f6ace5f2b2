// SPDX-License-Identifier: Apache-2.0
// UNIX stream sockets by path: the two ends of every connection to a daemon.
// Nothing here waits but connect_to(), while the listener's backlog is full, until its deadline.
#pragma once

#include <d1/base/error.hpp>
#include <d1/vfio_user/descriptor.hpp>

#include <chrono>
#include <string>

namespace d1::vfio_user {

using Deadline = std::chrono::steady_clock::time_point;

// Listens at `path` for this user alone (mode 0600). A socket file nobody listens at any more is
// replaced; one that somebody does is an error.
[[nodiscard]] Result<Descriptor> listen_at(const std::string& path);

// The socket does not block. A listener that takes nobody until the deadline is a Timeout.
[[nodiscard]] Result<Descriptor> connect_to(const std::string& path, Deadline deadline);

// The process at the other end; 0 if that is not known.
[[nodiscard]] int peer_process(int socket) noexcept;

}  // namespace d1::vfio_user
