// SPDX-License-Identifier: Apache-2.0
// Streams over a device in the test's hands: what happens when it is slow, refuses, or vanishes.
#include <gtest/gtest.h>
#include <d1/runtime/stream.hpp>

#include <cstring>
#include <fake_transport.hpp>
#include <map>
#include <set>

#include "compiled.hpp"

namespace d1::runtime {
namespace {

using namespace std::chrono_literals;
using driver::after;
using driver::CommandBytes;

template <typename T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().to_string();
    std::abort();
  }
  return std::move(*result);
}

class StreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto transport = std::make_unique<test::FakeTransport>();
    fake = transport.get();
    fake->answer = [this](unsigned, const CommandBytes& command) { return answer(command); };
    context = must(Context::open(must(driver::Device::open(std::move(transport), {}))));
    stream.emplace(must(Stream::create(context, 16)));
  }

  // Topology as asked for; everything else succeeds, unless a test says otherwise for its opcode.
  std::optional<test::Answer> answer(const CommandBytes& bytes) {
    commands.push_back(bytes);
    const std::uint8_t opcode = bytes.bytes[0];
    if (opcode == D1_COMMAND_QUERY) {
      const auto query = std::bit_cast<d1_query>(bytes);
      if (query.kind != D1_QUERY_TOPOLOGY) return test::Answer{D1_STATUS_OK, 0};
      for (std::uint32_t rank = 0; rank < query.bytes / 4; ++rank) {
        std::memcpy(fake->translate(query.destination + rank * 4, 4), &rank, 4);
      }
      return test::Answer{D1_STATUS_OK, query.bytes};
    }
    if (held.contains(opcode)) return std::nullopt;
    if (const auto found = failures.find(opcode); found != failures.end()) return found->second;
    return test::Answer{};
  }
  std::size_t count(std::uint8_t opcode) const {
    return static_cast<std::size_t>(
        std::count_if(commands.begin(), commands.end(),
                      [&](const CommandBytes& command) { return command.bytes[0] == opcode; }));
  }
  Kernel kernel() {
    const auto program =
        Program::create(must(ElfImage::parse(compiled("D1_KERNEL void k() {}"), "k.cpp")));
    return must(program->kernel("k"));
  }

  test::FakeTransport* fake = nullptr;
  std::vector<CommandBytes> commands;
  std::set<std::uint8_t> held;
  std::map<std::uint8_t, test::Answer> failures;
  std::shared_ptr<Context> context;
  std::optional<Stream> stream;
};

TEST_F(StreamTest, AFailedCopyIsAnErrorOfItsWaitAndNotOfSynchronize) {
  failures[D1_COMMAND_COPY] = {D1_STATUS_BAD_ADDRESS, d1_hbm_address(64)};
  const auto buffer = must(context->allocate({Placement::Hbm, 100, 1, nullptr, 0}));
  char bytes[100] = {};
  const auto copy = must(stream->copy_in(buffer, 0, bytes, sizeof bytes));
  const auto result = copy.wait(after(1s));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::Invalid);
  EXPECT_NE(result.error().sentence().find("HBM offset 0x40"), std::string::npos);
  EXPECT_TRUE(stream->synchronize(after(1s)));
  EXPECT_EQ(copy.wait(after(1s)).error().sentence(), result.error().sentence());
}

TEST_F(StreamTest, AVanishedDeviceEndsEverythingAsDeviceLostWithinASecond) {
  held = {D1_COMMAND_FENCE};
  std::vector<Operation> operations;
  for (int i = 0; i < 5; ++i) operations.push_back(must(stream->fence()));
  fake->vanished = true;
  const auto start = driver::Clock::now();
  for (const auto& operation : operations) {
    EXPECT_EQ(operation.wait(after(10s)).error().kind(), ErrorKind::DeviceLost);
  }
  EXPECT_LT(driver::Clock::now() - start, 1s);
  EXPECT_EQ(stream->fence().error().kind(), ErrorKind::DeviceLost);
  EXPECT_EQ(context->grid({1, 1, 0, 0}).error().kind(), ErrorKind::DeviceLost);
}

TEST_F(StreamTest, ALaunchPastItsTimeoutIsAborted) {
  held = {D1_COMMAND_LAUNCH};
  LaunchOptions options;
  options.timeout = 50ms;
  const auto launch = must(stream->launch(kernel(), must(context->all_nodes()), {}, options));
  const auto result = launch.wait(after(10s));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::Timeout);
  EXPECT_EQ(count(D1_COMMAND_ABORT), 1u);
  EXPECT_TRUE(must(stream->fence()).wait(after(1s))) << "the stream goes on";
}

TEST_F(StreamTest, TheTimeoutCountsFromTheLaunchsTurnAndNotFromItsSubmission) {
  held = {D1_COMMAND_FENCE};
  const auto first = must(stream->fence());
  LaunchOptions options;
  options.timeout = 30ms;
  const auto launch = must(stream->launch(kernel(), must(context->all_nodes()), {}, options));
  // The fake carries commands out of order; the stream's first operation is still the fence.
  EXPECT_FALSE(first.wait(after(100ms)));
  EXPECT_EQ(count(D1_COMMAND_ABORT), 0u);
}

TEST_F(StreamTest, ADeviceThatIgnoresTheAbortLosesTheStreamAndNotTheProcess) {
  held = {D1_COMMAND_LAUNCH};
  failures[D1_COMMAND_ABORT] = {D1_STATUS_NOT_FOUND, 0};
  fake->ignores_aborts = true;
  LaunchOptions options;
  options.timeout = 20ms;
  const auto launch = must(stream->launch(kernel(), must(context->all_nodes()), {}, options));
  const auto start = driver::Clock::now();
  const auto result = launch.wait(after(60s));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::Timeout);
  EXPECT_LT(driver::Clock::now() - start, driver::limits::kAbortGrace + 2s);
  EXPECT_EQ(stream->fence().error().kind(), ErrorKind::Cancelled);
  auto another = must(Stream::create(context));
  EXPECT_TRUE(must(another.fence()).wait(after(1s)));
}

TEST_F(StreamTest, WaitsReturnAtTheirDeadline) {
  held = {D1_COMMAND_WAIT};
  auto event = must(Event::create(context));
  must(stream->record(event));
  const auto wait = must(stream->wait_for(event));
  const auto start = driver::Clock::now();
  EXPECT_EQ(wait.wait(after(50ms)).error().kind(), ErrorKind::Timeout);
  EXPECT_EQ(stream->synchronize(after(50ms)).error().kind(), ErrorKind::Timeout);
  EXPECT_LT(driver::Clock::now() - start, 1s);
}

TEST_F(StreamTest, ADestroyedStreamCancelsItsOperationsExactlyOnce) {
  held = {D1_COMMAND_FENCE};
  const auto operation = must(stream->fence());
  stream.reset();
  EXPECT_TRUE(operation.done());
  EXPECT_EQ(operation.wait(after(1s)).error().kind(), ErrorKind::Cancelled);
}

TEST_F(StreamTest, MoreOperationsThanTheQueueHoldsWaitForRoom) {
  std::vector<Operation> operations;
  for (int i = 0; i < 500; ++i) operations.push_back(must(stream->fence()));
  for (const auto& operation : operations) EXPECT_TRUE(operation.wait(after(5s)));
  EXPECT_EQ(count(D1_COMMAND_FENCE), 500u);
}

TEST_F(StreamTest, ProgramsAreLoadedOnceAndAgainOnlyWhenReplaced) {
  const auto all = must(context->all_nodes());
  const auto one = kernel(), other = kernel();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(must(stream->launch(one, all, {})).wait(after(1s)));
  const auto loads = count(D1_COMMAND_PROGRAM);
  EXPECT_EQ(loads, one.program()->image().segments().size());
  EXPECT_TRUE(must(stream->launch(other, all, {})).wait(after(1s)));
  EXPECT_TRUE(must(stream->launch(one, all, {})).wait(after(1s)));
  EXPECT_EQ(count(D1_COMMAND_PROGRAM), 3 * loads);
}

TEST_F(StreamTest, ALoadThatFailsFailsTheLaunch) {
  failures[D1_COMMAND_PROGRAM] = {D1_STATUS_DMA_FAULT, 0x1234};
  const auto launch = stream->launch(kernel(), must(context->all_nodes()), {});
  ASSERT_FALSE(launch);
  EXPECT_NE(launch.error().to_string().find("while loading 'k.cpp'"), std::string::npos)
      << launch.error().to_string();
  EXPECT_EQ(count(D1_COMMAND_LAUNCH), 0u);
}

TEST_F(StreamTest, EverythingIsGivenBackInTheEnd) {
  const auto maps = fake->maps();
  {
    auto another = must(Stream::create(context));
    auto buffer = must(context->allocate({Placement::Hbm, 1 << 20, 1, nullptr, 0}));
    std::vector<char> host(1 << 20);
    for (int i = 0; i < 20; ++i) must(another.copy_in(buffer, 0, host.data(), host.size()));
    EXPECT_TRUE(another.synchronize(after(5s)));
  }
  EXPECT_EQ(fake->maps(), maps);
}

}  // namespace
}  // namespace d1::runtime
