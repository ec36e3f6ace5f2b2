// SPDX-License-Identifier: Apache-2.0
// The question whether a launch can end, as it goes over the queues.
#include <gtest/gtest.h>

#include <d1/abi/debug.h>

#include <cstring>
#include <emulator_kernels_program.hpp>
#include <raw_host.hpp>
#include <stdexcept>

namespace d1::emulator::test {
namespace {

constexpr std::uint32_t kSmall = 1;  // 2 x 2

class WaitsTest : public testing::Test {
 protected:
  WaitsTest() { prepare(host); }
  static void prepare(RawHost& host) {
    host.load(emulator_kernels_program);
    EXPECT_EQ(host.define_grid(kSmall, 2, 2, 2, 1).status, D1_STATUS_OK);
    host.open_queue(1);
  }
  static d1_query question(std::uint16_t id, std::uint64_t bytes = 1 << 16) {
    d1_query query{};
    query.header.opcode = D1_COMMAND_QUERY;
    query.destination = RawHost::kIo + RawHost::kFree;
    query.bytes = bytes;
    query.kind = D1_QUERY_WAITS;
    query.launch = 1u << 16 | id;
    return query;
  }
  d1_debug_verdict ask(std::uint16_t id) {
    EXPECT_EQ(host.run(question(id)).status, D1_STATUS_OK);
    return verdict(host);
  }
  static d1_debug_verdict verdict(RawHost& host) {
    d1_debug_verdict found;
    std::memcpy(&found, host.memory(RawHost::kFree), sizeof(found));
    return found;
  }
  static void settle(RawHost& host) {
    EXPECT_THROW(host.wait(1, std::chrono::milliseconds(20)), std::runtime_error);
  }
  std::uint16_t start(const char* kernel, std::uint8_t flags = 0) {
    d1_launch_command command = host.launch_command(kernel, kSmall);
    command.header.flags = flags;
    const std::uint16_t id = host.submit(command, 1);
    settle(host);
    return id;
  }
  RawHost host;
};

TEST_F(WaitsTest, ALaunchThatNobodyLetsGoOnStandsAndListsWhoWaits) {
  const std::uint16_t id = start("wait_for_nobody");
  const d1_debug_verdict found = ask(id);
  EXPECT_EQ(found.state, std::uint32_t{D1_DEBUG_STANDS});
  ASSERT_EQ(found.waits, 4u);
  EXPECT_EQ(found.runnable_harts, 0u);
  const auto topology = [&] {
    std::vector<d1_debug_wait> waits(found.waits);
    std::memcpy(waits.data(), host.memory(RawHost::kFree) + sizeof(found),
                waits.size() * sizeof(waits[0]));
    return waits;
  }();
  for (const d1_debug_wait& wait : topology) {
    EXPECT_EQ(wait.stuck, 1u);
    EXPECT_EQ(wait.kind, D1_WAIT_SEMAPHORE);
    EXPECT_EQ(wait.index, 7u);
    EXPECT_EQ(wait.amount, 3u);
    EXPECT_EQ(wait.value, 0u);
  }
  EXPECT_EQ(topology[3].rank, 3u);
}

TEST_F(WaitsTest, ALaunchThatRunsForEverMoves) {
  const d1_debug_verdict found = ask(start("forever"));
  EXPECT_EQ(found.state, std::uint32_t{D1_DEBUG_MOVES});
  EXPECT_EQ(found.runnable_harts, 4u);
}

TEST_F(WaitsTest, OneThatTheHostWillLetGoOnMoves) {
  const d1_debug_verdict found = ask(start("wait_for_nobody", D1_LAUNCH_HOST_INTERACTIVE));
  EXPECT_EQ(found.state, std::uint32_t{D1_DEBUG_MOVES});
  EXPECT_EQ(found.host_interactive, 1u);
}

TEST_F(WaitsTest, AnotherIdIsNotFoundAndLittleRoomGetsTheVerdictAlone) {
  const std::uint16_t id = start("wait_for_nobody");
  EXPECT_EQ(host.run(question(static_cast<std::uint16_t>(id + 9))).status, D1_STATUS_NOT_FOUND);
  const d1_completion short_one = host.run(question(id, sizeof(d1_debug_verdict) + 1));
  EXPECT_EQ(short_one.status, D1_STATUS_OK);
  EXPECT_EQ(short_one.detail, sizeof(d1_debug_verdict) + 4 * sizeof(d1_debug_wait));
  const d1_completion too_short = host.run(question(id, 8));
  EXPECT_EQ(too_short.status, D1_STATUS_BAD_FIELD);
  EXPECT_EQ(too_short.detail, offsetof(d1_query, bytes));
}

TEST_F(WaitsTest, AFlagOfLaunchesThatIsNotKnownIsRefused) {
  d1_launch_command command = host.launch_command("nothing", kSmall);
  command.header.flags = 2;
  EXPECT_EQ(host.run(command).status, D1_STATUS_BAD_FIELD);
}

TEST_F(WaitsTest, FaultsInForceProveNothing) {
  const std::uint16_t id = start("wait_for_nobody");
  FaultPlan plan;
  Fault& fault = plan.faults.emplace_back();
  fault.kind = FaultKind::NodeStop;
  fault.node = FaultNode{0, 9, 9};
  ASSERT_TRUE(host.device().inject(plan));
  const d1_debug_verdict held = ask(id);
  EXPECT_EQ(held.state, std::uint32_t{D1_DEBUG_MOVES});
  EXPECT_EQ(held.faults, 1u);
  host.device().clear_faults();
  EXPECT_EQ(ask(id).state, std::uint32_t{D1_DEBUG_STANDS});
}

TEST_F(WaitsTest, AskingChangesNothing) {
  const auto run = [](bool asks) {
    DeviceOptions options;
    options.seed = 7;
    RawHost own(options);
    prepare(own);
    const std::uint16_t id = own.submit(own.launch_command("barriers", kSmall, {0x80000, 300}), 1);
    for (int i = 0; i < 50 && asks && !own.completed(1); ++i) (void)own.run(question(id));
    const d1_completion end = own.wait(1);
    EXPECT_EQ(end.status, D1_STATUS_OK);
    return std::pair(end.end_cycle - end.start_cycle, own.device().statistics().trace_hash);
  };
  EXPECT_EQ(run(false), run(true));
}

}  // namespace
}  // namespace d1::emulator::test
