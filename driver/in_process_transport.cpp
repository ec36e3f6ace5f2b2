// SPDX-License-Identifier: Apache-2.0
// The device in this process: the emulator behind the transport interface. The only file of the
// driver that names the emulator.
#include <d1/abi/memory_map.h>
#include <d1/abi/registers.h>
#include <fmt/format.h>
#include <d1/debug_door/door.hpp>
#include <d1/driver/transport.hpp>
#include <d1/emulator/debug_session.hpp>
#include <d1/emulator/device.hpp>
#include <d1/vfio_user/socket_directory.hpp>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>

#include "built_in_transports.hpp"

namespace d1::driver {
namespace {

class InProcessTransport final : public Transport {
 public:
  InProcessTransport(std::unique_ptr<emulator::Device> device, std::string machine,
                     bool wants_code_names)
      : machine_(std::move(machine)),
        wants_code_names_(wants_code_names),
        device_(std::move(device)) {
    device_->set_interrupt_handler([this](unsigned vector) {
      // Pairs with the acquire in interrupt_count: the completion is in the ring by then.
      interrupts_[vector % D1_MSIX_VECTORS].fetch_add(1, std::memory_order_release);
    });
  }

  std::string description() const override {
    return fmt::format("the machine '{}', emulated in this process", machine_);
  }

  std::uint64_t read_register64(std::uint32_t offset) override {
    return device_->read_register(offset);
  }
  void write_register64(std::uint32_t offset, std::uint64_t value) override {
    device_->write_register(offset, value);
  }
  void ring_doorbell32(std::uint32_t offset, std::uint32_t value) override {
    device_->ring_doorbell(offset, value);
  }

  // The emulator reaches any memory of the process, byte by byte.
  DmaRequirements dma_requirements() const override { return {1, false}; }
  Result<> dma_map(std::uint64_t iova, const DmaMemory& memory, DmaAccess access) override {
    return device_->dma_map(
        iova, memory.pointer, memory.bytes,
        access == DmaAccess::DeviceReads ? emulator::DmaAccess::Read : emulator::DmaAccess::Write);
  }
  Result<> dma_unmap(std::uint64_t iova, std::uint64_t bytes) override {
    return device_->dma_unmap(iova, bytes);
  }

  Result<> read_aperture(std::uint64_t address, void* data, std::uint64_t bytes) override {
    return device_->read_memory(address, {static_cast<std::uint8_t*>(data), bytes});
  }
  Result<> write_aperture(std::uint64_t address, const void* data, std::uint64_t bytes) override {
    return device_->write_memory(address, {static_cast<const std::uint8_t*>(data), bytes});
  }

  std::byte* window(std::uint64_t address, std::uint64_t bytes) override {
    return reinterpret_cast<std::byte*>(device_->memory_at(address, bytes));
  }

  std::uint64_t interrupt_count(unsigned vector) const noexcept override {
    return interrupts_[vector % D1_MSIX_VECTORS].load(std::memory_order_acquire);
  }

  // The waiting thread runs the machine: handing over to another core would cost 60 us.
  void wait_for_interrupt(unsigned vector, std::uint64_t seen, Deadline deadline) override {
    const std::atomic<std::uint64_t>& count = interrupts_[vector % D1_MSIX_VECTORS];
    const auto raised = [&count, seen] { return count.load(std::memory_order_acquire) != seen; };
    while (!raised() && Clock::now() < deadline) device_->run(raised, deadline);
  }

  Statistics statistics() override { return emulator::describe(device_->statistics().engine); }

  bool wants_code_names() const override { return wants_code_names_; }
  void name_code(std::uint64_t offset, std::span<const std::byte> code,
                 std::vector<NamedFunction> functions) override {
    device_->name_code(offset, {reinterpret_cast<const std::uint8_t*>(code.data()), code.size()},
                       std::move(functions));
  }

  bool can_inject_faults() const override { return true; }
  Result<> inject_faults(std::string_view plan_toml) override {
    auto plan = emulator::parse_fault_plan(plan_toml, "plan");
    if (!plan) return std::unexpected(std::move(plan.error()));
    return device_->inject(*plan);
  }
  Result<> clear_faults() override {
    device_->clear_faults();
    return {};
  }
  Result<std::vector<std::string>> fault_events() override { return device_->fault_events(); }

  // Tools may attach from now on.
  Result<> open_door() {
    static std::atomic<unsigned> devices{0};
    if (auto made = vfio_user::make_socket_directory(vfio_user::socket_directory()); !made)
      return made;
    auto door = debug_door::Door::open(
        debug_door::path_of_process(::getpid(), devices.fetch_add(1)), [this] {
          auto session = std::make_shared<emulator::DebugSession>(*device_);
          return [session](const d1_debug_request& request, std::span<const std::uint8_t> data) {
            auto answer = session->answer(request, data);
            return debug_door::Answer{answer.cycle, std::move(answer.data)};
          };
        });
    if (!door) return std::unexpected(std::move(door.error()));
    door_ = std::move(*door);
    return {};
  }

  bool lost() const noexcept override { return false; }

 private:
  const std::string machine_;
  const bool wants_code_names_;
  std::array<std::atomic<std::uint64_t>, D1_MSIX_VECTORS> interrupts_{};
  std::unique_ptr<emulator::Device> device_;  // it calls into interrupts_ while it lives
  std::unique_ptr<debug_door::Door> door_;    // last: it calls the device; null: no tool may attach
};

bool is_on(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

Result<std::vector<std::uint8_t>> read_rom(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             std::fclose);
  if (!file) {
    return fail(ErrorKind::Invalid, fmt::format("The boot ROM '{}' cannot be opened: {}.", path,
                                                std::generic_category().message(errno)));
  }
  std::vector<std::uint8_t> bytes(D1_ROM_BYTES + 1);
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
  if (bytes.empty() || bytes.size() > D1_ROM_BYTES) {
    return fail(ErrorKind::Invalid,
                fmt::format("The boot ROM '{}' has {} bytes{}; it must have 1 to {}.", path,
                            bytes.size(), bytes.empty() ? "" : " or more", D1_ROM_BYTES));
  }
  return bytes;
}

}  // namespace

Result<std::unique_ptr<Transport>> make_in_process_transport(const TransportOptions& options) {
  auto engine = emulator::engine_options_for(options.engine);
  if (!engine) return std::unexpected(std::move(engine.error()));
  emulator::DeviceOptions device_options;
  device_options.engine = *engine;
  device_options.engine.count_execution = options.count_execution;
  device_options.machine = options.machine;
  device_options.host_threads = options.host_threads;
  device_options.seed = options.seed;
  if (!options.rom_image.empty()) {
    auto rom = read_rom(options.rom_image);
    if (!rom) return std::unexpected(std::move(rom.error()));
    device_options.rom = std::move(*rom);
  }
  auto device = emulator::Device::create(std::move(device_options));
  if (!device) return std::unexpected(std::move(device.error()));
  auto transport = std::make_unique<InProcessTransport>(std::move(*device), options.machine,
                                                        engine->names_code());
  if (options.debug || is_on("D1_DEBUG"))
    if (auto opened = transport->open_door(); !opened)
      return pass_on(opened, "letting tools attach to the device");
  return transport;
}

}  // namespace d1::driver
