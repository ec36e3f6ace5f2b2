// SPDX-License-Identifier: Apache-2.0
// The part of Context that hands out device memory and loads programs into it.
#include <d1/abi/placement.h>
#include <fmt/format.h>
#include <d1/runtime/context.hpp>

#include <algorithm>
#include <cstring>

namespace d1::runtime {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << D1_HBM_BITS;

Result<std::uint64_t> total_bytes(const BufferRequest& request) {
  std::uint64_t bytes = 0;
  if (request.count == 0 || request.element_bytes == 0 ||
      __builtin_mul_overflow(request.count, request.element_bytes, &bytes) || bytes > kMostBytes) {
    return fail(
        ErrorKind::Invalid,
        fmt::format("A buffer of {} elements of {} bytes cannot be made; it must have 1 to {} "
                    "bytes.",
                    request.count, request.element_bytes, kMostBytes));
  }
  return bytes;
}

}  // namespace

Result<Buffer> Context::allocate(const BufferRequest& request) {
  const auto bytes = total_bytes(request);
  if (!bytes) return std::unexpected(bytes.error());
  auto state = std::make_shared<BufferState>();
  state->placement = request.placement;
  state->count = request.count;
  state->element_bytes = request.element_bytes;

  if (request.placement == Placement::Hbm) {
    std::lock_guard lock(mutex_);
    auto offset = hbm_.allocate(*bytes, D1_PLACEMENT_ALIGNMENT);
    if (!offset) return std::unexpected(std::move(offset.error()));
    state->address = d1_hbm_address(*offset);
    state->context = shared_from_this();
    return Buffer(std::move(state));
  }

  state->grid = request.grid;
  if (!state->grid) {
    auto all = all_nodes();
    if (!all) return std::unexpected(std::move(all.error()));
    state->grid = std::move(*all);
  }
  const Grid& grid = *state->grid;
  std::uint64_t on_each = *bytes;
  NodeSet one_node;
  NodePlace place;
  if (request.placement == Placement::Sharded) {
    state->chunk_bytes =
        d1_shard_chunk(request.count, grid.nodes(), request.element_bytes) * request.element_bytes;
    on_each = state->chunk_bytes;
  } else if (request.placement == Placement::OnNode) {
    if (request.rank >= grid.nodes()) {
      return fail(ErrorKind::Invalid, fmt::format("Rank {} is not in the grid of {} nodes.",
                                                  request.rank, grid.nodes()));
    }
    place = grid.place_of(request.rank);
    const std::uint64_t positions = std::uint64_t{info().node_rows} * info().node_columns;
    one_node = NodeSet(positions * info().die_rows * info().die_columns);
    one_node.add(place.die * positions + place.node);
  }
  const bool single = request.placement == Placement::OnNode;
  std::lock_guard lock(mutex_);
  auto id = sram_.allocate(single ? one_node : grid.node_set(), on_each, D1_PLACEMENT_ALIGNMENT);
  if (!id) return std::unexpected(std::move(id.error()));
  const std::uint32_t offset = sram_.range(*id).offset;
  state->sram = *id;
  state->address = single ? d1_node_address(place.die, place.node, offset) : offset;
  state->context = shared_from_this();
  return Buffer(std::move(state));
}

BufferState::~BufferState() {
  if (context) context->free_buffer(*this);
}

void Context::free_buffer(const BufferState& buffer) {
  std::lock_guard lock(mutex_);
  if (buffer.sram != 0) {
    sram_.release(buffer.sram);
  } else {
    hbm_.release(d1_address_hbm(buffer.address));
  }
}

Result<HostBuffer> Context::allocate_host(std::uint64_t bytes, driver::Warmth warmth) {
  auto memory = device_->dma().allocate(bytes, warmth);
  if (!memory) return std::unexpected(std::move(memory.error()));
  return HostBuffer(shared_from_this(), std::move(*memory));
}

Result<> Context::check_stacks(const Grid& grid, std::uint32_t harts, std::uint32_t stack_bytes) {
  const std::uint64_t bytes = std::uint64_t{harts} * stack_bytes;
  if (bytes <= std::uint64_t{D1_HARTS} * D1_STACK_BYTES) return {};
  if (bytes > D1_STACK_TOP - D1_PROGRAM_BASE) {
    return fail(ErrorKind::Invalid,
                fmt::format("Stacks of {} bytes for {} harts do not fit in a node's SRAM; {} bytes "
                            "are there in all.",
                            stack_bytes, harts, D1_STACK_TOP - D1_PROGRAM_BASE));
  }
  std::lock_guard lock(mutex_);
  return sram_.check(grid.node_set(), D1_STACK_TOP - bytes, bytes,
                     fmt::format("A launch with stacks of {} bytes", stack_bytes));
}

Result<Context::ProgramLoad> Context::plan_load(const Program& program, const Grid& grid) {
  const ElfImage& image = program.image();
  std::uint64_t file_bytes = 0;
  for (const Segment& segment : image.segments()) file_bytes += segment.bytes.size();
  // Tools want the whole file, for its names and source lines.
  const std::uint64_t elf_bytes =
      image.bytes().size() <= D1_ELF_MAX_BYTES ? image.bytes().size() : 0;
  auto memory = device_->dma().allocate(std::max<std::uint64_t>(file_bytes + elf_bytes, 1));
  if (!memory) return std::unexpected(std::move(memory.error()));
  ProgramLoad load;
  load.memory = std::move(*memory);
  {
    std::lock_guard lock(mutex_);
    auto place =
        sram_.reserve_program(grid.node_set(), D1_PROGRAM_BASE, image.end() - D1_PROGRAM_BASE);
    if (!place) return std::unexpected(std::move(place.error()));
  }
  for (Resident& resident : residents_) resident.nodes.remove(grid.node_set());
  std::erase_if(residents_, [](const Resident& resident) { return resident.nodes.empty(); });
  // From here on no grid can be sure of the program it knew.
  load_epoch_.fetch_add(1);
  if (elf_bytes != 0)
    std::memcpy(load.memory.data() + file_bytes, image.bytes().data(), elf_bytes);
  std::uint64_t at = 0;
  for (const Segment& segment : image.segments()) {
    if (!segment.bytes.empty()) {
      std::memcpy(load.memory.data() + at, segment.bytes.data(), segment.bytes.size());
    }
    d1_program command{};
    command.header.opcode = D1_COMMAND_PROGRAM;
    command.header.flags = segment.kind == SegmentKind::Executable ? D1_PROGRAM_EXECUTABLE : 0;
    command.header.grid = grid.handle();
    command.source = segment.bytes.empty() ? 0 : load.memory.iova() + at;
    command.file_bytes = segment.bytes.size();
    command.memory_bytes = segment.memory_bytes;
    command.offset = segment.offset;
    if (segment.kind == SegmentKind::Executable && elf_bytes != 0) {
      command.elf = load.memory.iova() + file_bytes;
      command.elf_bytes = elf_bytes;
    }
    at += segment.bytes.size();
    load.commands.push_back(driver::to_bytes(command));
  }
  if (device_->transport().wants_code_names()) name_code(image);
  return load;
}

void Context::name_code(const ElfImage& image) {
  for (const Segment& segment : image.segments()) {
    if (segment.kind != SegmentKind::Executable) continue;
    std::vector<NamedFunction> functions;
    for (const Symbol& each : image.functions())
      functions.push_back({each.name, each.address, each.bytes});
    device_->transport().name_code(segment.offset, segment.bytes, std::move(functions));
  }
}

void Context::note_loaded(const Program& program, const Grid& grid) {
  const auto known = std::find_if(residents_.begin(), residents_.end(), [&](const Resident& each) {
    return each.program == program.id();
  });
  if (known != residents_.end()) {
    known->nodes.add(grid.node_set());
  } else {
    residents_.push_back({program.id(), grid.node_set()});
  }
  note_resident(program, grid);
}

void Context::note_resident(const Program& program, const Grid& grid) {
  grid.resident_program_.store(program.id(), std::memory_order_relaxed);
  grid.resident_epoch_.store(load_epoch_.load(), std::memory_order_release);
}

bool Context::has_program(const Program& program, const Grid& grid) const {
  return grid.resident_epoch_.load(std::memory_order_acquire) == load_epoch_.load() &&
         grid.resident_program_.load(std::memory_order_relaxed) == program.id();
}

Result<> Context::load_program(const Program& program, const Grid& grid) {
  return load_with(program, grid, [this](ProgramLoad load) -> Result<> {
    auto memory = std::make_shared<driver::DmaBuffer>(std::move(load.memory));
    for (const auto& command : load.commands) {
      auto loaded = execute(command, driver::after(driver::limits::kAdminTimeout), memory);
      if (!loaded) return std::unexpected(std::move(loaded.error()));
    }
    return {};
  });
}

Result<> Context::ensure_program(const Program& program, const Grid& grid, const Loader& loader) {
  if (has_program(program, grid)) return {};
  {
    std::lock_guard loading(load_mutex_);
    for (const Resident& resident : residents_) {
      if (resident.program == program.id() && resident.nodes.includes(grid.node_set())) {
        note_resident(program, grid);
        return {};
      }
    }
  }
  return load_with(program, grid, loader);
}

Result<> Context::load_with(const Program& program, const Grid& grid, const Loader& loader) {
  const auto doing = [&] {
    return fmt::format("loading '{}' on {} nodes", program.image().origin(), grid.nodes());
  };
  std::lock_guard loading(load_mutex_);
  auto load = plan_load(program, grid);
  if (!load) return pass_on(load, doing());
  auto loaded = loader(std::move(*load));
  if (!loaded) return pass_on(loaded, doing());
  note_loaded(program, grid);
  return {};
}

}  // namespace d1::runtime
