// SPDX-License-Identifier: Apache-2.0
// A node's four harts for tests of instruction semantics: 64 KiB of memory at kMemoryBase, vector
// registers, FS and VS on, and an environment that faults whatever it is asked. Instructions run
// one at a time on hart 0, through the decoder and the semantics table. One thread.
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include <d1/isa/csr.hpp>
#include <d1/isa/operands.hpp>
#include <d1/isa/semantics/common.hpp>
#include <d1/isa/semantics/table.hpp>
#include <d1/isa/trap.hpp>

namespace d1::isa::test {

// Refuses everything; tests derive from it what they need.
class FaultingEnvironment : public Environment {
 public:
  Outcome access(Hart& hart, const Operation& operation, std::uint64_t address, unsigned,
                 bool write, void*) override {
    return trap(hart, operation, write ? Cause::StoreAccess : Cause::LoadAccess, address);
  }
  Outcome remote_amo(Hart& hart, const Operation& operation, std::uint64_t address, unsigned,
                     unsigned, std::uint64_t, std::uint64_t&) override {
    return trap(hart, operation, Cause::StoreAccess, address);
  }
  Outcome fence_i(Hart& hart, const Operation& o) override { return illegal(hart, o); }
  Outcome fence(Hart& hart, const Operation& o) override { return illegal(hart, o); }
  Outcome wait_for_interrupt(Hart& hart, const Operation& o) override { return illegal(hart, o); }
  Outcome semaphore_wait(Hart& hart, const Operation& o, std::uint64_t index,
                         std::uint64_t) override {
    return trap(hart, o, Cause::SemaphoreFault, index);
  }
  Outcome semaphore_try(Hart& hart, const Operation& o, std::uint64_t index, std::uint64_t,
                        std::uint64_t&) override {
    return trap(hart, o, Cause::SemaphoreFault, index);
  }
  Outcome semaphore_read(Hart& hart, const Operation& o, std::uint64_t index,
                         std::uint64_t&) override {
    return trap(hart, o, Cause::SemaphoreFault, index);
  }
  Outcome semaphore_post(Hart& hart, const Operation& o, std::uint64_t target,
                         std::uint64_t) override {
    return trap(hart, o, Cause::SemaphoreFault, target);
  }
  Outcome node_barrier(Hart& hart, const Operation& o, std::uint64_t) override {
    return illegal(hart, o);
  }
  Outcome grid_barrier(Hart& hart, const Operation& o, std::uint64_t) override {
    return illegal(hart, o);
  }
  Outcome transfer(Hart& hart, const Operation& o, std::uint64_t descriptors,
                   std::uint64_t) override {
    return trap(hart, o, Cause::DescriptorFault, descriptors);
  }
  Outcome transfer_wait(Hart& hart, const Operation& o) override { return illegal(hart, o); }
  Outcome print(Hart& hart, const Operation& o, std::uint64_t, std::uint64_t) override {
    return illegal(hart, o);
  }
  Outcome stop(Hart& hart, const Operation& o) override { return illegal(hart, o); }
  bool read_csr(const Hart&, unsigned, std::uint64_t&) override { return false; }
  bool write_csr(Hart&, unsigned, std::uint64_t) override { return false; }
};

class HartFixture : public testing::Test {
 public:
  static constexpr std::uint64_t kMemoryBase = 0x10000;
  static constexpr std::uint64_t kMemoryBytes = 64 * 1024;
  static constexpr std::uint64_t kCode = kMemoryBase;           // pc of the first instruction
  static constexpr std::uint64_t kData = kMemoryBase + 0x8000;  // free for a test's data
  static constexpr std::uint64_t kOutside = kMemoryBase + kMemoryBytes;

  HartFixture() {
    for (unsigned i = 0; i < kHartsPerNode; ++i) {
      Hart& each = harts[i];
      each.memory = {memory.data(), kMemoryBase, kMemoryBytes};
      each.v = &vectors[i];
      each.environment = &faulting;
      each.node_harts = harts.data();
      each.hart_id = static_cast<std::uint8_t>(i);
      each.status = HartStatus::Runnable;
      csr_reset(each);
      each.mstatus |= kMstatusFs & (kMstatusFs >> 1);  // Initial
      each.mstatus |= kMstatusVs & (kMstatusVs >> 1);
      each.pc = kCode;
    }
  }

  void use(Environment& environment) {
    for (Hart& each : harts) each.environment = &environment;
  }

  // Runs one encoding at hart.pc and moves pc on where the engine would. The low 16 bits alone
  // count where they are a compressed instruction.
  Outcome run(std::uint32_t raw) { return run_on(hart, raw); }
  static Outcome run_on(Hart& where, std::uint32_t raw) {
    const Instruction instruction = decode(raw);
    const Operation operation = make_operation(instruction, where.pc);
    const Outcome outcome = semantics_of(instruction.id)(where, operation);
    if (outcome == Outcome::Next) where.pc = operation.next_pc();
    if (outcome != Outcome::Trap && outcome != Outcome::Park) ++where.instret;
    return outcome;
  }

  // Runs an instruction by name with register numbers, an immediate and further bits.
  Outcome run(InstructionId id, const EncodingFields& fields) { return run(encode(id, fields)); }

  // Result of a register-register (or register-immediate) instruction on x10 and x11.
  std::uint64_t result(InstructionId id, std::uint64_t a, std::uint64_t b = 0) {
    hart.x[10] = a;
    hart.x[11] = b;
    EXPECT_EQ(run(id, {.rd = 12, .rs1 = 10, .rs2 = 11}), Outcome::Next);
    return hart.x[12];
  }
  std::uint64_t immediate_result(InstructionId id, std::uint64_t a, std::int32_t immediate) {
    hart.x[10] = a;
    EXPECT_EQ(run(id, {.rd = 12, .rs1 = 10, .immediate = immediate}), Outcome::Next);
    return hart.x[12];
  }

  // Guest memory as a value; the address must be inside.
  template <typename T>
  T peek(std::uint64_t address) const {
    T value;
    std::memcpy(&value, &memory.at(address - kMemoryBase + sizeof(T) - 1) - (sizeof(T) - 1),
                sizeof(T));
    return value;
  }
  template <typename T>
  void poke(std::uint64_t address, T value) {
    std::memcpy(&memory.at(address - kMemoryBase + sizeof(T) - 1) - (sizeof(T) - 1), &value,
                sizeof(T));
  }

  // The trap the last instruction raised.
  void expect_trap(Outcome outcome, Cause cause, std::uint64_t value) const {
    EXPECT_EQ(outcome, Outcome::Trap);
    EXPECT_EQ(hart.trap.cause, cause);
    EXPECT_EQ(hart.trap.value, value);
  }

  FaultingEnvironment faulting;
  std::vector<std::uint8_t> memory = std::vector<std::uint8_t>(kMemoryBytes);
  std::array<Hart, kHartsPerNode> harts{};
  std::array<VectorRegisters, kHartsPerNode> vectors{};
  Hart& hart = harts[0];
};

}  // namespace d1::isa::test
