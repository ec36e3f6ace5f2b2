// SPDX-License-Identifier: Apache-2.0
// A driver on top of a fake device, and a record of what completed.
#pragma once

#include <gtest/gtest.h>
#include <d1/driver/device.hpp>

#include <fake_transport.hpp>
#include <memory>
#include <vector>

namespace d1::driver {

struct Recorder {
  std::vector<Completion> all;
  static void record(void* context, const Completion& completion) {
    static_cast<Recorder*>(context)->all.push_back(completion);
  }
};

inline CommandBytes fence() {
  CommandBytes command{};
  command.bytes[0] = D1_COMMAND_FENCE;
  return command;
}

class FakeDevice : public ::testing::Test {
 protected:
  void open() {
    auto transport = std::make_unique<test::FakeTransport>();
    transport->settings = settings;
    fake = transport.get();
    auto opened = Device::open(std::move(transport), options);
    ASSERT_TRUE(opened) << opened.error().to_string();
    device = std::move(*opened);
  }
  std::unique_ptr<QueuePair> make_queue(std::uint32_t entries) {
    auto queue = device->create_queue_pair(entries);
    EXPECT_TRUE(queue) << queue.error().to_string();
    return std::move(*queue);
  }

  Recorder recorder;  // outlives every queue, whose last completions come as it closes
  test::FakeTransport::Settings settings;
  DeviceOptions options;
  std::unique_ptr<Device> device;
  test::FakeTransport* fake = nullptr;
};

}  // namespace d1::driver
