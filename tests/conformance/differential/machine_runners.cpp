// SPDX-License-Identifier: Apache-2.0
#include "machine_runners.hpp"

#include <fmt/format.h>

#include <cstring>
#include <fstream>

#include <d1/emulator/bare_hart.hpp>

#include "oracle_process.hpp"

namespace d1::difftest {

namespace {

constexpr std::uint64_t kInstructionLimit = 8'000'000;
constexpr unsigned kTimeout_s = 120;

std::vector<std::uint8_t> memory_of(const MachineImage& image, bool on_oracle) {
  std::vector<std::uint8_t> memory(kMachineBlocks - kMachineCode + image.blocks.size());
  MachineGlobals globals = image.globals;
  globals.on_oracle = on_oracle ? 1 : 0;
  std::memcpy(memory.data(), image.code.data(), image.code.size());
  std::memcpy(memory.data() + (kMachineGlobals - kMachineCode), &globals, sizeof(globals));
  std::memcpy(memory.data() + (kMachineBlocks - kMachineCode), image.blocks.data(),
              image.blocks.size());
  return memory;
}

}  // namespace

Result<std::vector<MachineBlock>> run_machine_ours(const MachineImage& image) {
  emulator::BareHart hart;
  auto done = hart.add_memory(kMachineCode, kMachineMemoryEnd - kMachineCode);
  if (done) done = hart.write(kMachineCode, memory_of(image, false));
  if (done) done = hart.set_code(kMachineCode, image.code.size());
  if (!done) return std::unexpected(done.error());
  hart.set_entry(kMachineCode);
  hart.set_host_interface(kMachineGlobals + offsetof(MachineGlobals, to_host), std::nullopt);
  const emulator::BareExit exit = hart.run(kInstructionLimit);
  if (exit.reason != emulator::BareExit::Reason::Exited)
    return fail(ErrorKind::Internal,
                fmt::format("Our core did not finish the image: reason {}, pc {:#x}, cause {}, "
                            "value {:#x} after {} instructions.",
                            static_cast<int>(exit.reason), exit.pc, exit.cause, exit.value,
                            exit.instructions));
  std::vector<MachineBlock> blocks(image.case_code.size());
  done = hart.read(kMachineBlocks, {reinterpret_cast<std::uint8_t*>(blocks.data()),
                                    blocks.size() * sizeof(MachineBlock)});
  if (!done) return std::unexpected(done.error());
  return blocks;
}

Result<std::vector<MachineBlock>> run_machine_oracle(const MachineImage& image,
                                                     const std::string& program,
                                                     const std::filesystem::path& folder) {
  const std::filesystem::path binary = folder / "machine.bin", output = folder / "machine.out",
                              messages = folder / "machine.log";
  const std::vector<std::uint8_t> memory = memory_of(image, true);
  std::ofstream(binary, std::ios::binary)
      .write(reinterpret_cast<const char*>(memory.data()),
             static_cast<std::streamsize>(memory.size()));
  OracleProcess process(
      {program, "-machine", "virt", "-m", "128M", "-cpu",
       "rv64,v=true,vlen=512,elen=64,vext_spec=v1.0,Zfh=true,pmp=false,mmu=false", "-display",
       "none", "-monitor", "none", "-serial", "file:" + output.string(), "-bios", binary.string()},
      messages);
  const auto ended = process.wait(kTimeout_s);
  if (!ended) return std::unexpected(ended.error());
  std::vector<MachineBlock> blocks(image.case_code.size());
  const auto read = read_exactly(output, blocks.data(), blocks.size() * sizeof(MachineBlock));
  if (!read) return std::unexpected(read.error());
  return blocks;
}

}  // namespace d1::difftest
