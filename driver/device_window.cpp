// SPDX-License-Identifier: Apache-2.0
#include "device_window.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace d1::driver {

DeviceWindow DeviceWindow::map(int file, std::uint64_t offset, std::uint64_t bytes) {
  DeviceWindow window;
  struct stat what{};
  const int seals = ::fcntl(file, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || ::fstat(file, &what) != 0) return window;
  const auto size = static_cast<std::uint64_t>(what.st_size);
  if (bytes == 0 || offset > size || bytes > size - offset) return window;
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file,
                      static_cast<off_t>(offset));
  if (data == MAP_FAILED) return window;
  window.data_ = data;
  window.bytes_ = bytes;
  return window;
}

}  // namespace d1::driver
