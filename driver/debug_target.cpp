// SPDX-License-Identifier: Apache-2.0
// What a tool asks, as requests of the debug interface.
#include <d1/driver/debug_target.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace d1::driver {
namespace {

template <typename Record>
std::unexpected<Error> odd_size(std::size_t bytes) {
  return fail(ErrorKind::Protocol,
              fmt::format("The device answered with {} bytes where records have {} each; it may be "
                          "of another version than this tool.",
                          bytes, sizeof(Record)));
}

// The first record of an answer, which may go on behind it.
template <typename Record>
Result<Record> first_of(const Result<std::vector<std::byte>>& data) {
  if (!data) return std::unexpected(data.error());
  if (data->size() < sizeof(Record)) return odd_size<Record>(data->size());
  Record record;
  std::memcpy(&record, data->data(), sizeof record);
  return record;
}

template <typename Record>
Result<std::vector<Record>> all_of(std::span<const std::byte> data) {
  if (data.size() % sizeof(Record) != 0) return odd_size<Record>(data.size());
  std::vector<Record> records(data.size() / sizeof(Record));
  if (!records.empty()) std::memcpy(records.data(), data.data(), data.size());
  return records;
}

Result<> done(const Result<std::vector<std::byte>>& answer) {
  if (!answer) return std::unexpected(answer.error());
  return {};
}

}  // namespace

Result<std::vector<std::byte>> DebugTarget::data_of(d1_debug_verb verb,
                                                    std::array<std::uint64_t, 4> arguments,
                                                    std::span<const std::byte> data) {
  d1_debug_request request{};
  request.verb = verb;
  std::ranges::copy(arguments, request.argument);
  auto answer = ask(request, data);
  if (!answer) return std::unexpected(std::move(answer.error()));
  cycle_ = answer->cycle;
  return std::move(answer->data);
}

template <typename Record>
Result<std::vector<Record>> DebugTarget::records_of(d1_debug_verb verb,
                                                    std::array<std::uint64_t, 4> arguments,
                                                    std::span<const std::byte> data) {
  auto answer = data_of(verb, arguments, data);
  if (!answer) return std::unexpected(std::move(answer.error()));
  return all_of<Record>(*answer);
}

Result<d1_debug_machine> DebugTarget::machine() {
  return first_of<d1_debug_machine>(data_of(D1_DEBUG_MACHINE));
}

Result<std::vector<d1_debug_node>> DebugTarget::nodes() {
  return records_of<d1_debug_node>(D1_DEBUG_NODES);
}

Result<std::vector<d1_debug_hart>> DebugTarget::harts(std::span<const DebugPlace> places) {
  std::vector<std::uint32_t> words;
  for (const DebugPlace& place : places) words.push_back(place.die << 16 | place.node);
  return records_of<d1_debug_hart>(D1_DEBUG_HARTS, {}, std::as_bytes(std::span(words)));
}

Result<DebugRegisters> DebugTarget::registers(DebugPlace place, unsigned hart) {
  const auto data = data_of(D1_DEBUG_REGISTERS, {place.die, place.node, hart});
  auto values = first_of<d1_debug_registers>(data);
  if (!values) return std::unexpected(std::move(values.error()));
  auto csrs = all_of<d1_debug_csr>(std::span(*data).subspan(sizeof(d1_debug_registers)));
  if (!csrs) return std::unexpected(std::move(csrs.error()));
  return DebugRegisters{*values, std::move(*csrs)};
}

Result<> DebugTarget::set_register(DebugPlace place, unsigned hart, d1_debug_register_set set,
                                   unsigned number, std::span<const std::byte> value) {
  return done(data_of(D1_DEBUG_SET_REGISTER,
                      {place.die, place.node, hart, std::uint64_t{set} << 16 | number}, value));
}

Result<std::vector<std::byte>> DebugTarget::read(std::uint64_t address, std::uint64_t bytes) {
  return data_of(D1_DEBUG_READ, {address, bytes});
}

Result<> DebugTarget::write(std::uint64_t address, std::span<const std::byte> bytes) {
  return done(data_of(D1_DEBUG_WRITE, {address}, bytes));
}

Result<d1_debug_node_state> DebugTarget::node(DebugPlace place) {
  return first_of<d1_debug_node_state>(data_of(D1_DEBUG_NODE, {place.die, place.node}));
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
  return data_of(D1_DEBUG_ELF, {program});
}

Result<> DebugTarget::halt() { return done(data_of(D1_DEBUG_HALT)); }
Result<> DebugTarget::resume() { return done(data_of(D1_DEBUG_CONTINUE)); }


Result<DebugVerdict> DebugTarget::verdict() {
  const auto data = data_of(D1_DEBUG_STUCK);
  auto head = first_of<d1_debug_verdict>(data);
  if (!head) return std::unexpected(std::move(head.error()));
  auto waits = all_of<d1_debug_wait>(std::span(*data).subspan(sizeof(d1_debug_verdict)));
  if (!waits) return std::unexpected(std::move(waits.error()));
  return DebugVerdict{*head, std::move(*waits)};
}

}  // namespace d1::driver
