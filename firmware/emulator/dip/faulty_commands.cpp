// SPDX-License-Identifier: Apache-2.0
// Commands that meet a fault: a lost die, memory with an error (faults/).
#include <algorithm>

#include "dip/dip.hpp"
#include "dip/result.hpp"

namespace d1::emulator {

// Beside the queue itself.
bool Dip::uses_host_memory(const Command& command) noexcept {
  switch (command.header.opcode) {
    case D1_COMMAND_COPY:
      return (command.header.flags & (D1_COPY_FROM_HOST | D1_COPY_TO_HOST)) != 0;
    case D1_COMMAND_PROGRAM: case D1_COMMAND_LAUNCH: case D1_COMMAND_QUERY: return true;
    default: return false;
  }
}

std::optional<std::uint32_t> Dip::lost_die_of(const Command& command) const {
  const LinkFaults& links = faults_.links();
  const auto of_grid = [&]() -> std::optional<std::uint32_t> {
    const auto* nodes = grid(command.header.grid);
    if (nodes == nullptr) return std::nullopt;
    for (const NodeId node : (*nodes)->nodes())
      if (links.die_lost(node.die)) return node.die;
    return std::nullopt;
  };
  const auto of_address = [&](std::uint64_t address) -> std::optional<std::uint32_t> {
    const std::uint32_t die = d1_address_die(address);
    const bool node = d1_address_kind(address) == D1_ADDRESS_NODE;
    if (!node || die >= machine_.geometry().die_count() || !links.die_lost(die))
      return std::nullopt;
    return die;
  };
  const unsigned flags = command.header.flags;
  switch (command.header.opcode) {
    case D1_COMMAND_PROGRAM: case D1_COMMAND_LAUNCH: case D1_COMMAND_RESET: return of_grid();
    case D1_COMMAND_FILL:
      return flags & D1_COPY_BROADCAST ? of_grid() : of_address(command.fill.destination);
    case D1_COMMAND_SEMAPHORE:
      return flags & D1_COPY_BROADCAST ? of_grid() : of_address(command.semaphore.target);
    case D1_COMMAND_COPY:
      if (flags & (D1_COPY_BROADCAST | D1_COPY_SCATTER | D1_COPY_GATHER)) return of_grid();
      if (!(flags & D1_COPY_FROM_HOST))
        if (const auto die = of_address(command.copy.source)) return die;
      if (!(flags & D1_COPY_TO_HOST)) return of_address(command.copy.destination);
      return std::nullopt;
    default: return std::nullopt;
  }
}

// Of what a copy would read; one that is malformed is told so elsewhere.
std::optional<CommandResult> Dip::memory_error_of(const d1_copy& command) {
  const unsigned flags = command.header.flags;
  if (flags & D1_COPY_FROM_HOST) return std::nullopt;
  MemoryErrors& errors = faults_.errors();
  if (flags & D1_COPY_GATHER) {
    const auto* nodes = grid(command.header.grid);
    std::uint64_t left = command.source_pitch;  // of all bytes: the last ranks may have fewer
    if (nodes == nullptr || command.source > D1_SRAM_BYTES ||
        std::min<std::uint64_t>(command.rank_bytes, left) > D1_SRAM_BYTES - command.source)
      return std::nullopt;
    for (const NodeId node : (*nodes)->nodes()) {
      const std::uint64_t bytes = std::min<std::uint64_t>(command.rank_bytes, left);
      left -= bytes;
      const std::uint8_t* const sram = machine_.sram(machine_.id_of(node));
      const std::uint8_t* const bad = errors.find(sram + command.source, bytes);
      if (bad != nullptr)
        return failed(D1_STATUS_MEMORY_ERROR,
                      d1_node_address(node.die, node.node, static_cast<std::uint32_t>(bad - sram)));
    }
    return std::nullopt;
  }
  for (std::uint32_t row = 0; row < command.rows; ++row) {
    const std::uint64_t address = command.source + row * command.source_pitch;
    const std::uint8_t* const begin = device_memory(address, command.row_bytes);
    if (begin == nullptr) return std::nullopt;
    if (const std::uint8_t* bad = errors.find(begin, command.row_bytes); bad != nullptr)
      return failed(D1_STATUS_MEMORY_ERROR, address + static_cast<std::uint64_t>(bad - begin));
  }
  return std::nullopt;
}

}  // namespace d1::emulator
