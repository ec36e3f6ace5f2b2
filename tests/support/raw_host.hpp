// SPDX-License-Identifier: Apache-2.0
// A host of the barest kind, for tests of the device itself: one block of DMA memory, one queue
// pair, commands as they stand in d1/abi/commands.h, no driver. One thread.
#pragma once

#include <elf.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <d1/abi/commands.h>
#include <d1/abi/mailbox.h>
#include <d1/abi/registers.h>
#include <d1/emulator/device.hpp>

namespace d1::emulator::test {

class RawHost {
 public:
  static constexpr std::uint64_t kIo = 0x100000;  // I/O address of memory()
  static constexpr std::uint32_t kEntries = 16;   // small, so that rings wrap in every test
  static constexpr std::uint64_t kCompletions = 0x10000, kLaunch = 0x20000, kReport = 0x30000,
                                 kLog = 0x40000, kFree = 0x100000;
  static constexpr std::uint64_t kLogBytes = 0x10000;

  explicit RawHost(DeviceOptions options = {}) : memory_(8 << 20) {
    auto made = Device::create(std::move(options));
    if (!made) throw std::runtime_error(made.error().to_string());
    device_ = std::move(*made);
    if (!device_->dma_map(kIo, memory_.data(), memory_.size(), DmaAccess::Write))
      throw std::runtime_error("DMA map");
    device_->write_register(D1_REG_LOG_BYTES, kLogBytes);
    device_->write_register(D1_REG_LOG_BASE, kIo + kLog);
    device_->write_register(D1_REG_CONTROL, D1_CONTROL_ENABLE);
    open_queue(0);
  }

  Device& device() { return *device_; }
  std::uint8_t* memory(std::uint64_t offset) { return memory_.data() + offset; }
  const d1_launch_report& report() const {
    return *reinterpret_cast<const d1_launch_report*>(memory_.data() + kReport);
  }

  // Queues use 64 KiB of memory each, further ones from 4 MiB on.
  void open_queue(unsigned index) {
    const std::uint64_t base = place(index);
    const auto write = [&](unsigned reg, std::uint64_t value) {
      device_->write_register(D1_REG_QUEUE_BASE + index * D1_QUEUE_STRIDE + reg, value);
    };
    std::memset(memory(base + kCompletions), 0, kEntries * sizeof(d1_completion));
    write(D1_QUEUE_SUBMISSION, kIo + base);
    write(D1_QUEUE_COMPLETION, kIo + base + kCompletions);
    write(D1_QUEUE_ENTRIES, kEntries);
    write(D1_QUEUE_VECTOR, index);
    write(D1_QUEUE_ENABLE, 1);
    queues_[index] = {};
  }

  template <typename Command>
  std::uint16_t submit(Command command, unsigned index = 0) {
    static_assert(sizeof(Command) == 64);
    Queue& queue = queues_[index];
    command.header.id = next_id_++;
    std::memcpy(memory(place(index) + queue.tail * sizeof(command)), &command, sizeof(command));
    queue.tail = (queue.tail + 1) % kEntries;
    device_->ring_doorbell(D1_REG_DOORBELL_BASE + index * 8, queue.tail);
    return command.header.id;
  }

  // True when the next completion of the queue is there.
  bool completed(unsigned index = 0) {
    Queue& queue = queues_[index];
    d1_completion* entry = next(index);
    const std::uint16_t phase = queue.seen / kEntries % 2 == 0 ? 1 : 0;
    return std::atomic_ref<std::uint16_t>(entry->phase).load(std::memory_order_acquire) == phase;
  }

  d1_completion wait(unsigned index = 0,
                     std::chrono::milliseconds limit = std::chrono::seconds(60)) {
    device_->run([&] { return completed(index); }, std::chrono::steady_clock::now() + limit);
    if (!completed(index)) throw std::runtime_error("no completion within the limit");
    Queue& queue = queues_[index];
    const d1_completion completion = *next(index);
    ++queue.seen;
    device_->ring_doorbell(D1_REG_DOORBELL_BASE + index * 8 + 4, queue.seen % kEntries);
    return completion;
  }

  template <typename Command>
  d1_completion run(Command command) {
    submit(command);
    return wait();
  }

  // Loads a program's segments on all nodes of a grid; remembers its symbols.
  void load(std::span<const std::byte> elf, std::uint32_t grid = 0) {
    const auto* file = reinterpret_cast<const std::uint8_t*>(elf.data());
    Elf64_Ehdr header;
    std::memcpy(&header, file, sizeof(header));
    for (unsigned i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment;
      std::memcpy(&segment, file + header.e_phoff + i * sizeof(segment), sizeof(segment));
      if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
      std::memcpy(memory(kFree), file + segment.p_offset, segment.p_filesz);
      d1_program program{};
      program.header.opcode = D1_COMMAND_PROGRAM;
      program.header.grid = grid;
      program.header.flags = (segment.p_flags & PF_X) != 0 ? D1_PROGRAM_EXECUTABLE : 0;
      program.source = kIo + kFree;
      program.file_bytes = segment.p_filesz;
      program.memory_bytes = segment.p_memsz;
      program.offset = segment.p_vaddr;
      if (run(program).status != D1_STATUS_OK) throw std::runtime_error("loading the program");
    }
    read_symbols(file, header);
  }

  std::uint64_t symbol(const std::string& name) const { return symbols_.at(name); }

  d1_launch_command launch_command(const std::string& kernel, std::uint32_t grid,
                                   const std::vector<std::uint64_t>& arguments = {},
                                   std::uint32_t harts = 1) {
    d1_launch launch{};
    launch.entry = symbol(kernel);
    launch.harts = harts;
    launch.stack_bytes = D1_STACK_BYTES;
    launch.arguments = static_cast<std::uint32_t>(arguments.size());
    for (std::size_t i = 0; i < arguments.size(); ++i) launch.argument[i] = arguments[i];
    std::memcpy(memory(kLaunch), &launch, sizeof(launch));
    d1_launch_command command{};
    command.header.opcode = D1_COMMAND_LAUNCH;
    command.header.grid = grid;
    command.launch = kIo + kLaunch;
    command.report = kIo + kReport;
    return command;
  }

  d1_completion launch(const std::string& kernel, std::uint32_t grid,
                       const std::vector<std::uint64_t>& arguments = {}, std::uint32_t harts = 1) {
    return run(launch_command(kernel, grid, arguments, harts));
  }

  d1_completion define_grid(std::uint32_t handle, std::uint32_t rows, std::uint32_t columns,
                            std::uint32_t first_row = 0, std::uint32_t first_column = 0) {
    d1_grid_command command{};
    command.header.opcode = D1_COMMAND_GRID;
    command.header.flags = D1_GRID_DEFINE;
    command.header.grid = handle;
    command.first_row = first_row;
    command.first_column = first_column;
    command.rows = rows;
    command.columns = columns;
    return run(command);
  }

  // Nodes of a grid by rank: die << 16 | node.
  std::vector<std::uint32_t> topology(std::uint32_t grid) {
    d1_query query{};
    query.header.opcode = D1_COMMAND_QUERY;
    query.header.grid = grid;
    query.destination = kIo + kFree;
    query.bytes = 1 << 20;
    query.kind = D1_QUERY_TOPOLOGY;
    const d1_completion completion = run(query);
    std::vector<std::uint32_t> nodes(completion.detail / sizeof(std::uint32_t));
    std::memcpy(nodes.data(), memory(kFree), completion.detail);
    return nodes;
  }

  template <typename T>
  T read(std::uint32_t place, std::uint32_t offset) {
    T value{};
    read_bytes(place, offset, {reinterpret_cast<std::uint8_t*>(&value), sizeof(value)});
    return value;
  }
  void read_bytes(std::uint32_t place, std::uint32_t offset, std::span<std::uint8_t> bytes) {
    const auto result =
        device_->read_memory(d1_node_address(place >> 16, place & 0xffff, offset), bytes);
    if (!result) throw std::runtime_error(result.error().to_string());
  }
  void write_bytes(std::uint32_t place, std::uint32_t offset,
                   std::span<const std::uint8_t> bytes) {
    const auto result =
        device_->write_memory(d1_node_address(place >> 16, place & 0xffff, offset), bytes);
    if (!result) throw std::runtime_error(result.error().to_string());
  }

 private:
  struct Queue {
    std::uint32_t tail = 0;
    std::uint32_t seen = 0;
  };

  static std::uint64_t place(unsigned index) {
    return index == 0 ? 0 : (4 << 20) + std::uint64_t{index} * 0x20000;
  }
  d1_completion* next(unsigned index) {
    return reinterpret_cast<d1_completion*>(memory(place(index) + kCompletions)) +
           queues_[index].seen % kEntries;
  }
  void read_symbols(const std::uint8_t* file, const Elf64_Ehdr& header) {
    const auto section = [&](unsigned index) {
      Elf64_Shdr found;
      std::memcpy(&found, file + header.e_shoff + index * sizeof(found), sizeof(found));
      return found;
    };
    for (unsigned i = 0; i < header.e_shnum; ++i) {
      const Elf64_Shdr table = section(i);
      if (table.sh_type != SHT_SYMTAB) continue;
      const char* names = reinterpret_cast<const char*>(file) + section(table.sh_link).sh_offset;
      for (std::uint64_t at = 0; at < table.sh_size; at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        std::memcpy(&symbol, file + table.sh_offset + at, sizeof(symbol));
        symbols_[names + symbol.st_name] = symbol.st_value;
      }
    }
  }

  std::vector<std::uint8_t> memory_;
  std::unique_ptr<Device> device_;
  std::map<unsigned, Queue> queues_;
  std::map<std::string, std::uint64_t> symbols_;
  std::uint16_t next_id_ = 1;
};

}  // namespace d1::emulator::test
