// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <signal.h>

#include <cstring>
#include <fstream>

#include <d1/emulator/bare_hart.hpp>
#include <d1/isa/hart.hpp>

#include "image.hpp"

namespace d1::difftest {

namespace {

constexpr std::uint64_t kInstructionLimit = 4'000'000;  // a case that never comes back

struct ProgramHeader {
  std::uint32_t type = 1, flags = 0;  // PT_LOAD
  std::uint64_t offset = 0, address = 0, physical = 0, file_bytes = 0, memory_bytes = 0,
                align = kPageBytes;
};
struct ElfHeader {
  std::array<std::uint8_t, 16> ident = {0x7f, 'E', 'L', 'F', 2, 1, 1};
  std::uint16_t type = 2, machine = 243;  // ET_EXEC, EM_RISCV
  std::uint32_t version = 1;
  std::uint64_t entry = 0, program_headers = sizeof(ElfHeader), section_headers = 0;
  std::uint32_t flags = 5;  // RVC, double-float ABI
  std::uint16_t header_bytes = sizeof(ElfHeader), program_header_bytes = sizeof(ProgramHeader),
                program_header_count = 3, section_header_bytes = 0, section_header_count = 0,
                section_names = 0;
};
static_assert(sizeof(ElfHeader) == 64 && sizeof(ProgramHeader) == 56);

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

// Both sides' traps in one language: the signals that Linux makes of them.
std::uint64_t signal_of(std::uint64_t cause) {
  switch (static_cast<isa::Cause>(cause)) {
    case isa::Cause::IllegalInstruction:
      return SIGILL;
    case isa::Cause::Breakpoint:
      return SIGTRAP;
    case isa::Cause::LoadMisaligned:
    case isa::Cause::StoreMisaligned:
      return SIGBUS;
    case isa::Cause::LoadAccess:
    case isa::Cause::StoreAccess:
    case isa::Cause::FetchAccess:
      return SIGSEGV;
    default:
      return 1000 + cause;
  }
}

void make_relative(std::vector<Block>& blocks, const std::vector<std::uint64_t>& case_code) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    blocks[i].code = blocks[i].prologue = 0;
    for (TrapEntry& entry : blocks[i].log)
      if (entry.pc != 0) entry.pc -= case_code[i];
  }
}

}  // namespace

std::vector<std::uint8_t> elf_of(const Image& image) {
  struct Segment {
    std::uint64_t address;
    const std::vector<std::uint8_t>& bytes;
    std::uint64_t memory_bytes;  // at the least
    std::uint32_t flags;
  };
  const std::array<Segment, 3> segments = {{
      {kCodeBase, image.code, 0, 5},
      {kBlockBase, image.blocks, 0, 6},
      {kDataBase, image.data, kMemoryEnd - kDataBase, 6},
  }};
  ElfHeader header;
  header.entry = image.linux_entry;
  std::vector<std::uint8_t> elf(kPageBytes);
  std::memcpy(elf.data(), &header, sizeof(header));
  for (std::size_t i = 0; i < segments.size(); ++i) {
    ProgramHeader program;
    program.flags = segments[i].flags;
    program.offset = elf.size();
    program.address = program.physical = segments[i].address;
    // Whole pages: the oracle would zero the rest of one, which read-only pages do not allow.
    program.file_bytes = round_up(segments[i].bytes.size(), kPageBytes);
    program.memory_bytes = std::max(program.file_bytes, segments[i].memory_bytes);
    std::memcpy(elf.data() + sizeof(header) + i * sizeof(program), &program, sizeof(program));
    elf.insert(elf.end(), segments[i].bytes.begin(), segments[i].bytes.end());
    elf.resize(round_up(elf.size(), kPageBytes));
  }
  return elf;
}

Result<std::vector<Block>> run_ours(const Image& image) {
  emulator::BareHart hart;
  auto done = hart.add_memory(kCodeBase, kMemoryEnd - kCodeBase);
  if (done) done = hart.write(kCodeBase, image.code);
  if (done) done = hart.write(kBlockBase, image.blocks);
  if (done) done = hart.write(kDataBase, image.data);
  if (done) done = hart.set_code(kCodeBase, image.code.size());
  if (!done) return std::unexpected(done.error());
  hart.set_entry(image.bare_entry);
  hart.set_host_interface(kDataBase + offsetof(Globals, to_host), std::nullopt);
  const emulator::BareExit exit = hart.run(kInstructionLimit);
  if (exit.reason != emulator::BareExit::Reason::Exited)
    return fail(ErrorKind::Internal,
                fmt::format("Our core did not finish the image: reason {}, pc {:#x}, cause {}, "
                            "value {:#x} after {} instructions.",
                            static_cast<int>(exit.reason), exit.pc, exit.cause, exit.value,
                            exit.instructions));
  std::vector<Block> blocks(image.case_code.size());
  done = hart.read(kBlockBase,
                   {reinterpret_cast<std::uint8_t*>(blocks.data()), blocks.size() * sizeof(Block)});
  if (!done) return std::unexpected(done.error());
  make_relative(blocks, image.case_code);
  for (Block& block : blocks)
    for (TrapEntry& entry : block.log)
      if (entry.cause != 0) entry.cause = signal_of(entry.cause);
  return blocks;
}

OracleRun::OracleRun(const Image& image, const Options& options,
                     const std::filesystem::path& folder)
    : program_(folder / "image.elf"),
      output_(folder / "image.out"),
      case_code_(image.case_code),
      timeout_s_(options.timeout_s) {
  const std::vector<std::uint8_t> elf = elf_of(image);
  std::ofstream(program_, std::ios::binary)
      .write(reinterpret_cast<const char*>(elf.data()), static_cast<std::streamsize>(elf.size()));
  std::filesystem::permissions(program_, std::filesystem::perms::owner_all);
  const std::string cpu =
      "rv64,v=true,vlen=512,elen=64,vext_spec=v1.0,Zfh=true,zba=true,zbb=true,zbs=true";
  process_.emplace(std::vector<std::string>{options.program, "-cpu", cpu, program_.string()},
                   output_);
}

OracleRun::~OracleRun() {
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove(program_, ignored);
  std::filesystem::remove(output_, ignored);
}

Result<std::vector<Block>> OracleRun::finish() {
  const auto ended = process_->wait(timeout_s_);
  if (!ended) return std::unexpected(ended.error());
  std::vector<Block> blocks(case_code_.size());
  const auto read = read_exactly(output_, blocks.data(), blocks.size() * sizeof(Block));
  if (!read) return std::unexpected(read.error());
  make_relative(blocks, case_code_);
  return blocks;
}

}  // namespace d1::difftest
