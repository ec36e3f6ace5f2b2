// SPDX-License-Identifier: Apache-2.0
#include <d1/vfio_user/socket_directory.hpp>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace d1::vfio_user {

namespace fs = std::filesystem;

std::string socket_directory() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime != '\0') return std::string(runtime) + "/opend1";
  return fmt::format("/tmp/opend1-{}", ::geteuid());
}

Result<> make_socket_directory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  struct stat what{};
  if (error || ::stat(path.c_str(), &what) != 0)
    return fail(ErrorKind::Invalid,
                fmt::format("The folder '{}' for the sockets cannot be made: {}.", path,
                            error ? error.message() : std::generic_category().message(errno)));
  if (what.st_uid != ::geteuid())
    return fail(ErrorKind::Invalid,
                fmt::format("The folder '{}' belongs to another user ({}); choose one of your own "
                            "with --dir.",
                            path, what.st_uid));
  if (::chmod(path.c_str(), S_IRWXU) == 0) return {};  // sockets in it are for this user alone
  return fail(ErrorKind::Invalid,
              fmt::format("The folder '{}' for the sockets cannot be kept from other users: {}; "
                          "choose another with --dir.",
                          path, std::generic_category().message(errno)));
}

}  // namespace d1::vfio_user
