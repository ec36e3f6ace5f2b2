// SPDX-License-Identifier: Apache-2.0
// What a node shows to tools.
#include "node.hpp"

namespace d1::emulator {

void Node::describe(d1_debug_node_state& state) const {
  for (unsigned i = 0; i < D1_SEMAPHORES; ++i) state.semaphores[i] = semaphore(i);
  state.node_barrier = node_barrier_.arrived;
  state.grid_barrier = grid_barrier_.arrived;
  for (unsigned i = 0; i < isa::kHartsPerNode; ++i)
    state.transfers[i] = {transfers_[i].local_pending, transfers_[i].far_pending,
                          transfers_[i].local_done / isa::kTicksPerCycle,
                          transfers_[i].far_done / isa::kTicksPerCycle};
}

}  // namespace d1::emulator
