// SPDX-License-Identifier: Apache-2.0
// The link between host and device: trained anew, gone.
#include "fixture.hpp"

namespace d1 {
namespace {

using HostLink = Faults;

TEST_F(HostLink, ATrainingIsAPause) {
  auto buffer = device.hbm<int>(64);
  const std::vector<int> values(64, 9);
  const auto start = std::chrono::steady_clock::now();
  device.inject_faults("[[fault]]\nkind = 'pcie_retrain'\nfor_ms = 300\n");
  stream.copy_in(buffer, values).wait();
  EXPECT_GE(std::chrono::steady_clock::now() - start, 250ms);
  EXPECT_GE(device.health().link_retrains, 1u);
  expect_works(device.grid(2, 2));
}

TEST_F(HostLink, ATrainingLongerThanTheLivenessLimitIsALostDevice) {
  if (!in_process()) stream = Stream(device.stream());
  driver::DeviceOptions options;
  options.transport_options.machine = D1_TEST_MACHINE;
  options.liveness_limit = 400ms;
  auto context = runtime::Context::open(options);  // of its own, in this process
  ASSERT_TRUE(context) << context.error().to_string();
  auto own = runtime::Stream::create(*context);
  ASSERT_TRUE(own);
  auto memory = (*context)->allocate({runtime::Placement::Hbm, 64, 4, nullptr, 0});
  ASSERT_TRUE(memory);
  ASSERT_TRUE((*context)->device().transport().inject_faults(
      "[[fault]]\nkind = 'pcie_retrain'\nfor_ms = 5000\n"));
  const int value = 1;
  auto copy = own->copy_in(*memory, 0, &value, sizeof value);
  ASSERT_TRUE(copy);
  const auto start = std::chrono::steady_clock::now();
  const auto ended = copy->wait(driver::after(4s));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind(), ErrorKind::DeviceLost) << ended.error().to_string();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST_F(HostLink, ARemovedDeviceEndsEverythingInFlightAndCanComeBack) {
  auto buffer = device.hbm<int>(64);
  const std::vector<int> values(64, 9);
  const Launch running = launch("spin", device.grid(2, 2), 60s, 100'000'000u);
  std::vector<Launch> copies;
  for (int i = 0; i < 20; ++i) copies.push_back(stream.copy_in(buffer, values));
  device.inject_faults("[[fault]]\nkind = 'surprise_removal'\nfor_ms = 1500\n");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(error_of([&] { running.wait(10s); }).kind(), ErrorKind::DeviceLost);
  for (const Launch& copy : copies)
    EXPECT_EQ(error_of([&] { copy.wait(10s); }).kind(), ErrorKind::DeviceLost);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
  expect_error(error_of([&] { (void)device.health(); }), ErrorKind::DeviceLost, "all ones");
  expect_error(error_of([&] { stream.copy_in(buffer, values).wait(); }), ErrorKind::DeviceLost,
               "all ones");
  if (in_process()) return;  // there it was this program's own, and another is another
  std::this_thread::sleep_for(1600ms);
}

// Behind the one above, on the same daemon.
TEST_F(HostLink, ADeviceThatCameBackWorks) { expect_works(device.all()); }

}  // namespace
}  // namespace d1
