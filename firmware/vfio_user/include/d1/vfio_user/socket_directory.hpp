// SPDX-License-Identifier: Apache-2.0
// The folder in which devices of this user have their sockets.
#pragma once

#include <d1/base/error.hpp>

#include <string>

namespace d1::vfio_user {

// $XDG_RUNTIME_DIR/opend1, or /tmp/opend1-UID.
[[nodiscard]] std::string socket_directory();

// The folder is made if need be, and kept from other users; one that is another user's is an error.
[[nodiscard]] Result<> make_socket_directory(const std::string& path);

}  // namespace d1::vfio_user
