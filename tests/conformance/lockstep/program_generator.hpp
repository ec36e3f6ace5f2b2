// SPDX-License-Identifier: Apache-2.0
// Makes random programs: loops, branches forward, backward and into the middle of blocks, calls,
// indirect jumps, code that writes code, and in them every instruction there is. The seed decides
// everything.
#pragma once

#include "../differential/random_state.hpp"
#include "program.hpp"

namespace d1::difftest {

// What most of a program's instructions are, so that whole regions are of one kind.
enum class Profile : std::uint8_t {
  Integer,
  Memory,
  Float,
  Mixed,
  VectorInteger,
  VectorFloat,
  VectorAny,
  Matrix,
  Steps,  // those of the differential tester, each with what makes it legal
  Count
};
[[nodiscard]] std::string_view name_of(Profile profile);

[[nodiscard]] Program make_program(Random& random, Profile profile);

}  // namespace d1::difftest
