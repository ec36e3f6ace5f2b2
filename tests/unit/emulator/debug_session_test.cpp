// SPDX-License-Identifier: Apache-2.0
// The debug interface of a device, without a socket in between.
#include <gtest/gtest.h>

#include <d1/emulator/debug_session.hpp>
#include <emulator_kernels_program.hpp>
#include <raw_host.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

namespace d1::emulator::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kSmall = 1;

class DebugInterface : public testing::Test {
 protected:
  DebugInterface() {
    host.load(emulator_kernels_program);
    EXPECT_EQ(host.define_grid(kSmall, 2, 2).status, D1_STATUS_OK);
    host.open_queue(1);
  }

  static DeviceOptions one_thread() {
    DeviceOptions options;
    options.host_threads = 1;
    return options;
  }

  Result<std::vector<std::uint8_t>> ask(std::uint32_t verb,
                                        std::array<std::uint64_t, 4> arguments = {},
                                        std::span<const std::uint8_t> data = {}) {
    d1_debug_request request{D1_DEBUG_MAGIC, verb, data.size(), {}};
    std::ranges::copy(arguments, request.argument);
    DebugSession::Answer answer = session.answer(request, data);
    cycle = answer.cycle;
    return std::move(answer.data);
  }
  template <typename Record>
  std::vector<Record> records(d1_debug_verb verb, std::array<std::uint64_t, 4> arguments = {},
                              std::span<const std::uint8_t> data = {}) {
    const auto answer = ask(verb, arguments, data);
    EXPECT_TRUE(answer) << answer.error().sentence();
    if (!answer) return {};
    EXPECT_EQ(answer->size() % sizeof(Record), 0u);
    std::vector<Record> found(answer->size() / sizeof(Record));
    std::memcpy(found.data(), answer->data(), found.size() * sizeof(Record));
    return found;
  }
  // Four nodes wait for semaphore 7 from now on.
  void hang() {
    host.submit(host.launch_command("wait_for_nobody", kSmall), 1);
    EXPECT_THROW(host.wait(1, 20ms), std::runtime_error);
  }

  RawHost host{one_thread()};
  DebugSession session{host.device()};
  std::uint64_t cycle = 0;
};

TEST_F(DebugInterface, TellsWhatMachineItIs) {
  const auto machine = records<d1_debug_machine>(D1_DEBUG_MACHINE);
  ASSERT_EQ(machine.size(), 1u);
  EXPECT_EQ(machine[0].version, D1_DEBUG_VERSION);
  EXPECT_EQ(machine[0].nodes, 354u);
  EXPECT_EQ(machine[0].node_rows, 18u);
  EXPECT_EQ(machine[0].node_columns, 20u);
  EXPECT_STREQ(machine[0].name, "d1");
  EXPECT_EQ(machine[0].flags, D1_DEBUG_HAS_HOST);
  EXPECT_EQ(machine[0].halts, 0u);
}

TEST_F(DebugInterface, ShowsNodesHartsLaunchesAndQueues) {
  hang();
  const auto nodes = records<d1_debug_node>(D1_DEBUG_NODES);
  ASSERT_EQ(nodes.size(), 354u);
  EXPECT_EQ(std::ranges::count(nodes, D1_HART_PARKED,
                               [](const auto& node) { return int{node.hart_status[0]}; }),
            4);
  const auto harts = records<d1_debug_hart>(D1_DEBUG_HARTS);
  ASSERT_EQ(harts.size(), 4u);
  for (const d1_debug_hart& each : harts) {
    EXPECT_EQ(each.report.wait_kind, D1_WAIT_SEMAPHORE);
    EXPECT_EQ(each.report.wait_index, 7u);
    EXPECT_EQ(each.launch, 1u);
    EXPECT_NE(each.program, 0u);
  }
  const std::uint32_t one = harts[2].report.die << 16 | harts[2].report.node;
  const auto of_one = records<d1_debug_hart>(
      D1_DEBUG_HARTS, {}, {reinterpret_cast<const std::uint8_t*>(&one), sizeof one});
  ASSERT_EQ(of_one.size(), 1u);
  EXPECT_EQ(of_one[0].report.rank, harts[2].report.rank);
  const auto launches = records<d1_debug_launch>(D1_DEBUG_LAUNCHES);
  ASSERT_EQ(launches.size(), 1u);
  EXPECT_EQ(launches[0].entry, host.symbol("wait_for_nobody"));
  EXPECT_EQ(launches[0].nodes, 4u);
  EXPECT_EQ(launches[0].outstanding, 4u);
  EXPECT_EQ(launches[0].queue, 1u);
  EXPECT_EQ(launches[0].program, harts[0].program);
  const auto queues = records<d1_debug_queue>(D1_DEBUG_QUEUES);
  ASSERT_EQ(queues.size(), 2u);
  EXPECT_EQ(queues[0].busy, 0u);
  EXPECT_EQ(queues[1].busy, 1u);
  EXPECT_EQ(queues[1].opcode, D1_COMMAND_LAUNCH);
  EXPECT_EQ(queues[1].depth, 0u);
}

TEST_F(DebugInterface, ReadsAndWritesRegistersOfAHart) {
  hang();
  const auto [die, node] = std::pair(0u, host.topology(kSmall)[1] & 0xffff);
  auto answer = ask(D1_DEBUG_REGISTERS, {die, node, 0});
  ASSERT_TRUE(answer);
  d1_debug_registers registers;
  std::memcpy(&registers, answer->data(), sizeof registers);
  EXPECT_EQ(answer->size(), sizeof registers + registers.csrs * sizeof(d1_debug_csr));
  const std::uint64_t entry = host.symbol("wait_for_nobody");
  EXPECT_GE(registers.pc, entry);
  EXPECT_LT(registers.pc, entry + 64);
  const auto csrs = reinterpret_cast<const d1_debug_csr*>(answer->data() + sizeof registers);
  const auto mhartid = std::find_if(csrs, csrs + registers.csrs,
                                    [](const d1_debug_csr& csr) { return csr.number == 0xf14; });
  ASSERT_NE(mhartid, csrs + registers.csrs);
  EXPECT_EQ(mhartid->value, std::uint64_t{node} << 2);

  const std::uint64_t value = 0x1234'5678'9abc'def0;
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&value);
  EXPECT_TRUE(ask(D1_DEBUG_SET_REGISTER, {die, node, 0, D1_DEBUG_SET_X << 16 | 27}, {bytes, 8}));
  std::array<std::uint8_t, 64> packet;
  packet.fill(0xa5);
  EXPECT_TRUE(ask(D1_DEBUG_SET_REGISTER, {die, node, 0, D1_DEBUG_SET_V << 16 | 31}, packet));
  answer = ask(D1_DEBUG_REGISTERS, {die, node, 0});
  std::memcpy(&registers, answer->data(), sizeof registers);
  EXPECT_EQ(registers.x[27], value);
  EXPECT_EQ(registers.v[31][63], 0xa5);
}

TEST_F(DebugInterface, ReadsAndWritesMemoryAndShowsANodesState) {
  hang();
  const std::uint32_t node = host.topology(kSmall)[0] & 0xffff;
  const std::array<std::uint8_t, 3> bytes = {1, 2, 3};
  EXPECT_TRUE(ask(D1_DEBUG_WRITE, {d1_node_address(0, node, 0x90000)}, bytes));
  EXPECT_EQ(*ask(D1_DEBUG_READ, {d1_node_address(0, node, 0x90000), 4}),
            (std::vector<std::uint8_t>{1, 2, 3, 0}));
  const auto state = records<d1_debug_node_state>(D1_DEBUG_NODE, {0, node});
  ASSERT_EQ(state.size(), 1u);
  EXPECT_EQ(state[0].mailbox.entry, host.symbol("wait_for_nobody"));
  EXPECT_EQ(state[0].mailbox.nodes, 4u);
  EXPECT_EQ(state[0].semaphores[7], 0u);
  EXPECT_EQ(state[0].node.launch, 1u);
}

TEST_F(DebugInterface, KeepsTheFileAProgramCameFrom) {
  auto programs = records<d1_debug_program>(D1_DEBUG_PROGRAMS);
  ASSERT_EQ(programs.size(), 1u);
  EXPECT_EQ(programs[0].nodes, 354u);
  EXPECT_EQ(programs[0].elf_bytes, 0u);  // nobody told
  EXPECT_TRUE(ask(D1_DEBUG_ELF, {programs[0].id})->empty());
  const std::array<std::uint8_t, 4> code = {0x13, 0, 0, 0}, file = {9, 8, 7, 6};
  std::memcpy(host.memory(RawHost::kFree), code.data(), code.size());
  std::memcpy(host.memory(RawHost::kFree + 64), file.data(), file.size());
  d1_program command{};
  command.header = {D1_COMMAND_PROGRAM, D1_PROGRAM_EXECUTABLE, 0, kSmall};
  command.source = RawHost::kIo + RawHost::kFree;
  command.file_bytes = command.memory_bytes = code.size();
  command.offset = 0x10000;
  command.elf = RawHost::kIo + RawHost::kFree + 64;
  command.elf_bytes = file.size();
  EXPECT_EQ(host.run(command).status, D1_STATUS_OK);
  programs = records<d1_debug_program>(D1_DEBUG_PROGRAMS);
  ASSERT_EQ(programs.size(), 2u);
  EXPECT_EQ(programs[1].nodes, 4u);
  EXPECT_EQ(programs[1].base, 0x10000u);
  EXPECT_EQ(*ask(D1_DEBUG_ELF, {programs[1].id}),
            (std::vector<std::uint8_t>(file.begin(), file.end())));
  command.elf_bytes = D1_ELF_MAX_BYTES + 1;
  EXPECT_EQ(host.run(command).status, D1_STATUS_BAD_FIELD);
  command.elf_bytes = 4;
  command.elf = 0;
  EXPECT_EQ(host.run(command).status, D1_STATUS_DMA_FAULT);
}

TEST_F(DebugInterface, RefusesWhatMakesNoSenseWithASentence) {
  const auto refused = [&](auto answer) {
    return answer ? std::string("it was done") : answer.error().sentence();
  };
  EXPECT_EQ(refused(ask(999)),
            "This device knows no request 999 of the debug interface; it may be older than the "
            "tool.");
  EXPECT_EQ(refused(ask(D1_DEBUG_REGISTERS, {1, 7, 0})),
            "There is no node 7 on die 1: the device has dies 0 to 0 of 18 x 20 nodes, numbered "
            "row by row, of which some are missing.");
  EXPECT_EQ(refused(ask(D1_DEBUG_REGISTERS, {0, 30, 4})),
            "There is no hart 4: a node has harts 0 to 3.");
  EXPECT_EQ(refused(ask(D1_DEBUG_CONTINUE)),
            "This tool has not halted the machine; who did must let it go on.");
  EXPECT_EQ(refused(ask(D1_DEBUG_ELF, {12345})), "No node has program 12345 any more.");
  EXPECT_NE(refused(ask(D1_DEBUG_READ, {~std::uint64_t{0} >> 8, 4})).find("not in the SRAM"),
            std::string::npos);
  EXPECT_NE(refused(ask(D1_DEBUG_READ, {0, std::uint64_t{D1_DEBUG_MAX_BYTES} + 1})).find("at most"),
            std::string::npos);
}

TEST_F(DebugInterface, AHaltStopsTimeUntilEveryToolLetsItGoOn) {
  const auto cycles = [&] { return host.device().read_register(D1_REG_CYCLE); };
  host.submit(host.launch_command("forever", kSmall), 1);
  EXPECT_THROW(host.wait(1, 20ms), std::runtime_error);
  std::optional<DebugSession> other(host.device());
  ASSERT_TRUE(ask(D1_DEBUG_HALT));
  ASSERT_TRUE(other->answer({D1_DEBUG_MAGIC, D1_DEBUG_HALT, 0, {}}, {}).data);
  EXPECT_NE(host.device().read_register(D1_REG_STATUS) & D1_STATUS_HALTED, 0u);
  EXPECT_EQ(records<d1_debug_machine>(D1_DEBUG_MACHINE)[0].halts, 2u);
  const std::uint64_t stood = cycles();
  EXPECT_THROW(host.wait(1, 20ms), std::runtime_error);
  EXPECT_EQ(cycles(), stood);
  EXPECT_GE(host.device().read_register(D1_REG_HALTED), 20u);
  ASSERT_TRUE(ask(D1_DEBUG_CONTINUE));
  EXPECT_THROW(host.wait(1, 20ms), std::runtime_error);
  EXPECT_EQ(cycles(), stood);
  other.reset();  // a tool that ends takes its halts with it
  EXPECT_EQ(host.device().read_register(D1_REG_STATUS) & D1_STATUS_HALTED, 0u);
  EXPECT_THROW(host.wait(1, 20ms), std::runtime_error);
  EXPECT_GT(cycles(), stood);
}

// Two devices, the same work, and tools that never stop asking at one of them.
TEST(DebugTools, ChangeNothingByLooking) {
  const auto run = [](bool watched) {
    DeviceOptions options;
    options.host_threads = 2;
    RawHost host(options);
    host.load(emulator_kernels_program);
    EXPECT_EQ(host.define_grid(kSmall, 4, 4).status, D1_STATUS_OK);
    std::atomic<bool> over{!watched};
    std::atomic<unsigned> asked{0};
    std::thread tool([&] {
      DebugSession session(host.device());
      while (!over.load()) {
        for (const d1_debug_verb verb :
             {D1_DEBUG_NODES, D1_DEBUG_HARTS, D1_DEBUG_QUEUES, D1_DEBUG_HALT, D1_DEBUG_MACHINE,
              D1_DEBUG_CONTINUE, D1_DEBUG_PROGRAMS, D1_DEBUG_LAUNCHES})
          EXPECT_TRUE(
              session.answer({D1_DEBUG_MAGIC, static_cast<std::uint32_t>(verb), 0, {}}, {}).data);
        for (const d1_debug_verb verb : {D1_DEBUG_REGISTERS, D1_DEBUG_NODE})
          EXPECT_TRUE(session
                          .answer({D1_DEBUG_MAGIC, static_cast<std::uint32_t>(verb), 0,
                                   {0, host.device().machine().die_columns + 1u, 1, 0}},
                                  {})
                          .data);
        asked.fetch_add(1);
      }
    });
    EXPECT_EQ(host.launch("storm", kSmall, {0x90000, 300}, 4).status, D1_STATUS_OK);
    over.store(true);
    tool.join();
    EXPECT_EQ(asked.load() != 0, watched);
    return std::pair(host.device().statistics().trace_hash, host.report().end_cycle);
  };
  EXPECT_EQ(run(true), run(false));
}

}  // namespace
}  // namespace d1::emulator::test
