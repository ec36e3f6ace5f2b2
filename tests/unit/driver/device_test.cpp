// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace d1::driver {
namespace {

using namespace std::chrono_literals;

class DeviceTest : public FakeDevice {
 protected:
  Result<std::unique_ptr<Device>> try_open() {
    auto transport = std::make_unique<test::FakeTransport>();
    transport->settings = settings;
    return Device::open(std::move(transport), options);
  }
};

TEST_F(DeviceTest, BringUpReportsWhatTheRegistersSay) {
  open();
  EXPECT_EQ(device->info().nodes, 354u);
  EXPECT_EQ(device->info().node_rows, 18u);
  EXPECT_EQ(device->info().node_columns, 20u);
  EXPECT_EQ(device->info().clock_hz, 2'000'000'000u);
}

TEST_F(DeviceTest, SomethingElseThanAD1IsAProtocolError) {
  settings.id = 0x1234567;
  EXPECT_EQ(try_open().error().kind(), ErrorKind::Protocol);
}

TEST_F(DeviceTest, AnotherVersionOfTheContractIsUnsupportedAndNamesBoth) {
  settings.id = D1_ID_MAGIC << 16 | 9;
  const auto opened = try_open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), ErrorKind::Unsupported);
  EXPECT_NE(opened.error().sentence().find("version 9"), std::string::npos);
}

TEST_F(DeviceTest, ADeviceThatNeverGetsReadyTimesOut) {
  settings.becomes_ready = false;
  options.ready_timeout = 30ms;
  EXPECT_EQ(try_open().error().kind(), ErrorKind::Timeout);
}

TEST_F(DeviceTest, AnUnknownTransportNamesTheKnownOnes) {
  options.transport = "carrier-pigeon";
  const auto opened = Device::open(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), ErrorKind::Invalid);
  EXPECT_NE(opened.error().sentence().find("carrier-pigeon"), std::string::npos);
}

TEST_F(DeviceTest, AVanishedDeviceEndsEverythingInFlightWithinASecond) {
  open();
  auto queue = make_queue(8);
  fake->working = false;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(queue->post(fence(), Recorder::record, &recorder));
  queue->ring();
  fake->vanished = true;
  const auto start = Clock::now();
  EXPECT_TRUE(queue->wait([&] { return recorder.all.size() == 4; }, after(5s)));
  EXPECT_LT(Clock::now() - start, 1s);
  for (const auto& completion : recorder.all) {
    EXPECT_EQ(completion.kind, CompletionKind::DeviceLost);
  }
  EXPECT_EQ(queue->post(fence(), Recorder::record, &recorder).error().kind(),
            ErrorKind::DeviceLost);
}

TEST_F(DeviceTest, AHeartbeatThatStandsStillForTheLimitIsALostDevice) {
  options.liveness_limit = 200ms;
  open();
  auto queue = make_queue(8);
  fake->working = false;
  fake->heart_stopped = true;
  ASSERT_TRUE(queue->post(fence(), Recorder::record, &recorder));
  queue->ring();
  EXPECT_TRUE(queue->wait([&] { return !recorder.all.empty(); }, after(5s)));
  EXPECT_EQ(recorder.all.at(0).kind, CompletionKind::DeviceLost);
}

TEST_F(DeviceTest, ASlowDeviceWithAHeartbeatIsNotLost) {
  options.liveness_limit = 100ms;
  open();
  auto queue = make_queue(8);
  fake->working = false;
  ASSERT_TRUE(queue->post(fence(), Recorder::record, &recorder));
  queue->ring();
  EXPECT_FALSE(queue->wait([&] { return !recorder.all.empty(); }, after(400ms)));
  EXPECT_FALSE(device->lost());
}

TEST_F(DeviceTest, TheFirstReasonOfALossIsKept) {
  open();
  device->mark_lost(Error(ErrorKind::DeviceLost, "First."));
  device->mark_lost(Error(ErrorKind::Protocol, "Second."));
  EXPECT_EQ(device->lost_error().sentence(), "First.");
}

TEST_F(DeviceTest, TheLogHandsOverEveryLineAlsoAcrossTheRingsEnd) {
  open();
  std::vector<std::string> lines;
  device->log().set_sink([&](const LogLine& line) { lines.emplace_back(line.text); });
  std::vector<std::string> printed;
  for (int i = 0; i < 3000; ++i) {
    printed.push_back(
        std::string(static_cast<std::size_t>(i % 997), static_cast<char>('a' + i % 26)) + "\n");
    fake->print(printed.back());
    ASSERT_TRUE(device->log().poll());
  }
  EXPECT_EQ(lines, printed);
}

TEST_F(DeviceTest, TheLogOfADeviceThatReadsAllOnesIsQuietAndNotWrong) {
  open();
  fake->write_register64(D1_REG_LOG_HEAD, ~std::uint64_t{0});
  EXPECT_TRUE(device->log().poll());
}

}  // namespace
}  // namespace d1::driver
