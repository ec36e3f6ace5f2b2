// SPDX-License-Identifier: Apache-2.0
// The device as a driver meets it: commands, launches, faults, and that it goes on after each.
#include <gtest/gtest.h>

#include <d1/abi/log.h>
#include <d1/abi/transfer.h>

#include <emulator_kernels_program.hpp>
#include <numeric>
#include <raw_host.hpp>
#include <set>
#include <stdexcept>
#include <thread>

namespace d1::emulator::test {
namespace {

constexpr std::uint32_t kOut = 0x80000;
constexpr std::uint32_t kAll = 0;
constexpr std::uint32_t kSmall = 1;  // 3 x 5

class DeviceTest : public testing::Test {
 protected:
  DeviceTest() {
    host.load(emulator_kernels_program);
    EXPECT_EQ(host.define_grid(kSmall, 3, 5, 2, 1).status, D1_STATUS_OK);
  }
  void expect_works() {
    EXPECT_EQ(host.launch("who", kSmall, {kOut}).status, D1_STATUS_OK);
    EXPECT_EQ(host.read<std::uint32_t>(host.topology(kSmall)[7], kOut), 7u);
  }
  RawHost host;
};

TEST_F(DeviceTest, EveryNodeOfTheDieKnowsItsPlace) {
  ASSERT_EQ(host.launch("who", kAll, {kOut}, 4).status, D1_STATUS_OK);
  const auto nodes = host.topology(kAll);
  ASSERT_EQ(nodes.size(), 354u);
  EXPECT_EQ(std::set<std::uint32_t>(nodes.begin(), nodes.end()).size(), 354u);
  for (std::uint32_t rank = 0; rank < nodes.size(); ++rank)
    for (std::uint32_t hart = 0; hart < 4; ++hart) {
      EXPECT_EQ(host.read<std::uint32_t>(nodes[rank], kOut + 16 * hart), rank);
      EXPECT_EQ(host.read<std::uint32_t>(nodes[rank], kOut + 16 * hart + 4), 354u);
      EXPECT_EQ(host.read<std::uint32_t>(nodes[rank], kOut + 16 * hart + 12), 4u);
    }
}

TEST_F(DeviceTest, RowsAndColumnsOfARectangleFollowItsRanks) {
  ASSERT_EQ(host.launch("who", kSmall, {kOut}).status, D1_STATUS_OK);
  const auto nodes = host.topology(kSmall);
  ASSERT_EQ(nodes.size(), 15u);
  for (std::uint32_t rank = 0; rank < 15; ++rank)
    EXPECT_EQ(host.read<std::uint32_t>(nodes[rank], kOut + 8), rank / 5 << 16 | rank % 5);
}

TEST_F(DeviceTest, ArgumentsBeyondTheRegistersComeFromTheStack) {
  ASSERT_EQ(host.launch("arguments", kSmall, {kOut, 1, 2, 3, 4, 5, 6, 7, 8, 9}).status,
            D1_STATUS_OK);
  EXPECT_EQ(host.read<std::uint64_t>(host.topology(kSmall)[3], kOut), 987654321u);
}

TEST_F(DeviceTest, RemoteStoresAndPostsGoAroundARing) {
  ASSERT_EQ(host.launch("ring", kSmall, {kOut, 4}).status, D1_STATUS_OK);
  // Four laps over ranks 0..14: the sum of all ranks, four times.
  EXPECT_EQ(host.read<std::uint64_t>(host.topology(kSmall)[0], kOut), 4u * 105);
}

TEST_F(DeviceTest, APutsPostIsSeenAfterItsDataAndPutsStayInOrder) {
  ASSERT_EQ(host.launch("put_order", kSmall, {kOut, 40}).status, D1_STATUS_OK);
}

TEST_F(DeviceTest, GridBarriersHoldEveryHartBack) {
  ASSERT_EQ(host.launch("barriers", kAll, {kOut, 5}, 2).status, D1_STATUS_OK);
}

TEST_F(DeviceTest, CodeShowsOnlyAfterFenceI) {
  ASSERT_EQ(host.launch("rewrite", kSmall, {kOut}).status, D1_STATUS_OK);
  const std::uint32_t node = host.topology(kSmall)[0];
  EXPECT_EQ(host.read<std::uint64_t>(node, kOut), 1u);
  EXPECT_EQ(host.read<std::uint64_t>(node, kOut + 8), 1u) << "a store into code must not show yet";
  EXPECT_EQ(host.read<std::uint64_t>(node, kOut + 16), 2u);
}

TEST_F(DeviceTest, ATrapFailsItsLaunchNamesTheHartAndStopsTheOthers) {
  const d1_completion completion = host.launch("null_store", kSmall, {7}, 2);
  EXPECT_EQ(completion.status, D1_STATUS_TRAP);
  EXPECT_EQ(completion.detail, 7u);
  const d1_launch_report& report = host.report();
  EXPECT_EQ(report.failed, 1u);
  EXPECT_EQ(report.failed_die << 16 | report.failed_node, host.topology(kSmall)[7]);
  EXPECT_EQ(report.cause, 7u);
  EXPECT_EQ(report.value, 0u);
  EXPECT_GE(report.pc, host.symbol("null_store"));
  expect_works();
}

TEST_F(DeviceTest, AJumpIntoDataIsAFetchFault) {
  EXPECT_EQ(host.launch("jump", kSmall, {0x90000}).status, D1_STATUS_TRAP);
  EXPECT_EQ(host.report().cause, 1u);
  EXPECT_EQ(host.report().value, 0x90000u);
  expect_works();
}

TEST_F(DeviceTest, AddressesOutsideTheNodeAndTheGridFault) {
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> bad = {
      {0x10, 5}, {D1_SRAM_BYTES, 5}, {D1_SRAM_BYTES - 4, 5},
      {d1_hbm_address(std::uint64_t{1} << 43), 5},
      {d1_node_address(1, 0, 0x1000), 5}, {d1_node_address(0, 360, 0x1000), 5},
      {d1_grid_address(15, 0x1000), 27}, {d1_grid_address(3, 0x10), 27},
      {0x123456789abc, 5}};
  for (const auto& [address, cause] : bad) {
    EXPECT_EQ(host.launch("load_from", kSmall, {address}).status, D1_STATUS_TRAP)
        << std::hex << address;
    EXPECT_EQ(host.report().cause, cause) << std::hex << address;
    EXPECT_EQ(host.report().value, address);
  }
  expect_works();
}

TEST_F(DeviceTest, TransfersOutsideTheirMemoryFaultHoweverTheirNumbersWrapAround) {
  struct Bad {
    std::uint64_t rows, row_bytes, local, local_pitch, remote, remote_pitch;
  };
  constexpr std::uint64_t kMost = 0xffffffff;
  const std::uint64_t node = d1_grid_address(1, kOut), hbm = d1_hbm_address(0);
  const std::vector<Bad> bad = {
      {1, 64, 0x10, 0, node, 0},                       // the null page
      {1, 64, D1_SRAM_BYTES - 63, 0, node, 0},         // past the end
      {1, 2, ~std::uint64_t{0}, 0, node, 0},           // the end of the row wraps around
      {1, 0x8000, 0 - std::uint64_t{0x4000}, 0, node, 0},
      {kMost, 100, 0x1fffffffe, kMost, node, 0},       // so does that of all rows
      {3, 8, kOut, 0x80000000, node, 0},
      {1, 64, kOut, 0, d1_grid_address(1, D1_SRAM_BYTES - 63), 0},
      {2, 64, kOut, 64, node, 0xfffffff0},
      {2, 64, kOut, 64, hbm + 0xfffffffffff, 64},
      {1, D1_SRAM_BYTES, kOut, 0, hbm, 0},
      {kMost, 64, kOut, 0, hbm, 0},                    // more than one descriptor may move
      {0, 64, kOut, 0, node, 0},
      {1, 0, kOut, 0, node, 0},
  };
  for (const d1_transfer_kind kind :
       {D1_TRANSFER_PUT, D1_TRANSFER_GET, D1_TRANSFER_MULTICAST})
    for (const Bad& each : bad) {
      const bool on_all = kind == D1_TRANSFER_MULTICAST &&
                          d1_address_kind(each.remote) == D1_ADDRESS_GRID;
      const std::uint64_t remote = on_all ? d1_address_offset(each.remote) : each.remote;
      EXPECT_EQ(host.launch("transfer_of", kSmall,
                            {kind, each.rows, each.row_bytes, each.local, each.local_pitch, remote,
                             each.remote_pitch})
                    .status,
                D1_STATUS_TRAP)
          << kind << ": " << each.rows << " rows of " << each.row_bytes << " from " << std::hex
          << each.local << " to " << remote;
      EXPECT_EQ(host.report().cause, 25u);
    }
  EXPECT_EQ(host.launch("transfer_of", kSmall, {D1_TRANSFER_PUT, 4, 64, kOut, 0, hbm, 64}).status,
            D1_STATUS_OK);
  expect_works();
}

TEST_F(DeviceTest, ACycleLimitEndsAnEndlessLoop) {
  auto command = host.launch_command("forever", kSmall);
  command.cycle_limit = 100'000;
  const d1_completion completion = host.run(command);
  EXPECT_EQ(completion.status, D1_STATUS_TIMEOUT);
  EXPECT_GE(completion.end_cycle - completion.start_cycle, 100'000u);
  expect_works();
}

TEST_F(DeviceTest, AnAbortEndsAHangAndAQuerySaysWhereItWas) {
  host.open_queue(1);
  const std::uint16_t id = host.submit(host.launch_command("wait_for_nobody", kSmall), 1);
  EXPECT_THROW(host.wait(1, std::chrono::milliseconds(50)), std::runtime_error);
  d1_query query{};
  query.header.opcode = D1_COMMAND_QUERY;
  query.header.grid = kSmall;
  query.kind = D1_QUERY_HARTS;
  query.destination = RawHost::kIo + RawHost::kFree;
  query.bytes = 1 << 16;
  const d1_completion answer = host.run(query);
  ASSERT_EQ(answer.detail, 15 * sizeof(d1_hart_report));
  const auto* reports = reinterpret_cast<const d1_hart_report*>(host.memory(RawHost::kFree));
  for (unsigned i = 0; i < 15; ++i) {
    EXPECT_EQ(reports[i].rank, i);
    EXPECT_EQ(reports[i].wait_kind, D1_WAIT_SEMAPHORE);
    EXPECT_EQ(reports[i].wait_index, 7u);
    EXPECT_EQ(reports[i].wait_amount, 3u);
    EXPECT_EQ(reports[i].wait_value, 0u);
  }
  d1_abort abort{};
  abort.header.opcode = D1_COMMAND_ABORT;
  abort.queue = 1;
  abort.command_id = id;
  EXPECT_EQ(host.run(abort).status, D1_STATUS_OK);
  EXPECT_EQ(host.wait(1).status, D1_STATUS_ABORTED);
  expect_works();
}

TEST_F(DeviceTest, TheHostPostsSemaphoresToARunningLaunch) {
  host.open_queue(1);
  host.submit(host.launch_command("wait_then_store", kSmall, {kOut}), 1);
  d1_semaphore_command post{};
  post.header.opcode = D1_COMMAND_SEMAPHORE;
  post.header.flags = D1_COPY_BROADCAST;
  post.header.grid = kSmall;
  post.target = 7;
  post.count = 3;
  EXPECT_EQ(host.run(post).status, D1_STATUS_OK);
  EXPECT_EQ(host.wait(1).status, D1_STATUS_OK);
  EXPECT_EQ(host.read<std::uint32_t>(host.topology(kSmall)[4], kOut), 7u);
}

TEST_F(DeviceTest, LaunchesOnTakenNodesAreRefusedAndOthersRunBeside) {
  host.open_queue(1);
  const std::uint16_t id = host.submit(host.launch_command("forever", kSmall), 1);
  EXPECT_THROW(host.wait(1, std::chrono::milliseconds(20)), std::runtime_error);
  EXPECT_EQ(host.launch("nothing", kAll).status, D1_STATUS_BUSY);
  EXPECT_EQ(host.define_grid(2, 2, 2, 10, 3).status, D1_STATUS_OK);
  EXPECT_EQ(host.launch("nothing", 2).status, D1_STATUS_OK);
  d1_abort abort{};
  abort.header.opcode = D1_COMMAND_ABORT;
  abort.queue = 1;
  abort.command_id = id;
  EXPECT_EQ(host.run(abort).status, D1_STATUS_OK);
  EXPECT_EQ(host.wait(1).status, D1_STATUS_ABORTED);
}

TEST_F(DeviceTest, EventsOrderTwoQueues) {
  host.open_queue(1);
  d1_event_command wait{};
  wait.header.opcode = D1_COMMAND_WAIT;
  wait.event = 5;
  wait.value = 2;
  host.submit(wait, 1);
  EXPECT_THROW(host.wait(1, std::chrono::milliseconds(20)), std::runtime_error);
  d1_event_command signal{};
  signal.header.opcode = D1_COMMAND_SIGNAL;
  signal.event = 5;
  signal.value = 1;
  EXPECT_EQ(host.run(signal).status, D1_STATUS_OK);
  EXPECT_FALSE(host.completed(1));
  signal.value = 2;
  EXPECT_EQ(host.run(signal).status, D1_STATUS_OK);
  EXPECT_EQ(host.wait(1).status, D1_STATUS_OK);
}

TEST_F(DeviceTest, PrintedLinesKeepEachHartsOrder) {
  ASSERT_EQ(host.launch("say", kSmall, {20}, 2).status, D1_STATUS_OK);
  std::map<std::pair<unsigned, unsigned>, unsigned> next;
  const std::uint64_t head = host.device().read_register(D1_REG_LOG_HEAD);
  std::uint64_t records = 0;
  for (std::uint64_t at = 0; at < head;) {
    d1_log_record record;
    std::memcpy(&record, host.memory(RawHost::kLog + at), sizeof(record));
    if (record.bytes == D1_LOG_SKIP) break;
    const std::string text(
        reinterpret_cast<char*>(host.memory(RawHost::kLog + at + sizeof(record))), record.bytes);
    unsigned& line = next[{record.rank, record.hart}];
    EXPECT_EQ(text, "rank " + std::to_string(record.rank) + " hart " +
                        std::to_string(record.hart) + " line " + std::to_string(line) + "\n");
    ++line;
    ++records;
    at += sizeof(record) + (record.bytes + 7) / 8 * 8;
  }
  EXPECT_EQ(records, 15u * 2 * 20);
}

TEST_F(DeviceTest, AFullLogRingLosesNoLineAndBlocksNoKernel) {
  // 15 * 200 lines are more than the ring holds; the rest comes when the host has read.
  ASSERT_EQ(host.launch("say", kSmall, {200}).status, D1_STATUS_OK);
  std::uint64_t records = 0, tail = 0;
  for (int round = 0; round < 100; ++round) {
    const std::uint64_t head = host.device().read_register(D1_REG_LOG_HEAD);
    while (tail < head) {
      d1_log_record record;
      const std::uint64_t at = tail % RawHost::kLogBytes;
      std::memcpy(&record, host.memory(RawHost::kLog + at), sizeof(record.bytes));
      if (record.bytes == D1_LOG_SKIP) {
        tail += RawHost::kLogBytes - at;
        continue;
      }
      tail += sizeof(record) + (record.bytes + 7) / 8 * 8;
      ++records;
    }
    host.device().write_register(D1_REG_LOG_TAIL, tail);
    d1_command_header fence{};
    d1_reset as_command{};  // any harmless command makes the device look again
    as_command.header = fence;
    host.run(as_command);
    if (records == 15 * 200) break;
  }
  EXPECT_EQ(records, 15u * 200);
  EXPECT_EQ(host.device().read_register(D1_REG_LOG_LOST), 0u);
}

TEST_F(DeviceTest, BadCommandsAnswerWithTheirFaultAndChangeNothing) {
  const auto status = [&](auto command) { return host.run(command).status; };
  d1_copy copy{};
  copy.header.opcode = 0x7f;
  EXPECT_EQ(status(copy), D1_STATUS_BAD_OPCODE);
  copy.header.opcode = D1_COMMAND_COPY;
  copy.header.flags = D1_COPY_FROM_HOST;
  copy.rows = 1;
  copy.row_bytes = 64;
  copy.source = 0x10;  // not mapped
  copy.destination = d1_hbm_address(0);
  EXPECT_EQ(status(copy), D1_STATUS_DMA_FAULT);
  copy.source = RawHost::kIo + (8 << 20) - 32;  // reaches past the mapped range
  EXPECT_EQ(status(copy), D1_STATUS_DMA_FAULT);
  copy.source = RawHost::kIo;
  copy.destination = d1_hbm_address(std::uint64_t{1} << 43);
  EXPECT_EQ(status(copy), D1_STATUS_BAD_ADDRESS);
  copy.destination = d1_node_address(0, 5, D1_SRAM_BYTES - 32);
  EXPECT_EQ(status(copy), D1_STATUS_BAD_ADDRESS);
  copy.destination = d1_node_address(7, 5, 0x1000);
  EXPECT_EQ(status(copy), D1_STATUS_BAD_ADDRESS);
  copy.row_bytes = 0;
  EXPECT_EQ(status(copy), D1_STATUS_BAD_FIELD);
  copy.row_bytes = 64;
  copy.rows = 3;
  copy.source_pitch = ~std::uint64_t{0} / 2;
  EXPECT_EQ(status(copy), D1_STATUS_BAD_FIELD);
  auto launch = host.launch_command("nothing", 77);
  EXPECT_EQ(status(launch), D1_STATUS_BAD_GRID);
  launch.header.grid = kSmall;
  launch.launch = 0x10;
  EXPECT_EQ(status(launch), D1_STATUS_DMA_FAULT);
  EXPECT_EQ(host.define_grid(2, 18, 21).status, D1_STATUS_BAD_GRID);
  EXPECT_EQ(host.define_grid(0, 1, 1).status, D1_STATUS_BAD_GRID);
  EXPECT_EQ(host.define_grid(2, 0, 1).status, D1_STATUS_BAD_GRID);
  expect_works();
}

TEST_F(DeviceTest, AQueueWithCrookedRingsIsNotEnabled) {
  const auto enabled = [&](std::uint64_t submission, std::uint64_t completion) {
    const auto queue = [](unsigned reg) { return D1_REG_QUEUE_BASE + 3 * D1_QUEUE_STRIDE + reg; };
    host.device().write_register(queue(D1_QUEUE_SUBMISSION), submission);
    host.device().write_register(queue(D1_QUEUE_COMPLETION), completion);
    host.device().write_register(queue(D1_QUEUE_ENTRIES), 16);
    host.device().write_register(queue(D1_QUEUE_ENABLE), 1);
    const bool is = host.device().read_register(queue(D1_QUEUE_ENABLE)) == 1;
    host.device().write_register(queue(D1_QUEUE_ENABLE), 0);
    return is;
  };
  constexpr std::uint64_t kRings = RawHost::kIo + RawHost::kFree;
  EXPECT_TRUE(enabled(kRings, kRings + 0x1000));
  EXPECT_FALSE(enabled(kRings + 32, kRings + 0x1000));
  EXPECT_FALSE(enabled(kRings, kRings + 0x1001));
  expect_works();
}

TEST_F(DeviceTest, AccessesOfNoBytesAreFineWhereMemoryIsAndErrorsElsewhere) {
  EXPECT_TRUE(host.device().read_memory(d1_hbm_address(0), {}));
  EXPECT_TRUE(host.device().write_memory(d1_node_address(0, 5, 0x1000), {}));
  EXPECT_FALSE(host.device().read_memory(0x10, {}));
}

TEST(DeviceMemory, ACompletionRingAtAnOddPlaceOfTheHostClosesItsQueue) {
  auto device = Device::create({});
  ASSERT_TRUE(device);
  std::vector<std::uint8_t> memory(8192);
  const auto queue = [](unsigned reg) { return D1_REG_QUEUE_BASE + reg; };
  ASSERT_TRUE((*device)->dma_map(0, memory.data() + 1, 8000, DmaAccess::Write));
  (*device)->write_register(D1_REG_CONTROL, D1_CONTROL_ENABLE);
  (*device)->write_register(queue(D1_QUEUE_COMPLETION), 4096);
  (*device)->write_register(queue(D1_QUEUE_ENTRIES), 8);
  (*device)->write_register(queue(D1_QUEUE_ENABLE), 1);
  EXPECT_EQ((*device)->read_register(queue(D1_QUEUE_ENABLE)), 1u);
  (*device)->ring_doorbell(D1_REG_DOORBELL_BASE, 1);
  for (int i = 0; i < 100 && (*device)->read_register(queue(D1_QUEUE_ENABLE)) != 0; ++i)
    (*device)->run([] { return false; },
                   std::chrono::steady_clock::now() + std::chrono::milliseconds(10));
  EXPECT_EQ((*device)->read_register(queue(D1_QUEUE_ENABLE)), 0u);
}

TEST_F(DeviceTest, ScatterAndGatherReachEveryRank) {
  constexpr std::uint32_t kEach = 256;
  constexpr std::uint32_t kTotal = kEach * 14 + 100;  // the last rank has less
  for (std::uint32_t i = 0; i < kTotal; ++i)
    *host.memory(RawHost::kFree + i) = static_cast<std::uint8_t>(i * 7);
  d1_copy copy{};
  copy.header.opcode = D1_COMMAND_COPY;
  copy.header.flags = D1_COPY_FROM_HOST | D1_COPY_SCATTER;
  copy.header.grid = kSmall;
  copy.source = RawHost::kIo + RawHost::kFree;
  copy.destination = kOut;
  copy.rows = 1;
  copy.source_pitch = kTotal;
  copy.rank_bytes = kEach;
  ASSERT_EQ(host.run(copy).status, D1_STATUS_OK);
  EXPECT_EQ(host.read<std::uint8_t>(host.topology(kSmall)[3], kOut + 5),
            static_cast<std::uint8_t>((3 * kEach + 5) * 7));
  std::memset(host.memory(RawHost::kFree), 0, kTotal);
  copy.header.flags = D1_COPY_TO_HOST | D1_COPY_GATHER;
  std::swap(copy.source, copy.destination);
  ASSERT_EQ(host.run(copy).status, D1_STATUS_OK);
  for (std::uint32_t i = 0; i < kTotal; ++i)
    ASSERT_EQ(*host.memory(RawHost::kFree + i), static_cast<std::uint8_t>(i * 7)) << i;
}

TEST_F(DeviceTest, AHostThatOnlySpinsOnMemorySeesProgress) {
  host.submit(host.launch_command("who", kSmall, {kOut}));
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!host.completed() && std::chrono::steady_clock::now() < limit) {
  }
  EXPECT_TRUE(host.completed());
}

TEST_F(DeviceTest, AHostThreadThatAnExceptionTakesOutOfRunIsNotWaitedFor) {
  host.submit(host.launch_command("who", kSmall, {kOut}));
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const auto give_up = []() -> bool { throw std::runtime_error("given up"); };
  EXPECT_THROW(host.device().run(give_up, limit), std::runtime_error);
  while (!host.completed() && std::chrono::steady_clock::now() < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(host.completed()) << "the device's own thread still leaves the work to that one";
}

TEST(DeviceRom, WithoutADispatchLoopEveryLaunchRunsIntoItsLimit) {
  DeviceOptions options;
  options.rom = {0x01, 0xa0, 0x01, 0xa0};  // j . twice: an endless jump
  RawHost host(options);
  host.load(emulator_kernels_program);
  for (int i = 0; i < 2; ++i) {
    auto command = host.launch_command("nothing", kAll);
    command.cycle_limit = 10'000;
    EXPECT_EQ(host.run(command).status, D1_STATUS_TIMEOUT);
  }
}

}  // namespace
}  // namespace d1::emulator::test
