// SPDX-License-Identifier: Apache-2.0
// Which faults a device is to have: what, where, when, for how long. A plan is a TOML text
// (firmware/emulator/faults/README.md), checked as it is read; places are checked by the device
// that takes it (Device::inject), since only that knows its machine.
//
// Plain values; any thread; nothing blocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <d1/base/error.hpp>
#include <d1/emulator/geometry.hpp>

namespace d1::emulator {

enum class FaultKind : std::uint8_t {
#define D1_FAULT(id, name, lasts, keys, what, seen) id,
#include "d1/emulator/fault_kinds.def"
#undef D1_FAULT
};

struct FaultKindInfo {
  enum Lasts : std::uint8_t { Span, Hits, Instant };
  enum Keys : std::uint16_t {
    None = 0,
    Node = 1,
    Hart = 2,
    Address = 4,
    Bit = 8,
    Corrected = 16,
    Link = 32,
    Factor = 64,
    Die = 128,
    Queue = 256,
    Opcode = 512,
    Delay = 1024
  };
  FaultKind kind;
  std::string_view name;
  Lasts lasts;
  std::uint16_t keys;
  std::string_view what, seen;  // for people
};

// All kinds, in the order of FaultKind.
[[nodiscard]] std::span<const FaultKindInfo> fault_kinds() noexcept;
[[nodiscard]] const FaultKindInfo& info_of(FaultKind kind) noexcept;
// What a plan may say of a fault of this kind: its keys, besides `kind`.
[[nodiscard]] std::vector<std::string_view> fault_keys(FaultKind kind);

// A node by die and by row and column in it, as in "die3/n7,12".
struct FaultNode {
  std::uint32_t die = 0, row = 0, column = 0;
};

// A whole number, or one that the seed chooses from a range, both ends included.
struct FaultNumber {
  std::uint64_t first = 0, last = 0;
};

struct Fault {
  FaultKind kind = FaultKind::NodeStop;
  // Where. What is not named the seed chooses, but for queue and opcode: then any.
  std::optional<FaultNode> node;         // of a link: where it begins
  std::optional<Direction> direction;    // of a link
  std::optional<std::uint32_t> hart, die, queue, bit;
  std::optional<std::uint64_t> address;  // offset in SRAM or HBM
  std::optional<std::uint8_t> opcode;    // enum d1_opcode
  // When; none of them: at once.
  std::optional<FaultNumber> at_cycle;   // counted from power-on
  std::optional<FaultNumber> at_command; // the n-th, from 1 on, of those it could hit from now on
  std::optional<std::chrono::milliseconds> at_ms;  // of host time from now on
  std::optional<double> chance;          // of each command it could hit
  // How long; none of them: for good, or once.
  std::optional<std::uint64_t> for_cycles;
  std::optional<std::chrono::milliseconds> for_ms;
  std::optional<std::uint64_t> times;    // commands it hits, or times it begins by chance
  // What.
  std::uint32_t factor = 2;
  std::chrono::milliseconds delay{100};
  bool corrected = true;
};

struct FaultPlan {
  std::uint64_t seed = 0;  // of all that is left to chance
  std::vector<Fault> faults;
};

// `origin` stands before line and column in errors. An empty plan is an error.
[[nodiscard]] Result<FaultPlan> parse_fault_plan(std::string_view text, const std::string& origin);
[[nodiscard]] Result<FaultPlan> load_fault_plan(const std::string& path);

}  // namespace d1::emulator
