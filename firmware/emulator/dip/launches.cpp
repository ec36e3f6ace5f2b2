// SPDX-License-Identifier: Apache-2.0
// A launch from command to completion: multicast to the grid, gather, fail, give up.
#include <algorithm>
#include <cstring>

#include "dip/dip.hpp"
#include "dip/result.hpp"

namespace d1::emulator {

namespace {

constexpr std::uint64_t kTicks = isa::kTicksPerCycle;
constexpr std::uint32_t kAhead = 6;  // own: nodes, each some 50 ns, until memory is here
constexpr auto kMatrix = static_cast<unsigned>(isa::Unit::Matrix);

// Offset in the command of the field that makes these parameters impossible, or 0.
std::uint64_t check(const d1_launch& launch) {
  const bool good = launch.harts >= 1 && launch.harts <= D1_HARTS && launch.entry % 2 == 0 &&
                    launch.entry >= D1_SYSTEM_BYTES && launch.entry < D1_SRAM_BYTES &&
                    launch.stack_bytes % 16 == 0 && launch.stack_bytes != 0 &&
                    launch.stack_bytes <= (D1_SRAM_BYTES - D1_SYSTEM_BYTES) / D1_HARTS &&
                    launch.arguments <= D1_KERNEL_ARGUMENTS &&
                    launch.float_arguments <= D1_KERNEL_FLOAT_ARGUMENTS;
  return good ? 0 : offsetof(d1_launch_command, launch);
}

}  // namespace

CommandResult Dip::launch(unsigned queue, const d1_launch_command& command, std::uint64_t start) {
  const auto* nodes = grid(command.header.grid);
  if (nodes == nullptr) return failed(D1_STATUS_BAD_GRID, command.header.grid);
  if ((command.header.flags & ~D1_LAUNCH_HOST_INTERACTIVE) != 0)
    return bad_field(offsetof(d1_command_header, flags));
  const std::uint8_t* memory = dma_.find(command.launch, sizeof(d1_launch), DmaAccess::Read);
  if (memory == nullptr) return failed(D1_STATUS_DMA_FAULT, command.launch);
  if (command.report != 0 &&
      dma_.find(command.report, sizeof(d1_launch_report), DmaAccess::Write) == nullptr)
    return failed(D1_STATUS_DMA_FAULT, command.report);
  d1_launch parameters;
  std::memcpy(&parameters, memory, sizeof(parameters));
  if (const std::uint64_t offset = check(parameters); offset != 0) return bad_field(offset);
  const Grid& grid_used = **nodes;
  if (!launches_.empty()) {
    for (std::uint32_t rank = 0; rank < grid_used.size(); ++rank)
      if (const Node* node = machine_.find(node_at(grid_used, rank));
          node != nullptr && node->launch() != nullptr)
        return failed(D1_STATUS_BUSY, rank);
  }

  auto made = std::make_unique<Launch>();
  Launch& launch = *made;
  launch.id = next_launch_++;
  launch.grid = *nodes;
  launch.routes = routes(command.header.grid);
  launch.queue = queue;
  launch.report = command.report;
  launch.cycle_limit = command.cycle_limit;
  launch.host_interactive = (command.header.flags & D1_LAUNCH_HOST_INTERACTIVE) != 0;
  launch.start = launch.end = start;
  launch.outstanding = grid_used.size();
  launches_.push_back(std::move(made));
  parameters.id = launch.id;
  parameters.nodes = grid_used.size();
  parameters.grid_rows = grid_used.rows();
  parameters.grid_columns = grid_used.columns();
  launch.parameters = parameters;
  launch.parameter_bytes =
      offsetof(d1_launch, argument) + parameters.arguments * sizeof(std::uint64_t);
  start_nodes(launch, fabric_.host_to_dip(start));
  return pending();
}

void Dip::start_nodes(Launch& launch, std::uint64_t departure) {
  const Grid& nodes = *launch.grid;
  for (std::uint32_t rank = 0; rank < nodes.size(); ++rank)
    (void)machine_.node(node_at(nodes, rank));  // made in this order if need be
  if (launch.report != 0) launch.before.resize(nodes.size());
  const std::span<const std::uint64_t> arrivals =
      fabric_.reach_from_dip(nodes, *launch.routes, departure);
  start_times_.resize(nodes.size());
  const auto start = [&](std::uint32_t rank, unsigned) {
    Node& node = *machine_.find(node_at(nodes, rank));
    if (launch.report != 0)
      launch.before[rank] = {node.instructions(), node.unit_ticks()[kMatrix]};
    node.set_launch(&launch, rank);
    if (arrivals[rank] != Fabric::kNotReached)
      node.deliver_post(D1_SEMAPHORE_LAUNCH, 1, arrivals[rank] * kTicks);
    start_times_[rank] = node.next_time();
  };
  const auto look = [&](std::uint32_t rank, WorkerPool::Ahead ahead) {
    const Node& node = *machine_.find(node_at(nodes, rank));
    if (ahead == WorkerPool::Ahead::Far) node.prefetch();
    if (ahead == WorkerPool::Ahead::Near) node.prefetch_launch();
  };
  scheduler_.share_out(nodes.size(), start, look);
  for (std::uint32_t rank = 0; rank < nodes.size(); ++rank)
    scheduler_.activate(node_at(nodes, rank), start_times_[rank]);
}

void Dip::node_completed(NodeIndex id, unsigned hart, std::uint64_t value, std::uint64_t time) {
  Node& node = machine_.node(id);
  auto* launch = static_cast<Launch*>(node.launch());
  if (launch == nullptr) return;  // of a launch that was given up meanwhile
  const std::uint32_t rank = node.rank();
  launch->end = std::max(launch->end, time + launch->routes->to_dip[rank]);
  if (value != 1) {
    failed_node_ = id;
    failed_hart_ = static_cast<int>(hart);
    stop_launch(*launch, {CommandResult::Done, D1_STATUS_TRAP, rank, launch->end});
    failed_hart_ = -1;
    return;
  }
  node.set_launch(nullptr);
  if (--launch->outstanding == 0) finish_launch(*launch, done(launch->end));
}

void Dip::lose_die(std::uint32_t die) {
  const CommandResult lost{CommandResult::Done, D1_STATUS_UNREACHABLE, die, scheduler_.frontier()};
  for (std::size_t i = 0; i < launches_.size();) {
    Launch& launch = *launches_[i];
    if (std::ranges::find(launch.grid->nodes(), die, &NodeId::die) == launch.grid->nodes().end())
      ++i;
    else stop_launch(launch, lost);
  }
}

// Stops the nodes that still run it: they go back to the boot ROM.
void Dip::stop_launch(Launch& launch, const CommandResult& result) {
  const Grid& nodes = *launch.grid;
  for (std::uint32_t rank = 0; rank < nodes.size(); ++rank)
    if (Node* node = machine_.find(node_at(nodes, rank));
        node != nullptr && node->launch() == &launch)
      node->reset();
  finish_launch(launch, result);
}

void Dip::finish_launch(Launch& launch, const CommandResult& result) {
  if (launch.report != 0) write_report(launch, result, failed_node_, failed_hart_);
  const unsigned queue = launch.queue;
  const auto found = std::ranges::find_if(
      launches_, [&launch](const auto& entry) { return entry.get() == &launch; });
  launches_.erase(found);
  if (queues_[queue].busy) complete(queue, result);
}

void Dip::write_report(const Launch& launch, const CommandResult& result, NodeIndex failed,
                       int failed_hart) {
  std::uint8_t* place = dma_.find(launch.report, sizeof(d1_launch_report), DmaAccess::Write);
  if (place == nullptr) return;  // unmapped meanwhile
  d1_launch_report report{};
  report.launch_id = launch.id;
  report.start_cycle = launch.start / kTicks;
  report.end_cycle = std::max(launch.end, result.end) / kTicks;
  report.matrix_cycles_min = ~std::uint64_t{0};
  for (std::uint32_t rank = 0; rank < launch.before.size(); ++rank) {
    if (rank + kAhead < launch.before.size())
      machine_.prefetch(node_at(*launch.grid, rank + kAhead));
    const Node& node = machine_.node(node_at(*launch.grid, rank));
    const auto& [instructions, matrix] = launch.before[rank];
    report.instructions += node.instructions() - instructions;
    const std::uint64_t busy = (node.unit_ticks()[kMatrix] - matrix) / kTicks;
    report.matrix_cycles += busy;
    report.matrix_cycles_min = std::min(report.matrix_cycles_min, busy);
    report.matrix_cycles_max = std::max(report.matrix_cycles_max, busy);
  }
  if (failed_hart >= 0) {
    const NodeId where = machine_.place(failed);
    d1_trap_record record;
    std::memcpy(&record,
                machine_.sram(failed) + D1_MAILBOX_ADDRESS + offsetof(d1_mailbox, trap) +
                    static_cast<unsigned>(failed_hart) * sizeof(record),
                sizeof(record));
    report.failed = 1;
    report.failed_die = where.die;
    report.failed_node = where.node;
    report.failed_hart = static_cast<std::uint32_t>(failed_hart);
    report.cause = record.cause;
    report.value = record.value;
    report.pc = record.pc;
    report.ra = record.ra;
    report.sp = record.sp;
  }
  std::memcpy(place, &report, sizeof(report));
}

CommandResult Dip::abort(const d1_abort& command) {
  const auto id = static_cast<std::uint16_t>(command.command_id);
  const bool in_hand = command.queue < queues_.size() && queues_[command.queue].busy &&
                       queues_[command.queue].current.id == id;
  if (!in_hand) return failed(D1_STATUS_NOT_FOUND, command.command_id);
  const CommandResult aborted{CommandResult::Done, D1_STATUS_ABORTED, 0, scheduler_.frontier()};
  for (const auto& launch : launches_)
    if (launch->queue == command.queue) {
      stop_launch(*launch, aborted);
      return done(0);
    }
  if (queues_[command.queue].current.opcode != D1_COMMAND_WAIT)
    return failed(D1_STATUS_NOT_FOUND, command.command_id);
  complete(command.queue, aborted);
  return done(0);
}

CommandResult Dip::reset(const d1_reset& command) {
  const auto* found = grid(command.header.grid);
  if (found == nullptr) return failed(D1_STATUS_BAD_GRID, command.header.grid);
  const std::shared_ptr<const Grid> nodes = *found;
  const CommandResult aborted{CommandResult::Done, D1_STATUS_ABORTED, 0, scheduler_.frontier()};
  for (std::uint32_t rank = 0; rank < nodes->size(); ++rank) {
    Node* node = machine_.find(node_at(*nodes, rank));
    if (node == nullptr) continue;
    if (node->launch() != nullptr) stop_launch(*static_cast<Launch*>(node->launch()), aborted);
    node->reset();
  }
  return done(0);
}

}  // namespace d1::emulator
