// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "fixture.hpp"

namespace d1 {
namespace {

class Copies : public OnDevice {
 protected:
  std::vector<int> read(const Buffer<int>& buffer) {
    std::vector<int> values(buffer.size(), -1);
    stream.copy_out(values, buffer).wait();
    return values;
  }
  Stream stream = device.stream();
};

TEST_F(Copies, EveryPlacementGivesBackWhatWasPutIn) {
  // Counts around the chunk's edges, small ones that are staged, larger ones that are mapped.
  for (const std::size_t count : {1u, 15u, 16u, 17u, 353u, 5664u, 5665u, 100000u}) {
    const auto values = numbers<int>(count);
    for (const auto& buffer : one_of_each(count)) {
      stream.copy_in(buffer, values);
      EXPECT_EQ(read(buffer), values) << count << " " << to_string(buffer.placement());
    }
  }
}

TEST_F(Copies, RandomRangesBetweenAllPlacementsMatchAModelInHostMemory) {
  const auto seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const std::size_t count = 9000;
  const auto buffers = one_of_each(count);
  std::vector<std::vector<int>> model(buffers.size(), std::vector<int>(count, 0));
  for (const auto& buffer : buffers) stream.fill(buffer, 0);
  for (int round = 0; round < 300; ++round) {
    const auto a = random() % buffers.size(), b = random() % buffers.size();
    const std::size_t first = random() % count, length = 1 + random() % (count - first);
    const std::size_t second = random() % (count - length + 1);
    const auto at = [](std::vector<int>& v, std::size_t i) {
      return v.begin() + static_cast<long>(i);
    };
    if (a == b || random() % 3 == 0) {
      std::vector<int> values(length);
      for (int& value : values) value = static_cast<int>(random());
      stream.copy_in(buffers[a], values, first).wait();
      std::copy(values.begin(), values.end(), at(model[a], first));
    } else {
      auto copied = stream.shared().copy(buffers[b].untyped(), second * 4, buffers[a].untyped(),
                                         first * 4, length * 4);
      ASSERT_TRUE(copied) << copied.error().to_string();
      std::copy_n(at(model[a], first), length, at(model[b], second));
    }
    const auto check = random() % buffers.size();
    const std::size_t from = random() % count, some = 1 + random() % (count - from);
    std::vector<int> seen(some);
    stream.copy_out(seen, buffers[check], from).wait();
    ASSERT_TRUE(std::equal(seen.begin(), seen.end(), at(model[check], from))) << "round " << round;
  }
}

TEST_F(Copies, ReplicatedBuffersAreTheSameOnEveryNode) {
  auto sum = program(R"(
D1_KERNEL void first_elements(d1::replicated<int> in, d1::sharded<int> out) {
  if (d1::hart() == 0 && !out.empty()) out[0] = in[2];
})")
                 .kernel("first_elements");
  auto in = device.replicated<int>(3);
  auto out = device.sharded<int>(354 * 16);
  stream.copy_in(in, numbers<int>(3));
  sum(stream, device.all(), in, out);
  const auto values = read(out);
  for (std::size_t rank = 0; rank < 354; ++rank) EXPECT_EQ(values[rank * 16], 3) << rank;
}

TEST_F(Copies, HostBuffersCopyWithoutAMap) {
  auto host = device.host_buffer<float>(1 << 20);
  auto back = device.host_buffer<float>(1 << 20);
  std::iota(host.begin(), host.end(), 0.0f);
  auto hbm = device.hbm<float>(1 << 20);
  const auto maps = device.shared()->device().dma().size();
  stream.copy_in(hbm, host.span());
  auto copy = stream.copy_out(back.span(), hbm);
  EXPECT_EQ(device.shared()->device().dma().size(), maps);
  copy.wait();
  EXPECT_TRUE(std::equal(host.begin(), host.end(), back.begin()));
}

TEST_F(Copies, RowsLeaveTheHostsGapsAlone) {
  auto buffer = device.hbm<int>(100);
  stream.copy_in(buffer, numbers<int>(100));
  std::vector<int> target(50, -1);
  // Columns 2 and 3 of a 10 x 10 matrix to the first two of rows of 5.
  runtime::Rows rows{8, 10, 40, 20};
  auto out = stream.shared().copy_out_rows(target.data(), buffer.untyped(), 8, rows);
  ASSERT_TRUE(out) << out.error().to_string();
  stream.synchronize();
  for (int row = 0; row < 10; ++row) {
    EXPECT_EQ(target[row * 5], row * 10 + 3);
    EXPECT_EQ(target[row * 5 + 1], row * 10 + 4);
    EXPECT_EQ(target[row * 5 + 2], -1);
  }
}

TEST_F(Copies, FillsReachTheirRangeAndNothingElse) {
  for (const auto& buffer : one_of_each(6000)) {
    stream.fill(buffer, 7);
    auto part = stream.shared().fill(buffer.untyped(), 400, 20000, 0x0000000900000008, 8);
    ASSERT_TRUE(part) << part.error().to_string();
    const auto values = read(buffer);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const int expected = i < 100 || i >= 5100 ? 7 : i % 2 ? 9 : 8;
      ASSERT_EQ(values[i], expected) << i << " " << to_string(buffer.placement());
    }
  }
}

TEST_F(Copies, ARangePastTheEndIsRefusedAtOnce) {
  auto buffer = device.hbm<int>(10);
  try {
    stream.copy_in(buffer, numbers<int>(5), 6);
    FAIL();
  } catch (const Exception& problem) {
    expect_part(problem.error(), "[24, 24 + 20) are not in a buffer of 40 bytes");
  }
}

TEST_F(Copies, BuffersThatDoNotFitSayHowMuchIsLeft) {
  try {
    (void)device.replicated<std::byte>(2 << 20);
    FAIL();
  } catch (const Exception& problem) {
    EXPECT_EQ(problem.kind(), ErrorKind::ResourceExhausted);
  }
  // And what was refused holds nothing.
  EXPECT_TRUE(device.replicated<std::byte>(1 << 20));
}

}  // namespace
}  // namespace d1
