// SPDX-License-Identifier: Apache-2.0
// Any instructions on a bare hart. A handler skips what traps, so that the rest runs too.
#include "input.hpp"
#include "target.hpp"

#include <d1/emulator/bare_hart.hpp>

#include <array>
#include <string_view>
#include <vector>

namespace {

constexpr std::uint64_t kBase = 0x10000, kBytes = 0x10000;  // code from its start on
constexpr std::uint64_t kHandlerAt = kBase + kBytes - 0x100;
constexpr std::size_t kMostInstructions = 256;
constexpr std::uint64_t kLimit = 2'000;
// A turn ends with a loop's round, at the latest at the end of all code.
constexpr std::uint64_t kOvershoot = kBytes / 2;

// Floating point and vectors on, a trap handler, and registers that point into memory.
constexpr std::array<std::uint32_t, 14> kStart = {
    0x000062b7,  // lui     t0, 0x6
    0x3002a073,  // csrrs   zero, mstatus, t0: FS
    0x60000293,  // addi    t0, zero, 0x600
    0x3002a073,  // csrrs   zero, mstatus, t0: VS
    0x000202b7,  // lui     t0, 0x20
    0xf0028293,  // addi    t0, t0, -256
    0x30529073,  // csrrw   zero, mtvec, t0
    0x0c0072d7,  // vsetvli t0, zero, e8, m1, ta, ma
    0x00018537,  // lui     a0, 0x18
    0x000185b7,  // lui     a1, 0x18
    0x0001c637,  // lui     a2, 0x1c
    0x0001c6b7,  // lui     a3, 0x1c
    0x0001a137,  // lui     sp, 0x1a
    0x0001b437,  // lui     s0, 0x1b
};
constexpr std::uint32_t kEnd = 0x10500073;  // wfi: nothing ends that wait
// Skips what trapped.
constexpr std::array<std::uint32_t, 6> kHandler = {
    0x34029073,  // csrrw zero, mscratch, t0
    0x341022f3,  // csrrs t0, mepc, zero
    0x00428293,  // addi  t0, t0, 4
    0x34129073,  // csrrw zero, mepc, t0
    0x340022f3,  // csrrs t0, mscratch, zero
    0x30200073,  // mret
};

template <typename Words>
void put(d1::emulator::BareHart& hart, std::uint64_t address, const Words& words) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(words.data());
  const auto written = hart.write(address, {bytes, words.size() * sizeof(words[0])});
  d1::fuzz::require(written.has_value(), "The code does not fit.");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  d1::fuzz::Input input(data, bytes);
  std::vector<std::uint32_t> code(kStart.begin(), kStart.end());
  while (!input.empty() && code.size() < kMostInstructions)
    code.push_back(d1::fuzz::take_instruction(input));
  code.push_back(kEnd);
  d1::emulator::BareHart hart;
  d1::fuzz::require(hart.add_memory(kBase, kBytes).has_value(), "There is no memory.");
  put(hart, kBase, code);
  put(hart, kHandlerAt, kHandler);
  d1::fuzz::require(hart.set_code(kBase, kBytes).has_value(), "There is no code.");
  hart.set_entry(kBase);
  hart.set_console([](std::string_view) {});
  const d1::emulator::BareExit exit = hart.run(kLimit);
  d1::fuzz::require(exit.instructions <= kLimit + kOvershoot, "It ran past its limit.");
  return 0;
}
