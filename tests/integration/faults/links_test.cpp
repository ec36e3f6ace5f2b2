// SPDX-License-Identifier: Apache-2.0
// Links of the mesh that lose, delay and corrupt what passes them.
#include <bit>

#include "fixture.hpp"

namespace d1 {
namespace {

class Links : public Faults {
 protected:
  Grid row = device.grid(1, 6, 1, 0);  // its ring passes n1,2/east once
};

TEST_F(Links, ALostLinkLosesPutsAndTheirPostsAndTheWaitersTimeOut) {
  EXPECT_EQ(ring(row), ring_expected(6));
  device.inject_faults("[[fault]]\nkind = 'link_lost'\nlink = 'die0/n1,2/east'\n");
  const Error error = error_of([&] { ring(row); });
  expect_error(error, ErrorKind::Timeout, "waiting for semaphore 1");
  device.clear_faults();
  EXPECT_EQ(ring(row), ring_expected(6));
}

TEST_F(Links, TheOtherDirectionOfALostLinkWorks) {
  device.inject_faults("[[fault]]\nkind = 'link_lost'\nlink = 'die0/n3,3/west'\n");
  // Rank 5 sends to rank 0 along the whole row, to the west.
  EXPECT_EQ(ring(device.grid(1, 6, 1, 0)), ring_expected(6));
  EXPECT_EQ(error_of([&] { ring(device.grid(1, 6, 3, 0)); }).kind(), ErrorKind::Timeout);
}

TEST_F(Links, ASlowLinkChangesTimeAlone) {
  std::uint64_t quick = 0, slow = 0;
  EXPECT_EQ(ring(row, &quick), ring_expected(6));
  device.inject_faults(
      "[[fault]]\nkind = 'link_slow'\nlink = 'die0/n1,2/east'\nfactor = 1000\n");
  EXPECT_EQ(ring(row, &slow), ring_expected(6));
  // 1 KiB are 16 packets.
  EXPECT_GT(slow, quick + 15 * 1000);
  EXPECT_LT(slow, quick + 17 * 1000);
}

TEST_F(Links, ACorruptLinkFlipsABitOfEachMessageThatPassesIt) {
  device.inject_faults(
      "seed = 5\n[[fault]]\nkind = 'link_corrupt'\nlink = 'die0/n1,2/east'\n");
  const std::vector<int> expected = ring_expected(6), got = ring(row);
  int flipped = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const int bits = std::popcount(static_cast<unsigned>(got[i] ^ expected[i]));
    flipped += bits;
    EXPECT_TRUE(bits == 0 || i / 256 == 3) << "of rank " << i / 256;
  }
  EXPECT_EQ(flipped, 1);
}

}  // namespace
}  // namespace d1
