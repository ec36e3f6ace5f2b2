// SPDX-License-Identifier: Apache-2.0
// The semantics of every instruction of the table.
#pragma once

#include <d1/isa/semantics/atomic.hpp>
#include <d1/isa/semantics/bitmanip.hpp>
#include <d1/isa/semantics/float.hpp>
#include <d1/isa/semantics/integer.hpp>
#include <d1/isa/semantics/system.hpp>
#include <d1/isa/semantics/vector.hpp>
#include <d1/isa/semantics/xd1.hpp>
