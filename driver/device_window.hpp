// SPDX-License-Identifier: Apache-2.0
// Memory of a device in another process, mapped into this one: a BAR, or a part of it.
// Owns the mapping. Access from any thread.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace d1::driver {

class DeviceWindow {
 public:
  DeviceWindow() = default;
  DeviceWindow(DeviceWindow&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  DeviceWindow& operator=(DeviceWindow&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~DeviceWindow() {
    if (data_ != nullptr) ::munmap(data_, bytes_);
  }

  // Nothing is mapped if the file could get shorter, since an access would then be fatal, or if the
  // host has no room for it: the caller goes by message.
  [[nodiscard]] static DeviceWindow map(int file, std::uint64_t offset, std::uint64_t bytes);

  [[nodiscard]] bool mapped() const noexcept { return data_ != nullptr; }
  [[nodiscard]] std::byte* data() const noexcept { return static_cast<std::byte*>(data_); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace d1::driver
