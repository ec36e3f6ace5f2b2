// SPDX-License-Identifier: Apache-2.0
// Moments in the traffic between host and device at which a test wants something done.
// Plain values; any thread.
#pragma once

#include <d1/abi/commands.h>

#include <cstdint>
#include <optional>

namespace d1::hil {

enum class EventKind : std::uint8_t {
  Command,     // the host has rung for a command
  Completion,  // the device has completed one; the driver has not seen it yet
  Interrupt    // the device has raised an interrupt
};

// The n-th time, from 1 on, that something of this kind passes from now on.
struct Event {
  EventKind kind = EventKind::Command;
  unsigned nth = 1;
  std::optional<unsigned> which;  // opcode (enum d1_opcode), or MSI-X vector; none: any
};

[[nodiscard]] inline Event command(unsigned nth, std::optional<unsigned> opcode = {}) {
  return {EventKind::Command, nth, opcode};
}
[[nodiscard]] inline Event completion(unsigned nth, std::optional<unsigned> opcode = {}) {
  return {EventKind::Completion, nth, opcode};
}
[[nodiscard]] inline Event interrupt(unsigned nth, std::optional<unsigned> vector = {}) {
  return {EventKind::Interrupt, nth, vector};
}

}  // namespace d1::hil
