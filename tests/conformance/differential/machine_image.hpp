// SPDX-License-Identifier: Apache-2.0
// The M-mode side of the comparison: bare programs at the start of RAM that both our core and
// qemu-system-riscv64 (machine virt) run. A case records every trap it takes and what is left in
// the registers and CSRs; only the end differs: our core stops by HTIF, the oracle writes the
// records to its UART and powers off.
#pragma once

#include <filesystem>
#include <span>

#include <d1/base/error.hpp>

#include "assembler.hpp"

namespace d1::difftest {

inline constexpr std::uint64_t kMachineCode = 0x80000000;
inline constexpr std::uint64_t kMachineGlobals = 0x80800000;
inline constexpr std::uint64_t kMachineArena = 0x80801000;  // for what succeeds
inline constexpr std::uint64_t kMachineBlocks = 0x80900000;
inline constexpr std::uint64_t kMachineMemoryEnd = 0x88000000;  // of the machine virt
inline constexpr unsigned kMachineTraps = 8;
inline constexpr unsigned kMachineCasesPerImage = 2000;

struct MachineTrap {
  std::uint64_t pc, cause, value, status;
};

struct MachineBlock {
  std::uint64_t code, vector_mode;  // vector_mode: bit 0 of mtvec
  std::uint64_t traps;
  std::array<MachineTrap, kMachineTraps> log;
  std::array<std::uint64_t, 32> x;  // x31 leads to the block
  std::uint64_t mstatus, mtvec, mepc, mcause, mtval, mscratch, mie, fcsr, vcsr, vstart, vl, vtype;
};

struct MachineGlobals {
  std::uint64_t current, end, on_oracle, to_host;
  std::uint64_t resume;  // where to go on after a fetch that faults
  std::array<std::uint64_t, 8> saved;
};

struct MachineStep {
  Code code;
  std::string name;
};

struct MachineCase {
  MachineBlock initial{};
  std::vector<MachineStep> steps;
};

struct MachineOutcomes {
  std::vector<MachineBlock> ours, oracle;
  std::uint64_t amo_causes_mended = 0;  // ORACLE.md 8
};

// rd = value, zero-extended from 32 bits.
void load_address(Assembler& out, unsigned rd, std::uint64_t value);

// Runs the cases on both sides. Addresses of code become offsets into the case.
[[nodiscard]] Result<MachineOutcomes> run_machine(std::span<const MachineCase> cases,
                                                  const std::string& oracle,
                                                  const std::filesystem::path& folder);

// mstatus as both sides have it: what a machine without S and U has is left.
inline constexpr std::uint64_t kSharedStatus = 0x8000000000006688;  // SD FS VS MPIE MIE

}  // namespace d1::difftest
