// SPDX-License-Identifier: Apache-2.0
#include "rig/command_memory.hpp"

#include <d1/abi/commands.h>
#include <d1/abi/mailbox.h>

#include <algorithm>
#include <cstring>

namespace d1::hil {
namespace {

constexpr unsigned kSpread = D1_COPY_BROADCAST | D1_COPY_SCATTER | D1_COPY_GATHER;

template <typename Command>
Command as(const driver::CommandBytes& command) {
  Command value;
  std::memcpy(&value, command.bytes, sizeof value);
  return value;
}

std::vector<IoRange> rows_of(const d1_copy& copy, std::uint64_t begin, std::uint64_t pitch) {
  const std::uint64_t bytes = copy.row_bytes;
  if (copy.rows == 0 || bytes == 0) return {};
  const IoRange rows{begin, bytes, copy.rows, pitch};
  const auto extent = rows.extent();
  if (!extent) return {};
  // Rows without gaps, or that overlap, are told as one piece.
  if (copy.rows == 1 || pitch <= bytes) return {{begin, *extent}};
  return {rows};
}

}  // namespace

std::optional<std::uint64_t> IoRange::extent() const noexcept {
  std::uint64_t span = 0, end = 0;
  if (rows == 0 || __builtin_mul_overflow(rows - 1, pitch, &span) ||
      __builtin_add_overflow(span, row_bytes, &span) || __builtin_add_overflow(iova, span, &end))
    return std::nullopt;
  return span;
}

std::vector<std::byte> gather(const std::byte* memory, const IoRange& range) {
  std::vector<std::byte> bytes(range.bytes());
  for (std::uint64_t row = 0; row < range.rows; ++row)
    std::memcpy(bytes.data() + row * range.row_bytes, memory + row * range.pitch, range.row_bytes);
  return bytes;
}

void scatter(std::byte* memory, const IoRange& range, const char* bytes) {
  for (std::uint64_t row = 0; row < range.rows; ++row)
    std::memcpy(memory + row * range.pitch, bytes + row * range.row_bytes, range.row_bytes);
}

std::vector<IoRange> read_by(const driver::CommandBytes& command) {
  switch (command.bytes[0]) {
    case D1_COMMAND_COPY: {
      const auto copy = as<d1_copy>(command);
      if ((copy.header.flags & D1_COPY_FROM_HOST) == 0) return {};
      if ((copy.header.flags & kSpread) == 0) return rows_of(copy, copy.source, copy.source_pitch);
      const bool broadcast = (copy.header.flags & D1_COPY_BROADCAST) != 0;
      return {{copy.source, broadcast ? copy.row_bytes : copy.source_pitch}};
    }
    case D1_COMMAND_PROGRAM: {
      const auto program = as<d1_program>(command);
      if (program.file_bytes == 0) return {};
      return {{program.source, program.file_bytes}};
    }
    case D1_COMMAND_LAUNCH:
      return {{as<d1_launch_command>(command).launch, sizeof(d1_launch)}};
    default: return {};
  }
}

std::vector<IoRange> written_by(const driver::CommandBytes& command,
                                const driver::Completion& completion) {
  if (completion.status != D1_STATUS_OK) return {};
  switch (command.bytes[0]) {
    case D1_COMMAND_COPY: {
      const auto copy = as<d1_copy>(command);
      if ((copy.header.flags & D1_COPY_TO_HOST) == 0) return {};
      if ((copy.header.flags & kSpread) == 0)
        return rows_of(copy, copy.destination, copy.destination_pitch);
      return {{copy.destination, copy.source_pitch}};
    }
    case D1_COMMAND_QUERY: {
      const auto query = as<d1_query>(command);
      if (query.kind != D1_QUERY_TOPOLOGY) return {};
      return {{query.destination, std::min(query.bytes, completion.detail)}};
    }
    default: return {};
  }
}

}  // namespace d1::hil
