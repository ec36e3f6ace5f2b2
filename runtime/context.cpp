// SPDX-License-Identifier: Apache-2.0
#include <d1/runtime/context.hpp>

#include <d1/abi/placement.h>
#include <fmt/format.h>
#include <d1/driver/status_error.hpp>

#include <cstring>

namespace d1::runtime {

using driver::limits::kAdminTimeout;

namespace {

// A command in flight on the admin queue. Two owners: who waits, and the completion to come.
struct Pending {
  std::atomic<bool> done = false;
  driver::Completion completion;
  std::shared_ptr<const void> keep;

  static void complete(void* context, const driver::Completion& completion) {
    const std::unique_ptr<std::shared_ptr<Pending>> owner(
        static_cast<std::shared_ptr<Pending>*>(context));
    (*owner)->completion = completion;
    (*owner)->keep.reset();
    (*owner)->done.store(true, std::memory_order_release);  // pairs with the acquire of the waiter
  }
};

// The verdict of the device on a command that was carried out.
Result<> verdict(const driver::Completion& completion, driver::Device& device) {
  switch (completion.kind) {
    case driver::CompletionKind::DeviceLost:
      return std::unexpected(device.lost_error());
    case driver::CompletionKind::Cancelled:
      return fail(ErrorKind::Cancelled,
                  "The device was closed before the command was carried out.");
    case driver::CompletionKind::Device:
      break;
  }
  if (completion.status == D1_STATUS_OK) return {};
  return std::unexpected(
      driver::status_error(completion.opcode, completion.status, completion.detail));
}

}  // namespace

Result<std::shared_ptr<Context>> Context::open(const driver::DeviceOptions& options) {
  auto device = driver::Device::open(options);
  if (!device) return std::unexpected(std::move(device.error()));
  return open(std::move(*device));
}

Result<std::shared_ptr<Context>> Context::open(std::unique_ptr<driver::Device> device) {
  std::shared_ptr<Context> context(new Context(std::move(device)));
  auto queue = context->device_->create_queue_pair(64);
  if (!queue) return pass_on(queue, "opening the device");
  context->admin_ = std::move(*queue);
  return context;
}

Context::Context(std::unique_ptr<driver::Device> device)
    : device_(std::move(device)), grid_handles_(D1_GRIDS), hbm_(device_->info().hbm_bytes) {
  grid_handles_[0] = true;  // predefined: all usable nodes
}

Context::~Context() { admin_.reset(); }

Result<driver::Completion> Context::execute(const driver::CommandBytes& command,
                                            driver::Deadline deadline,
                                            std::shared_ptr<const void> keep) {
  auto pending = std::make_shared<Pending>();
  pending->keep = std::move(keep);
  auto owner = std::make_unique<std::shared_ptr<Pending>>(pending);
  for (;;) {
    auto posted = admin_->post(command, Pending::complete, owner.get());
    if (posted) break;
    const std::uint32_t full = admin_->capacity();
    if (posted.error().kind() != ErrorKind::ResourceExhausted ||
        !admin_->wait([&] { return admin_->in_flight() < full; }, deadline)) {
      return std::unexpected(std::move(posted.error()));
    }
  }
  (void)owner.release();  // the completion owns it now
  admin_->ring();
  const auto done = [&] { return pending->done.load(std::memory_order_acquire); };
  if (!admin_->wait(done, deadline)) {
    return fail(ErrorKind::Timeout,
                fmt::format("The device did not carry out a {} command in time.",
                            driver::command_name(command.bytes[0])));
  }
  auto carried_out = verdict(pending->completion, *device_);
  if (!carried_out) return std::unexpected(std::move(carried_out.error()));
  return pending->completion;
}

namespace {

d1_query query_of(std::uint32_t grid, d1_query_kind kind) {
  d1_query command{};
  command.header.grid = grid;
  command.kind = static_cast<std::uint32_t>(kind);
  return command;
}

}  // namespace

Result<std::vector<std::byte>> Context::query(d1_query command, std::uint64_t bytes,
                                              driver::Deadline deadline) {
  auto memory = device_->dma().allocate(bytes, driver::Warmth::OnDemand);
  if (!memory) return pass_on(memory, "making room for a report");
  auto shared = std::make_shared<driver::DmaBuffer>(std::move(*memory));
  command.header.opcode = D1_COMMAND_QUERY;
  command.destination = shared->iova();
  command.bytes = bytes;
  auto completion = execute(driver::to_bytes(command), deadline, shared);
  if (!completion) return std::unexpected(std::move(completion.error()));
  const std::uint64_t got = std::min(bytes, completion->detail);
  return std::vector<std::byte>(shared->data(), shared->data() + got);
}

Result<std::vector<std::uint32_t>> Context::query_topology(std::uint32_t handle,
                                                           std::uint64_t nodes) {
  auto answer = query(query_of(handle, D1_QUERY_TOPOLOGY), nodes * sizeof(std::uint32_t),
                      driver::after(kAdminTimeout));
  if (!answer) return std::unexpected(std::move(answer.error()));
  if (answer->size() != nodes * sizeof(std::uint32_t)) {
    return fail(ErrorKind::Protocol,
                fmt::format("The device listed {} bytes of topology for a grid of {} nodes.",
                            answer->size(), nodes));
  }
  std::vector<std::uint32_t> places(nodes);
  std::memcpy(places.data(), answer->data(), answer->size());
  const std::uint64_t dies = std::uint64_t{info().die_rows} * info().die_columns;
  const std::uint64_t positions = std::uint64_t{info().node_rows} * info().node_columns;
  for (const std::uint32_t place : places) {
    if (place >> 16 >= dies || (place & 0xffff) >= positions) {
      return fail(
          ErrorKind::Protocol,
          fmt::format("The device listed node {} of die {}, which its registers say it does "
                      "not have.",
                      place & 0xffff, place >> 16));
    }
  }
  return places;
}

Result<std::shared_ptr<const Grid>> Context::all_nodes() {
  {
    std::lock_guard lock(mutex_);
    if (auto known = all_nodes_.lock()) return known;
  }
  auto topology = query_topology(0, info().nodes);
  if (!topology) return pass_on(topology, "asking for the nodes of the device");
  GridShape shape{1, static_cast<std::uint32_t>(info().nodes), 0, 0};
  std::shared_ptr<const Grid> grid(new Grid(shared_from_this(), 0, shape, std::move(*topology)));
  std::lock_guard lock(mutex_);
  if (auto known = all_nodes_.lock()) return known;
  all_nodes_ = grid;
  return grid;
}

Result<std::shared_ptr<const Grid>> Context::grid(const GridShape& shape) {
  const std::uint64_t nodes = std::uint64_t{shape.rows} * shape.columns;
  if (nodes == 0 || nodes > info().nodes) {
    return fail(ErrorKind::Invalid,
                fmt::format("A grid of {} x {} nodes cannot be made; the device has {} nodes.",
                            shape.rows, shape.columns, info().nodes));
  }
  std::uint32_t handle = 0;
  {
    std::lock_guard lock(mutex_);
    while (handle < D1_GRIDS && grid_handles_[handle]) ++handle;
    if (handle == D1_GRIDS) {
      return fail(ErrorKind::ResourceExhausted,
                  fmt::format("All {} grids of the device are in use; free one first.", D1_GRIDS));
    }
    grid_handles_[handle] = true;
  }
  d1_grid_command command{};
  command.header.opcode = D1_COMMAND_GRID;
  command.header.flags = D1_GRID_DEFINE;
  command.header.grid = handle;
  command.first_row = shape.first_row;
  command.first_column = shape.first_column;
  command.rows = shape.rows;
  command.columns = shape.columns;
  auto defined = execute(driver::to_bytes(command), driver::after(kAdminTimeout));
  if (!defined) {
    std::lock_guard lock(mutex_);
    grid_handles_[handle] = false;
    if (defined.error().kind() == ErrorKind::Invalid) {
      return fail(
          ErrorKind::Invalid,
          fmt::format("A grid of {} x {} nodes from row {}, column {} does not fit: the mesh "
                      "has {} x {} positions, some of which are missing.",
                      shape.rows, shape.columns, shape.first_row, shape.first_column,
                      info().die_rows * info().node_rows,
                      info().die_columns * info().node_columns));
    }
    return pass_on(defined, "defining a grid");
  }
  auto topology = query_topology(handle, nodes);
  if (!topology) {
    free_grid(handle);
    return pass_on(topology, "asking for the nodes of a grid");
  }
  return std::shared_ptr<const Grid>(
      new Grid(shared_from_this(), handle, shape, std::move(*topology)));
}

void Context::free_grid(std::uint32_t handle) {
  if (handle == 0) return;
  d1_grid_command command{};
  command.header.opcode = D1_COMMAND_GRID;
  command.header.grid = handle;
  // A handle the device did not give back stays taken.
  if (!execute(driver::to_bytes(command), driver::after(kAdminTimeout))) return;
  std::lock_guard lock(mutex_);
  grid_handles_[handle] = false;
}

Result<> Context::reset(const Grid& grid) {
  d1_reset command{};
  command.header.opcode = D1_COMMAND_RESET;
  command.header.grid = grid.handle();
  auto done = execute(driver::to_bytes(command), driver::after(kAdminTimeout));
  if (!done) return pass_on(done, "resetting the nodes of a grid");
  return {};
}

Result<std::vector<d1_hart_report>> Context::query_harts(const Grid& grid) {
  auto answer = query(query_of(grid.handle(), D1_QUERY_HARTS),
                      grid.nodes() * D1_HARTS * sizeof(d1_hart_report),
                      driver::after(kAdminTimeout));
  if (!answer) return pass_on(answer, "asking what the harts do");
  std::vector<d1_hart_report> reports(answer->size() / sizeof(d1_hart_report));
  if (!reports.empty()) {
    std::memcpy(reports.data(), answer->data(), reports.size() * sizeof(d1_hart_report));
  }
  return reports;
}

Result<d1_counters> Context::query_counters(const Grid& grid) {
  auto answer = query(query_of(grid.handle(), D1_QUERY_COUNTERS), sizeof(d1_counters),
                      driver::after(kAdminTimeout));
  if (!answer) return pass_on(answer, "reading counters");
  d1_counters counters{};
  std::memcpy(&counters, answer->data(), std::min(answer->size(), sizeof counters));
  return counters;
}

Result<Context::Waits> Context::query_waits(unsigned queue, std::uint16_t command_id,
                                            std::uint64_t most) {
  d1_query command = query_of(0, D1_QUERY_WAITS);
  command.launch = queue << 16 | command_id;
  Waits waits;
  auto answer = query(command, sizeof(waits.verdict) + most * sizeof(d1_debug_wait),
                      driver::after(driver::limits::kHangQuery));
  if (!answer) return pass_on(answer, "asking whether a launch can end");
  if (answer->size() < sizeof(waits.verdict))
    return fail(ErrorKind::Protocol,
                fmt::format("The device said in {} bytes whether a launch can end; it takes {}.",
                            answer->size(), sizeof(waits.verdict)));
  std::memcpy(&waits.verdict, answer->data(), sizeof(waits.verdict));
  waits.harts.resize((answer->size() - sizeof(waits.verdict)) / sizeof(d1_debug_wait));
  if (!waits.harts.empty())
    std::memcpy(waits.harts.data(), answer->data() + sizeof(waits.verdict),
                waits.harts.size() * sizeof(d1_debug_wait));
  return waits;
}

Result<Context::EventSlot> Context::take_event() {
  std::lock_guard lock(mutex_);
  if (!free_events_.empty()) {
    const EventSlot slot = free_events_.back();
    free_events_.pop_back();
    return slot;
  }
  if (next_event_ == D1_EVENTS) {
    return fail(
        ErrorKind::ResourceExhausted,
        fmt::format("All {} events of the device are in use; destroy one first.", D1_EVENTS));
  }
  return EventSlot{next_event_++, 0};
}

void Context::give_event(EventSlot slot) {
  std::lock_guard lock(mutex_);
  free_events_.push_back(slot);
}

Grid::Grid(std::shared_ptr<Context> context, std::uint32_t handle, const GridShape& shape,
           std::vector<std::uint32_t> topology)
    : context_(std::move(context)), handle_(handle), shape_(shape), topology_(std::move(topology)) {
  const auto& info = context_->info();
  const std::uint64_t positions = std::uint64_t{info.node_rows} * info.node_columns;
  nodes_ = NodeSet(positions * info.die_rows * info.die_columns);
  for (const std::uint32_t place : topology_)
    nodes_.add((place >> 16) * positions + (place & 0xffff));
}

Grid::~Grid() { context_->free_grid(handle_); }

NodePlace Grid::place_of(std::uint64_t rank) const {
  const std::uint32_t place = topology_[rank];
  const std::uint32_t columns = context_->info().node_columns;
  const std::uint32_t node = place & 0xffff;
  return {place >> 16, node, node / columns, node % columns};
}

}  // namespace d1::runtime
