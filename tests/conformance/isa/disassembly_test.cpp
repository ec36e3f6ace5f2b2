// SPDX-License-Identifier: Apache-2.0
// Decoder, compressed expansion and disassembler against llvm-objdump: every instruction of the
// tables with random operands, and every 16-bit encoding there is. Xd1, which LLVM does not know,
// is left out.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include <d1/isa/csr.hpp>
#include <d1/isa/operands.hpp>

namespace d1::isa {
namespace {

constexpr std::uint64_t kSeed = 0xd15a;

// A folder of this process, removed with the object.
class WorkFolder {
 public:
  WorkFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("opend1-disassembly-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~WorkFolder() { std::filesystem::remove_all(path_); }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// Text with one blank between words and without the symbol behind a branch target.
std::string normalised(std::string text) {
  if (const auto symbol = text.find(" <_"); symbol != std::string::npos) text.resize(symbol);
  std::string result;
  for (const char letter : text) {
    const bool blank = letter == ' ' || letter == '\t';
    if (!blank)
      result += letter;
    else if (!result.empty() && result.back() != ' ')
      result += ' ';
  }
  while (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

// What llvm-objdump says of each address of `words`, laid out from address 0 on.
std::map<std::uint64_t, std::string> objdump(const std::vector<std::uint32_t>& words,
                                             const std::string& options) {
  const WorkFolder folder;
  std::ofstream(folder.file("words.bin"), std::ios::binary)
      .write(reinterpret_cast<const char*>(words.data()),
             static_cast<std::streamsize>(words.size() * sizeof(std::uint32_t)));
  const std::string object = folder.file("words.o");
  const std::string copy = std::string{LLVM_OBJCOPY} +
                           " -I binary -O elf64-littleriscv --rename-section="
                           ".data=.text,alloc,load,readonly,code " +
                           folder.file("words.bin") + " " + object;
  EXPECT_EQ(std::system(copy.c_str()), 0) << copy;
  const std::string dump = std::string{LLVM_OBJDUMP} +
                           " -d -z --no-show-raw-insn "
                           "--mattr=+m,+a,+f,+d,+c,+v,+zicond,+zihintpause,+zba,+zbb,+zbs,+zfh,"
                           "+zvfh,+zfbfmin,+zvfbfmin,+zvfbfwma " +
                           options + " " + object;
  std::map<std::uint64_t, std::string> lines;
  FILE* const pipe = popen(dump.c_str(), "r");
  if (pipe == nullptr) return lines;
  char line[512];
  while (fgets(line, sizeof line, pipe) != nullptr) {
    char* end = nullptr;
    const std::uint64_t address = std::strtoull(line, &end, 16);
    if (end == line || *end != ':') continue;
    std::string text{end + 1};
    if (!text.empty() && text.back() == '\n') text.pop_back();
    lines[address] = normalised(std::move(text));
  }
  EXPECT_EQ(pclose(pipe), 0) << dump;
  return lines;
}

// Registers moved by a whole-register instruction, 1 for all others: with a register number that is
// no multiple of it the encoding is reserved, which LLVM rejects and our semantics trap on.
unsigned whole_registers(InstructionId id) {
  const std::string_view name = facts(id).mnemonic;
  for (const std::string_view start : {"vl", "vs", "vmv"})
    if (name.starts_with(start) && name.size() > start.size() && name[start.size()] >= '1' &&
        name[start.size()] <= '8')
      return static_cast<unsigned>(name[start.size()] - '0');
  return 1;
}

// True for encodings that we decode and LLVM does not: those that ignore operand bits, as the
// architecture asks of fences, and those whose operand values trap when they run.
bool is_rejected_by_llvm(InstructionId id, std::uint32_t encoding) {
  for (const Operand operand : operands_of(id)) {
    const std::int32_t value = facts(operand).field.extract(encoding);
    switch (facts(operand).style) {
      case OperandStyle::Silent:
        if (value != 0) return true;
        break;
      case OperandStyle::RoundingMode:
      case OperandStyle::RoundingModeExact:
        if (value == 5 || value == 6) return true;
        break;
      case OperandStyle::VectorRegister:
        if (static_cast<unsigned>(value) % whole_registers(id) != 0) return true;
        break;
      default:
        break;
    }
  }
  return false;
}

// Random operands that an assembler could write: rounding modes and CSRs that exist, and no bits
// that are ignored.
std::uint32_t random_encoding(InstructionId id, std::mt19937_64& random) {
  static const std::vector<unsigned> csrs = [] {
    std::vector<unsigned> numbers;
    for (unsigned number = 0; number < 4096; ++number)
      if (csr_facts(number) != nullptr && !csr_name(number).starts_with("d1"))
        numbers.push_back(number);
    return numbers;
  }();
  auto encoding = static_cast<std::uint32_t>(random());
  for (const Operand operand : operands_of(id)) {
    const OperandFacts& what = facts(operand);
    std::int32_t value = what.field.extract(encoding);
    switch (what.style) {
      case OperandStyle::RoundingMode:
      case OperandStyle::RoundingModeExact:
        value = value > 4 ? 7 : value;
        break;
      case OperandStyle::Csr:
        value = static_cast<std::int32_t>(csrs[static_cast<unsigned>(value) % csrs.size()]);
        break;
      case OperandStyle::Silent:
        value = 0;
        break;
      case OperandStyle::VectorRegister:
        value -= value % static_cast<std::int32_t>(whole_registers(id));
        break;
      default:
        break;
    }
    encoding = (encoding & ~what.field.mask()) | what.field.insert(value);
  }
  return (encoding & ~facts(id).mask) | facts(id).match;
}

TEST(Disassembly, TextOfEveryInstructionWithRandomOperandsIsThatOfLlvm) {
  constexpr unsigned kEach = 40;
  std::mt19937_64 random{kSeed};
  std::vector<std::uint32_t> words;
  for (unsigned i = 1; i < static_cast<unsigned>(InstructionId::Count); ++i) {
    const auto id = static_cast<InstructionId>(i);
    // LLVM prints pause only as an alias.
    if (facts(id).extension == Extension::Xd1 || id == InstructionId::pause) continue;
    for (unsigned n = 0; n < kEach; ++n) words.push_back(random_encoding(id, random));
  }
  const auto expected = objdump(words, "-M no-aliases");
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::uint64_t address = i * sizeof(std::uint32_t);
    ASSERT_TRUE(expected.contains(address)) << "seed " << kSeed;
    EXPECT_EQ(disassemble(decode(words[i]), address), expected.at(address))
        << std::hex << words[i] << ", seed " << kSeed;
  }
}

TEST(Disassembly, RandomWordsAreInstructionsForUsExactlyWhereTheyAreForLlvm) {
  constexpr unsigned kWords = 400'000;
  std::mt19937_64 random{kSeed};
  std::vector<std::uint32_t> words(kWords);
  for (std::uint32_t& word : words) {
    word = static_cast<std::uint32_t>(random()) | 3;
    if ((word & 0x1c) == 0x1c) word ^= 4;  // would announce more than 32 bits
  }
  const auto expected = objdump(words, "-M no-aliases");
  for (std::size_t i = 0; i < words.size(); ++i) {
    const InstructionId id = decode(words[i]).id;
    if (facts(id).extension == Extension::Xd1 || is_rejected_by_llvm(id, words[i])) continue;
    const std::string& text = expected.at(i * sizeof(std::uint32_t));
    EXPECT_EQ(id == InstructionId::Illegal, text == "<unknown>")
        << std::hex << words[i] << ": " << text << " against "
        << disassemble(decode(words[i]), i * sizeof(std::uint32_t));
  }
}

// c.lui with immediate 0: reserved, but LLVM shows it. (All zeros, "unimp", is the other one.)
bool is_reserved_upper_immediate(std::uint32_t bits) {
  return (bits & 0xf07f) == 0x6001 && (bits >> 7 & 31) != 2;
}

// Instructions without effect; LLVM shows the compressed ones by their own names.
bool is_hint(const Instruction& instruction) {
  if (instruction.id == InstructionId::Illegal) return false;
  if (instruction.rd == 0) return true;
  const bool moves_to_itself = instruction.rd == instruction.rs1 && instruction.immediate == 0;
  return moves_to_itself &&
         (instruction.id == InstructionId::addi || instruction.id == InstructionId::slli ||
          instruction.id == InstructionId::srli || instruction.id == InstructionId::srai);
}

// c.mv is an add to LLVM only where it is compressed.
std::string with_moves(const std::string& text) {
  const auto zero = text.find(", zero, ");
  if (!text.starts_with("add ") || zero == std::string::npos) return text;
  return "mv" + text.substr(3, zero - 3) + text.substr(zero + 6);
}

TEST(Disassembly, EveryCompressedEncodingExpandsToTheInstructionLlvmShows) {
  constexpr std::uint32_t kNop = 0x0001;     // fills each slot up to four bytes
  constexpr std::uint32_t kReserved = 0x7b;  // custom-3: no instruction to LLVM
  std::vector<std::uint32_t> compressed;
  std::vector<std::uint32_t> expanded;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 3) == 3) continue;
    const Instruction instruction = decode(bits);
    EXPECT_EQ(instruction.length, 2);
    compressed.push_back(bits | kNop << 16);
    const bool known = instruction.id != InstructionId::Illegal;
    expanded.push_back(known ? instruction.full : kReserved);
  }
  const auto ours = objdump(expanded, "");
  const auto theirs = objdump(compressed, "");
  for (std::size_t i = 0; i < compressed.size(); ++i) {
    const std::uint64_t address = i * sizeof(std::uint32_t);
    const std::uint32_t bits = compressed[i] & 0xffff;
    const std::string& their_text = theirs.at(address);
    if (bits == 0 || is_reserved_upper_immediate(bits))
      EXPECT_EQ(ours.at(address), "<unknown>") << std::hex << bits;
    else if (their_text.starts_with("c."))
      EXPECT_TRUE(is_hint(decode(bits))) << std::hex << bits << ": " << their_text;
    else
      EXPECT_EQ(with_moves(ours.at(address)), their_text) << std::hex << bits;
  }
}

}  // namespace
}  // namespace d1::isa
