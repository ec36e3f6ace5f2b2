// SPDX-License-Identifier: Apache-2.0
#include <d1/vfio_user/event.hpp>

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>

namespace d1::vfio_user {

Result<Descriptor> make_event(std::string_view purpose) {
  Descriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (event.valid()) return event;
  return fail(ErrorKind::ResourceExhausted,
              fmt::format("The host gives no eventfd for {}: {}; close other files of this process "
                          "or raise 'ulimit -n'.",
                          purpose, std::generic_category().message(errno)));
}

}  // namespace d1::vfio_user
