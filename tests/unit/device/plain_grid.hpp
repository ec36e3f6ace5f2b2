// SPDX-License-Identifier: Apache-2.0
// The plainest model of a launch grid, to run device software on: every instruction by itself
// through the decoder and the semantics, no time, no network: what a transfer or a post does, it
// does at once. It knows the contract (d1/abi) and nothing of the emulator, so that device code and
// emulator can be tested against each other. Nodes take turns of a random number of instructions,
// from a seed. Owns all memory. One thread.
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <d1/abi/mailbox.h>
#include <d1/abi/memory_map.h>
#include <d1/abi/transfer.h>
#include <d1/device/rom_image.h>
#include <d1/isa/csr.hpp>
#include <d1/isa/float_environment.hpp>
#include <d1/isa/semantics/table.hpp>
#include <d1/isa/trap.hpp>

#include "device/kernel_grid.hpp"
#include "hart_fixture.hpp"

namespace d1::test {

class PlainGrid;

// One node: SRAM, four harts, semaphores.
class PlainNode final : public isa::test::FaultingEnvironment {
 public:
  PlainNode(PlainGrid& grid, std::uint32_t rank);

  // Runs one hart for at most `instructions`. False if it waits or is finished.
  bool turn(unsigned hart, unsigned instructions);

  std::array<isa::Hart, isa::kHartsPerNode> harts{};
  std::array<isa::VectorRegisters, isa::kHartsPerNode> vectors{};
  std::vector<std::uint8_t> sram = std::vector<std::uint8_t>(D1_SRAM_BYTES);
  std::array<std::uint64_t, D1_SEMAPHORES> semaphores{};
  std::string printed;
  std::uint64_t completion = 0;  // what hart 0 or a trap handler posted to the DIP

  using Hart = isa::Hart;
  using Operation = isa::Operation;
  using Outcome = isa::Outcome;
  Outcome access(Hart& hart, const Operation& operation, std::uint64_t address, unsigned bytes,
                 bool write, void* data) override;
  Outcome fence(Hart&, const Operation&) override { return Outcome::Next; }
  Outcome semaphore_wait(Hart&, const Operation&, std::uint64_t index,
                         std::uint64_t count) override;
  Outcome semaphore_post(Hart& hart, const Operation& operation, std::uint64_t target,
                         std::uint64_t count) override;
  Outcome node_barrier(Hart& hart, const Operation&, std::uint64_t count) override;
  Outcome grid_barrier(Hart& hart, const Operation&, std::uint64_t count) override;
  Outcome transfer(Hart& hart, const Operation& operation, std::uint64_t descriptors,
                   std::uint64_t count) override;
  Outcome transfer_wait(Hart&, const Operation&) override { return Outcome::Next; }
  Outcome print(Hart&, const Operation&, std::uint64_t text, std::uint64_t bytes) override;
  Outcome stop(Hart& hart, const Operation& operation) override;
  bool read_csr(const Hart& hart, unsigned number, std::uint64_t& value) override;

 private:
  friend class PlainGrid;
  // Harts that came to a barrier, and which round of it each waits for.
  struct Barrier {
    std::uint64_t arrived = 0, round = 0;
  };
  Outcome meet(Barrier& barrier, std::uint64_t& waiting_for, std::uint64_t all);

  PlainGrid& grid_;
  std::uint32_t rank_;
  Barrier barrier_;
  std::array<std::uint64_t, isa::kHartsPerNode> node_round_{}, grid_round_{};
};

class PlainGrid final : public KernelGrid {
 public:
  PlainGrid(std::uint32_t rows, std::uint32_t columns, std::uint64_t seed);

  [[nodiscard]] std::uint32_t size() const override { return rows_ * columns_; }
  void load(std::uint64_t offset, std::span<const std::uint8_t> file, std::uint64_t memory_bytes,
            bool executable) override;
  // Until every node has posted its completion, a hart has trapped, or nothing moves any more.
  [[nodiscard]] bool launch(d1_launch launch) override;
  void write(std::uint32_t rank, std::uint64_t offset,
             std::span<const std::uint8_t> bytes) override;
  void read(std::uint32_t rank, std::uint64_t offset, std::span<std::uint8_t> bytes) override;
  void write_hbm(std::uint64_t offset, std::span<const std::uint8_t> bytes) override;
  void read_hbm(std::uint64_t offset, std::span<std::uint8_t> bytes) override;
  [[nodiscard]] std::string printed(std::uint32_t rank) override { return node(rank).printed; }
  [[nodiscard]] std::optional<bool> semaphores_are_zero() override;

  [[nodiscard]] PlainNode& node(std::uint32_t rank) { return *nodes_[rank]; }
  // Host memory behind a global address; null where there is none.
  [[nodiscard]] std::uint8_t* memory(std::uint64_t address, std::uint64_t bytes);
  // Instructions retired by all harts in the last launch.
  [[nodiscard]] std::uint64_t instructions() const { return instructions_; }

  std::vector<std::uint8_t> hbm;

 private:
  friend class PlainNode;
  struct Ready {
    isa::Semantics run = nullptr;
    isa::Operation operation;
  };
  const Ready* fetch(const PlainNode& node, std::uint64_t pc);

  std::uint32_t rows_, columns_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<PlainNode>> nodes_;
  std::vector<Ready> code_;  // by pc / 2: all nodes run the same program
  PlainNode::Barrier barrier_;
  std::uint64_t instructions_ = 0, launches_ = 0;
};

}  // namespace d1::test
