// SPDX-License-Identifier: Apache-2.0
// What the DIP shows to tools.
#include "dip/dip.hpp"

namespace d1::emulator {

std::vector<d1_debug_launch> Dip::describe_launches() const {
  std::vector<d1_debug_launch> records;
  for (const auto& launch : launches_) {
    d1_debug_launch record{};
    record.id = launch->id;
    record.entry = launch->parameters.entry;
    record.start_cycle = launch->start / isa::kTicksPerCycle;
    record.nodes = launch->grid->size();
    record.outstanding = launch->outstanding;
    record.grid_rows = launch->grid->rows();
    record.grid_columns = launch->grid->columns();
    record.harts = launch->parameters.harts;
    record.queue = launch->queue;
    const NodeId first = launch->grid->node(0);
    record.first_die = first.die;
    record.first_node = first.node;
    const Node* const node = machine_.find(machine_.id_of(first));
    if (node != nullptr && node->code().program != nullptr)
      record.program = node->code().program->id();
    records.push_back(record);
  }
  return records;
}

std::vector<d1_debug_queue> Dip::describe_queues() const {
  std::vector<d1_debug_queue> records;
  for (unsigned index = 0; index < queues_.size(); ++index) {
    const Queue& queue = queues_[index];
    if (!queue.enabled) continue;
    const auto mask = static_cast<std::uint32_t>(queue.entries - 1);
    d1_debug_queue record{};
    record.queue = index;
    record.entries = static_cast<std::uint32_t>(queue.entries);
    record.depth = (queue.tail.load() - queue.head) & mask;
    record.unread = (queue.completed - queue.consumed.load()) & mask;
    record.completed = queue.completed;
    record.busy = queue.busy ? 1 : 0;
    if (queue.busy) {
      record.opcode = queue.current.opcode;
      record.id = queue.current.id;
      record.started_cycle = queue.started / isa::kTicksPerCycle;
    }
    records.push_back(record);
  }
  return records;
}

}  // namespace d1::emulator
