// SPDX-License-Identifier: Apache-2.0
// Bits that flip in SRAM and HBM, corrected and not.
#include "fixture.hpp"

namespace d1 {
namespace {

class Memory : public Faults {
 protected:
  void flip_hbm(const Buffer<int>& buffer, std::size_t element, bool corrected) {
    device.inject_faults(fmt::format(
        "[[fault]]\nkind = 'hbm_flip'\naddress = {}\nbit = 3\ncorrected = {}\n",
        d1_address_hbm(buffer.untyped().address()) + element * sizeof(int), corrected));
    // Faults begin when the device next looks.
    const std::vector<int> nothing(1);
    auto other = device.hbm<int>(1);
    stream.copy_in(other, nothing).wait();
  }
  std::vector<int> numbers = std::vector<int>(64, 7);
};

TEST_F(Memory, ACorrectedErrorIsCountedAndChangesNothing) {
  auto buffer = device.hbm<int>(64);
  stream.copy_in(buffer, numbers).wait();
  const auto before = device.health();
  flip_hbm(buffer, 20, true);
  std::vector<int> result(64);
  stream.copy_out(result, buffer).wait();
  EXPECT_EQ(result, numbers);
  EXPECT_EQ(device.health().corrected_errors, before.corrected_errors + 1);
  EXPECT_EQ(device.health().uncorrected_errors, before.uncorrected_errors);
}

TEST_F(Memory, AnUncorrectedErrorInHbmFailsCopiesUntilItIsWrittenAnew) {
  auto buffer = device.hbm<int>(64);
  stream.copy_in(buffer, numbers).wait();
  const auto before = device.health();
  flip_hbm(buffer, 20, false);
  std::vector<int> result(64);
  const Error error = error_of([&] { stream.copy_out(result, buffer).wait(); });
  expect_error(error, ErrorKind::Hardware, "memory has an error that could not be corrected");
  EXPECT_EQ(device.health().uncorrected_errors, before.uncorrected_errors + 1);
  std::vector<int> first(16);
  stream.copy_out(first, buffer).wait();  // the 64 bytes before it are sound
  stream.copy_in(buffer, numbers).wait();
  stream.copy_out(result, buffer).wait();
  EXPECT_EQ(result, numbers);
}

TEST_F(Memory, AnUncorrectedErrorInHbmTrapsTheKernelThatReadsIt) {
  auto buffer = device.hbm<int>(64);
  const Grid node = device.grid(1, 1, 4, 4);
  auto out = device.sharded<int>(1, node);
  stream.copy_in(buffer, numbers).wait();
  flip_hbm(buffer, 0, false);
  const Error error = error_of([&] { launch("read_hbm", node, 5s, buffer, out).wait(); });
  expect_error(error, ErrorKind::KernelTrap, "that memory could not correct (ECC)");
  expect_error(error, ErrorKind::KernelTrap, "row 4, column 4");
  stream.copy_in(buffer, numbers);
  launch("read_hbm", node, 5s, buffer, out).wait();
}

TEST_F(Memory, AnUncorrectedErrorInSramTrapsTheKernelOnThatNode) {
  expect_works(device.grid(2, 2));
  device.inject_faults(fmt::format("[[fault]]\nkind = 'sram_flip'\nnode = 'die0/n1,1'\n"
                                   "address = 0x50000\ncorrected = false\nat_cycle = {}\n",
                                   device.cycle() + 50'000));
  const Launch running = launch("spin", device.grid(2, 2), 60s, 50'000'000u);
  const Error error = error_of([&] { running.wait(); });
  expect_error(error, ErrorKind::KernelTrap, "Kernel 'spin' trapped on die 0, node 7 (row 1");
  expect_error(error, ErrorKind::KernelTrap, "an error at 0x50000 that memory could not correct");
  expect_works(device.grid(2, 2));
}

TEST_F(Memory, AnUncorrectedErrorInSramFailsCopiesOfThose64Bytes) {
  const Grid node = device.grid(1, 1, 5, 5);
  auto buffer = device.on_node<int>(64, 0, node);
  stream.copy_in(buffer, numbers).wait();
  device.inject_faults(fmt::format(
      "[[fault]]\nkind = 'sram_flip'\nnode = 'n5,5'\naddress = {}\ncorrected = false\n",
      d1_address_offset(buffer.untyped().address())));
  std::vector<int> result(64);
  const Error error = error_of([&] { stream.copy_out(result, buffer).wait(); });
  expect_error(error, ErrorKind::Hardware, "die 0, node 35");
  stream.copy_in(buffer, numbers);
  stream.copy_out(result, buffer).wait();
  EXPECT_EQ(result, numbers);
}

// The last rank's chunk is not full: what lies behind its elements is not read.
TEST_F(Memory, AnErrorBehindTheLastElementFailsNoCopy) {
  const Grid nodes = device.grid(1, 2, 4, 3);
  auto buffer = device.sharded<int>(33, nodes);
  ASSERT_EQ(buffer.chunk(), 32u);
  const auto flip = [&](std::uint64_t bytes_in) {
    device.inject_faults(fmt::format(
        "[[fault]]\nkind = 'sram_flip'\nnode = 'n4,4'\naddress = {}\ncorrected = false\n",
        d1_address_offset(buffer.untyped().address()) + bytes_in));
  };
  numbers.resize(33);
  stream.copy_in(buffer, numbers).wait();
  flip(64);
  std::vector<int> result(33);
  stream.copy_out(result, buffer).wait();
  EXPECT_EQ(result, numbers);
  flip(0);
  const Error error = error_of([&] { stream.copy_out(result, buffer).wait(); });
  expect_error(error, ErrorKind::Hardware, "die 0, node 28");
}

}  // namespace
}  // namespace d1
