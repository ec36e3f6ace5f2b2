// SPDX-License-Identifier: Apache-2.0
// Places of a device by name: die3/n7,12/h2. Pure functions.
//
//   die3            by number, row by row            die0..2    a range
//   n7,12           row and column of the die's mesh n0..3,4..7 a rectangle
//   h2              hart                             h0..1
// Parts are joined by '/', whole places by '+'; what is left out means all; "all" is everything.
// "tile0/" may stand in front on a device that is no larger than a tile.
#pragma once

#include <d1/abi/debug.h>
#include <d1/base/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace d1::inspect {

// The mesh that places are in.
struct Mesh {
  std::uint32_t die_rows = 1, die_columns = 1, node_rows = 1, node_columns = 1;
  [[nodiscard]] std::uint32_t dies() const noexcept { return die_rows * die_columns; }
  [[nodiscard]] static Mesh of(const d1_debug_machine& machine) noexcept {
    return {machine.die_rows, machine.die_columns, machine.node_rows, machine.node_columns};
  }
};

struct Range {
  std::uint32_t first = 0, last = 0;  // both included
  [[nodiscard]] bool contains(std::uint32_t value) const noexcept {
    return value >= first && value <= last;
  }
};

struct Place {
  Range dies, rows, columns, harts;
  bool names_nodes = false, names_harts = false;  // or all of them were meant
};

class PlaceSet {
 public:
  // Everything.
  explicit PlaceSet(const Mesh& mesh);
  // Invalid: what of the text cannot be, and what can.
  [[nodiscard]] static Result<PlaceSet> parse(std::string_view text, const Mesh& mesh);

  [[nodiscard]] bool contains_die(std::uint32_t die) const noexcept;
  [[nodiscard]] bool contains(std::uint32_t die, std::uint32_t node) const noexcept;
  [[nodiscard]] bool contains(std::uint32_t die, std::uint32_t node,
                              std::uint32_t hart) const noexcept;

  // The one node, and hart (0 where none was named), that was meant; Invalid if it was more.
  struct One {
    std::uint32_t die, node, hart;
  };
  [[nodiscard]] Result<One> one() const;

 private:
  Mesh mesh_;
  std::string text_;
  std::vector<Place> places_;
};

// "die0/n7,12", and with a hart "die0/n7,12/h2".
[[nodiscard]] std::string name_of(const Mesh& mesh, std::uint32_t die, std::uint32_t node);
[[nodiscard]] std::string name_of(const Mesh& mesh, std::uint32_t die, std::uint32_t node,
                                  std::uint32_t hart);

}  // namespace d1::inspect
