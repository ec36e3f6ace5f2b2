// SPDX-License-Identifier: Apache-2.0
// Machine files, and what is made of the machines that pass for sound.
#include "target.hpp"

#include <d1/emulator/geometry.hpp>
#include <d1/emulator/machine_description.hpp>

#include <string_view>

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  const std::string_view text(reinterpret_cast<const char*>(data), bytes);
  const auto machine = d1::emulator::parse_machine(text, "input.toml");
  if (!machine) return 0;
  (void)d1::emulator::describe(*machine);
  (void)d1::emulator::derived_figures(*machine);
  constexpr std::uint64_t kPositions = 100'000;  // more only takes longer
  if (std::uint64_t{machine->die_count()} * machine->node_positions() > kPositions) return 0;
  const d1::emulator::Geometry geometry(*machine);
  const auto all = d1::emulator::Grid::all(geometry);
  d1::fuzz::require(all.size() == machine->usable_nodes(), "The grid misses nodes.");
  for (std::uint32_t rank = 0; rank < all.size(); ++rank)
    d1::fuzz::require(all.rank(all.node(rank)) == rank, "Ranks and nodes do not agree.");
  d1::fuzz::require(!geometry.dips().empty(), "There is no interface processor.");
  return 0;
}
