// SPDX-License-Identifier: Apache-2.0
// What is common to all nodes: the description, the memories, the boot ROM, the table of nodes that
// were ever woken. Fixed while nodes run; SRAM and HBM bytes are written by their nodes during
// quanta and by the committing thread between them.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <d1/abi/registers.h>
#include <d1/emulator/geometry.hpp>
#include <d1/emulator/machine_description.hpp>

#include "node.hpp"
#include "reservation.hpp"

namespace d1::emulator {

class MachineState {
 public:
  // One SRAM after the other, and a page between them: neighbours share page tables, and nodes that
  // do the same at the same addresses use all sets of the host's TLB, which an even number of pages
  // (let alone 2 MiB) would not.
  static constexpr std::size_t kSramStride = D1_BAR2_STRIDE;
  static_assert(kSramStride == D1_SRAM_BYTES + 4096);
  static_assert(kSramStride / 4096 % 2 == 1);

  // rom is what nodes execute from reset. Throws std::bad_alloc when the host has no address space.
  // Shared: SRAM and HBM are for other processes to map, too.
  MachineState(const MachineDescription& description, std::span<const std::uint8_t> rom,
               Sharing sharing = Sharing::Private);

  [[nodiscard]] const MachineDescription& description() const noexcept { return description_; }
  [[nodiscard]] const Geometry& geometry() const noexcept { return geometry_; }
  [[nodiscard]] NodeIndex positions() const noexcept { return positions_; }
  [[nodiscard]] std::uint32_t positions_per_die() const noexcept { return per_die_; }
  [[nodiscard]] NodeIndex id_of(std::uint32_t die, std::uint32_t node) const noexcept {
    return die * per_die_ + node;
  }
  [[nodiscard]] NodeIndex id_of(NodeId place) const noexcept {
    return id_of(place.die, place.node);
  }
  [[nodiscard]] NodeId place(NodeIndex id) const noexcept {
    return {static_cast<std::uint16_t>(id / per_die_), static_cast<std::uint16_t>(id % per_die_)};
  }
  [[nodiscard]] bool usable(std::uint32_t die, std::uint32_t node) const noexcept {
    return geometry_.usable(die, node);
  }

  [[nodiscard]] std::uint8_t* sram(NodeIndex id) const noexcept {
    return sram_.data() + id * kSramStride;
  }
  [[nodiscard]] const Reservation& all_sram() const noexcept { return sram_; }
  [[nodiscard]] const Reservation& all_hbm() const noexcept { return hbm_; }
  [[nodiscard]] std::uint8_t* hbm() const noexcept { return hbm_.data(); }
  [[nodiscard]] std::uint64_t hbm_bytes() const noexcept { return hbm_.bytes(); }
  [[nodiscard]] isa::VectorRegisters* vectors(NodeIndex id) const noexcept {
    return reinterpret_cast<isa::VectorRegisters*>(vectors_.data()) + id * isa::kHartsPerNode;
  }
  [[nodiscard]] CodeImage& rom() const noexcept { return *rom_; }
  // Of all images of the machine.
  [[nodiscard]] std::atomic<std::uint64_t>* blocks_decoded() const noexcept {
    return &blocks_decoded_;
  }
  void discard_sram(NodeIndex id) noexcept { sram_.discard(id * kSramStride, D1_SRAM_BYTES); }

  // Nodes whose SRAM is used densely get huge pages; looks at a part of them each time, if there
  // may be new ones. Between quanta only.
  void collapse_dense_sram() noexcept;

  // The node, made at first use; between quanta only.
  [[nodiscard]] Node& node(NodeIndex id);
  [[nodiscard]] Node* find(NodeIndex id) const noexcept { return nodes()[id]; }
  // All nodes take so many times as long for what they do; true if that changes anything.
  bool set_slowness(std::uint32_t factor);
  // Asks for what the node is looked at for between quanta, if it was ever woken.
  void prefetch(NodeIndex id) const noexcept {
    if (const Node* node = find(id); node != nullptr) node->prefetch();
  }

  ~MachineState();
  MachineState(const MachineState&) = delete;
  MachineState& operator=(const MachineState&) = delete;

 private:
  [[nodiscard]] Node** nodes() const noexcept { return reinterpret_cast<Node**>(table_.data()); }
  [[nodiscard]] Node* place_of(std::size_t number) const noexcept {
    return reinterpret_cast<Node*>(nodes_.data()) + number;
  }

  MachineDescription description_;
  Geometry geometry_;
  std::uint32_t per_die_;
  NodeIndex positions_;
  Reservation sram_, hbm_, vectors_, table_;
  std::size_t next_huge_page_ = 0;  // of sram_, to be looked at
  long faults_ = 0;                 // of pages of this process, when the first one was
  Reservation nodes_;  // Node objects, in the order in which they were first woken
  std::size_t made_ = 0;  // of them
  std::uint16_t slowness_ = 1;
  mutable std::atomic<std::uint64_t> blocks_decoded_{0};
  std::unique_ptr<CodeImage> rom_;
};

}  // namespace d1::emulator
