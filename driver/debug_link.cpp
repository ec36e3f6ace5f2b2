// SPDX-License-Identifier: Apache-2.0
// A debug target in another process, by its debug door.
#include <d1/debug_door/door.hpp>
#include <d1/debug_door/link.hpp>
#include <d1/driver/debug_target.hpp>
#include <d1/vfio_user/socket_directory.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <optional>
#include <utility>

namespace d1::driver {
namespace {

class LinkedTarget final : public DebugTarget {
 public:
  LinkedTarget(debug_door::Link link, std::string description)
      : link_(std::move(link)), description_(std::move(description)) {}

  std::string description() const override { return description_; }

 protected:
  Result<Answer> ask(const d1_debug_request& request, std::span<const std::byte> data) override {
    auto answer = link_.ask(request, data, after(limits::kDebugTimeout));
    if (!answer) return std::unexpected(std::move(answer.error()));
    return Answer{answer->cycle, std::move(answer->data)};
  }

 private:
  debug_door::Link link_;
  const std::string description_;
};

Result<std::unique_ptr<DebugTarget>> attach(const std::string& path, std::string description) {
  auto link = debug_door::Link::connect(path, after(limits::kDebugTimeout));
  if (!link) return std::unexpected(std::move(link.error()));
  return std::make_unique<LinkedTarget>(std::move(*link), std::move(description));
}

// "NUMBER" or "NUMBER.K".
struct ProcessDevice {
  int process = 0;
  unsigned device = 0;
};
std::optional<ProcessDevice> process_device_of(std::string_view text) {
  ProcessDevice named;
  const char* const end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, named.process);
  if (error != std::errc() || named.process <= 0) return std::nullopt;
  if (rest == end) return named;
  if (*rest != '.') return std::nullopt;
  const auto last = std::from_chars(rest + 1, end, named.device);
  return last.ec == std::errc() && last.ptr == end ? std::optional(named) : std::nullopt;
}

Result<std::unique_ptr<DebugTarget>> attach_to(const ProcessDevice& named) {
  const std::string path = debug_door::path_of_process(named.process, named.device);
  if (::access(path.c_str(), F_OK) == 0)
    return attach(path, fmt::format("device {} of process {}", named.device, named.process));
  if (::kill(named.process, 0) != 0 && errno == ESRCH)
    return fail(ErrorKind::DeviceLost, fmt::format("There is no process {}.", named.process));
  return fail(ErrorKind::Invalid,
              fmt::format("Process {} lets nobody look into its device {}, if it has one: start it "
                          "with D1_DEBUG=1 in its environment, or set DeviceOptions::debug.",
                          named.process, named.device));
}

}  // namespace

Result<std::unique_ptr<DebugTarget>> open_debug_target(std::string_view target) {
  constexpr std::string_view kVfioUser = "vfio-user:";
  if (const auto named = process_device_of(target)) return attach_to(*named);
  if (target.starts_with(kVfioUser)) target.remove_prefix(kVfioUser.size());
  if (!target.ends_with(".sock"))
    return fail(ErrorKind::Invalid,
                fmt::format("'{}' is nothing to attach to: give the socket of a DPU (NAME.sock, "
                            "see 'd1 ps') or the number of a process that emulates a device.",
                            target));
  return attach(debug_door::path_for(target), fmt::format("the DPU at '{}'", target));
}

}  // namespace d1::driver
