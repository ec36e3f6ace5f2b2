// SPDX-License-Identifier: Apache-2.0
// What the sources of the emitters of vector instructions (emit_vector*.cpp) begin with.
#pragma once

#include "engine/translator/region_emitter.hpp"

namespace d1::emulator {

using isa::InstructionId;
using isa::Operation;
using Xbyak::Opmask;
using Xbyak::Xmm;
using Xbyak::Ymm;
using Xbyak::Zmm;

}  // namespace d1::emulator
