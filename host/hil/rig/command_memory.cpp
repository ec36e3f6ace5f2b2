// SPDX-License-Identifier: Apache-2.0
#include "rig/command_memory.hpp"

#include <d1/abi/commands.h>
#include <d1/abi/mailbox.h>

#include <algorithm>
#include <cstring>

namespace d1::hil {
namespace {

constexpr unsigned kSpread = D1_COPY_BROADCAST | D1_COPY_SCATTER | D1_COPY_GATHER;
constexpr std::uint32_t kMostRows = 65536;  // own: of a copy that is told row by row

template <typename Command>
Command as(const driver::CommandBytes& command) {
  Command value;
  std::memcpy(&value, command.bytes, sizeof value);
  return value;
}

std::vector<IoRange> rows_of(const d1_copy& copy, std::uint64_t begin, std::uint64_t pitch) {
  if (copy.rows == 0 || copy.row_bytes == 0) return {};
  if (copy.rows == 1 || pitch == copy.row_bytes) return {{begin, copy.rows * copy.row_bytes}};
  std::vector<IoRange> rows;
  for (std::uint32_t row = 0; row < std::min(copy.rows, kMostRows); ++row)
    rows.push_back({begin + row * pitch, copy.row_bytes});
  return rows;
}

}  // namespace

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
