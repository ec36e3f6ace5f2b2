// SPDX-License-Identifier: Apache-2.0
// A device in another process, by vfio-user (d1/abi/vfio_user.h). Where the server offers memory,
// it is mapped: doorbells, the live page, SRAM and HBM; then the socket carries only registers and
// maps. As "vfio-user-in-band" nothing is mapped or shared, and everything goes by message.
#include <d1/abi/memory_map.h>
#include <d1/abi/registers.h>
#include <d1/driver/transport.hpp>
#include <d1/vfio_user/event.hpp>
#include <fmt/format.h>
#include <linux/vfio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include "built_in_transports.hpp"
#include "daemon_faults.hpp"
#include "device_window.hpp"
#include "event_wait.hpp"
#include "in_band_memory.hpp"
#include "vfio_user_client.hpp"

namespace d1::driver {

using vfio_user::bytes_of;
using vfio_user::Descriptor;
using vfio_user::Message;

namespace {

enum class Sharing : std::uint8_t { Mapped, InBand };

// Whoever waits looks for this long before it sleeps: less than a wake across cores costs.
constexpr std::chrono::microseconds kSpin{50};

template <typename Word>
std::atomic<Word>& word_at(const DeviceWindow& window, std::uint64_t offset) {
  return *reinterpret_cast<std::atomic<Word>*>(window.data() + offset);
}

class VfioUserTransport final : public Transport {
 public:
  VfioUserTransport(std::string path, Sharing sharing, std::chrono::milliseconds reply_timeout)
      : path_(std::move(path)),
        sharing_(sharing),
        reply_timeout_(reply_timeout),
        faults_(path_, reply_timeout) {}

  Result<> attach();

  std::string description() const override {
    return fmt::format("the DPU at '{}'{}", path_,
                       sharing_ == Sharing::InBand ? ", by messages alone" : "");
  }
  std::uint64_t read_register64(std::uint32_t offset) override;
  void write_register64(std::uint32_t offset, std::uint64_t value) override;
  void ring_doorbell32(std::uint32_t offset, std::uint32_t value) override;
  DmaRequirements dma_requirements() const override {
    return {limits::kDmaPageBytes, sharing_ == Sharing::Mapped};
  }
  Result<> dma_map(std::uint64_t iova, const DmaMemory& memory, DmaAccess access) override;
  Result<> dma_unmap(std::uint64_t iova, std::uint64_t bytes) override;
  Result<> read_aperture(std::uint64_t address, void* data, std::uint64_t bytes) override;
  Result<> write_aperture(std::uint64_t address, const void* data, std::uint64_t bytes) override;
  std::byte* window(std::uint64_t address, std::uint64_t bytes) override;
  std::uint64_t interrupt_count(unsigned vector) const noexcept override;
  void wait_for_interrupt(unsigned vector, std::uint64_t seen, Deadline deadline) override;
  bool can_inject_faults() const override { return faults_.available(); }
  Result<> inject_faults(std::string_view plan_toml) override { return faults_.inject(plan_toml); }
  Result<> clear_faults() override { return faults_.clear(); }
  Result<std::vector<std::string>> fault_events() override { return faults_.events(); }
  bool lost() const noexcept override { return client_->lost(); }

 private:
  struct Place {  // of device memory
    std::uint32_t region;
    std::uint64_t offset;
    const DeviceWindow& window;
  };
  Result<> map_regions();
  Result<vfio_region_info> region_info(std::uint32_t index, Message& reply) const;
  Result<> take_interrupts();
  Result<Place> place_of(std::uint64_t address, std::uint64_t bytes) const;
  Result<> access(std::uint64_t address, std::byte* data, std::uint64_t bytes, bool write);
  void kick();
  void sleep(unsigned vector, std::uint64_t seen, Deadline deadline);
  EventWait& waiting(unsigned vector);
  // Asks and waits no longer than a server may take; who takes longer is lost.
  Result<Message> ask(std::uint16_t command,
                      std::initializer_list<std::span<const std::byte>> parts,
                      std::span<const int> descriptors = {});

  const std::string path_;
  const Sharing sharing_;
  const std::chrono::milliseconds reply_timeout_;
  const DaemonFaults faults_;
  DeviceWindow doorbells_, live_, sram_, hbm_;
  Descriptor kick_event_;
  std::uint64_t sram_positions_ = 0, hbm_bytes_ = 0;
  std::uint32_t node_positions_ = 0;

  struct Vector {
    Descriptor event;
    std::atomic<std::uint64_t> count = 0;  // where there is no live page
    std::once_flag made;
    std::optional<EventWait> wait;
  };
  std::atomic<std::uint64_t> last_status_ = 0, last_heartbeat_ = 0;

  InBandMemory memory_;
  std::unique_ptr<VfioUserClient> client_;  // behind memory_, which its thread serves
  std::array<Vector, D1_MSIX_VECTORS> vectors_;  // last: they wait for the client's end, too
};

Result<Message> VfioUserTransport::ask(std::uint16_t command,
                                       std::initializer_list<std::span<const std::byte>> parts,
                                       std::span<const int> descriptors) {
  auto reply = client_->exchange(command, parts, descriptors, after(reply_timeout_));
  if (!reply && reply.error().kind() == ErrorKind::Timeout) {
    client_->give_up();
    return fail(ErrorKind::DeviceLost,
                fmt::format("The server of '{}' has not answered within {} ms.", path_,
                            reply_timeout_.count()));
  }
  return reply;
}

Result<> VfioUserTransport::attach() {
  auto client = VfioUserClient::connect(
      path_, [this](const Message& request, auto& reply) { return memory_.serve(request, reply); },
      after(reply_timeout_));
  if (!client) return std::unexpected(std::move(client.error()));
  client_ = std::move(*client);
  const d1_vfio_user_device_info request{sizeof request, 0, 0, 0};
  auto reply = ask(D1_VFIO_USER_DEVICE_GET_INFO, {bytes_of(request)});
  if (!reply) return std::unexpected(std::move(reply.error()));
  const auto info = reply->read<d1_vfio_user_device_info>();
  if (!info || (info->flags & VFIO_DEVICE_FLAGS_PCI) == 0 ||
      info->regions < VFIO_PCI_NUM_REGIONS || info->irqs <= VFIO_PCI_MSIX_IRQ_INDEX)
    return fail(ErrorKind::Protocol,
                fmt::format("What is served at '{}' is no PCI function.", path_));
  if (sharing_ == Sharing::Mapped) {
    if (auto mapped = map_regions(); !mapped) return mapped;
  }
  const std::uint64_t mesh = read_register64(D1_REG_MESH), dies = read_register64(D1_REG_DIES);
  node_positions_ = static_cast<std::uint32_t>((mesh >> 32) * static_cast<std::uint32_t>(mesh));
  sram_positions_ = node_positions_ * (dies >> 32) * static_cast<std::uint32_t>(dies);
  hbm_bytes_ = read_register64(D1_REG_HBM_BYTES);
  return take_interrupts();
}

Result<vfio_region_info> VfioUserTransport::region_info(std::uint32_t index,
                                                        Message& reply) const {
  const auto info = reply.read<vfio_region_info>();
  if (!info || info->index != index)
    return fail(ErrorKind::Protocol, fmt::format("The server told nothing of region {}.", index));
  return *info;
}

// What is offered and safe to map is mapped; everything works without, too.
Result<> VfioUserTransport::map_regions() {
  struct Wanted {
    std::uint32_t index;
    std::uint64_t offset;  // of the area that is wanted
    DeviceWindow& window;
  };
  const Wanted wanted[] = {{VFIO_PCI_BAR0_REGION_INDEX, D1_REG_DOORBELL_BASE, doorbells_},
                           {VFIO_PCI_BAR0_REGION_INDEX, D1_REG_LIVE_BASE, live_},
                           {VFIO_PCI_BAR2_REGION_INDEX, 0, sram_},
                           {VFIO_PCI_BAR4_REGION_INDEX, 0, hbm_}};
  for (const Wanted& one : wanted) {
    vfio_region_info request{};
    request.argsz = 4096;  // room for more areas than there are
    request.index = one.index;
    auto reply = ask(D1_VFIO_USER_DEVICE_GET_REGION_INFO, {bytes_of(request)});
    if (!reply) return std::unexpected(std::move(reply.error()));
    auto info = region_info(one.index, *reply);
    if (!info) return std::unexpected(std::move(info.error()));
    if ((info->flags & VFIO_REGION_INFO_FLAG_MMAP) == 0 || reply->descriptors.empty()) continue;
    std::uint64_t begin = 0, bytes = info->size;
    const auto head = reply->read<vfio_info_cap_header>(info->cap_offset);
    if ((info->flags & VFIO_REGION_INFO_FLAG_CAPS) != 0 && info->cap_offset >= sizeof *info &&
        head && head->id == VFIO_REGION_INFO_CAP_SPARSE_MMAP) {
      bytes = 0;
      const std::size_t first = info->cap_offset + sizeof(vfio_region_info_cap_sparse_mmap);
      const auto count = reply->read<std::uint32_t>(info->cap_offset + sizeof *head).value_or(0);
      for (std::size_t i = 0; i < count; ++i) {
        using Area = vfio_region_sparse_mmap_area;
        const auto area = reply->read<Area>(first + i * sizeof(Area));
        if (!area || area->offset != one.offset) continue;
        begin = area->offset;
        bytes = area->size;
      }
    }
    one.window = DeviceWindow::map(reply->descriptors.front().get(), info->offset + begin, bytes);
  }
  if (!doorbells_.mapped() || !live_.mapped()) {  // one without the other is of no use
    doorbells_ = {};
    live_ = {};
    return {};
  }
  const d1_vfio_user_region_io_fds request{4096, 0, VFIO_PCI_BAR0_REGION_INDEX, 0};
  auto reply = ask(D1_VFIO_USER_DEVICE_GET_REGION_IO_FDS, {bytes_of(request)});
  if (!reply) return {};  // optional: then kicks go by message
  const auto event = reply->read<d1_vfio_user_io_event>(sizeof request);
  if (event && event->offset == D1_REG_KICK && event->type == D1_VFIO_USER_IO_EVENT &&
      event->descriptor < reply->descriptors.size())
    kick_event_ = std::move(reply->descriptors[event->descriptor]);
  return {};
}

Result<> VfioUserTransport::take_interrupts() {
  std::array<int, D1_MSIX_VECTORS> events;
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto event = vfio_user::make_event("the device's interrupts");
    if (!event) return std::unexpected(std::move(event.error()));
    vectors_[i].event = std::move(*event);
    events[i] = vectors_[i].event.get();
  }
  vfio_irq_set request{};
  constexpr std::size_t kFixed = offsetof(vfio_irq_set, data);
  request.argsz = kFixed;
  request.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
  request.index = VFIO_PCI_MSIX_IRQ_INDEX;
  request.count = D1_MSIX_VECTORS;
  const auto bytes = std::as_bytes(std::span(&request, 1)).first(kFixed);
  auto reply = ask(D1_VFIO_USER_DEVICE_SET_IRQS, {bytes}, events);
  if (!reply) return pass_on(reply, "asking for interrupts");
  if (live_.mapped())
    word_at<std::uint64_t>(doorbells_, D1_REG_DOORBELL_ARMING - D1_REG_DOORBELL_BASE).store(1);
  return {};
}

std::uint64_t VfioUserTransport::read_register64(std::uint32_t offset) {
  constexpr std::uint64_t kLost = ~std::uint64_t{0};
  if (lost()) return kLost;
  const bool alive = offset == D1_REG_STATUS || offset == D1_REG_HEARTBEAT;
  const bool changes = alive || offset == D1_REG_CYCLE || offset == D1_REG_LOG_HEAD ||
                       offset == D1_REG_LOG_LOST;
  if (changes && live_.mapped())
    return word_at<std::uint64_t>(live_, offset).load(std::memory_order_acquire);
  const d1_vfio_user_region_access request{offset, VFIO_PCI_BAR0_REGION_INDEX, 8};
  // Whether the device lives is asked by those who wait for other things and have deadlines: no
  // answer means that the heartbeat stands still, and how long it may is not decided here.
  auto reply = alive ? client_->exchange(D1_VFIO_USER_REGION_READ, {bytes_of(request)}, {},
                                         after(limits::kLivenessPoll))
                     : ask(D1_VFIO_USER_REGION_READ, {bytes_of(request)});
  auto& last = offset == D1_REG_STATUS ? last_status_ : last_heartbeat_;
  if (!reply) return alive && !lost() ? last.load() : kLost;
  const auto value = reply->read<std::uint64_t>(sizeof request);
  if (!value) return kLost;
  if (alive) last.store(*value);
  return *value;
}

void VfioUserTransport::write_register64(std::uint32_t offset, std::uint64_t value) {
  if (lost()) return;
  const d1_vfio_user_region_access request{offset, VFIO_PCI_BAR0_REGION_INDEX, 8};
  (void)ask(D1_VFIO_USER_REGION_WRITE, {bytes_of(request), bytes_of(value)});
}

void VfioUserTransport::ring_doorbell32(std::uint32_t offset, std::uint32_t value) {
  if (lost()) return;
  if (!doorbells_.mapped()) {
    memory_.publish();
    const d1_vfio_user_region_access request{offset, VFIO_PCI_BAR0_REGION_INDEX, 4};
    (void)client_->post(D1_VFIO_USER_REGION_WRITE, {bytes_of(request), bytes_of(value)},
                        after(reply_timeout_));
    return;
  }
  // The server clears `polled` before it looks at the doorbells for the last time (both seq_cst):
  // it sees this one, or is seen not to poll.
  word_at<std::uint32_t>(doorbells_, offset - D1_REG_DOORBELL_BASE)
      .store(value, std::memory_order_seq_cst);
  if (word_at<std::uint64_t>(live_, D1_REG_LIVE_POLLED - D1_REG_LIVE_BASE)
          .load(std::memory_order_seq_cst) == 0)
    kick();
}

void VfioUserTransport::kick() {
  const std::uint64_t one = 1;
  if (kick_event_.valid()) {
    (void)!::write(kick_event_.get(), &one, sizeof one);
    return;
  }
  const d1_vfio_user_region_access request{D1_REG_KICK, VFIO_PCI_BAR0_REGION_INDEX, 8};
  (void)client_->post(D1_VFIO_USER_REGION_WRITE, {bytes_of(request), bytes_of(one)},
                      after(reply_timeout_));
}

Result<> VfioUserTransport::dma_map(std::uint64_t iova, const DmaMemory& memory,
                                    DmaAccess access) {
  d1_vfio_user_dma_map request{};
  request.argsz = sizeof request;
  request.flags = D1_VFIO_USER_DMA_READABLE;
  if (access == DmaAccess::DeviceReadsAndWrites) request.flags |= D1_VFIO_USER_DMA_WRITABLE;
  request.address = iova;
  request.size = memory.bytes;
  std::array<int, 1> file{memory.file_descriptor};
  const bool shared = sharing_ == Sharing::Mapped;
  if (shared) request.offset = memory.file_offset;
  else memory_.add(iova, memory.pointer, memory.bytes);
  auto reply = ask(D1_VFIO_USER_DMA_MAP, {bytes_of(request)},
                   shared ? std::span<const int>(file) : std::span<const int>());
  if (reply) return {};
  (void)memory_.remove(iova);
  return std::unexpected(std::move(reply.error()));
}

Result<> VfioUserTransport::dma_unmap(std::uint64_t iova, std::uint64_t bytes) {
  d1_vfio_user_dma_unmap request{sizeof request, 0, iova, bytes};
  auto reply = ask(D1_VFIO_USER_DMA_UNMAP, {bytes_of(request)});
  // In band nothing is reached but through memory_, whatever the server believes.
  const bool in_band = memory_.remove(iova);
  if (reply || in_band) return {};
  return std::unexpected(std::move(reply.error()));
}

Result<VfioUserTransport::Place> VfioUserTransport::place_of(std::uint64_t address,
                                                             std::uint64_t bytes) const {
  const std::uint64_t hbm = d1_address_hbm(address);
  if (d1_address_kind(address) == D1_ADDRESS_HBM && hbm <= hbm_bytes_ && bytes <= hbm_bytes_ - hbm)
    return Place{VFIO_PCI_BAR4_REGION_INDEX, hbm, hbm_};
  const std::uint64_t node = d1_address_node(address), offset = d1_address_offset(address);
  const std::uint64_t position = d1_address_die(address) * std::uint64_t{node_positions_} + node;
  if (d1_address_kind(address) == D1_ADDRESS_NODE && node < node_positions_ &&
      position < sram_positions_ && offset <= D1_SRAM_BYTES && bytes <= D1_SRAM_BYTES - offset)
    return Place{VFIO_PCI_BAR2_REGION_INDEX, position * D1_BAR2_STRIDE + offset, sram_};
  return fail(ErrorKind::Invalid,
              fmt::format("Device address {:#x} with {} bytes is not in the SRAM of a node nor in "
                          "the {} bytes of HBM.",
                          address, bytes, hbm_bytes_));
}

std::byte* VfioUserTransport::window(std::uint64_t address, std::uint64_t bytes) {
  const auto place = place_of(address, bytes);
  return place && place->window.mapped() ? place->window.data() + place->offset : nullptr;
}

Result<> VfioUserTransport::access(std::uint64_t address, std::byte* data, std::uint64_t bytes,
                                   bool write) {
  const auto place = place_of(address, bytes);
  if (!place) return std::unexpected(place.error());
  if (lost()) return fail(ErrorKind::DeviceLost, "The connection to the device is gone.");
  if (place->window.mapped()) {
    std::byte* there = place->window.data() + place->offset;
    if (write) std::memcpy(there, data, bytes);
    else std::memcpy(data, there, bytes);
    return {};
  }
  for (std::uint64_t done = 0; done < bytes;) {
    const auto piece = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(bytes - done, D1_VFIO_USER_DEFAULT_TRANSFER));
    const d1_vfio_user_region_access request{place->offset + done, place->region, piece};
    const std::span<const std::byte> sent(data + done, write ? piece : 0);
    auto reply = ask(write ? D1_VFIO_USER_REGION_WRITE : D1_VFIO_USER_REGION_READ,
                     {bytes_of(request), sent});
    if (!reply) return std::unexpected(std::move(reply.error()));
    if (!write) {
      if (reply->payload.size() != sizeof request + piece)
        return fail(ErrorKind::Protocol,
                    fmt::format("The server answered a read of {} bytes with {}.", piece,
                                reply->payload.size()));
      std::memcpy(data + done, reply->payload.data() + sizeof request, piece);
    }
    done += piece;
  }
  return {};
}

Result<> VfioUserTransport::read_aperture(std::uint64_t address, void* data, std::uint64_t bytes) {
  return access(address, static_cast<std::byte*>(data), bytes, false);
}

Result<> VfioUserTransport::write_aperture(std::uint64_t address, const void* data,
                                           std::uint64_t bytes) {
  return access(address, const_cast<std::byte*>(static_cast<const std::byte*>(data)), bytes, true);
}

std::uint64_t VfioUserTransport::interrupt_count(unsigned vector) const noexcept {
  if (live_.mapped())
    return word_at<std::uint64_t>(live_, D1_REG_LIVE_RAISED - D1_REG_LIVE_BASE + 8 * vector)
        .load(std::memory_order_seq_cst);
  return vectors_[vector].count.load(std::memory_order_acquire);
}

void VfioUserTransport::wait_for_interrupt(unsigned vector, std::uint64_t seen,
                                           Deadline deadline) {
  const Deadline spin = std::min(deadline, after(kSpin));
  while (interrupt_count(vector) == seen && !lost()) {
    const auto now = Clock::now();
    if (now >= deadline) return;
    if (live_.mapped() && now < spin) std::this_thread::yield();
    else sleep(vector, seen, deadline);
  }
}

// Returns when the vector's event was raised, or sooner.
void VfioUserTransport::sleep(unsigned vector, std::uint64_t seen, Deadline deadline) {
  if (live_.mapped())
    word_at<std::uint64_t>(doorbells_, D1_REG_DOORBELL_ARM - D1_REG_DOORBELL_BASE + 8 * vector)
        .store(1, std::memory_order_seq_cst);
  if (interrupt_count(vector) == seen) waiting(vector).wait(deadline);
}

// Made when somebody first sleeps: most vectors are never slept on.
EventWait& VfioUserTransport::waiting(unsigned vector) {
  Vector& own = vectors_[vector];
  std::call_once(own.made, [&] {
    own.wait.emplace(make_event_wait(own.event.get(), client_->lost_event()), own.count);
  });
  return *own.wait;
}

Result<std::unique_ptr<Transport>> open_at(const TransportOptions& options, Sharing sharing) {
  if (options.address.empty())
    return fail(ErrorKind::Invalid,
                "A device by vfio-user needs the path of its socket: vfio-user:PATH; 'd1 ps' shows "
                "what is served.");
  auto transport = std::make_unique<VfioUserTransport>(options.address, sharing,
                                                       options.reply_timeout);
  if (auto attached = transport->attach(); !attached)
    return std::unexpected(std::move(attached.error()));
  return transport;
}

}  // namespace

Result<std::unique_ptr<Transport>> make_vfio_user_transport(const TransportOptions& options) {
  return open_at(options, Sharing::Mapped);
}

Result<std::unique_ptr<Transport>> make_vfio_user_in_band_transport(
    const TransportOptions& options) {
  return open_at(options, Sharing::InBand);
}

}  // namespace d1::driver
