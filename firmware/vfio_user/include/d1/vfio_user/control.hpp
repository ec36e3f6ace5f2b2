// SPDX-License-Identifier: Apache-2.0
// The second door of a DPU that a daemon serves: faults, for tools and tests. It is no part of the
// vfio-user protocol, and stays open while a client has the device.
//
// A connection is one request: a line with the verb, then a text up to the end of what is sent. The
// answer is a line, "ok" or "error KIND", and a text up to its end.
#pragma once

#include <d1/base/error.hpp>
#include <d1/vfio_user/unix_socket.hpp>

#include <string>
#include <string_view>

namespace d1::vfio_user::control {

inline constexpr std::string_view kInject = "inject-faults";  // text: a fault plan
inline constexpr std::string_view kClear = "clear-faults";
inline constexpr std::string_view kEvents = "fault-events";   // answer: a line each
inline constexpr std::size_t kMostBytes = 2u << 20;           // of a request; a plan has 1 MiB

// Of the DPU whose vfio-user socket this is: NAME.sock -> NAME.control.
[[nodiscard]] std::string path_for(std::string_view socket_path);

// The answer's text, or its error. Waits until the deadline at most: a Timeout; a daemon that is
// not there, or ends before it answers: DeviceLost.
[[nodiscard]] Result<std::string> ask(const std::string& path, std::string_view verb,
                                      std::string_view text, Deadline deadline);

// An answer as it is sent.
[[nodiscard]] std::string answer_of(const Result<std::string>& result);

}  // namespace d1::vfio_user::control
