// SPDX-License-Identifier: Apache-2.0
// The interpreter's handlers: each runs one instruction and, when that ended with Next, goes on to
// the handler of the one that follows, in tail position. A block holds at most kStretchLimit
// operations, so a build without tail calls needs no more than that much host stack.
#pragma once

#include <d1/isa/instruction.hpp>

namespace d1::emulator {

using Handler = isa::Outcome (*)(isa::Hart&, const isa::Operation*);

[[nodiscard]] Handler handler_of(isa::InstructionId id) noexcept;

// Ends a block that no control transfer ended: pc is that of the sentinel.
isa::Outcome leave_block(isa::Hart& hart, const isa::Operation* operation);

}  // namespace d1::emulator
