// SPDX-License-Identifier: Apache-2.0
#include "rig/replayer.hpp"

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <cstring>
#include <thread>
#include <utility>

#include "rig/traffic.hpp"

namespace d1::hil {

namespace {

constexpr std::uint64_t kMostPeek = std::uint64_t{1} << 30;  // bytes of device memory at once

// Of rows that add up to {"bytes"}; one of no size, for which there is no memory, if they do not.
IoRange range_of(const Replayer::Json& about) {
  const std::uint64_t bytes = about.at("bytes"), rows = about.value("rows", std::uint64_t{1});
  IoRange range{about.at("iova"), bytes, rows, about.value("pitch", std::uint64_t{0})};
  if (rows == 0 || bytes % rows != 0 || (rows > 1 && range.pitch <= bytes / rows)) range.rows = 0;
  else range.row_bytes = bytes / rows;
  return range;
}

}  // namespace

void Replayer::close() {
  for (unsigned index = 0; index < queues_.size(); ++index) {
    if (!std::exchange(queues_[index].enabled, false)) continue;
    const std::uint32_t reg = D1_REG_QUEUE_BASE + index * D1_QUEUE_STRIDE + D1_QUEUE_ENABLE;
    transport_.write_register64(reg, 0);
  }
  for (const auto& [iova, memory] : maps_)
    (void)transport_.dma_unmap(iova, memory.memory().bytes);
  maps_.clear();
}

std::string Replayer::beyond(const Json& line) {
  if (line.at("kind") != "rig") return {};
  const std::string did = line.at("did");
  return did == "kill" || did.starts_with("power") ? did : std::string();
}

Result<> Replayer::play(const Json& line) {
  const std::string kind = line.at("kind");
  if (kind == "map") return map(line);
  if (kind == "unmap") return unmap(line);
  if (kind == "register") return write_register(line);
  if (kind == "command") return submit(line);
  if (kind == "completion") return complete(line);
  if (kind == "peek") return peek(line);
  if (kind == "close") {
    close();
  } else if (kind == "reset") {
    transport_.write_register64(D1_REG_CONTROL, 0);
    for (Queue& queue : queues_) queue.enabled = false;
  } else if (kind == "doorbell") {
    const std::uint32_t queue = line.at("queue");
    if (queue >= D1_QUEUE_PAIRS) return fail(ErrorKind::Invalid, "The record names no queue.");
    transport_.ring_doorbell32(D1_REG_DOORBELL_BASE + 8 * queue, line.at("tail"));
  } else if (kind == "poke") {
    const std::string_view bytes = bytes_of(line);
    return transport_.write_aperture(line.at("address"), bytes.data(), bytes.size());
  }
  return {};  // interrupts come by themselves, and faults are the recorded device's
}

std::string_view Replayer::bytes_of(const Json& about) const {
  return payload_.substr(about.at("at").get<std::size_t>(), about.at("bytes").get<std::size_t>());
}

std::byte* Replayer::memory_at(std::uint64_t iova, std::uint64_t bytes) const {
  const auto after = maps_.upper_bound(iova);
  if (after == maps_.begin()) return nullptr;
  const auto& [begin, memory] = *std::prev(after);
  const std::uint64_t offset = iova - begin, size = memory.memory().bytes;
  return offset > size || bytes > size - offset ? nullptr : memory.data() + offset;
}

std::byte* Replayer::memory_at(const IoRange& range) const {
  const auto extent = range.extent();
  return extent ? memory_at(range.iova, *extent) : nullptr;
}

Result<> Replayer::map(const Json& line) {
  auto memory = SharedMemory::make(line.at("bytes"));
  if (!memory) return std::unexpected(std::move(memory.error()));
  const auto access = line.at("writes").get<bool>() ? driver::DmaAccess::DeviceReadsAndWrites
                                                    : driver::DmaAccess::DeviceReads;
  auto mapped = transport_.dma_map(line.at("iova"), memory->memory(), access);
  if (mapped) maps_[line.at("iova")] = std::move(*memory);
  return mapped;
}

Result<> Replayer::unmap(const Json& line) {
  maps_.erase(line.at("iova").get<std::uint64_t>());
  return transport_.dma_unmap(line.at("iova"), line.at("bytes"));
}

Result<> Replayer::write_register(const Json& line) {
  const std::uint32_t offset = line.at("offset");
  const std::uint64_t value = line.at("value");
  transport_.write_register64(offset, value);
  const std::uint32_t index = (offset - D1_REG_QUEUE_BASE) / D1_QUEUE_STRIDE;
  if (offset == D1_REG_CONTROL && value == D1_CONTROL_ENABLE) {
    while ((transport_.read_register64(D1_REG_STATUS) & D1_STATUS_READY) == 0) {
      if (driver::Clock::now() >= deadline_)
        return fail(ErrorKind::Timeout, "The device was enabled and is not ready in time.");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  if (offset < D1_REG_QUEUE_BASE || index >= D1_QUEUE_PAIRS) return {};
  Queue& queue = queues_[index];
  switch (offset % D1_QUEUE_STRIDE) {
    case D1_QUEUE_SUBMISSION: queue.submission = value; break;
    case D1_QUEUE_COMPLETION: queue.completion = value; break;
    case D1_QUEUE_ENTRIES: queue.entries = value; break;
    case D1_QUEUE_VECTOR: queue.vector = static_cast<unsigned>(value % D1_MSIX_VECTORS); break;
    case D1_QUEUE_ENABLE:
      queue.enabled = value == 1;
      queue.submitted = queue.completed = 0;
      queue.phase = 1;
      break;
    default: break;
  }
  return {};
}

Result<> Replayer::submit(const Json& line) {
  for (const Json& about : line.at("data")) {
    const IoRange range = range_of(about);
    std::byte* memory = memory_at(range);
    if (memory == nullptr)
      return fail(ErrorKind::Invalid, "The record reads memory that it has not mapped.");
    scatter(memory, range, bytes_of(about).data());
  }
  const unsigned index = line.at("queue");
  const std::string text = line.at("bytes");
  if (index >= queues_.size() || text.size() != 128)
    return fail(ErrorKind::Invalid, "The record has a command of no queue, or not of 64 bytes.");
  Queue& queue = queues_[index];
  std::byte* entry = memory_at(queue.submission + queue.submitted * 64, 64);
  if (entry == nullptr || queue.entries == 0)
    return fail(ErrorKind::Invalid, "The record has a command for a queue that has no ring.");
  for (std::size_t i = 0; i < 64; ++i) {
    unsigned byte = 0;
    std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, byte, 16);
    entry[i] = static_cast<std::byte>(byte);
  }
  queue.submitted = static_cast<std::uint32_t>((queue.submitted + 1) & (queue.entries - 1));
  names_[{index, line.at("id").get<unsigned>()}] = line.at("name");
  ++result_.commands;
  return {};
}

Result<d1_completion*> Replayer::next_completion(unsigned index) {
  Queue& queue = queues_[index];
  std::byte* place =
      memory_at(queue.completion + queue.completed * sizeof(d1_completion), sizeof(d1_completion));
  if (place == nullptr)
    return fail(ErrorKind::Invalid, "The record has a completion for a queue that has no ring.");
  auto* entry = reinterpret_cast<d1_completion*>(place);
  for (;;) {
    const std::uint64_t seen = transport_.interrupt_count(queue.vector);
    // Pairs with the device's release of the phase, which it writes last.
    if (std::atomic_ref(entry->phase).load(std::memory_order_acquire) == queue.phase) return entry;
    if (transport_.lost() || driver::Clock::now() >= deadline_)
      return fail(transport_.lost() ? ErrorKind::DeviceLost : ErrorKind::Timeout,
                  fmt::format("The device did not complete a command of queue {}, which it did "
                              "when this was recorded.",
                              index));
    transport_.wait_for_interrupt(
        queue.vector, seen, std::min(deadline_, driver::after(driver::limits::kLivenessPoll)));
  }
}

Result<> Replayer::complete(const Json& line) {
  const unsigned index = line.at("queue");
  if (index >= queues_.size()) return fail(ErrorKind::Invalid, "The record names no queue.");
  Queue& queue = queues_[index];
  auto entry = next_completion(index);
  if (!entry) return std::unexpected(std::move(entry.error()));
  compare(line, **entry);
  queue.completed = static_cast<std::uint32_t>((queue.completed + 1) & (queue.entries - 1));
  if (queue.completed == 0) queue.phase ^= 1;
  transport_.ring_doorbell32(D1_REG_DOORBELL_BASE + 8 * index + 4, queue.completed);
  return {};
}

void Replayer::compare(const Json& line, const d1_completion& entry) {
  const unsigned queue = line.at("queue");
  const std::string name = names_[{queue, line.at("id").get<unsigned>()}];
  const std::string which = fmt::format("Command {} ({}) of queue {}", entry.id, name, queue);
  const auto status = line.at("status").get<std::uint16_t>();
  const auto detail = line.at("detail").get<std::uint64_t>();
  if (entry.id != line.at("id").get<std::uint16_t>())
    result_.differences.push_back(fmt::format("{} was completed where command {} was before.",
                                              which, line.at("id").get<unsigned>()));
  else if (entry.status != status)
    result_.differences.push_back(fmt::format("{} ended with status {}; before it was {}.", which,
                                              entry.status, status));
  else if (entry.detail != detail)
    result_.differences.push_back(fmt::format("{} ended with detail {:#x}; before it was {:#x}.",
                                              which, entry.detail, detail));
  for (const Json& about : line.at("data")) {
    const IoRange range = range_of(about);
    const std::byte* memory = memory_at(range);
    if (memory != nullptr &&
        hash_of(gather(memory, range)) != about.at("hash").get<std::uint64_t>())
      result_.differences.push_back(
          fmt::format("{} wrote other bytes ({} at I/O address {:#x}) than before.", which,
                      range.bytes(), range.iova));
  }
}

Result<> Replayer::peek(const Json& line) {
  if (line.at("bytes").get<std::uint64_t>() > kMostPeek)
    return fail(ErrorKind::Invalid, "The record reads more device memory than one can hold.");
  std::vector<std::byte> bytes(line.at("bytes").get<std::size_t>());
  const std::uint64_t address = line.at("address");
  auto done = transport_.read_aperture(address, bytes.data(), bytes.size());
  if (done && hash_of(bytes) != line.at("hash").get<std::uint64_t>())
    result_.differences.push_back(
        fmt::format("The {} bytes at device address {:#x} are not what they were.", bytes.size(),
                    address));
  return done;
}

}  // namespace d1::hil
