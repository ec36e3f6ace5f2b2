// SPDX-License-Identifier: Apache-2.0
// Two DPUs of one machine: their clients run at the same time, and neither reaches the other by any
// of the ways there are. What a way would change is looked at from the other side.
#include <gtest/gtest.h>
#include <d1/abi/memory_map.h>
#include <d1/d1.hpp>

#include <compiled.hpp>
#include <cstdlib>
#include <cstring>
#include <daemon.hpp>
#include <memory>
#include <thread>

namespace d1 {
namespace {

using test::Daemon;
using std::chrono::seconds;

constexpr std::uint32_t kOffset = 0x80000;  // of SRAM: nobody's
constexpr std::uint64_t kMark = 0x1122334455667788;

// One kernel for each way out of a DPU.
constexpr const char* kWaysOut = R"(
static bool chosen() { return d1::rank() == 0 && d1::hart() == 0; }
using Word = volatile std::uint64_t;
D1_KERNEL void load(std::uint64_t address) {
  if (chosen()) (void)*reinterpret_cast<Word*>(address);
}
D1_KERNEL void store(std::uint64_t address) {
  if (chosen()) *reinterpret_cast<Word*>(address) = 0x1122334455667788;
}
D1_KERNEL void add(std::uint64_t address) {
  if (chosen()) __atomic_fetch_add(reinterpret_cast<std::uint64_t*>(address), 1, __ATOMIC_RELAXED);
}
D1_KERNEL void post(std::uint64_t address) {
  if (chosen()) d1_sem_post((address & ~std::uint64_t{0x1fffff}) | 3, 1);
}
static void transfer(std::uint8_t kind, std::uint64_t address, std::uint32_t row) {
  if (!chosen()) return;
  static std::uint64_t source[8] = {0x1122334455667788};
  d1_transfer list{};
  list.kind = kind;
  list.local_semaphore = list.remote_semaphore = D1_NO_SEMAPHORE;
  list.row_bytes = sizeof source;
  list.rows = 1;
  list.local = reinterpret_cast<std::uint64_t>(source);
  list.remote = address;
  list.first_row = row;
  list.grid_rows = list.grid_columns = 1;
  d1_xfer(&list, 1);
  d1_xfer_wait();
}
D1_KERNEL void put(std::uint64_t address) { transfer(D1_TRANSFER_PUT, address, 0); }
D1_KERNEL void get(std::uint64_t address) { transfer(D1_TRANSFER_GET, address, 0); }
D1_KERNEL void multicast(std::uint64_t) { transfer(D1_TRANSFER_MULTICAST, 0x80000, 1); }
)";

class Isolation : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ::setenv("D1_PROGRAMS", D1_TEST_PROGRAMS, 0); }

  void SetUp() override {
    daemon = std::make_unique<Daemon>(std::vector<std::string>{
        "--machine", "tile", "--dpu", "one=tile0/die0", "--dpu", "two=tile0/die1"});
  }
  Device open(const std::string& dpu) { return Device::open(daemon->device(dpu)); }

  std::unique_ptr<Daemon> daemon;
};

TEST_F(Isolation, EachDpuIsAWholeDeviceOfItsOwnNodes) {
  const Device one = open("one"), two = open("two");
  EXPECT_EQ(one.info().nodes, 354u);
  EXPECT_EQ(two.info().nodes, 354u);
  EXPECT_EQ(one.info().die_rows * one.info().die_columns, 1u);
}

TEST_F(Isolation, ASecondClientIsRefusedWithASentenceAndTheFirstGoesOn) {
  const Device first = open("one");
  try {
    const Device second = open("one");
    ADD_FAILURE() << "it was let in";
  } catch (const Exception& refused) {
    EXPECT_EQ(refused.error().kind(), ErrorKind::ResourceExhausted);
    EXPECT_NE(refused.error().sentence().find("has a client already"), std::string::npos)
        << refused.error().sentence();
    EXPECT_NE(refused.error().sentence().find(daemon->socket("one")), std::string::npos);
  }
  EXPECT_GT(first.shared()->device().transport().read_register64(D1_REG_HBM_BYTES), 0u);
}

TEST_F(Isolation, MemoryOfOneIsNotThatOfTheOther) {
  const Device one = open("one"), two = open("two");
  auto& near = one.shared()->device().transport();
  auto& far = two.shared()->device().transport();
  for (const std::uint64_t address : {d1_node_address(0, 0, kOffset), d1_hbm_address(4096)}) {
    ASSERT_TRUE(near.write_aperture(address, &kMark, sizeof kMark));
    std::uint64_t seen = 0;
    ASSERT_TRUE(far.read_aperture(address, &seen, sizeof seen));
    EXPECT_EQ(seen, 0u);
  }
}

TEST_F(Isolation, AddressesOutsideOfTheDpuAreRefusedByAperture) {
  const Device one = open("one");
  auto& transport = one.shared()->device().transport();
  std::uint64_t value = 0;
  const std::uint64_t beyond[] = {d1_node_address(1, 0, kOffset), d1_node_address(0, 1023, 0),
                                  d1_node_address(0, 0, D1_SRAM_BYTES),
                                  d1_hbm_address(one.info().hbm_bytes), kOffset};
  for (const std::uint64_t address : beyond) {
    auto read = transport.read_aperture(address, &value, sizeof value);
    ASSERT_FALSE(read) << std::hex << address;
    EXPECT_EQ(read.error().kind(), ErrorKind::Invalid);
  }
}

// By a command of the queue: device addresses beyond the DPU, and I/O addresses of the other.
TEST_F(Isolation, CommandsReachNeitherNodesNorHostMemoryOfTheOther) {
  const Device one = open("one"), two = open("two");
  driver::Device& near = one.shared()->device();
  auto theirs = two.shared()->device().dma().allocate(4096);
  ASSERT_TRUE(theirs);
  std::memset(theirs->data(), 0x5a, 4096);
  auto queue = near.create_queue_pair(16);
  ASSERT_TRUE(queue);
  auto ours = near.dma().allocate(4096);
  ASSERT_TRUE(ours);
  std::memset(ours->data(), 0xff, 4096);
  // I/O addresses are given out alike on both sides, so it is one that only the other mapped.
  std::vector<driver::DmaBuffer> more;
  while (theirs->iova() <= ours->iova()) {
    more.push_back(std::move(*theirs));
    theirs = two.shared()->device().dma().allocate(4096);
    ASSERT_TRUE(theirs);
    std::memset(theirs->data(), 0x5a, 4096);
  }
  const auto status_of = [&](d1_copy copy) {
    copy.header.opcode = D1_COMMAND_COPY;
    copy.rows = 1;
    copy.row_bytes = copy.source_pitch = copy.destination_pitch = 64;
    std::uint16_t status = 0xffff;
    auto posted = (*queue)->post(
        driver::to_bytes(copy),
        [](void* to, const driver::Completion& done) {
          *static_cast<std::uint16_t*>(to) = done.status;
        },
        &status);
    EXPECT_TRUE(posted);
    (*queue)->ring();
    EXPECT_TRUE((*queue)->wait([&] { return status != 0xffff; }, driver::after(seconds(10))));
    return status;
  };
  d1_copy copy{};
  copy.header.flags = D1_COPY_FROM_HOST;
  copy.source = ours->iova();
  copy.destination = d1_node_address(1, 0, kOffset);
  EXPECT_EQ(status_of(copy), D1_STATUS_BAD_ADDRESS) << "a die of the other";
  copy.destination = d1_hbm_address(near.info().hbm_bytes);
  EXPECT_EQ(status_of(copy), D1_STATUS_BAD_ADDRESS) << "memory behind our own";
  copy.header.flags = D1_COPY_TO_HOST;
  copy.source = d1_hbm_address(0);
  copy.destination = theirs->iova();
  EXPECT_EQ(status_of(copy), D1_STATUS_DMA_FAULT) << "host memory of the other client";
  EXPECT_EQ(theirs->data()[0], std::byte{0x5a});
}

// Loads, stores, atomics, posts, and what the list parser sends: puts, gets, multicast.
TEST_F(Isolation, EveryWayOutOfAKernelTrapsAtTheEdge) {
  const Device one = open("one"), two = open("two");
  const Program program =
      one.load(std::span<const std::byte>(runtime::compiled(kWaysOut)), "ways_out.cpp");
  Stream stream = one.stream();
  for (const char* way : {"load", "store", "add", "post", "put", "get", "multicast"}) {
    for (const std::uint64_t address :
         {d1_node_address(1, 0, kOffset), d1_hbm_address(one.info().hbm_bytes)}) {
      try {
        program.kernel(way)(stream, one.all(), address).wait(seconds(30));
        ADD_FAILURE() << way << " went through to " << std::hex << address;
      } catch (const Exception& trapped) {
        EXPECT_EQ(trapped.error().kind(), ErrorKind::KernelTrap) << way << ": " << trapped.what();
      }
    }
  }
  std::uint64_t seen = 0;
  ASSERT_TRUE(two.shared()->device().transport().read_aperture(d1_node_address(0, 0, kOffset),
                                                               &seen, sizeof seen));
  EXPECT_EQ(seen, 0u);
}

TEST_F(Isolation, ClientsOfDifferentDpusRunAtTheSameTime) {
  const auto work = [&](const char* dpu) {
    const Device device = open(dpu);
    const Program program =
        device.load(std::span<const std::byte>(runtime::compiled(kWaysOut)), "ways_out.cpp");
    Stream stream = device.stream();
    for (int i = 0; i < 200; ++i)
      program.kernel("store")(stream, device.all(), d1_node_address(0, 5, kOffset))
          .wait(seconds(30));
    std::uint64_t seen = 0;
    EXPECT_TRUE(device.shared()->device().transport().read_aperture(
        d1_node_address(0, 5, kOffset), &seen, sizeof seen));
    EXPECT_EQ(seen, kMark);
  };
  std::thread other([&] { work("two"); });
  work("one");
  other.join();
}

}  // namespace
}  // namespace d1
