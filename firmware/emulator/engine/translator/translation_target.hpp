// SPDX-License-Identifier: Apache-2.0
// What translated code is made for, and what it points to. Plain data.
#pragma once

#include <array>
#include <deque>

#include "engine/engine.hpp"
#include "engine/translator/thunks.hpp"

namespace d1::emulator {

// What translated code is specialised for besides the guest's code.
struct TranslationTarget {
  Thunks thunks;
  HostLevel level = HostLevel::Portable;
  MemoryBase base = MemoryBase::Register;
  Reach reach = Reach::Turn;  // Block: what follows a block is never reached from its code
  std::uint64_t window_base = 0, window_bytes = 0;  // of the harts' memory
};

// What translated code points to; lives as long as the code.
struct TranslationRecords {
  std::deque<Site> sites;
  std::deque<Link> links;
};

// How often instructions were translated, by InstructionId: to host code of their own, or to a call
// of their semantics function.
struct EmissionCounts {
  using Counts = std::array<std::uint64_t, static_cast<std::size_t>(isa::InstructionId::Count)>;
  Counts in_line{}, called{};
};

}  // namespace d1::emulator
