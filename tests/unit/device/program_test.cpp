// SPDX-License-Identifier: Apache-2.0
// What compiler, linker script and d1_add_kernel() make of kernels.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include <embedded_kernel_program.hpp>

#include "device/program_file.hpp"
#include "plain_grid.hpp"

namespace d1::test {
namespace {

const char* const kPrograms[] = {"kernel_vector_add", "kernel_hello",  "kernel_reduce",
                                 "kernel_stencil2d",  "kernel_matmul", "kernel_probe"};

// The arguments in a flags file.
std::string flags(const std::string& name) {
  std::ifstream in(std::string(D1_DEVICE_DIR) + "/toolchain/" + name);
  std::string all, line;
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    const std::string placeholder = "${D1_DEVICE_DIR}";
    if (const auto at = line.find(placeholder); at != std::string::npos)
      line.replace(at, placeholder.size(), D1_DEVICE_DIR);
    all += " " + line;
  }
  return all;
}

struct Output {
  int status;
  std::string text;
};
Output run(const std::string& command) {
  Output output{-1, ""};
  FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return output;
  char chunk[512];
  while (std::fgets(chunk, sizeof chunk, pipe) != nullptr) output.text += chunk;
  output.status = pclose(pipe);
  return output;
}

// Compiles and links a source as the runtime does.
Output build(const std::string& source) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("d1-program-test-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const std::string stem = (folder / "program").string();
  std::ofstream(stem + ".cpp") << source;
  Output output =
      run(D1_DEVICE_CLANG + flags("compile_flags.txt") + " -c " + stem + ".cpp -o " + stem + ".o");
  if (output.status == 0)
    output = run(D1_DEVICE_LLD " -o " + stem + ".elf " + stem + ".o" + flags("link_flags.txt"));
  std::filesystem::remove_all(folder);
  return output;
}

std::set<isa::InstructionId> instructions_of(const ProgramFile& file) {
  std::set<isa::InstructionId> found;
  const auto text = file.text().file;
  for (std::size_t at = 0; at + 4 <= text.size();) {
    std::uint32_t bits;
    std::memcpy(&bits, &text[at], sizeof bits);
    const isa::Instruction instruction = isa::decode(bits);
    found.insert(instruction.id);
    at += instruction.length;
  }
  return found;
}

}  // namespace

TEST(Programs, SegmentsAreApartAndBelowTheStacks) {
  for (const char* const name : kPrograms) {
    const ProgramFile file = ProgramFile::open(name);
    EXPECT_EQ(file.entry, D1_PROGRAM_BASE);
    std::uint64_t end = D1_PROGRAM_BASE;
    for (const auto& segment : file.segments) {
      EXPECT_GE(segment.address, end) << name;
      EXPECT_FALSE(segment.writable && segment.executable) << name;
      end = segment.address + segment.memory_bytes;
    }
    EXPECT_EQ(file.segments.front().address, D1_PROGRAM_BASE);
    EXPECT_TRUE(file.segments.front().executable);
    EXPECT_LE(end, D1_STACK_TOP - D1_HARTS * D1_STACK_BYTES) << name;
    EXPECT_GE(file.symbols.at("__d1_program_end"), end) << name;
  }
}

TEST(Programs, KernelsAreTheFunctionsOfTheirSection) {
  const auto names = [](const char* program) {
    std::string all;
    for (const auto& [name, address] : ProgramFile::open(program).kernels) all += name + " ";
    return all;
  };
  EXPECT_EQ(names("kernel_vector_add"), "vector_add ");
  EXPECT_EQ(names("kernel_matmul"), "matmul matmul_timed ");
}

TEST(Programs, TheMatrixKernelUsesTheMatrixUnit) {
  const auto found = instructions_of(ProgramFile::open("kernel_matmul"));
  for (const auto id : {isa::InstructionId::mma_bf16, isa::InstructionId::transpose_e64,
                        isa::InstructionId::pack_b4, isa::InstructionId::unpack_c,
                        isa::InstructionId::d1_xfer, isa::InstructionId::d1_bar_grid})
    EXPECT_TRUE(found.contains(id)) << isa::facts(id).mnemonic;
}

TEST(Programs, PlainLoopsBecomeVectorCode) {
  EXPECT_TRUE(instructions_of(ProgramFile::open("kernel_vector_add"))
                  .contains(isa::InstructionId::vfadd_vv));
}

TEST(Programs, AnEmbeddedProgramIsTheFile) {
  std::ifstream in(D1_EMBEDDED_PROGRAM, std::ios::binary);
  const std::string file(std::istreambuf_iterator<char>(in), {});
  ASSERT_EQ(file.size(), embedded_kernel_program.size());
  EXPECT_EQ(std::memcmp(file.data(), embedded_kernel_program.data(), file.size()), 0);
}

TEST(Programs, StandardHeadersAndMathsLink) {
  const Output output = build(
      "#include <algorithm>\n#include <array>\n#include <bit>\n#include <cmath>\n"
      "#include <cstring>\n#include <span>\n#include <d1/kernel.hpp>\n"
      "D1_KERNEL void k(double* x, __int128* y) { x[0] = std::exp(x[1]) + std::pow(x[2], x[3]);\n"
      "  y[0] = y[1] / y[2]; std::sort(x, x + 100); std::memset(y, 0, 999); }\n");
  EXPECT_EQ(output.status, 0) << output.text;
  EXPECT_EQ(output.text, "");
}

TEST(Programs, CodeThatWouldHaveToRunBeforeTheKernelIsRefused) {
  const Output output = build(
      "#include <d1/kernel.hpp>\nint f();\nint x = f();\nint f() { return d1::rank(); }\n"
      "D1_KERNEL void k(int* y) { *y = x; }\n");
  EXPECT_NE(output.status, 0);
  EXPECT_NE(output.text.find("make it constinit"), std::string::npos) << output.text;
}

TEST(Programs, ThreadLocalVariablesAreRefused) {
  const Output output =
      build("#include <d1/kernel.hpp>\nthread_local int x;\nD1_KERNEL void k(int y) { x += y; }\n");
  EXPECT_NE(output.status, 0);
  EXPECT_NE(output.text.find("thread_local is not supported"), std::string::npos) << output.text;
}

TEST(Programs, AProgramLargerThanSramIsRefused) {
  const Output output = build(
      "#include <d1/kernel.hpp>\nchar big[1310720];\n"
      "D1_KERNEL void k(int i, char c) { big[i] = c; }\n");
  EXPECT_NE(output.status, 0);
  EXPECT_NE(output.text.find("does not fit in a node's SRAM"), std::string::npos) << output.text;
}

TEST(Programs, AKernelWithoutWarningsCompilesWithoutAnyFromTheSdk) {
  for (const auto* const header : {"kernel.hpp", "kernels/collectives.hpp", "kernels/copy.hpp",
                                   "kernels/matrix_product.hpp"}) {
    const Output output = build(std::string("#pragma clang diagnostic warning \"-Wall\"\n"
                                            "#pragma clang diagnostic warning \"-Wextra\"\n"
                                            "#pragma clang diagnostic warning \"-Wconversion\"\n"
                                            "#pragma clang diagnostic warning \"-Wshadow\"\n"
                                            "#include <d1/") +
                                header + ">\nD1_KERNEL void k() {}\n");
    EXPECT_EQ(output.status, 0) << output.text;
    EXPECT_EQ(output.text, "") << header;
  }
}

}  // namespace d1::test
