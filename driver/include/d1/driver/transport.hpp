// SPDX-License-Identifier: Apache-2.0
// The way to one PCI function: registers, doorbells, DMA map, interrupts. Everything above speaks
// only to this interface; what is behind it (the emulator in this process, a process at the other
// end of a socket, hardware) has one source file of its own.
//
// Ownership: a transport owns its connection; memory given to dma_map stays the caller's and must
// outlive the map. Threads: every member may be called from any thread at once.
// Blocking: only wait_for_interrupt waits, and never past its deadline.
#pragma once

#include <d1/base/code_names.hpp>
#include <d1/base/error.hpp>
#include <d1/base/statistics.hpp>
#include <d1/driver/limits.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace d1::driver {

enum class DmaAccess : std::uint8_t { DeviceReads, DeviceReadsAndWrites };

// Host memory a device may reach. A transport to another process needs the file behind it.
struct DmaMemory {
  void* pointer = nullptr;
  std::uint64_t bytes = 0;
  int file_descriptor = -1;
  std::uint64_t file_offset = 0;
};

// What a transport asks of host memory.
struct DmaRequirements {
  std::uint64_t alignment = limits::kDmaPageBytes;  // of pointers, sizes and I/O addresses
  bool needs_file = false;  // only memory with a file behind it can be mapped
};

class Transport {
 public:
  virtual ~Transport() = default;

  // One line for people: what is at the other end.
  [[nodiscard]] virtual std::string description() const = 0;

  // Registers of BAR0 (d1/abi/registers.h), 8 bytes, naturally aligned. A lost device reads as all
  // ones and takes writes without effect, as PCI does it.
  [[nodiscard]] virtual std::uint64_t read_register64(std::uint32_t offset) = 0;
  virtual void write_register64(std::uint32_t offset, std::uint64_t value) = 0;
  virtual void ring_doorbell32(std::uint32_t offset, std::uint32_t value) = 0;

  [[nodiscard]] virtual DmaRequirements dma_requirements() const = 0;
  [[nodiscard]] virtual Result<> dma_map(std::uint64_t iova, const DmaMemory& memory,
                                         DmaAccess access) = 0;
  // After it has returned without error the device does not touch that memory any more.
  [[nodiscard]] virtual Result<> dma_unmap(std::uint64_t iova, std::uint64_t bytes) = 0;

  // BAR2: device memory by device address. For looking at things, not for moving data.
  [[nodiscard]] virtual Result<> read_aperture(std::uint64_t address, void* data,
                                               std::uint64_t bytes) = 0;
  [[nodiscard]] virtual Result<> write_aperture(std::uint64_t address, const void* data,
                                                std::uint64_t bytes) = 0;

  // Device memory where this process has it mapped, all of it or null. Whoever moves data through
  // it sees to its order with what the device does.
  [[nodiscard]] virtual std::byte* window(std::uint64_t address, std::uint64_t bytes) {
    (void)address, (void)bytes;
    return nullptr;
  }

  // Interrupts raised by `vector` since the start; never falls.
  [[nodiscard]] virtual std::uint64_t interrupt_count(unsigned vector) const noexcept = 0;
  // Returns when interrupt_count(vector) differs from `seen` (at once if it does already), when the
  // device is lost, or at the deadline. Read the count before looking at the completion ring: then
  // no interrupt is missed. The device may run on the caller's thread meanwhile.
  virtual void wait_for_interrupt(unsigned vector, std::uint64_t seen, Deadline deadline) = 0;

  // What an emulated device tells about its emulation. Hardware has nothing to tell.
  [[nodiscard]] virtual Statistics statistics() { return {}; }

  // Whether somebody in this process shows code of an emulated device by names, and wants them
  // before it is loaded at `offset` of nodes. Hardware has no use for them.
  [[nodiscard]] virtual bool wants_code_names() const { return false; }
  virtual void name_code(std::uint64_t offset, std::span<const std::byte> code,
                         std::vector<NamedFunction> functions) {
    (void)offset, (void)code, (void)functions;
  }

  // Faults of an emulated device: those of a plan (TOML, firmware/emulator/faults/README.md) join
  // those it has; clear_faults() ends all; fault_events() says what they did, oldest first.
  // They wait for another process no longer than it may take to answer. Hardware: Unsupported.
  [[nodiscard]] virtual bool can_inject_faults() const { return false; }
  [[nodiscard]] virtual Result<> inject_faults(std::string_view plan_toml) {
    (void)plan_toml;
    return no_faults();
  }
  [[nodiscard]] virtual Result<> clear_faults() { return no_faults(); }
  [[nodiscard]] virtual Result<std::vector<std::string>> fault_events() { return no_faults(); }

  // The connection is known to be gone (the process died, the device was removed).
  [[nodiscard]] virtual bool lost() const noexcept = 0;

 protected:
  // Of a transport whose devices have none but their own.
  [[nodiscard]] std::unexpected<Error> no_faults() const {
    return fail(ErrorKind::Unsupported,
                "Faults can be injected into emulated devices only, and this is " + description() +
                    ".");
  }
};

// What `open_transport` may need to know; a transport ignores what does not concern it.
struct TransportOptions {
  std::string machine = "d1";  // name of a built-in machine, or path of a machine file
  unsigned host_threads = 0;   // 0: as many as the host has
  std::uint64_t seed = 0;      // order of what is unordered; 0: none shuffled
  std::string engine;          // of an emulated device, by name; empty: what D1_ENGINE says
  bool count_execution = false;  // for statistics() of an emulated device, at some cost
  bool debug = false;          // tools may attach to an emulated device: by the number of the
                               // process, see debug_target.hpp
  std::string rom_image;       // path of a boot ROM to use instead of the built-in one
  std::string address;         // where the device is, for transports that leave the process
  // A device in another process that has not answered for this long is lost.
  std::chrono::milliseconds reply_timeout = limits::kReplyTimeout;
};

using TransportFactory =
    std::function<Result<std::unique_ptr<Transport>>(const TransportOptions& options)>;

// Transports by name: "in-process", "vfio-user", and "vfio-user-in-band", which shares no memory.
// Registering a name twice is an error. "NAME:ADDRESS" opens NAME with that address.
[[nodiscard]] Result<> register_transport(std::string name, TransportFactory factory);
[[nodiscard]] std::vector<std::string> transport_names();
[[nodiscard]] Result<std::unique_ptr<Transport>> open_transport(std::string_view name,
                                                                TransportOptions options);

}  // namespace d1::driver
