// SPDX-License-Identifier: Apache-2.0
#include "machine_grid.hpp"

#include <atomic>
#include <cstring>

#include <d1/abi/memory_map.h>

namespace d1::test {

namespace {

constexpr std::uint64_t kStagingBytes = 4 << 20;

template <typename T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  return std::move(*result);
}
void must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().to_string());
}

}  // namespace

MachineGrid::MachineGrid(emulator::DeviceOptions options, std::uint32_t rows, std::uint32_t columns)
    : device_(must(emulator::Device::create(std::move(options)))) {
  const std::uint64_t nodes = device_->read_register(D1_REG_NODES);
  std::uint64_t next = kEntries * (sizeof(d1_copy) + sizeof(d1_completion));
  const auto take = [&next](std::uint64_t bytes) {
    const std::uint64_t offset = (next + 63) & ~63ull;
    next = offset + bytes;
    return offset;
  };
  launch_at_ = take(sizeof(d1_launch));
  report_at_ = take(sizeof(d1_launch_report));
  topology_at_ = take(nodes * sizeof(std::uint32_t));
  log_at_ = take(kLogBytes);
  staging_at_ = take(kStagingBytes);
  host_ = std::make_unique<std::uint8_t[]>(next);
  report_ = at<d1_launch_report>(report_at_);
  must(device_->dma_map(kHostBase, host_.get(), next, emulator::DmaAccess::Write));

  device_->write_register(D1_REG_CONTROL, D1_CONTROL_ENABLE);
  const auto queue = [this](d1_queue_register reg, std::uint64_t value) {
    device_->write_register(static_cast<std::uint32_t>(D1_REG_QUEUE_BASE) + reg, value);
  };
  queue(D1_QUEUE_SUBMISSION, kHostBase);
  queue(D1_QUEUE_COMPLETION, kHostBase + kEntries * sizeof(d1_copy));
  queue(D1_QUEUE_ENTRIES, kEntries);
  queue(D1_QUEUE_VECTOR, 0);
  queue(D1_QUEUE_ENABLE, 1);
  device_->write_register(D1_REG_LOG_BASE, kHostBase + log_at_);
  device_->write_register(D1_REG_LOG_BYTES, kLogBytes);

  if (rows != 0) {
    grid_ = 1;
    d1_grid_command define{};
    define.header = {D1_COMMAND_GRID, D1_GRID_DEFINE, 0, grid_};
    define.rows = rows;
    define.columns = columns;
    run(define);
  }
  d1_query topology{};
  topology.header = {D1_COMMAND_QUERY, 0, 0, grid_};
  topology.destination = kHostBase + topology_at_;
  topology.bytes = nodes * sizeof(std::uint32_t);
  topology.kind = D1_QUERY_TOPOLOGY;
  const std::uint64_t bytes = run(topology).detail;
  places_.assign(at<std::uint32_t>(topology_at_), at<std::uint32_t>(topology_at_ + bytes));
}

template <typename Command>
const d1_completion& MachineGrid::run(Command command) {
  static_assert(sizeof command == sizeof(d1_copy));
  const std::uint32_t slot = tail_++ % kEntries;
  std::memcpy(host_.get() + slot * sizeof command, &command, sizeof command);
  auto* const entry = at<d1_completion>(kEntries * sizeof command + slot * sizeof(d1_completion));
  const auto landed = [&] {
    return std::atomic_ref(entry->phase).load(std::memory_order_acquire) == phase_;
  };
  device_->ring_doorbell(D1_REG_DOORBELL_BASE, tail_ % kEntries);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!landed()) {
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("a command did not complete in time");
    device_->run(landed, deadline);
  }
  if (slot + 1 == kEntries) phase_ ^= 1;
  completion_ = *entry;
  device_->ring_doorbell(D1_REG_DOORBELL_BASE + 4, tail_ % kEntries);
  if (completion_.status != D1_STATUS_OK && command.header.opcode != D1_COMMAND_LAUNCH)
    throw std::runtime_error("command " + std::to_string(command.header.opcode) +
                             " ended with status " + std::to_string(completion_.status));
  return completion_;
}

void MachineGrid::load(std::uint64_t offset, std::span<const std::uint8_t> file,
                       std::uint64_t memory_bytes, bool executable) {
  std::copy(file.begin(), file.end(), at<std::uint8_t>(staging_at_));
  d1_program program{};
  const auto flags = static_cast<std::uint8_t>(executable ? D1_PROGRAM_EXECUTABLE : 0);
  program.header = {D1_COMMAND_PROGRAM, flags, 0, grid_};
  program.source = kHostBase + staging_at_;
  program.file_bytes = file.size();
  program.memory_bytes = memory_bytes;
  program.offset = offset;
  run(program);
}

bool MachineGrid::launch(d1_launch launch) {
  std::memcpy(at<d1_launch>(launch_at_), &launch, sizeof launch);
  d1_launch_command command{};
  command.header = {D1_COMMAND_LAUNCH, 0, 0, grid_};
  command.launch = kHostBase + launch_at_;
  command.report = kHostBase + report_at_;
  return run(command).status == D1_STATUS_OK;
}

void MachineGrid::write(std::uint32_t rank, std::uint64_t offset,
                        std::span<const std::uint8_t> bytes) {
  const std::uint32_t place = places_.at(rank);
  must(device_->write_memory(
      d1_node_address(place >> 16, place & 0xffff, static_cast<std::uint32_t>(offset)), bytes));
}

void MachineGrid::read(std::uint32_t rank, std::uint64_t offset, std::span<std::uint8_t> bytes) {
  const std::uint32_t place = places_.at(rank);
  must(device_->read_memory(
      d1_node_address(place >> 16, place & 0xffff, static_cast<std::uint32_t>(offset)), bytes));
}

void MachineGrid::write_hbm(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  must(device_->write_memory(d1_hbm_address(offset), bytes));
}

void MachineGrid::read_hbm(std::uint64_t offset, std::span<std::uint8_t> bytes) {
  must(device_->read_memory(d1_hbm_address(offset), bytes));
}

void MachineGrid::read_log() {
  const std::uint64_t head = device_->read_register(D1_REG_LOG_HEAD);
  while (log_tail_ != head) {
    const std::uint64_t place = log_tail_ % kLogBytes;
    const auto* const record = at<d1_log_record>(log_at_ + place);
    if (record->bytes == D1_LOG_SKIP) {
      log_tail_ += kLogBytes - place;
      continue;
    }
    printed_[record->rank].append(reinterpret_cast<const char*>(record + 1), record->bytes);
    log_tail_ += sizeof *record + ((record->bytes + 7) & ~7u);
  }
  device_->write_register(D1_REG_LOG_TAIL, log_tail_);
}

std::string MachineGrid::printed(std::uint32_t rank) {
  read_log();
  return printed_[rank];
}

}  // namespace d1::test
