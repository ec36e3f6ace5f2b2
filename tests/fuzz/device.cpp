// SPDX-License-Identifier: Apache-2.0
// What a host can do to the device over the bare transport: registers, doorbells, commands as they
// stand in d1/abi/commands.h, programs of any instructions, DMA ranges that come and go, faults.
// Whatever it was, afterwards a fence on a new queue completes.
#include "input.hpp"
#include "target.hpp"

#include <d1/abi/commands.h>
#include <d1/abi/mailbox.h>
#include <d1/abi/registers.h>
#include <d1/driver/transport.hpp>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <vector>

namespace {

using namespace std::chrono_literals;
using d1::fuzz::Input;
using d1::fuzz::require;

// What one byte of the input chooses; see act().
enum class Act : std::uint8_t {
  Command,
  Memory,
  Instructions,
  Register,
  Doorbell,
  Map,
  Unmap,
  Aperture,
  Wait,
  Faults,
  Count
};

constexpr unsigned kActs = 64;  // of an input

class Host {
 public:
  static constexpr std::uint64_t kIo = 0x100000, kMemory = 0x40000;  // shared with the device
  static constexpr std::uint64_t kMapped = 0x1000;                   // of it, mapped anew
  static constexpr std::uint32_t kEntries = 8;
  static constexpr unsigned kQueues = 3, kLastQueue = D1_QUEUE_PAIRS - 1;

  Host() : memory_(kMemory), extra_(kMapped) {
    d1::driver::TransportOptions options;
    options.machine = D1_FUZZ_MACHINE;
    options.host_threads = 1;
    auto opened = d1::driver::open_transport("in-process", options);
    require(opened.has_value(), "The device does not open.");
    transport_ = std::move(*opened);
    require(map(kIo, memory_).has_value(), "The memory cannot be mapped.");
    transport_->write_register64(D1_REG_CONTROL, D1_CONTROL_ENABLE);
    transport_->write_register64(D1_REG_LOG_BYTES, 4096);
    transport_->write_register64(D1_REG_LOG_BASE, kIo + 0x3f000);
    for (unsigned queue = 0; queue < kQueues; ++queue) open_queue(queue);
  }

  // One thing that a host may do.
  void act(Input& input) {
    switch (static_cast<Act>(input.take<std::uint8_t>() % static_cast<unsigned>(Act::Count))) {
      case Act::Command: {
        const unsigned queue = input.take<std::uint8_t>() % kQueues;
        submit(queue, input.take<std::array<std::uint8_t, 64>>());
        wait(queue, 1ms);
        break;
      }
      case Act::Memory: {
        const std::size_t at = kRings + input.take<std::uint16_t>();
        const auto bytes = input.take_bytes(input.take<std::uint8_t>());
        std::memcpy(memory_.data() + at, bytes.data(), bytes.size());
        break;
      }
      case Act::Instructions: {
        std::size_t at = kRings + input.take<std::uint16_t>() / 4u * 4u;
        for (unsigned count = input.take<std::uint8_t>(); count != 0; --count, at += 4) {
          const std::uint32_t word = d1::fuzz::take_instruction(input);
          std::memcpy(memory_.data() + at, &word, sizeof(word));
        }
        break;
      }
      case Act::Register: {
        const std::uint32_t offset = input.take<std::uint16_t>() % D1_BAR0_BYTES / 8 * 8;
        transport_->write_register64(offset, input.take<std::uint64_t>());
        (void)transport_->read_register64(offset);
        break;
      }
      case Act::Doorbell: {
        const std::uint32_t bell = input.take<std::uint8_t>() % (2 * D1_QUEUE_PAIRS);
        transport_->ring_doorbell32(D1_REG_DOORBELL_BASE + bell * 4, input.take<std::uint32_t>());
        wait(bell / 2, 1ms);
        break;
      }
      case Act::Map: {
        const auto address = input.take<std::uint64_t>();
        const auto access = input.take<std::uint8_t>() % 2 == 0
                                ? d1::driver::DmaAccess::DeviceReads
                                : d1::driver::DmaAccess::DeviceReadsAndWrites;
        (void)transport_->dma_map(address, {extra_.data(), extra_.size()}, access);
        break;
      }
      case Act::Unmap: {
        const auto address = input.take<std::uint64_t>();
        const auto bytes = input.take<std::uint64_t>();
        (void)transport_->dma_unmap(address, bytes);
        break;
      }
      case Act::Aperture: {
        const auto address = input.take<std::uint64_t>();
        const auto bytes = input.take_bytes(input.take<std::uint8_t>());
        std::vector<std::uint8_t> seen(bytes.size());
        if (transport_->write_aperture(address, bytes.data(), bytes.size()))
          (void)transport_->read_aperture(address, seen.data(), seen.size());
        break;
      }
      case Act::Wait: wait(input.take<std::uint8_t>(), 2ms); break;
      case Act::Faults: {
        const auto plan = input.take_bytes(input.take<std::uint16_t>());
        (void)transport_->inject_faults({reinterpret_cast<const char*>(plan.data()), plan.size()});
        break;
      }
      case Act::Count: break;
    }
  }

  // The memory that the input has not taken from it serves a queue of its own.
  void check_that_it_goes_on() {
    (void)transport_->clear_faults();
    (void)transport_->dma_unmap(io_, kMemory);
    // An act maps one page at most: one of these places is free.
    for (unsigned place = 0; place <= kActs; ++place) {
      io_ = std::uint64_t{place} << 20;
      if (map(io_, memory_)) break;
    }
    transport_->write_register64(D1_REG_CONTROL, D1_CONTROL_ENABLE);
    open_queue(kLastQueue);
    submit(kLastQueue, {});  // all zero is a fence
    const auto deadline = d1::driver::Clock::now() + 20s;
    while (!completed(kLastQueue) && d1::driver::Clock::now() < deadline) wait(kLastQueue, 100ms);
    require(completed(kLastQueue), "A fence on a new queue does not complete.");
    require(completion_of(kLastQueue).status == D1_STATUS_OK, "A fence on a new queue fails.");
  }

 private:
  static constexpr std::size_t kRingBytes = 0x1000;  // a queue's two rings
  static constexpr std::size_t kRings = 0x10000;     // of all queues

  d1::Result<> map(std::uint64_t address, std::vector<std::uint8_t>& memory) {
    return transport_->dma_map(address, {memory.data(), memory.size()},
                               d1::driver::DmaAccess::DeviceReadsAndWrites);
  }

  void open_queue(unsigned queue) {
    const std::uint32_t base = D1_REG_QUEUE_BASE + queue * D1_QUEUE_STRIDE;
    const std::size_t rings = queue * kRingBytes;
    transport_->write_register64(base + D1_QUEUE_ENABLE, 0);
    std::memset(memory_.data() + rings, 0, kRingBytes);
    transport_->write_register64(base + D1_QUEUE_SUBMISSION, io_ + rings);
    transport_->write_register64(base + D1_QUEUE_COMPLETION, io_ + rings + kRingBytes / 2);
    transport_->write_register64(base + D1_QUEUE_ENTRIES, kEntries);
    transport_->write_register64(base + D1_QUEUE_VECTOR, queue);
    transport_->write_register64(base + D1_QUEUE_ENABLE, 1);
    tails_[queue] = 0;
  }

  void submit(unsigned queue, const std::array<std::uint8_t, 64>& command) {
    std::memcpy(memory_.data() + queue * kRingBytes + tails_[queue] * command.size(),
                command.data(), command.size());
    // What was submitted before counts as completed and read.
    transport_->ring_doorbell32(D1_REG_DOORBELL_BASE + queue * 8 + 4, tails_[queue]);
    tails_[queue] = (tails_[queue] + 1) % kEntries;
    seen_ = transport_->interrupt_count(queue);
    transport_->ring_doorbell32(D1_REG_DOORBELL_BASE + queue * 8, tails_[queue]);
  }

  void wait(unsigned vector, std::chrono::milliseconds limit) {
    transport_->wait_for_interrupt(vector, seen_, d1::driver::Clock::now() + limit);
    seen_ = transport_->interrupt_count(vector);
  }

  [[nodiscard]] d1_completion completion_of(unsigned queue) const {
    d1_completion first;
    std::memcpy(&first, memory_.data() + queue * kRingBytes + kRingBytes / 2, sizeof(first));
    return first;
  }
  // The first command since the queue was opened.
  [[nodiscard]] bool completed(unsigned queue) const { return completion_of(queue).phase == 1; }

  std::vector<std::uint8_t> memory_, extra_;
  std::uint64_t io_ = kIo;
  std::array<std::uint32_t, D1_QUEUE_PAIRS> tails_{};
  std::uint64_t seen_ = 0;  // interrupts of the queue used last
  std::unique_ptr<d1::driver::Transport> transport_;  // last: it reaches into the memory
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  Input input(data, bytes);
  Host host;
  for (unsigned i = 0; i < kActs && !input.empty(); ++i) host.act(input);
  host.check_that_it_goes_on();
  return 0;
}
