// SPDX-License-Identifier: Apache-2.0
// Which part of a machine a DPU is: a rectangle of dies, or of nodes on one die, and the machine
// that its user sees. Nothing of the rest is in that description, so nothing of it can be reached.
// Plain values; any thread.
#pragma once

#include <d1/emulator/machine_description.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace d1::server {

struct Rectangle {
  std::uint32_t first_row = 0, first_column = 0, rows = 1, columns = 1;

  [[nodiscard]] bool meets(const Rectangle& other) const noexcept {
    return first_row < other.first_row + other.rows && other.first_row < first_row + rows &&
           first_column < other.first_column + other.columns &&
           other.first_column < first_column + columns;
  }
  friend bool operator==(const Rectangle&, const Rectangle&) = default;
};

struct Dpu {
  std::string name;
  std::string place;  // as it was asked for
  Rectangle dies;     // of the machine
  Rectangle nodes;    // of one die, where `dies` is one; else all of it
};

// NAME=PLACE, where PLACE is
//   all                              the whole machine
//   tile0/die3                       a die: tiles and the dies in one are counted row by row
//   tile0/die0..11                   the rectangle that has die 0 and die 11 in its corners
//   tile0/die3/n0,0..5,9             of one die, the nodes from row 0, column 0 to row 5, column 9
// A machine of one tile may leave tile0/ out, one of one die die0/ too.
[[nodiscard]] Result<Dpu> parse_dpu(std::string_view text,
                                    const emulator::MachineDescription& machine);

[[nodiscard]] bool overlap(const Dpu& one, const Dpu& other) noexcept;

// The machine as the DPU's user sees it. It has the share of the HBM that its nodes are of all.
[[nodiscard]] Result<emulator::MachineDescription> part_of(
    const emulator::MachineDescription& machine, const Dpu& dpu);

}  // namespace d1::server
