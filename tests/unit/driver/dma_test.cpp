// SPDX-License-Identifier: Apache-2.0
#include "fixture.hpp"

namespace d1::driver {
namespace {

class DmaTest : public FakeDevice {
 protected:
  void SetUp() override { open(); }
};

TEST_F(DmaTest, ABufferIsMappedWhileItLivesAndNotLonger) {
  const auto before = fake->maps();
  {
    auto buffer = device->dma().allocate(10000);
    ASSERT_TRUE(buffer);
    EXPECT_EQ(fake->maps(), before + 1);
    EXPECT_EQ(fake->translate(buffer->iova() + 9999, 1),
              reinterpret_cast<char*>(buffer->data()) + 9999);
  }
  EXPECT_EQ(fake->maps(), before);
}

TEST_F(DmaTest, PlainMemoryKeepsItsPlaceWithinThePage) {
  std::vector<char> memory(100);
  auto mapping = device->dma().map(memory.data() + 3, 50, DmaAccess::DeviceReads);
  ASSERT_TRUE(mapping);
  EXPECT_EQ(fake->translate(mapping->iova(), 50), memory.data() + 3);
}

TEST_F(DmaTest, RangesDoNotOverlapAndTheFirst4GiBStayEmpty) {
  std::vector<DmaBuffer> buffers;
  for (int i = 1; i < 40; ++i) {
    auto buffer = device->dma().allocate(static_cast<std::uint64_t>(i) * 1111);
    ASSERT_TRUE(buffer);
    EXPECT_GE(buffer->iova(), limits::kFirstIova);
    for (const auto& other : buffers) {
      EXPECT_TRUE(buffer->iova() >= other.iova() + other.bytes() ||
                  other.iova() >= buffer->iova() + buffer->bytes());
    }
    buffers.push_back(std::move(*buffer));
    if (i % 3 == 0) buffers.erase(buffers.begin());
  }
}

TEST_F(DmaTest, NothingIsNotMappable) {
  EXPECT_EQ(device->dma().map(nullptr, 8, DmaAccess::DeviceReads).error().kind(),
            ErrorKind::Invalid);
  int value = 0;
  EXPECT_EQ(device->dma().map(&value, 0, DmaAccess::DeviceReads).error().kind(),
            ErrorKind::Invalid);
  EXPECT_EQ(device->dma().allocate(0).error().kind(), ErrorKind::Invalid);
}

TEST_F(DmaTest, FindKnowsBuffersAndNothingElse) {
  auto buffer = device->dma().allocate(8192);
  ASSERT_TRUE(buffer);
  EXPECT_EQ(device->dma().find(buffer->data() + 100, 200), buffer->iova() + 100);
  EXPECT_EQ(device->dma().find(buffer->data() + 8000, 200), 0u);
  int local = 0;
  EXPECT_EQ(device->dma().find(&local, sizeof local), 0u);
}

TEST_F(DmaTest, MemoryTheDeviceDoesNotGiveBackIsRetiredAndNotReused) {
  auto buffer = device->dma().allocate(4096);
  ASSERT_TRUE(buffer);
  std::byte* const data = buffer->data();
  fake->settings.fails_unmap = true;
  *buffer = DmaBuffer();
  EXPECT_EQ(device->dma().retired_bytes(), 4096u);
  data[0] = std::byte{1};  // still there: a late write of the device hits nothing of ours
  fake->settings.fails_unmap = false;
}

TEST_F(DmaTest, ATransportThatNeedsFilesGetsBuffersWithAFileAndNoPlainMemory) {
  settings.needs_file = true;
  open();
  EXPECT_FALSE(device->dma().maps_plain_memory());
  int value = 0;
  EXPECT_EQ(device->dma().map(&value, 4, DmaAccess::DeviceReads).error().kind(),
            ErrorKind::Unsupported);
  auto buffer = device->dma().allocate(100000);
  ASSERT_TRUE(buffer);
  buffer->data()[99999] = std::byte{7};
}

}  // namespace
}  // namespace d1::driver
