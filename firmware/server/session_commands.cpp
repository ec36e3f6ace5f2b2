// SPDX-License-Identifier: Apache-2.0
// What the commands of vfio-user mean for this function. Lengths are exact: a command with bytes
// too few or too many is refused (EINVAL), and so is one that the specification rules out.
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "session.hpp"

namespace d1::server {

using vfio_user::bytes_of;
using vfio_user::Message;

namespace {

constexpr std::uint32_t kRegions = VFIO_PCI_NUM_REGIONS, kIrqs = VFIO_PCI_NUM_IRQS;
constexpr std::uint32_t kTransfer = D1_VFIO_USER_DEFAULT_TRANSFER;

void append(std::vector<std::byte>& payload, std::span<const std::byte> bytes) {
  payload.insert(payload.end(), bytes.begin(), bytes.end());
}

// A whole payload as one structure, nothing behind it.
template <typename Structure>
std::optional<Structure> exactly(const Message& message) {
  if (message.payload.size() != sizeof(Structure)) return {};
  return message.read<Structure>();
}

// Capabilities nobody here knows may be anything.
bool well_typed(const nlohmann::json& capabilities) {
  for (const auto& [key, value] : capabilities.items()) {
    const bool number = key == "max_msg_fds" || key == "max_data_xfer_size" ||
                        key == "max_dma_maps" || key == "pgsizes";
    if ((number && !value.is_number_unsigned()) ||
        (key == "write_multiple" && !value.is_boolean()) ||
        (key == "twin_socket" && !value.is_object()))
      return false;
  }
  return true;
}

// What a client says about itself; nothing if it is no such document.
std::optional<nlohmann::json> capabilities_of(const Message& message) {
  constexpr std::size_t kFixed = sizeof(d1_vfio_user_version);
  if (message.payload.size() == kFixed) return nlohmann::json::object();
  const auto* text = reinterpret_cast<const char*>(message.payload.data()) + kFixed;
  const std::size_t length = message.payload.size() - kFixed;
  if (std::find(text, text + length, '\0') != text + length - 1) return {};
  const auto document = nlohmann::json::parse(text, text + length - 1, nullptr, false);
  if (!document.is_object()) return {};
  const auto found = document.find("capabilities");
  auto capabilities = found != document.end() ? *found : nlohmann::json::object();
  if (!capabilities.is_object() || !well_typed(capabilities)) return {};
  return capabilities;
}

bool is_true(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace

Session::Answer Session::execute(Message& message) {
  const bool takes_descriptors = message.header.command == D1_VFIO_USER_DMA_MAP ||
                                 message.header.command == D1_VFIO_USER_DEVICE_SET_IRQS;
  if (!message.descriptors.empty() && !takes_descriptors) return {EINVAL, {}, {}};
  switch (message.header.command) {
    case D1_VFIO_USER_VERSION: return version(message);
    case D1_VFIO_USER_DMA_MAP: return dma_map(message);
    case D1_VFIO_USER_DMA_UNMAP: return dma_unmap(message);
    case D1_VFIO_USER_DEVICE_GET_INFO: return device_info(message);
    case D1_VFIO_USER_DEVICE_GET_REGION_INFO: return region_info(message);
    case D1_VFIO_USER_DEVICE_GET_REGION_IO_FDS: return region_io_events(message);
    case D1_VFIO_USER_DEVICE_GET_IRQ_INFO: return irq_info(message);
    case D1_VFIO_USER_DEVICE_SET_IRQS: return set_irqs(message);
    case D1_VFIO_USER_REGION_READ: return region_read(message);
    case D1_VFIO_USER_REGION_WRITE: return region_write(message);
    case D1_VFIO_USER_REGION_WRITE_MULTI: return region_write_multi(message);
    case D1_VFIO_USER_DEVICE_RESET:
      if (!message.payload.empty()) return {EINVAL, {}, {}};
      function_.reset();
      return {};
    default: return {ENOTSUP, {}, {}};
  }
}

Session::Answer Session::version(const Message& message) {
  const auto proposed = message.read<d1_vfio_user_version>();
  if (!proposed) return {EINVAL, {}, {}};
  if (proposed->major != D1_VFIO_USER_MAJOR) return {ENOTSUP, {}, {}};
  const auto theirs = capabilities_of(message);
  if (!theirs) return {EINVAL, {}, {}};
  if (const auto transfer = theirs->find("max_data_xfer_size"); transfer != theirs->end()) {
    if (*transfer == 0) return {EINVAL, {}, {}};
    client_transfer_ = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(transfer->get<std::uint64_t>(), kTransfer));
  }
  nlohmann::json ours = {{"max_msg_fds", vfio_user::kMessageDescriptors},
                         {"max_data_xfer_size", kTransfer},
                         {"max_dma_maps", D1_VFIO_USER_DEFAULT_MAPS},
                         {"pgsizes", D1_BAR_PAGE}};
  if (is_true(*theirs, "write_multiple")) ours["write_multiple"] = true;
  Answer answer;
  const auto twin = theirs->find("twin_socket");
  int pair[2];
  if (twin != theirs->end() && is_true(*twin, "supported")) {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return {errno, {}, {}};
    twin_.emplace(vfio_user::Descriptor(pair[0]));
    twin_of_client_ = vfio_user::Descriptor(pair[1]);
    answer.descriptors = {twin_of_client_.get()};
    ours["twin_socket"] = {{"supported", true}, {"fd_index", 0}};
  }
  const d1_vfio_user_version agreed{
      D1_VFIO_USER_MAJOR, std::min<std::uint16_t>(proposed->minor, D1_VFIO_USER_MINOR)};
  const std::string text = nlohmann::json{{"capabilities", ours}}.dump();
  append(answer.payload, bytes_of(agreed));
  append(answer.payload, std::as_bytes(std::span(text.c_str(), text.size() + 1)));
  negotiated_ = true;
  return answer;
}

Session::Answer Session::dma_map(const Message& message) {
  const auto request = exactly<d1_vfio_user_dma_map>(message);
  if (!request || request->argsz < sizeof *request || message.descriptors.size() > 1)
    return {EINVAL, {}, {}};
  const int file = message.descriptors.empty() ? -1 : message.descriptors.front().get();
  return {memory_.map(*request, file), {}, {}};
}

Session::Answer Session::dma_unmap(const Message& message) {
  const auto request = exactly<d1_vfio_user_dma_unmap>(message);
  if (!request || request->argsz < sizeof *request || request->flags != 0) return {EINVAL, {}, {}};
  if (const int error = memory_.unmap(request->address, request->size); error != 0)
    return {error, {}, {}};
  return {0, message.payload, {}};
}

Session::Answer Session::device_info(const Message& message) const {
  const auto request = exactly<d1_vfio_user_device_info>(message);
  if (!request || request->argsz < sizeof *request) return {EINVAL, {}, {}};
  const d1_vfio_user_device_info info{
      sizeof info, VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI, kRegions, kIrqs};
  Answer answer;
  append(answer.payload, bytes_of(info));
  return answer;
}

Session::Answer Session::region_info(const Message& message) const {
  const auto request = exactly<vfio_region_info>(message);
  if (!request || request->argsz < sizeof *request || request->index >= kRegions)
    return {EINVAL, {}, {}};
  const Region region = function_.region(request->index);
  vfio_region_info info{};
  info.index = request->index;
  info.size = region.bytes;
  info.flags = region.flags;
  Answer answer;
  std::vector<std::byte> capability;
  if (!region.areas.empty()) {
    // struct vfio_region_info_cap_sparse_mmap, which ends in an array of any length.
    const vfio_info_cap_header head{VFIO_REGION_INFO_CAP_SPARSE_MMAP, 1, 0};
    const std::uint32_t count[] = {static_cast<std::uint32_t>(region.areas.size()), 0};
    append(capability, bytes_of(head));
    append(capability, bytes_of(count));
    for (const Region::Area& area : region.areas) {
      const vfio_region_sparse_mmap_area told{area.offset, area.bytes};
      append(capability, bytes_of(told));
    }
    answer.descriptors = {region.file};
  }
  info.argsz = static_cast<std::uint32_t>(sizeof info + capability.size());
  // Who has no room for it all learns how much it takes, and asks again.
  const bool whole = request->argsz >= info.argsz;
  if (whole && !capability.empty()) info.cap_offset = sizeof info;
  append(answer.payload, bytes_of(info));
  if (whole) append(answer.payload, capability);
  return answer;
}

Session::Answer Session::region_io_events(const Message& message) const {
  const auto request = exactly<d1_vfio_user_region_io_fds>(message);
  if (!request || request->argsz < sizeof *request || request->flags != 0 ||
      request->count != 0 || function_.region(request->index).bytes == 0)
    return {EINVAL, {}, {}};
  d1_vfio_user_region_io_fds info{sizeof info, 0, request->index, 0};
  Answer answer;
  const bool kick = request->index == VFIO_PCI_BAR0_REGION_INDEX;
  const d1_vfio_user_io_event event{D1_REG_KICK, 8, 0, D1_VFIO_USER_IO_EVENT, 0, 0, 0};
  if (kick) {
    info.argsz = sizeof info + sizeof event;
    info.count = 1;
  }
  append(answer.payload, bytes_of(info));
  if (kick && request->argsz >= info.argsz) {
    append(answer.payload, bytes_of(event));
    answer.descriptors = {function_.kick_event()};
  }
  return answer;
}

Session::Answer Session::irq_info(const Message& message) const {
  const auto request = exactly<vfio_irq_info>(message);
  if (!request || request->argsz < sizeof *request || request->index >= kIrqs)
    return {EINVAL, {}, {}};
  vfio_irq_info info{};
  info.argsz = sizeof info;
  info.index = request->index;
  info.count = Interrupts::count(request->index);
  if (info.count != 0) info.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE;
  Answer answer;
  append(answer.payload, bytes_of(info));
  return answer;
}

Session::Answer Session::set_irqs(Message& message) {
  constexpr std::size_t kFixed = offsetof(vfio_irq_set, data);
  if (message.payload.size() < kFixed) return {EINVAL, {}, {}};
  vfio_irq_set request{};
  std::memcpy(&request, message.payload.data(), kFixed);
  if (request.argsz != message.payload.size()) return {EINVAL, {}, {}};
  return {function_.interrupts().set(request, std::span(message.payload).subspan(kFixed),
                                     std::move(message.descriptors)),
          {},
          {}};
}

Session::Answer Session::region_read(const Message& message) {
  const auto request = exactly<d1_vfio_user_region_access>(message);
  if (!request || request->count > kTransfer) return {EINVAL, {}, {}};
  Answer answer;
  answer.payload.resize(sizeof *request + request->count);
  std::memcpy(answer.payload.data(), &*request, sizeof *request);
  auto* data = reinterpret_cast<std::uint8_t*>(answer.payload.data()) + sizeof *request;
  answer.error = function_.read(request->region, request->offset, {data, request->count});
  return answer;
}

Session::Answer Session::region_write(const Message& message) {
  const auto request = message.read<d1_vfio_user_region_access>();
  if (!request || request->count > kTransfer ||
      message.payload.size() != sizeof *request + request->count)
    return {EINVAL, {}, {}};
  const auto* data =
      reinterpret_cast<const std::uint8_t*>(message.payload.data()) + sizeof *request;
  Answer answer;
  answer.error = function_.write(request->region, request->offset, {data, request->count});
  append(answer.payload, bytes_of(*request));
  return answer;
}

Session::Answer Session::region_write_multi(const Message& message) {
  const auto count = message.read<std::uint64_t>();
  constexpr std::size_t kEach = sizeof(d1_vfio_user_multi_write);
  if (!count || *count > message.payload.size() / kEach ||
      message.payload.size() != sizeof *count + *count * kEach)
    return {EINVAL, {}, {}};
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto write = message.read<d1_vfio_user_multi_write>(sizeof *count + i * kEach);
    if (write->count > D1_VFIO_USER_MULTI_BYTES) return {EINVAL, {}, {}};
    if (const int error =
            function_.write(write->region, write->offset, {write->data, write->count});
        error != 0)
      return {error, {}, {}};
  }
  Answer answer;
  append(answer.payload, bytes_of(*count));
  return answer;
}

}  // namespace d1::server
