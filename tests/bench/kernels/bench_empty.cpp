// SPDX-License-Identifier: Apache-2.0
// A program of its own, so that nodes which run it load nothing else.
#include <d1/kernel.hpp>

D1_KERNEL void empty() {}
