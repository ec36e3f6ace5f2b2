// SPDX-License-Identifier: Apache-2.0
// The kernel SDK: all that a kernel needs, in one header. For code that runs on the nodes.
//
// A kernel is an ordinary function that every hart of every node of a launch calls:
//
//   D1_KERNEL void scale(d1::sharded<float> x, float factor) {
//     for (float& value : x.part_of_hart()) value *= factor;
//   }
//
// Its parameters are scalars of up to 8 bytes, pointers, and the four kinds of buffer: sharded,
// replicated, on_node, hbm. It returns when this hart's part is done; the launch ends when all
// harts have returned. Nothing is initialised by code before a kernel runs: globals are zero, or
// hold constants, as the program was loaded, and keep what earlier launches left in them.
#pragma once

#include <assert.h>  // a failed assert traps and names its line

#include <d1/device/arithmetic.hpp>
#include <d1/device/buffers.hpp>
#include <d1/device/global_pointer.hpp>
#include <d1/device/grid.hpp>
#include <d1/device/matrix.hpp>
#include <d1/device/print.hpp>
#include <d1/device/synchronization.hpp>
#include <d1/device/transfers.hpp>
#include <d1/device/zones.hpp>

// Marks a function as a kernel: it keeps its plain name, and the linker keeps it.
#define D1_KERNEL \
  extern "C" [[gnu::used, gnu::retain, gnu::visibility("default"), gnu::section("d1.kernels")]]
