// SPDX-License-Identifier: Apache-2.0
// Copies and fills: ranges of buffers, whatever their placement, as commands of the device.
#include <d1/abi/placement.h>
#include <fmt/format.h>

#include <algorithm>

#include "stream_core.hpp"

namespace d1::runtime {
namespace {

using driver::CommandBytes;

Result<> check_pointer(const void* pointer, std::uint64_t bytes) {
  if (pointer || bytes == 0) return {};
  return fail(ErrorKind::Invalid,
              fmt::format("A null pointer was given for a copy of {} bytes.", bytes));
}

std::uint64_t node_address(const BufferState& buffer, std::uint64_t rank) {
  const NodePlace place = buffer.grid->place_of(rank);
  return d1_node_address(place.die, place.node, static_cast<std::uint32_t>(buffer.address));
}

// One side of a copy that is in one piece.
struct Linear {
  std::uint64_t address = 0;
  std::uint8_t flag = 0;  // D1_COPY_FROM_HOST or D1_COPY_TO_HOST, or neither
};

CommandBytes copy_command(std::uint8_t flags, std::uint32_t grid, std::uint64_t from,
                          std::uint64_t to, std::uint64_t bytes) {
  d1_copy command{};
  command.header.opcode = D1_COMMAND_COPY;
  command.header.flags = flags;
  command.header.grid = grid;
  command.source = from;
  command.destination = to;
  command.row_bytes = bytes;
  command.rows = 1;
  return driver::to_bytes(command);
}

// The whole buffer, or its beginning, between a sharded buffer and a linear side: one command.
CommandBytes shard_command(std::uint8_t flags, const BufferState& sharded, std::uint64_t linear,
                           std::uint64_t bytes) {
  d1_copy command{};
  command.header.opcode = D1_COMMAND_COPY;
  command.header.flags = flags;
  command.header.grid = sharded.grid->handle();
  command.source = flags & D1_COPY_GATHER ? sharded.address : linear;
  command.destination = flags & D1_COPY_GATHER ? linear : sharded.address;
  command.row_bytes = std::min(bytes, sharded.chunk_bytes);
  command.rows = 1;
  command.rank_bytes = static_cast<std::uint32_t>(sharded.chunk_bytes);
  command.source_pitch = bytes;
  return driver::to_bytes(command);
}

void write_linear(std::vector<CommandBytes>& commands, const BufferState& to, std::uint64_t offset,
                  const Linear& from, std::uint64_t bytes) {
  if (to.placement == Placement::Replicated) {
    commands.push_back(copy_command(from.flag | D1_COPY_BROADCAST, to.grid->handle(), from.address,
                                    to.address + offset, bytes));
  } else if (to.placement == Placement::Sharded && offset == 0) {
    commands.push_back(shard_command(from.flag | D1_COPY_SCATTER, to, from.address, bytes));
  } else {
    std::uint64_t at = from.address;
    for (const Piece& piece : pieces(to, offset, bytes)) {
      commands.push_back(copy_command(from.flag, 0, at, piece.address, piece.bytes));
      at += piece.bytes;
    }
  }
}

void read_linear(std::vector<CommandBytes>& commands, const Linear& to, const BufferState& from,
                 std::uint64_t offset, std::uint64_t bytes) {
  if (from.placement == Placement::Sharded && offset == 0) {
    commands.push_back(shard_command(to.flag | D1_COPY_GATHER, from, to.address, bytes));
    return;
  }
  std::uint64_t at = to.address;
  for (const Piece& piece : pieces(from, offset, bytes)) {
    commands.push_back(copy_command(to.flag, 0, piece.address, at, piece.bytes));
    at += piece.bytes;
  }
}

bool in_one_piece(const BufferState& buffer) {
  return buffer.placement == Placement::Hbm || buffer.placement == Placement::OnNode;
}

Result<> check_rows(const Buffer& buffer, std::uint64_t offset, const Rows& rows) {
  if (buffer && !in_one_piece(*buffer.state())) {
    return fail(
        ErrorKind::Unsupported,
        fmt::format("Rectangles are copied only of buffers in one piece (hbm, on_node), and "
                    "this one is {}.",
                    to_string(buffer.placement())));
  }
  std::uint64_t last = 0, span = 0;
  if (rows.row_bytes == 0 || rows.rows == 0 || rows.device_pitch < rows.row_bytes ||
      rows.host_pitch < rows.row_bytes ||
      __builtin_mul_overflow(rows.rows - 1, std::max(rows.device_pitch, rows.host_pitch), &last) ||
      __builtin_add_overflow(last, rows.row_bytes, &span)) {
    return fail(
        ErrorKind::Invalid,
        fmt::format("{} rows of {} bytes with pitches of {} (device) and {} (host) bytes are "
                    "no rectangle; a pitch is at least a row.",
                    rows.rows, rows.row_bytes, rows.device_pitch, rows.host_pitch));
  }
  return check_range(buffer, offset, (rows.rows - 1) * rows.device_pitch + rows.row_bytes);
}

std::uint64_t host_span(const Rows& rows) {
  return (rows.rows - 1) * rows.host_pitch + rows.row_bytes;
}

// The caller's reference of an operation that was not submitted.
class Prepared {
 public:
  Prepared(StreamCore& core, OperationKind kind) : core_(core), operation_(core.take(kind)) {}
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  ~Prepared() {
    if (operation_) core_.release(operation_);
  }
  OperationState* operator->() const { return operation_; }
  OperationState* get() const { return operation_; }
  Result<Operation> submit(std::span<const CommandBytes> commands) {
    return core_.submit(std::exchange(operation_, nullptr), commands);
  }
  Result<Operation> submit(const CommandBytes& command) { return submit(std::span(&command, 1)); }

 private:
  StreamCore& core_;
  OperationState* operation_;
};

}  // namespace

Result<> check_range(const Buffer& buffer, std::uint64_t offset, std::uint64_t bytes) {
  if (!buffer) return fail(ErrorKind::Invalid, "The buffer is empty: it was moved from.");
  if (offset > buffer.bytes() || bytes > buffer.bytes() - offset) {
    return fail(ErrorKind::Invalid,
                fmt::format("Bytes [{}, {} + {}) are not in a buffer of {} bytes.", offset, offset,
                            bytes, buffer.bytes()));
  }
  return {};
}

std::vector<Piece> pieces(const BufferState& buffer, std::uint64_t offset, std::uint64_t bytes) {
  switch (buffer.placement) {
    case Placement::Hbm:
    case Placement::OnNode:
      return {{buffer.address + offset, bytes}};
    case Placement::Replicated:
      return {{node_address(buffer, 0) + offset, bytes}};
    case Placement::Sharded:
      break;
  }
  std::vector<Piece> result;
  while (bytes > 0) {
    const std::uint64_t rank = offset / buffer.chunk_bytes, at = offset % buffer.chunk_bytes;
    const std::uint64_t here = std::min(bytes, buffer.chunk_bytes - at);
    result.push_back({node_address(buffer, rank) + at, here});
    offset += here;
    bytes -= here;
  }
  return result;
}

std::vector<CommandBytes> copy_from_host(const BufferState& to, std::uint64_t offset,
                                         std::uint64_t iova, std::uint64_t bytes) {
  std::vector<CommandBytes> commands;
  write_linear(commands, to, offset, {iova, D1_COPY_FROM_HOST}, bytes);
  return commands;
}

std::vector<CommandBytes> copy_to_host(std::uint64_t iova, const BufferState& from,
                                       std::uint64_t offset, std::uint64_t bytes) {
  std::vector<CommandBytes> commands;
  read_linear(commands, {iova, D1_COPY_TO_HOST}, from, offset, bytes);
  return commands;
}

Result<Operation> Stream::copy_in(const Buffer& to, std::uint64_t offset, const void* from,
                                  std::uint64_t bytes) {
  if (auto fine = check_range(to, offset, bytes); !fine) return std::unexpected(fine.error());
  if (auto fine = check_pointer(from, bytes); !fine) return std::unexpected(fine.error());
  if (bytes == 0) return fence();
  Prepared operation(*core_, OperationKind::Copy);
  auto attached = core_->attach(operation.get(), from, bytes, StreamCore::Direction::ToDevice);
  if (!attached) return pass_on(attached, "copying to the device");
  operation->buffers[0] = to.state();
  return operation.submit(copy_from_host(*to.state(), offset, operation->host.iova, bytes));
}

Result<Operation> Stream::copy_out(void* to, const Buffer& from, std::uint64_t offset,
                                   std::uint64_t bytes) {
  if (auto fine = check_range(from, offset, bytes); !fine) return std::unexpected(fine.error());
  if (auto fine = check_pointer(to, bytes); !fine) return std::unexpected(fine.error());
  if (bytes == 0) return fence();
  Prepared operation(*core_, OperationKind::Copy);
  auto attached = core_->attach(operation.get(), to, bytes, StreamCore::Direction::FromDevice);
  if (!attached) return pass_on(attached, "copying from the device");
  operation->buffers[0] = from.state();
  return operation.submit(copy_to_host(operation->host.iova, *from.state(), offset, bytes));
}

Result<Operation> Stream::copy(const Buffer& to, std::uint64_t to_offset, const Buffer& from,
                               std::uint64_t from_offset, std::uint64_t bytes) {
  if (auto fine = check_range(to, to_offset, bytes); !fine) return std::unexpected(fine.error());
  if (auto fine = check_range(from, from_offset, bytes); !fine)
    return std::unexpected(fine.error());
  if (to.state() == from.state() && to_offset < from_offset + bytes &&
      from_offset < to_offset + bytes && bytes > 0) {
    return fail(ErrorKind::Invalid,
                fmt::format("A copy of {} bytes from {} to {} within one buffer overlaps itself.",
                            bytes, from_offset, to_offset));
  }
  if (bytes == 0) return fence();
  Prepared operation(*core_, OperationKind::Copy);
  operation->buffers[0] = to.state();
  operation->buffers[1] = from.state();
  std::vector<CommandBytes> commands;
  if (in_one_piece(*to.state())) {
    read_linear(commands, {to.address() + to_offset, 0}, *from.state(), from_offset, bytes);
  } else {
    for (const Piece& piece : pieces(*from.state(), from_offset, bytes)) {
      write_linear(commands, *to.state(), to_offset, {piece.address, 0}, piece.bytes);
      to_offset += piece.bytes;
    }
  }
  return operation.submit(commands);
}

Result<Operation> Stream::copy_in_rows(const Buffer& to, std::uint64_t offset, const void* from,
                                       const Rows& rows) {
  if (auto fine = check_rows(to, offset, rows); !fine) return std::unexpected(fine.error());
  if (auto fine = check_pointer(from, rows.row_bytes); !fine) return std::unexpected(fine.error());
  Prepared operation(*core_, OperationKind::Copy);
  auto attached =
      core_->attach(operation.get(), from, host_span(rows), StreamCore::Direction::ToDevice);
  if (!attached) return pass_on(attached, "copying rows to the device");
  operation->buffers[0] = to.state();
  d1_copy command{};
  command.header.opcode = D1_COMMAND_COPY;
  command.header.flags = D1_COPY_FROM_HOST;
  command.source = operation->host.iova;
  command.destination = to.address() + offset;
  command.row_bytes = rows.row_bytes;
  command.rows = rows.rows;
  command.source_pitch = rows.host_pitch;
  command.destination_pitch = rows.device_pitch;
  return operation.submit(driver::to_bytes(command));
}

Result<Operation> Stream::copy_out_rows(void* to, const Buffer& from, std::uint64_t offset,
                                        const Rows& rows) {
  if (auto fine = check_rows(from, offset, rows); !fine) return std::unexpected(fine.error());
  if (auto fine = check_pointer(to, rows.row_bytes); !fine) return std::unexpected(fine.error());
  Prepared operation(*core_, OperationKind::Copy);
  auto attached =
      core_->attach(operation.get(), to, host_span(rows), StreamCore::Direction::FromDeviceRows);
  if (!attached) return pass_on(attached, "copying rows from the device");
  operation->buffers[0] = from.state();
  d1_copy command{};
  command.header.opcode = D1_COMMAND_COPY;
  command.header.flags = D1_COPY_TO_HOST;
  command.source = from.address() + offset;
  command.destination = operation->host.iova;
  command.row_bytes = rows.row_bytes;
  command.rows = rows.rows;
  command.source_pitch = rows.device_pitch;
  command.destination_pitch = rows.host_pitch;
  return operation.submit(driver::to_bytes(command));
}

Result<Operation> Stream::fill(const Buffer& to, std::uint64_t offset, std::uint64_t bytes,
                               std::uint64_t pattern, std::uint32_t pattern_bytes) {
  if (auto fine = check_range(to, offset, bytes); !fine) return std::unexpected(fine.error());
  const bool known =
      pattern_bytes == 1 || pattern_bytes == 2 || pattern_bytes == 4 || pattern_bytes == 8;
  if (!known || bytes % pattern_bytes != 0 || offset % pattern_bytes != 0) {
    return fail(
        ErrorKind::Invalid,
        fmt::format("A pattern of {} bytes cannot fill {} bytes from {} on: it has 1, 2, 4 or "
                    "8 bytes, and both are multiples of it.",
                    pattern_bytes, bytes, offset));
  }
  if (bytes == 0) return fence();
  Prepared operation(*core_, OperationKind::Fill);
  operation->buffers[0] = to.state();
  d1_fill command{};
  command.header.opcode = D1_COMMAND_FILL;
  command.pattern = pattern;
  command.pattern_bytes = pattern_bytes;
  std::vector<CommandBytes> commands;
  const BufferState& buffer = *to.state();
  const auto add = [&](std::uint8_t flags, std::uint64_t address, std::uint64_t length) {
    command.header.flags = flags;
    command.header.grid = flags ? buffer.grid->handle() : 0;
    command.destination = address;
    command.bytes = length;
    commands.push_back(driver::to_bytes(command));
  };
  // A whole sharded buffer: every node fills its chunk, the unused tail of the last ones too.
  if (buffer.placement == Placement::Replicated) {
    add(D1_COPY_BROADCAST, buffer.address + offset, bytes);
  } else if (buffer.placement == Placement::Sharded && bytes == to.bytes() &&
             buffer.chunk_bytes % pattern_bytes == 0) {
    add(D1_COPY_BROADCAST, buffer.address, buffer.chunk_bytes);
  } else {
    for (const Piece& piece : pieces(buffer, offset, bytes)) add(0, piece.address, piece.bytes);
  }
  return operation.submit(commands);
}

}  // namespace d1::runtime
