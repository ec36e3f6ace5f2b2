// SPDX-License-Identifier: Apache-2.0
// Requests of the debug interface by name. How they get to the device is each target's own.
#include <d1/driver/debug_target.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace d1::driver {
namespace {

std::unexpected<Error> wrong_size(d1_debug_verb verb, std::size_t bytes, std::string_view wanted) {
  return fail(ErrorKind::Protocol,
              fmt::format("The device answered request {} of the debug interface with {} bytes; {} "
                          "were to come. Use a tool of the same build as the device.",
                          static_cast<unsigned>(verb), bytes, wanted));
}

Result<> check_amount(std::uint64_t bytes) {
  if (bytes <= D1_DEBUG_MAX_BYTES) return {};
  return fail(ErrorKind::Invalid,
              fmt::format("{} bytes are more than the debug interface carries at once; ask for {} "
                          "at most.",
                          bytes, D1_DEBUG_MAX_BYTES));
}

// A single record, and nothing else.
template <typename Record>
Result<Record> record_of(d1_debug_verb verb, const Result<std::vector<std::byte>>& data) {
  if (!data) return std::unexpected(data.error());
  if (data->size() != sizeof(Record))
    return wrong_size(verb, data->size(), std::to_string(sizeof(Record)));
  Record record;
  std::memcpy(&record, data->data(), sizeof record);
  return record;
}

// A head that counts the records behind it.
template <typename Head, typename Record>
Result<> split(d1_debug_verb verb, std::span<const std::byte> data, Head& head,
               std::uint32_t Head::*count, std::vector<Record>& records) {
  if (data.size() < sizeof head)
    return wrong_size(verb, data.size(), fmt::format("{} or more", sizeof head));
  std::memcpy(&head, data.data(), sizeof head);
  const std::span<const std::byte> rest = data.subspan(sizeof head);
  if (rest.size() != std::uint64_t{head.*count} * sizeof(Record))
    return wrong_size(verb, data.size(),
                      fmt::format("{} and {} times {}", sizeof head, head.*count, sizeof(Record)));
  records.resize(head.*count);
  if (!records.empty()) std::memcpy(records.data(), rest.data(), rest.size());
  return {};
}

}  // namespace

Result<std::vector<std::byte>> DebugTarget::data_of(d1_debug_verb verb,
                                                    std::array<std::uint64_t, 4> arguments,
                                                    std::span<const std::byte> data) {
  d1_debug_request request{D1_DEBUG_MAGIC, static_cast<std::uint32_t>(verb), data.size(), {}};
  std::ranges::copy(arguments, request.argument);
  Result<Answer> answer = ask(request, data);
  if (!answer) return std::unexpected(std::move(answer.error()));
  cycle_ = answer->cycle;
  return std::move(answer->data);
}

template <typename Record>
Result<std::vector<Record>> DebugTarget::records_of(d1_debug_verb verb,
                                                    std::array<std::uint64_t, 4> arguments,
                                                    std::span<const std::byte> data) {
  const Result<std::vector<std::byte>> bytes = data_of(verb, arguments, data);
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->size() % sizeof(Record) != 0)
    return wrong_size(verb, bytes->size(), fmt::format("a multiple of {}", sizeof(Record)));
  std::vector<Record> records(bytes->size() / sizeof(Record));
  if (!records.empty()) std::memcpy(records.data(), bytes->data(), bytes->size());
  return records;
}

Result<d1_debug_machine> DebugTarget::machine() {
  const auto data = data_of(D1_DEBUG_MACHINE);
  // The version stands first in every version, and may change the size of what follows.
  std::uint32_t version = D1_DEBUG_VERSION;
  if (data && data->size() >= sizeof version) std::memcpy(&version, data->data(), sizeof version);
  if (version != D1_DEBUG_VERSION)
    return fail(ErrorKind::Unsupported,
                fmt::format("The device speaks version {} of the debug interface, this tool "
                            "version {}; use a tool of the same build as the device.",
                            version, D1_DEBUG_VERSION));
  Result<d1_debug_machine> machine = record_of<d1_debug_machine>(D1_DEBUG_MACHINE, data);
  if (machine) machine->name[sizeof machine->name - 1] = 0;
  return machine;
}

Result<std::vector<d1_debug_node>> DebugTarget::nodes() {
  return records_of<d1_debug_node>(D1_DEBUG_NODES);
}

Result<std::vector<d1_debug_hart>> DebugTarget::harts(std::span<const DebugPlace> places) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(places.size());
  for (const DebugPlace& place : places) numbers.push_back(place.die << 16 | place.node);
  return records_of<d1_debug_hart>(D1_DEBUG_HARTS, {}, std::as_bytes(std::span(numbers)));
}

Result<DebugRegisters> DebugTarget::registers(DebugPlace place, unsigned hart) {
  const auto data = data_of(D1_DEBUG_REGISTERS, {place.die, place.node, hart, 0});
  if (!data) return std::unexpected(data.error());
  DebugRegisters registers;
  if (auto done = split(D1_DEBUG_REGISTERS, *data, registers.values, &d1_debug_registers::csrs,
                        registers.csrs);
      !done)
    return std::unexpected(std::move(done.error()));
  return registers;
}

Result<> DebugTarget::set_register(DebugPlace place, unsigned hart, d1_debug_register_set set,
                                   unsigned number, std::span<const std::byte> value) {
  const std::size_t wanted = set == D1_DEBUG_SET_V ? 64 : 8;
  if (value.size() != wanted)
    return fail(ErrorKind::Invalid,
                fmt::format("A register of this set takes {} bytes; {} were given.", wanted,
                            value.size()));
  const auto data = data_of(
      D1_DEBUG_SET_REGISTER,
      {place.die, place.node, hart, std::uint64_t{static_cast<unsigned>(set)} << 16 | number},
      value);
  if (!data) return std::unexpected(data.error());
  return {};
}

Result<std::vector<std::byte>> DebugTarget::read(std::uint64_t address, std::uint64_t bytes) {
  if (auto fits = check_amount(bytes); !fits) return std::unexpected(std::move(fits.error()));
  auto data = data_of(D1_DEBUG_READ, {address, bytes, 0, 0});
  if (data && data->size() != bytes)
    return wrong_size(D1_DEBUG_READ, data->size(), std::to_string(bytes));
  return data;
}

Result<> DebugTarget::write(std::uint64_t address, std::span<const std::byte> bytes) {
  if (auto fits = check_amount(bytes.size()); !fits) return fits;
  const auto data = data_of(D1_DEBUG_WRITE, {address, 0, 0, 0}, bytes);
  if (!data) return std::unexpected(data.error());
  return {};
}

Result<d1_debug_node_state> DebugTarget::node(DebugPlace place) {
  return record_of<d1_debug_node_state>(D1_DEBUG_NODE,
                                        data_of(D1_DEBUG_NODE, {place.die, place.node, 0, 0}));
}

Result<std::vector<d1_debug_launch>> DebugTarget::launches() {
  return records_of<d1_debug_launch>(D1_DEBUG_LAUNCHES);
}

Result<std::vector<d1_debug_queue>> DebugTarget::queues() {
  return records_of<d1_debug_queue>(D1_DEBUG_QUEUES);
}

Result<std::vector<d1_debug_program>> DebugTarget::programs() {
  return records_of<d1_debug_program>(D1_DEBUG_PROGRAMS);
}

Result<std::vector<std::byte>> DebugTarget::elf(std::uint64_t program) {
  return data_of(D1_DEBUG_ELF, {program, 0, 0, 0});
}

Result<> DebugTarget::halt() {
  const auto data = data_of(D1_DEBUG_HALT);
  if (!data) return std::unexpected(data.error());
  return {};
}

Result<> DebugTarget::resume() {
  const auto data = data_of(D1_DEBUG_CONTINUE);
  if (!data) return std::unexpected(data.error());
  return {};
}

Result<DebugVerdict> DebugTarget::verdict() {
  const auto data = data_of(D1_DEBUG_STUCK);
  if (!data) return std::unexpected(data.error());
  DebugVerdict verdict;
  if (auto done = split(D1_DEBUG_STUCK, *data, verdict.head, &d1_debug_verdict::waits,
                        verdict.waits);
      !done)
    return std::unexpected(std::move(done.error()));
  return verdict;
}

}  // namespace d1::driver
