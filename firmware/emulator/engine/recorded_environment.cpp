// SPDX-License-Identifier: Apache-2.0
#include "engine/recorded_environment.hpp"

#include <d1/abi/memory_map.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include <d1/isa/memory.hpp>

namespace d1::emulator {

using isa::Environment;
using isa::Hart;
using isa::Operation;
using isa::Outcome;
using Call = EnvironmentAnswer::Call;
using Question = EnvironmentAnswer::Question;

namespace {

// Eight bytes and less; the rest zero.
std::uint64_t bits_of(const void* data, unsigned bytes) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, data, bytes);
  return bits;
}

constexpr const char* kCallNames[] = {
    "access",         "remote_amo",    "fence_i",        "fence",          "wait_for_interrupt",
    "semaphore_wait", "semaphore_try", "semaphore_read", "semaphore_post", "node_barrier",
    "grid_barrier",   "transfer",      "transfer_wait",  "print",          "zone",
    "stop",           "read_csr",      "write_csr"};

std::string text_of(const Question& question) {
  return fmt::format("{} at pc {:#x} with {:#x}, {:#x}, {:#x}, {:#x}",
                     kCallNames[static_cast<unsigned>(question.call)], question.pc,
                     question.arguments[0], question.arguments[1], question.arguments[2],
                     question.arguments[3]);
}

}  // namespace

// --- recording ----------------------------------------------------------------------------------

template <typename Ask>
Outcome RecordingEnvironment::record(Hart& hart, const Question& question, std::uint64_t& data,
                                     Ask&& ask) {
  EnvironmentAnswer answer;
  answer.question = question;
  answer.outcome = ask();
  answer.data = data;
  answer.pc = hart.pc;
  answer.trap = hart.trap;
  answer.wait = hart.wait;
  answer.response_valid = hart.response_valid;
  for (unsigned i = 0; i < isa::kHartsPerNode; ++i)
    answer.reservations[i] = hart.node_harts[i].reservation;
  answer.code = *code_;
  answers_.push_back(std::move(answer));
  return answers_.back().outcome;
}

void RecordingEnvironment::record_register(const Question& question, bool known,
                                           std::uint64_t value) {
  EnvironmentAnswer answer;
  answer.question = question;
  answer.known = known;
  answer.data = value;
  answers_.push_back(std::move(answer));
}

// A store by way of a global address may reach the hart's own window: seen by what changes there.
Outcome RecordingEnvironment::access(Hart& hart, const Operation& operation, std::uint64_t address,
                                     unsigned bytes, bool write, void* data) {
  const std::uint64_t local = d1_address_offset(address);
  const bool may_alias = write && isa::in_window(hart, local, bytes);
  std::uint8_t* const place = may_alias ? hart.memory.host + (local - hart.memory.base) : nullptr;
  const std::uint64_t before = may_alias ? bits_of(place, bytes) : 0;
  std::uint64_t moved = write ? bits_of(data, bytes) : 0;
  const Question question{Call::Access, operation.pc, {address, bytes, write, moved}};
  const Outcome outcome = record(hart, question, moved, [&] {
    const Outcome ended = target_->access(hart, operation, address, bytes, write, data);
    if (!write && ended == Outcome::Next) moved = bits_of(data, bytes);
    return ended;
  });
  if (may_alias && bits_of(place, bytes) != before) {
    answers_.back().written_at = local;
    answers_.back().written_bytes = bytes;
  }
  return outcome;
}

Outcome RecordingEnvironment::remote_amo(Hart& hart, const Operation& operation,
                                         std::uint64_t address, unsigned bytes, unsigned function,
                                         std::uint64_t operand, std::uint64_t& result) {
  return record(
      hart, {Call::RemoteAmo, operation.pc, {address, bytes, function, operand}}, result, [&] {
        return target_->remote_amo(hart, operation, address, bytes, function, operand, result);
      });
}

// The calls that take up to two numbers and give at most one back, in both classes.
#define D1_PLAIN_CALLS(CALL)                                                                      \
  CALL(fence_i, FenceI, (Hart & hart, const Operation& operation), (hart, operation), 0, 0,       \
       unused)                                                                                    \
  CALL(fence, Fence, (Hart & hart, const Operation& operation), (hart, operation), 0, 0, unused)  \
  CALL(wait_for_interrupt, WaitForInterrupt, (Hart & hart, const Operation& operation),           \
       (hart, operation), 0, 0, unused)                                                           \
  CALL(semaphore_wait, SemaphoreWait,                                                             \
       (Hart & hart, const Operation& operation, std::uint64_t index, std::uint64_t count),       \
       (hart, operation, index, count), index, count, unused)                                     \
  CALL(semaphore_try, SemaphoreTry,                                                               \
       (Hart & hart, const Operation& operation, std::uint64_t index, std::uint64_t count,        \
        std::uint64_t& taken),                                                                    \
       (hart, operation, index, count, taken), index, count, taken)                               \
  CALL(semaphore_read, SemaphoreRead,                                                             \
       (Hart & hart, const Operation& operation, std::uint64_t index, std::uint64_t& value),      \
       (hart, operation, index, value), index, 0, value)                                          \
  CALL(semaphore_post, SemaphorePost,                                                             \
       (Hart & hart, const Operation& operation, std::uint64_t target, std::uint64_t count),      \
       (hart, operation, target, count), target, count, unused)                                   \
  CALL(node_barrier, NodeBarrier, (Hart & hart, const Operation& operation, std::uint64_t harts), \
       (hart, operation, harts), harts, 0, unused)                                                \
  CALL(grid_barrier, GridBarrier, (Hart & hart, const Operation& operation, std::uint64_t harts), \
       (hart, operation, harts), harts, 0, unused)                                                \
  CALL(transfer, Transfer,                                                                        \
       (Hart & hart, const Operation& operation, std::uint64_t descriptors, std::uint64_t count), \
       (hart, operation, descriptors, count), descriptors, count, unused)                         \
  CALL(transfer_wait, TransferWait, (Hart & hart, const Operation& operation), (hart, operation), \
       0, 0, unused)                                                                              \
  CALL(print, Print,                                                                              \
       (Hart & hart, const Operation& operation, std::uint64_t text, std::uint64_t bytes),        \
       (hart, operation, text, bytes), text, bytes, unused)                                       \
  CALL(zone, Zone, (Hart & hart, const Operation& operation, std::uint64_t mark),                 \
       (hart, operation, mark), mark, 0, unused)                                                  \
  CALL(stop, Stop, (Hart & hart, const Operation& operation), (hart, operation), 0, 0, unused)

#define D1_RECORD(name, call, parameters, arguments, first, second, result)        \
  Outcome RecordingEnvironment::name parameters {                                  \
    [[maybe_unused]] std::uint64_t unused = 0;                                     \
    return record(hart, {Call::call, operation.pc, {first, second, 0, 0}}, result, \
                  [&] { return target_->name arguments; });                        \
  }
D1_PLAIN_CALLS(D1_RECORD)
#undef D1_RECORD

bool RecordingEnvironment::read_csr(const Hart& hart, unsigned number, std::uint64_t& value) {
  const bool known = target_->read_csr(hart, number, value);
  record_register({Call::ReadCsr, 0, {number, 0, 0, 0}}, known, value);
  return known;
}

bool RecordingEnvironment::write_csr(Hart& hart, unsigned number, std::uint64_t value) {
  const bool known = target_->write_csr(hart, number, value);
  record_register({Call::WriteCsr, 0, {number, value, 0, 0}}, known, 0);
  return known;
}

// --- replaying ----------------------------------------------------------------------------------

const EnvironmentAnswer* ReplayingEnvironment::answer(const Question& question) {
  if (complaint_) return nullptr;
  if (next_ == answers_->size()) {
    complaint_ = fmt::format("only translated code asked the node: {}", text_of(question));
    return nullptr;
  }
  const EnvironmentAnswer& recorded = (*answers_)[next_];
  if (recorded.question != question) {
    complaint_ = fmt::format("the node was asked: interpreted {}; translated {}",
                             text_of(recorded.question), text_of(question));
    return nullptr;
  }
  ++next_;
  return &recorded;
}

std::optional<std::string> ReplayingEnvironment::complaint() const {
  if (complaint_ || next_ == answers_->size()) return complaint_;
  return fmt::format("only interpreted code asked the node: {}",
                     text_of((*answers_)[next_].question));
}

Outcome ReplayingEnvironment::replay(Hart& hart, const Operation& operation,
                                     const Question& question, std::uint64_t& data) {
  const EnvironmentAnswer* const recorded = answer(question);
  if (recorded == nullptr) {  // nothing sensible can follow: the turn ends here
    hart.pc = operation.pc;
    return Outcome::Stop;
  }
  data = recorded->data;
  if (recorded->outcome != Outcome::Next) hart.pc = recorded->pc;
  hart.trap = recorded->trap;
  hart.wait = recorded->wait;
  hart.response_valid = recorded->response_valid;
  for (unsigned i = 0; i < isa::kHartsPerNode; ++i)
    hart.node_harts[i].reservation = recorded->reservations[i];
  if (recorded->written_bytes != 0)
    std::memcpy(hart.memory.host + (recorded->written_at - hart.memory.base), &recorded->data,
                recorded->written_bytes);
  *code_ = recorded->code;
  return recorded->outcome;
}

Outcome ReplayingEnvironment::access(Hart& hart, const Operation& operation, std::uint64_t address,
                                     unsigned bytes, bool write, void* data) {
  std::uint64_t moved = write ? bits_of(data, bytes) : 0;
  const Question question{Call::Access, operation.pc, {address, bytes, write, moved}};
  const Outcome outcome = replay(hart, operation, question, moved);
  if (!write && outcome == Outcome::Next) std::memcpy(data, &moved, bytes);
  return outcome;
}

Outcome ReplayingEnvironment::remote_amo(Hart& hart, const Operation& operation,
                                         std::uint64_t address, unsigned bytes, unsigned function,
                                         std::uint64_t operand, std::uint64_t& result) {
  return replay(hart, operation,
                {Call::RemoteAmo, operation.pc, {address, bytes, function, operand}}, result);
}

#define D1_REPLAY(name, call, parameters, arguments, first, second, result)                    \
  Outcome ReplayingEnvironment::name parameters {                                              \
    [[maybe_unused]] std::uint64_t unused = 0;                                                 \
    return replay(hart, operation, {Call::call, operation.pc, {first, second, 0, 0}}, result); \
  }
D1_PLAIN_CALLS(D1_REPLAY)
#undef D1_REPLAY
#undef D1_PLAIN_CALLS

bool ReplayingEnvironment::read_csr(const Hart&, unsigned number, std::uint64_t& value) {
  const EnvironmentAnswer* const recorded = answer({Call::ReadCsr, 0, {number, 0, 0, 0}});
  if (recorded == nullptr) return false;
  value = recorded->data;
  return recorded->known;
}

bool ReplayingEnvironment::write_csr(Hart&, unsigned number, std::uint64_t value) {
  const EnvironmentAnswer* const recorded = answer({Call::WriteCsr, 0, {number, value, 0, 0}});
  return recorded != nullptr && recorded->known;
}

}  // namespace d1::emulator
