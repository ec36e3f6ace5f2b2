// SPDX-License-Identifier: Apache-2.0
// The commands that move bytes and set things up. Launches are launches.cpp, queries queries.cpp.
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "dip/dip.hpp"
#include "dip/result.hpp"

namespace d1::emulator {

CommandResult Dip::execute(unsigned index, const Command& command) {
  Queue& queue = queues_[index];
  const std::uint64_t start = queue.started;
  if (faults_.links().any_die_lost())
    if (const auto die = lost_die_of(command)) return failed(D1_STATUS_UNREACHABLE, *die);
  if (faults_.errors().any() && command.header.opcode == D1_COMMAND_COPY)
    if (const auto error = memory_error_of(command.copy)) return *error;
  switch (command.header.opcode) {
    case D1_COMMAND_FENCE: return done(start);
    case D1_COMMAND_COPY: return copy(command.copy, start);
    case D1_COMMAND_GRID: return define_grid(command.grid);
    case D1_COMMAND_PROGRAM: return load_program(command.program, start);
    case D1_COMMAND_LAUNCH: return launch(index, command.launch, start);
    case D1_COMMAND_ABORT: return abort(command.abort);
    case D1_COMMAND_SEMAPHORE: return post(command.semaphore, start);
    case D1_COMMAND_SIGNAL: return signal(command.event, start);
    case D1_COMMAND_WAIT: return wait(queue, command.event, start);
    case D1_COMMAND_RESET: return reset(command.reset);
    case D1_COMMAND_QUERY: return query(command.query);
    case D1_COMMAND_FILL: return fill(command.fill, start);
    default: return failed(D1_STATUS_BAD_OPCODE, command.header.opcode);
  }
}

const std::shared_ptr<const Grid>* Dip::grid(std::uint32_t handle) const {
  return handle < D1_GRIDS && grids_[handle].grid != nullptr ? &grids_[handle].grid : nullptr;
}

const std::shared_ptr<const GridRoutes>& Dip::routes(std::uint32_t handle) {
  KnownGrid& known = grids_[handle];
  if (known.routes == nullptr) known.routes = fabric_.routes_of(*known.grid);
  return known.routes;
}

NodeIndex Dip::node_at(const Grid& grid, std::uint32_t rank) const {
  return machine_.id_of(grid.node(rank));
}

void Dip::written(NodeIndex id, std::uint64_t offset, std::uint64_t bytes) {
  if (Node* node = machine_.find(id); node != nullptr) node->break_reservations(offset, bytes);
}

std::uint8_t* Dip::device_memory(std::uint64_t address, std::uint64_t bytes) const {
  if (d1_address_kind(address) == D1_ADDRESS_HBM) {
    const std::uint64_t offset = d1_address_hbm(address);
    if (address != d1_hbm_address(offset) || offset > machine_.hbm_bytes() ||
        bytes > machine_.hbm_bytes() - offset)
      return nullptr;
    return machine_.hbm() + offset;
  }
  const std::uint32_t die = d1_address_die(address), node = d1_address_node(address);
  const std::uint32_t offset = d1_address_offset(address);
  if (address != d1_node_address(die, node, offset) || !machine_.usable(die, node) ||
      offset < D1_NULL_BYTES || offset > D1_SRAM_BYTES || bytes > D1_SRAM_BYTES - offset)
    return nullptr;
  return machine_.sram(machine_.id_of(die, node)) + offset;
}

namespace {

constexpr std::uint8_t kCopyFlags = D1_COPY_FROM_HOST | D1_COPY_TO_HOST | D1_COPY_BROADCAST |
                                    D1_COPY_SCATTER | D1_COPY_GATHER;

// Bytes from the first to behind the last row, or 0 if that overflows.
std::uint64_t span_of(std::uint64_t rows, std::uint64_t pitch, std::uint64_t row_bytes) {
  std::uint64_t span;
  if (__builtin_mul_overflow(rows - 1, pitch, &span) ||
      __builtin_add_overflow(span, row_bytes, &span))
    return 0;
  return span;
}

void copy_rows(std::uint8_t* to, std::uint64_t to_pitch, const std::uint8_t* from,
               std::uint64_t from_pitch, std::uint64_t row_bytes, std::uint64_t rows) {
  if (rows > 1 && to_pitch == row_bytes && from_pitch == row_bytes) {
    row_bytes *= rows;
    rows = 1;
  }
  for (std::uint64_t row = 0; row < rows; ++row)
    std::memmove(to + row * to_pitch, from + row * from_pitch, row_bytes);
}

bool fits_sram(std::uint64_t offset, std::uint64_t bytes) {
  return offset >= D1_NULL_BYTES && offset <= D1_SRAM_BYTES && bytes <= D1_SRAM_BYTES - offset;
}

}  // namespace

CommandResult Dip::copy(const d1_copy& command, std::uint64_t start) {
  if ((command.header.flags & ~kCopyFlags) != 0)
    return bad_field(offsetof(d1_command_header, flags));
  const unsigned spread =
      command.header.flags & (D1_COPY_BROADCAST | D1_COPY_SCATTER | D1_COPY_GATHER);
  if ((spread & (spread - 1)) != 0) return bad_field(offsetof(d1_command_header, flags));
  if (spread == 0) return copy_linear(command, start);
  const auto* grid_used = grid(command.header.grid);
  if (grid_used == nullptr) return failed(D1_STATUS_BAD_GRID, command.header.grid);
  return copy_grid(command, **grid_used, start);
}

CommandResult Dip::copy_linear(const d1_copy& command, std::uint64_t start) {
  if (command.rows == 0) return bad_field(offsetof(d1_copy, rows));
  if (command.row_bytes == 0) return bad_field(offsetof(d1_copy, row_bytes));
  const std::uint64_t from_span = span_of(command.rows, command.source_pitch, command.row_bytes);
  const std::uint64_t to_span = span_of(command.rows, command.destination_pitch, command.row_bytes);
  if (from_span == 0) return bad_field(offsetof(d1_copy, source_pitch));
  if (to_span == 0) return bad_field(offsetof(d1_copy, destination_pitch));
  const bool from_host = (command.header.flags & D1_COPY_FROM_HOST) != 0;
  const bool to_host = (command.header.flags & D1_COPY_TO_HOST) != 0;
  const std::uint8_t* from = from_host ? dma_.find(command.source, from_span, DmaAccess::Read)
                                       : device_memory(command.source, from_span);
  std::uint8_t* to = to_host ? dma_.find(command.destination, to_span, DmaAccess::Write)
                             : device_memory(command.destination, to_span);
  // Remote memory is sent as one piece, with what lies between the rows.
  if (to_host && command.rows > 1)
    (void)dma_.find(command.destination, to_span, DmaAccess::Read);
  if (from == nullptr)
    return failed(from_host ? D1_STATUS_DMA_FAULT : D1_STATUS_BAD_ADDRESS, command.source);
  if (to == nullptr)
    return failed(to_host ? D1_STATUS_DMA_FAULT : D1_STATUS_BAD_ADDRESS, command.destination);
  copy_rows(to, command.destination_pitch, from, command.source_pitch, command.row_bytes,
            command.rows);
  if (!to_host && d1_address_kind(command.destination) == D1_ADDRESS_NODE)
    written(
        machine_.id_of(d1_address_die(command.destination), d1_address_node(command.destination)),
        d1_address_offset(command.destination), to_span);
  return done(fabric_.dip_copy(command.row_bytes * command.rows,
                               from_host ? Fabric::CopyRoute::FromHost
                               : to_host ? Fabric::CopyRoute::ToHost
                                         : Fabric::CopyRoute::Device,
                               start));
}

// Broadcast, scatter, gather: one linear side, and the same SRAM offset on every node.
CommandResult Dip::copy_grid(const d1_copy& command, const Grid& nodes, std::uint64_t start) {
  const unsigned flags = command.header.flags;
  const bool gather = (flags & D1_COPY_GATHER) != 0;
  const bool broadcast = (flags & D1_COPY_BROADCAST) != 0;
  const std::uint64_t offset = gather ? command.source : command.destination;
  const std::uint64_t per_node = broadcast ? command.row_bytes : command.rank_bytes;
  const std::uint64_t total = broadcast ? command.row_bytes : command.source_pitch;
  if (command.rows != 1) return bad_field(offsetof(d1_copy, rows));
  if (per_node == 0)
    return bad_field(broadcast ? offsetof(d1_copy, row_bytes) : offsetof(d1_copy, rank_bytes));
  if (!fits_sram(offset, std::min(per_node, total)))
    return failed(D1_STATUS_BAD_ADDRESS, offset);
  if (!broadcast && (total + per_node - 1) / per_node > nodes.size())
    return bad_field(offsetof(d1_copy, source_pitch));
  const std::uint64_t linear = gather ? command.destination : command.source;
  const bool host = (flags & (gather ? D1_COPY_TO_HOST : D1_COPY_FROM_HOST)) != 0;
  std::uint8_t* memory =
      host ? dma_.find(linear, total, gather ? DmaAccess::Write : DmaAccess::Read)
           : device_memory(linear, total);
  if (memory == nullptr) return failed(host ? D1_STATUS_DMA_FAULT : D1_STATUS_BAD_ADDRESS, linear);
  for (std::uint32_t rank = 0; rank < nodes.size(); ++rank) {
    const std::uint64_t at = broadcast ? 0 : rank * per_node;
    if (at >= total) break;
    const std::uint64_t bytes = std::min(per_node, total - at);
    const NodeIndex id = node_at(nodes, rank);
    std::uint8_t* sram = machine_.sram(id) + offset;
    if (gather) {
      std::memcpy(memory + at, sram, bytes);
    } else {
      std::memcpy(sram, memory + at, bytes);
      written(id, offset, bytes);
    }
  }
  return done(fabric_.dip_copy(total,
                               !host    ? Fabric::CopyRoute::Device
                               : gather ? Fabric::CopyRoute::ToHost
                                        : Fabric::CopyRoute::FromHost,
                               start));
}

CommandResult Dip::fill(const d1_fill& command, std::uint64_t start) {
  const std::uint32_t width = command.pattern_bytes;
  if (width != 1 && width != 2 && width != 4 && width != 8)
    return bad_field(offsetof(d1_fill, pattern_bytes));
  if (command.bytes == 0 || command.bytes % width != 0) return bad_field(offsetof(d1_fill, bytes));
  if ((command.header.flags & ~D1_COPY_BROADCAST) != 0)
    return bad_field(offsetof(d1_command_header, flags));
  const auto write = [&](std::uint8_t* at) {
    for (std::uint64_t i = 0; i < command.bytes; i += width)
      std::memcpy(at + i, &command.pattern, width);
  };
  if ((command.header.flags & D1_COPY_BROADCAST) == 0) {
    std::uint8_t* at = device_memory(command.destination, command.bytes);
    if (at == nullptr) return failed(D1_STATUS_BAD_ADDRESS, command.destination);
    write(at);
  } else {
    const auto* nodes = grid(command.header.grid);
    if (nodes == nullptr) return failed(D1_STATUS_BAD_GRID, command.header.grid);
    if (!fits_sram(command.destination, command.bytes))
      return failed(D1_STATUS_BAD_ADDRESS, command.destination);
    for (std::uint32_t rank = 0; rank < (*nodes)->size(); ++rank) {
      const NodeIndex id = node_at(**nodes, rank);
      write(machine_.sram(id) + command.destination);
      written(id, command.destination, command.bytes);
    }
  }
  return done(fabric_.dip_copy(command.bytes, Fabric::CopyRoute::Device, start));
}

CommandResult Dip::define_grid(const d1_grid_command& command) {
  const std::uint32_t handle = command.header.grid;
  if (handle == 0 || handle >= D1_GRIDS) return failed(D1_STATUS_BAD_GRID, handle);
  if ((command.header.flags & ~(D1_GRID_DEFINE | D1_GRID_ALL)) != 0)
    return bad_field(offsetof(d1_command_header, flags));
  if ((command.header.flags & D1_GRID_DEFINE) == 0) {
    if (grids_[handle].grid == nullptr) return failed(D1_STATUS_BAD_GRID, handle);
    grids_[handle] = {};
    return done(0);
  }
  if ((command.header.flags & D1_GRID_ALL) != 0) {
    grids_[handle] = grids_[0];
    return done(0);
  }
  auto made = Grid::rectangle(machine_.geometry(), command.rows, command.columns,
                              command.first_row, command.first_column);
  if (!made) return failed(D1_STATUS_BAD_GRID, command.rows);
  grids_[handle] = {std::make_shared<const Grid>(std::move(*made)), nullptr};
  return done(0);
}

CommandResult Dip::load_program(const d1_program& command, std::uint64_t start) {
  const auto* nodes = grid(command.header.grid);
  if (nodes == nullptr) return failed(D1_STATUS_BAD_GRID, command.header.grid);
  if ((command.header.flags & ~D1_PROGRAM_EXECUTABLE) != 0)
    return bad_field(offsetof(d1_command_header, flags));
  if (command.memory_bytes == 0 || command.file_bytes > command.memory_bytes)
    return bad_field(offsetof(d1_program, memory_bytes));
  if (!fits_sram(command.offset, command.memory_bytes) || command.offset % 2 != 0)
    return failed(D1_STATUS_BAD_ADDRESS, command.offset);
  const std::uint8_t* bytes = nullptr;
  if (command.file_bytes != 0) {
    bytes = dma_.find(command.source, command.file_bytes, DmaAccess::Read);
    if (bytes == nullptr) return failed(D1_STATUS_DMA_FAULT, command.source);
  }
  const std::uint8_t* elf = nullptr;
  if (command.elf_bytes > D1_ELF_MAX_BYTES) return bad_field(offsetof(d1_program, elf_bytes));
  if (command.elf_bytes != 0) {
    elf = dma_.find(command.elf, command.elf_bytes, DmaAccess::Read);
    if (elf == nullptr) return failed(D1_STATUS_DMA_FAULT, command.elf);
  }
  std::shared_ptr<CodeImage> image;
  if ((command.header.flags & D1_PROGRAM_EXECUTABLE) != 0) {
    image = code_image(command.offset, {bytes, command.file_bytes});
    if (elf != nullptr && (image->elf() == nullptr ||
                           !std::ranges::equal(*image->elf(), std::span(elf, command.elf_bytes))))
      image->set_elf(
          std::make_shared<const std::vector<std::uint8_t>>(elf, elf + command.elf_bytes));
  }
  for (std::uint32_t rank = 0; rank < (*nodes)->size(); ++rank) {
    const NodeIndex id = node_at(**nodes, rank);
    std::uint8_t* at = machine_.sram(id) + command.offset;
    if (bytes != nullptr) std::memcpy(at, bytes, command.file_bytes);
    zero(at + command.file_bytes, command.memory_bytes - command.file_bytes);
    written(id, command.offset, command.memory_bytes);
    if (image != nullptr) machine_.node(id).set_program(image);
  }
  return done(fabric_.dip_copy(command.file_bytes, Fabric::CopyRoute::FromHost, start));
}

namespace {

std::uint64_t image_key(std::uint64_t base, std::span<const std::uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return std::hash<std::string_view>{}(text) ^ base;
}

}  // namespace

void Dip::name_code(std::uint64_t base, std::span<const std::uint8_t> bytes,
                    std::vector<NamedFunction> functions) {
  names_[image_key(base, bytes)] = std::make_shared<const CodeNames>(std::move(functions));
}

// The image of these bytes at this place, shared with whoever loaded the same before.
std::shared_ptr<CodeImage> Dip::code_image(std::uint64_t base,
                                           std::span<const std::uint8_t> bytes) {
  const std::uint64_t key = image_key(base, bytes);
  std::weak_ptr<CodeImage>& known = images_[key];
  if (auto image = known.lock(); image != nullptr && image->base() == base &&
                                 std::ranges::equal(image->bytes(), bytes))
    return image;
  auto image = std::make_shared<CodeImage>(base, bytes, machine_.blocks_decoded());
  if (const auto names = names_.find(key); names != names_.end()) image->set_names(names->second);
  known = image;
  std::erase_if(images_, [](const auto& entry) { return entry.second.expired(); });
  return image;
}

// Zeroes without touching whole pages that may never have been touched.
void Dip::zero(std::uint8_t* at, std::uint64_t bytes) {
  constexpr std::uint64_t kPage = 4096;
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  const std::uint64_t head = std::min<std::uint64_t>(bytes, (kPage - address % kPage) % kPage);
  std::memset(at, 0, head);
  const std::uint64_t pages = (bytes - head) / kPage * kPage;
  if (pages != 0) madvise(at + head, pages, MADV_DONTNEED);
  std::memset(at + head + pages, 0, bytes - head - pages);
}

CommandResult Dip::post(const d1_semaphore_command& command, std::uint64_t start) {
  if (command.count > D1_SEMAPHORE_MAX_COUNT)
    return bad_field(offsetof(d1_semaphore_command, count));
  const std::uint64_t departure = fabric_.host_to_dip(start);
  std::uint64_t end = 0;
  if ((command.header.flags & D1_COPY_BROADCAST) != 0) {
    const auto* nodes = grid(command.header.grid);
    if (nodes == nullptr) return failed(D1_STATUS_BAD_GRID, command.header.grid);
    if (command.target >= D1_SEMAPHORE_LAUNCH) return failed(D1_STATUS_BAD_ADDRESS, command.target);
    end = fabric_.post_from_dip(**nodes, *routes(command.header.grid),
                                static_cast<unsigned>(command.target), command.count, departure);
    activate_touched();
    return done(end);
  }
  const std::uint32_t die = d1_address_die(command.target), node = d1_address_node(command.target);
  const std::uint32_t semaphore = d1_address_offset(command.target);
  // The semaphores that start harts belong to launches.
  if (command.target != d1_node_address(die, node, semaphore) || !machine_.usable(die, node) ||
      semaphore >= D1_SEMAPHORE_LAUNCH)
    return failed(D1_STATUS_BAD_ADDRESS, command.target);
  end = fabric_.post_from_dip(machine_.place(machine_.id_of(die, node)), semaphore, command.count,
                              departure);
  activate_touched();
  return done(end);
}

void Dip::activate_touched() {
  for (const NodeIndex id : fabric_.touched()) scheduler_.activate(id);
  fabric_.clear_touched();
}

CommandResult Dip::signal(const d1_event_command& command, std::uint64_t start) {
  if (command.event >= D1_EVENTS) return bad_field(offsetof(d1_event_command, event));
  Event& event = events_[command.event];
  if (command.value > event.value) event = {command.value, start};
  return done(start);
}

CommandResult Dip::wait(Queue& queue, const d1_event_command& command, std::uint64_t start) {
  if (command.event >= D1_EVENTS) return bad_field(offsetof(d1_event_command, event));
  const Event& event = events_[command.event];
  if (event.value >= command.value) return done(std::max(start, event.when));
  queue.waiting = command;
  return pending();
}

}  // namespace d1::emulator
