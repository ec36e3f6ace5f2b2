// SPDX-License-Identifier: Apache-2.0
#include <d1/d1.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

TEST(CApi, AnUnknownMachineIsACodeAndASentence) {
  d1_device_t device = nullptr;
  EXPECT_EQ(d1_device_open("no-such-machine", &device), D1_ERROR_INVALID);
  EXPECT_EQ(device, nullptr);
  EXPECT_NE(std::strstr(d1_last_error(), "no-such-machine"), nullptr) << d1_last_error();
}

TEST(CApi, NullHandlesAndOutputsAreErrorsAndNotCrashes) {
  EXPECT_EQ(d1_device_open(nullptr, nullptr), D1_ERROR_INVALID);
  d1_grid_t grid = nullptr;
  EXPECT_EQ(d1_grid_all(nullptr, &grid), D1_ERROR_INVALID);
  EXPECT_NE(std::strstr(d1_last_error(), "d1_grid_all was given a null"), nullptr);
  EXPECT_EQ(d1_kernel_launch(nullptr, nullptr, nullptr, nullptr, 0, nullptr, nullptr),
            D1_ERROR_INVALID);
  EXPECT_EQ(d1_launch_wait(nullptr, 1), D1_ERROR_INVALID);
  d1_device_release(nullptr);
  d1_launch_release(nullptr);
}

TEST(CApi, BuffersCopyThereAndBackInAnyOrderOfReleases) {
  d1_device_t device = nullptr;
  ASSERT_EQ(d1_device_open("d1", &device), D1_OK) << d1_last_error();
  EXPECT_EQ(d1_device_nodes(device), 354u);
  EXPECT_EQ(d1_device_clock_hz(device), 2000000000u);
  d1_stream_t stream = nullptr;
  d1_buffer_t sharded = nullptr, hbm = nullptr;
  ASSERT_EQ(d1_stream_create(device, &stream), D1_OK);
  ASSERT_EQ(d1_buffer_create(device, D1_SHARDED, 1000, 4, nullptr, 0, &sharded), D1_OK);
  ASSERT_EQ(d1_buffer_create(device, D1_HBM, 4000, 1, nullptr, 0, &hbm), D1_OK);
  d1_device_release(device);
  std::vector<int> in(1000), out(1000);
  for (int i = 0; i < 1000; ++i) in[i] = i * i;
  EXPECT_EQ(d1_copy_in(stream, sharded, 0, in.data(), 4000, nullptr), D1_OK);
  EXPECT_EQ(d1_copy_buffer(stream, hbm, 0, sharded, 0, 4000, nullptr), D1_OK);
  EXPECT_EQ(d1_fill_buffer(stream, hbm, 0, 8, 7, 4, nullptr), D1_OK);
  d1_launch_t last = nullptr;
  EXPECT_EQ(d1_copy_out(stream, out.data(), hbm, 0, 4000, &last), D1_OK);
  EXPECT_EQ(d1_launch_wait(last, D1_FOREVER), D1_OK);
  in[0] = in[1] = 7;
  EXPECT_EQ(out, in);
  EXPECT_EQ(d1_copy_out(stream, out.data(), hbm, 1, 4000, nullptr), D1_ERROR_INVALID);
  d1_buffer_release(hbm);
  d1_launch_release(last);
  d1_stream_release(stream);
  d1_buffer_release(sharded);
}

TEST(CApi, EventsGiveTimesOnceReached) {
  d1_device_t device = nullptr;
  ASSERT_EQ(d1_device_open("d1", &device), D1_OK);
  d1_stream_t stream = nullptr;
  d1_event_t event = nullptr;
  ASSERT_EQ(d1_stream_create(device, &stream), D1_OK);
  ASSERT_EQ(d1_event_create(device, &event), D1_OK);
  std::uint64_t cycle = 0;
  EXPECT_EQ(d1_event_cycle(event, &cycle), D1_ERROR_INVALID) << "never recorded";
  EXPECT_EQ(d1_stream_wait_event(stream, event), D1_ERROR_INVALID) << "nothing would end the wait";
  EXPECT_EQ(d1_event_record(stream, event), D1_OK);
  EXPECT_EQ(d1_event_wait(event, 10000), D1_OK);
  EXPECT_EQ(d1_event_cycle(event, &cycle), D1_OK);
  d1_event_release(event);
  d1_stream_release(stream);
  d1_device_release(device);
}

}  // namespace
