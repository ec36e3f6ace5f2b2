// SPDX-License-Identifier: Apache-2.0
#include <d1/emulator/fault_plan.hpp>

namespace d1::emulator {

namespace {

constexpr FaultKindInfo kKinds[] = {
#define D1_FAULT(id, name, lasts, keys, what, seen)                                               \
  {FaultKind::id, name, FaultKindInfo::lasts,                                                     \
   [] {                                                                                           \
     using enum FaultKindInfo::Keys;                                                              \
     return static_cast<std::uint16_t>(keys);                                                     \
   }(),                                                                                           \
   what, seen},
#include "d1/emulator/fault_kinds.def"
#undef D1_FAULT
};

}  // namespace

std::span<const FaultKindInfo> fault_kinds() noexcept { return kKinds; }

const FaultKindInfo& info_of(FaultKind kind) noexcept {
  return kKinds[static_cast<std::size_t>(kind)];
}

}  // namespace d1::emulator
