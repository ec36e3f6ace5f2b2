// SPDX-License-Identifier: Apache-2.0
// Translated code as perf and gdb are told of it.
#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <sstream>

#include <d1/emulator/bare_hart.hpp>
#include <d1/isa/operands.hpp>

#include "engine/translator/gdb_jit.hpp"
#include "engine/translator/perf_map.hpp"

namespace d1::emulator {
namespace {

using enum isa::InstructionId;

const std::uint8_t* at(std::uint64_t address) {
  return reinterpret_cast<const std::uint8_t*>(address);
}

HostCode code(std::string name, std::uint64_t address, std::size_t bytes) {
  return {std::move(name), at(address), {{bytes, StackShape::Inside}}};
}

std::string perf_map() {
  std::ifstream file(PerfMap::path());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// What gdb would read, by the names of symbols.
std::vector<std::string> gdb_symbols() {
  std::vector<std::string> names;
  for (const jit_code_entry* each = __jit_debug_descriptor.first_entry; each != nullptr;
       each = each->next_entry) {
    Elf64_Ehdr header;
    std::memcpy(&header, each->symfile_addr, sizeof header);
    std::vector<Elf64_Shdr> sections(header.e_shnum);
    std::memcpy(sections.data(), each->symfile_addr + header.e_shoff,
                sections.size() * sizeof(Elf64_Shdr));
    for (const Elf64_Shdr& section : sections) {
      if (section.sh_type != SHT_SYMTAB) continue;
      Elf64_Sym symbol;  // behind the one that every table begins with
      std::memcpy(&symbol, each->symfile_addr + section.sh_offset + sizeof symbol, sizeof symbol);
      names.emplace_back(each->symfile_addr + sections[section.sh_link].sh_offset + symbol.st_name);
    }
  }
  return names;
}

constexpr std::uint64_t kBase = 0x8000'0000;

// Function `count` with two loops of 100 rounds, at +0x4 and +0x10.
void count_with(BareHart& hart) {
  const std::array program = {isa::encode(addi, {.rd = 5, .immediate = 100}),
                              isa::encode(addi, {.rd = 5, .rs1 = 5, .immediate = -1}),
                              isa::encode(bne, {.rs1 = 5, .immediate = -4}),
                              isa::encode(addi, {.rd = 5, .immediate = 100}),
                              isa::encode(addi, {.rd = 5, .rs1 = 5, .immediate = -1}),
                              isa::encode(bne, {.rs1 = 5, .immediate = -4}),
                              isa::encode(ebreak, {})};
  std::array<std::uint8_t, 4 * program.size()> bytes;
  std::memcpy(bytes.data(), program.data(), bytes.size());
  ASSERT_TRUE(hart.add_memory(kBase, 0x1000));
  ASSERT_TRUE(hart.write(kBase, bytes));
  hart.set_names({{"count", kBase, bytes.size()}});
  ASSERT_TRUE(hart.set_code(kBase, bytes.size()));
  hart.set_entry(kBase);
  EXPECT_EQ(hart.run(0).reason, BareExit::Reason::Trap);
}

constexpr EngineOptions kEager{.kind = EngineKind::Translator, .runs_before_translation = 3};

class PerfMapTest : public testing::Test {
 protected:
  ~PerfMapTest() override { PerfMap::drop(at(0), at(~std::uint64_t{0})); }
  static void TearDownTestSuite() { unlink(PerfMap::path().c_str()); }
};

TEST_F(PerfMapTest, ALineForEachPieceOfCode) {
  PerfMap::add(code("saxpy", 0x10000, 0x40));
  PerfMap::add(code("d1::kernels::multiply(int)+0x1c", 0x20000, 0x1000));
  EXPECT_EQ(perf_map(), "10000 40 saxpy\n20000 1000 d1::kernels::multiply(int)+0x1c\n");
}

TEST_F(PerfMapTest, CodeThatWasDroppedIsInItNoLonger) {
  PerfMap::add(code("kept", 0x10000, 0x40));
  PerfMap::add(code("first", 0x10040, 0x40));
  PerfMap::add(code("second", 0x10080, 0x40));
  PerfMap::drop(at(0x10040), at(0x100c0));
  EXPECT_EQ(perf_map(), "10000 40 kept\n");
  PerfMap::add(code("third", 0x10040, 0x80));
  EXPECT_EQ(perf_map(), "10000 40 kept\n10040 80 third\n");
}

TEST_F(PerfMapTest, CodeTakesThePlaceOfWhatLayThereBefore) {
  PerfMap::add(code("before", 0x10000, 0x100));
  PerfMap::add(code("beside", 0x10100, 0x10));
  PerfMap::add(code("now", 0x10080, 0x20));
  EXPECT_EQ(perf_map(), "10080 20 now\n10100 10 beside\n");
}

TEST_F(PerfMapTest, RegionsHaveTheNamesOfTheirFunctions) {
  EngineOptions options = kEager;
  options.perf_map = true;
  BareHart hart(options);
  count_with(hart);
  const std::string map = perf_map();
  for (const char* name : {" d1_enter_translated_code\n", " d1_leave_translated_code\n",
                           " d1_call_semantics\n", " count+0x4\n", " count+0x10\n"})
    EXPECT_NE(map.find(name), std::string::npos) << name << " in " << map;
}

TEST(GdbJit, AnObjectForEachPieceOfCodeUntilItIsDropped) {
  {
    GdbJit gdb;
    gdb.add(code("kept", 0x10000, 0x40));
    gdb.add(code("first", 0x10040, 0x40));
    gdb.add(code("second", 0x10080, 0x40));
    EXPECT_EQ(gdb_symbols(), std::vector<std::string>({"second", "first", "kept"}));
    gdb.drop_from(at(0x10040));
    EXPECT_EQ(gdb_symbols(), std::vector<std::string>({"kept"}));
  }
  EXPECT_EQ(gdb_symbols(), std::vector<std::string>());
}

TEST(GdbJit, TheObjectSaysWhereTheCodeIs) {
  const std::vector<std::uint8_t> file = make_symbol_file(code("saxpy", 0x12340, 0x56));
  Elf64_Ehdr header;
  std::memcpy(&header, file.data(), sizeof header);
  ASSERT_EQ(std::memcmp(header.e_ident, ELFMAG, SELFMAG), 0);
  EXPECT_EQ(header.e_machine, EM_X86_64);
  Elf64_Shdr text;
  std::memcpy(&text, file.data() + header.e_shoff + sizeof text, sizeof text);
  EXPECT_EQ(text.sh_type, Elf64_Word{SHT_NOBITS});
  EXPECT_EQ(text.sh_addr, 0x12340u);
  EXPECT_EQ(text.sh_size, 0x56u);
  EXPECT_EQ(header.e_shoff + header.e_shnum * sizeof(Elf64_Shdr), file.size());
}

TEST(GdbJit, RegionsAreRegisteredWhileTheirEngineLives) {
  {
    EngineOptions options = kEager;
    options.gdb_jit = true;
    BareHart hart(options);
    count_with(hart);
    const std::vector<std::string> symbols = gdb_symbols();
    ASSERT_EQ(symbols.size(), 6u) << "four thunks and two regions";
    EXPECT_EQ(symbols[0], "count+0x10");
    EXPECT_EQ(symbols[1], "count+0x4");
  }
  EXPECT_EQ(gdb_symbols().size(), 0u);
}

TEST_F(PerfMapTest, WhenTheCacheIsFullGdbAndPerfForgetWhatItHeld) {
  EngineOptions options = kEager;
  options.perf_map = options.gdb_jit = true;
  options.code_bytes = std::size_t{256} << 10;  // less than is kept for a region: always full
  BareHart hart(options);
  count_with(hart);
  const std::vector<std::string> symbols = gdb_symbols();
  ASSERT_EQ(symbols.size(), 5u) << "four thunks, which stay, and the last region";
  EXPECT_EQ(symbols[0], "count+0x10");
  const std::string map = perf_map();
  EXPECT_NE(map.find(" d1_call_semantics\n"), std::string::npos) << map;
  EXPECT_NE(map.find(" count+0x10\n"), std::string::npos) << map;
  EXPECT_EQ(map.find(" count+0x4\n"), std::string::npos) << map;
}

TEST(CodeRegister, NobodyIsToldUnlessAsked) {
  BareHart hart(kEager);
  count_with(hart);
  EXPECT_EQ(gdb_symbols().size(), 0u);
  EXPECT_NE(access(PerfMap::path().c_str(), F_OK), 0);
}

}  // namespace
}  // namespace d1::emulator
