// SPDX-License-Identifier: Apache-2.0
#include "plain_grid.hpp"

#include <algorithm>

namespace d1::test {

using isa::Cause;

PlainNode::PlainNode(PlainGrid& grid, std::uint32_t rank) : grid_(grid), rank_(rank) {
  for (unsigned i = 0; i < isa::kHartsPerNode; ++i) {
    Hart& hart = harts[i];
    hart.memory = {sram.data() + D1_NULL_BYTES, D1_NULL_BYTES, D1_SRAM_BYTES - D1_NULL_BYTES};
    hart.v = &vectors[i];
    hart.environment = this;
    hart.node_harts = harts.data();
    hart.hart_id = static_cast<std::uint8_t>(i);
    hart.status = isa::HartStatus::Runnable;
    isa::csr_reset(hart);
    hart.pc = D1_ROM_BASE;
  }
}

bool PlainNode::turn(unsigned index, unsigned instructions) {
  Hart& hart = harts[index];
  bool moved = false;
  isa::enter_guest_float(hart);
  for (unsigned i = 0; i < instructions; ++i) {
    if (hart.status == isa::HartStatus::Stopped) break;
    const PlainGrid::Ready* ready = grid_.fetch(*this, hart.pc);
    if (ready == nullptr) {
      hart.trap = {Cause::FetchAccess, hart.pc};
      isa::take_trap(hart);
      continue;
    }
    const Outcome outcome = ready->run(hart, ready->operation);
    if (outcome == Outcome::Park) break;
    moved = true;
    if (outcome == Outcome::Trap) {
      isa::take_trap(hart);
      continue;
    }
    ++hart.instret;
    ++grid_.instructions_;
    if (outcome == Outcome::Next) hart.pc = ready->operation.next_pc();
    if (outcome == Outcome::Stop) hart.status = isa::HartStatus::Stopped;
  }
  isa::leave_guest_float(hart);
  return moved;
}

isa::Outcome PlainNode::access(Hart& hart, const Operation& operation, std::uint64_t address,
                               unsigned bytes, bool write, void* data) {
  std::uint8_t* const memory =
      d1_address_kind(address) == D1_ADDRESS_LOCAL ? nullptr : grid_.memory(address, bytes);
  if (memory == nullptr)
    return trap(hart, operation, write ? Cause::StoreAccess : Cause::LoadAccess, address);
  std::memcpy(write ? memory : data, write ? data : memory, bytes);
  return Outcome::Next;
}

isa::Outcome PlainNode::semaphore_wait(Hart& hart, const Operation& operation, std::uint64_t index,
                                       std::uint64_t count) {
  if (index >= D1_SEMAPHORES) return trap(hart, operation, Cause::SemaphoreFault, index);
  if (semaphores[index] < count) return Outcome::Park;
  semaphores[index] -= count;
  return Outcome::Next;
}

isa::Outcome PlainNode::semaphore_post(Hart& hart, const Operation& operation, std::uint64_t target,
                                       std::uint64_t count) {
  const unsigned kind = d1_address_kind(target);
  const std::uint32_t number = d1_address_offset(target);
  if (target == D1_DIP_COMPLETION_ADDRESS) {
    completion = count;
    return Outcome::Next;
  }
  const std::uint32_t rank = kind == D1_ADDRESS_LOCAL ? rank_ : d1_address_rank(target);
  if (number >= D1_SEMAPHORES || rank >= grid_.size())
    return trap(hart, operation, Cause::SemaphoreFault, target);
  grid_.node(rank).semaphores[number] += count;
  return Outcome::Next;
}

// The first try counts the hart in; it goes on when the round it came in is over.
isa::Outcome PlainNode::meet(Barrier& barrier, std::uint64_t& waiting_for, std::uint64_t all) {
  if (waiting_for == 0) {
    waiting_for = barrier.round + 1;
    if (++barrier.arrived == all) barrier = {0, barrier.round + 1};
  }
  if (barrier.round < waiting_for) return Outcome::Park;
  waiting_for = 0;
  return Outcome::Next;
}

isa::Outcome PlainNode::node_barrier(Hart& hart, const Operation&, std::uint64_t count) {
  return meet(barrier_, node_round_[hart.hart_id], count);
}

isa::Outcome PlainNode::grid_barrier(Hart& hart, const Operation&, std::uint64_t count) {
  return meet(grid_.barrier_, grid_round_[hart.hart_id], count * grid_.size());
}

isa::Outcome PlainNode::transfer(Hart& hart, const Operation& operation, std::uint64_t descriptors,
                                 std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    d1_transfer t;
    const std::uint64_t where = descriptors + i * sizeof t;
    const auto refuse = [&] { return trap(hart, operation, Cause::DescriptorFault, where); };
    if (where % 8 != 0 || where + sizeof t > D1_SRAM_BYTES) return refuse();
    std::memcpy(&t, &sram[where], sizeof t);
    const std::uint64_t local_bytes = std::uint64_t{t.rows - 1} * t.local_pitch + t.row_bytes;
    const std::uint64_t remote_bytes = std::uint64_t{t.rows - 1} * t.remote_pitch + t.row_bytes;
    if (t.rows == 0 || t.row_bytes == 0 || t.reserved0 != 0 || t.reserved1 != 0 ||
        t.local < D1_NULL_BYTES || t.local + local_bytes > D1_SRAM_BYTES)
      return refuse();
    for (std::uint32_t rank = 0; rank < grid_.size(); ++rank) {
      std::uint64_t remote = t.remote;
      if (t.kind == D1_TRANSFER_MULTICAST) {
        const std::uint32_t row = rank / grid_.columns_ - t.first_row;
        const std::uint32_t column = rank % grid_.columns_ - t.first_column;
        if (row >= t.grid_rows || column >= t.grid_columns || rank == rank_) continue;
        remote = d1_grid_address(rank, static_cast<std::uint32_t>(t.remote));
      } else if (rank != 0) {
        break;
      }
      std::uint8_t* const far = grid_.memory(remote, remote_bytes);
      if (far == nullptr) return refuse();
      for (std::uint32_t row = 0; row < t.rows; ++row) {
        std::uint8_t* const near_row = &sram[t.local + std::uint64_t{row} * t.local_pitch];
        std::uint8_t* const far_row = far + std::uint64_t{row} * t.remote_pitch;
        std::memcpy(t.kind == D1_TRANSFER_GET ? near_row : far_row,
                    t.kind == D1_TRANSFER_GET ? far_row : near_row, t.row_bytes);
      }
      if (t.remote_semaphore != D1_NO_SEMAPHORE && d1_address_kind(remote) == D1_ADDRESS_GRID)
        ++grid_.node(d1_address_rank(remote)).semaphores[t.remote_semaphore];
    }
    if (t.local_semaphore != D1_NO_SEMAPHORE) ++semaphores[t.local_semaphore];
  }
  return Outcome::Next;
}

isa::Outcome PlainNode::print(Hart&, const Operation&, std::uint64_t text, std::uint64_t bytes) {
  printed.append(reinterpret_cast<const char*>(&sram.at(text)), bytes);
  return Outcome::Next;
}

isa::Outcome PlainNode::stop(Hart& hart, const Operation&) {
  hart.pc = D1_ROM_BASE;
  return Outcome::Stop;
}

bool PlainNode::read_csr(const Hart& hart, unsigned number, std::uint64_t& value) {
  d1_launch launch;
  std::memcpy(&launch, &sram[D1_MAILBOX_ADDRESS], sizeof launch);
  switch (number) {
    case 0xf14:
      value = std::uint64_t{rank_} << 2 | hart.hart_id;
      return true;
    case 0xcc0:
      value = launch.rank;
      return true;
    case 0xcc1:
      value = launch.nodes;
      return true;
    case 0xcc2:
      value = std::uint64_t{launch.grid_rows} << 32 | launch.grid_columns;
      return true;
    case 0xcc5:
      value = launch.harts;
      return true;
    default:
      return false;
  }
}

PlainGrid::PlainGrid(std::uint32_t rows, std::uint32_t columns, std::uint64_t seed)
    : rows_(rows), columns_(columns), random_(seed), code_((D1_ROM_BASE + D1_ROM_BYTES) / 2) {
  for (std::uint32_t rank = 0; rank < rows * columns; ++rank)
    nodes_.push_back(std::make_unique<PlainNode>(*this, rank));
}

void PlainGrid::load(std::uint64_t offset, std::span<const std::uint8_t> file,
                     std::uint64_t memory_bytes, bool) {
  for (const auto& node : nodes_) {
    std::fill_n(&node->sram.at(offset), memory_bytes, std::uint8_t{0});
    std::copy(file.begin(), file.end(), &node->sram.at(offset));
  }
}

void PlainGrid::write(std::uint32_t rank, std::uint64_t offset,
                      std::span<const std::uint8_t> bytes) {
  std::copy(bytes.begin(), bytes.end(), &node(rank).sram.at(offset));
}

void PlainGrid::read(std::uint32_t rank, std::uint64_t offset, std::span<std::uint8_t> bytes) {
  std::copy_n(&node(rank).sram.at(offset), bytes.size(), bytes.data());
}

void PlainGrid::write_hbm(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  hbm.resize(std::max(hbm.size(), offset + bytes.size()));
  std::copy(bytes.begin(), bytes.end(), hbm.begin() + static_cast<std::ptrdiff_t>(offset));
}

void PlainGrid::read_hbm(std::uint64_t offset, std::span<std::uint8_t> bytes) {
  std::copy_n(hbm.begin() + static_cast<std::ptrdiff_t>(offset), bytes.size(), bytes.data());
}

std::optional<bool> PlainGrid::semaphores_are_zero() {
  return std::ranges::all_of(nodes_, [](const auto& node) {
    return std::ranges::all_of(node->semaphores, [](std::uint64_t count) { return count == 0; });
  });
}

std::unique_ptr<KernelGrid> make_kernel_grid(std::uint32_t rows, std::uint32_t columns,
                                             std::uint64_t seed) {
  return std::make_unique<PlainGrid>(rows, columns, seed);
}

const PlainGrid::Ready* PlainGrid::fetch(const PlainNode& node, std::uint64_t pc) {
  if (pc % 2 != 0 || pc / 2 >= code_.size()) return nullptr;
  Ready& ready = code_[pc / 2];
  if (ready.run == nullptr) {
    std::uint32_t bits = 0;
    if (pc >= D1_ROM_BASE && pc - D1_ROM_BASE < d1_rom_image_bytes)
      std::memcpy(&bits, d1_rom_image + (pc - D1_ROM_BASE),
                  std::min<std::size_t>(4, d1_rom_image_bytes - (pc - D1_ROM_BASE)));
    else if (pc >= D1_NULL_BYTES && pc + 4 <= D1_SRAM_BYTES)
      std::memcpy(&bits, &node.sram[pc], 4);
    else
      return nullptr;
    const isa::Instruction instruction = isa::decode(bits);
    ready = {isa::semantics_of(instruction.id), isa::make_operation(instruction, pc)};
  }
  return &ready;
}

bool PlainGrid::launch(d1_launch launch) {
  instructions_ = 0;
  launch.nodes = size();
  launch.grid_rows = rows_;
  launch.grid_columns = columns_;
  if (launch.id == 0) launch.id = ++launches_;
  for (launch.rank = 0; launch.rank < size(); ++launch.rank) {
    PlainNode& target = node(launch.rank);
    target.completion = 0;
    std::memcpy(&target.sram[D1_MAILBOX_ADDRESS], &launch, sizeof launch);
    target.semaphores[D1_SEMAPHORE_LAUNCH] += 1;
  }
  for (;;) {
    bool moved = false, all = true;
    for (const auto& node : nodes_) {
      for (unsigned hart = 0; hart < isa::kHartsPerNode; ++hart)
        moved |= node->turn(hart, 1 + static_cast<unsigned>(random_() % 3000));
      if (node->completion > 1) return false;
      all &= node->completion == 1;
    }
    if (!moved) return all;  // every hart waits for the next launch, or for nothing
  }
}

std::uint8_t* PlainGrid::memory(std::uint64_t address, std::uint64_t bytes) {
  switch (d1_address_kind(address)) {
    case D1_ADDRESS_GRID: {
      const std::uint32_t rank = d1_address_rank(address), offset = d1_address_offset(address);
      if (rank >= size() || offset + bytes > D1_SRAM_BYTES || offset < D1_NULL_BYTES)
        return nullptr;
      return &node(rank).sram[offset];
    }
    case D1_ADDRESS_HBM: {
      const std::uint64_t offset = d1_address_hbm(address);
      return offset + bytes <= hbm.size() ? hbm.data() + offset : nullptr;
    }
    default:
      return nullptr;
  }
}

}  // namespace d1::test
