// SPDX-License-Identifier: Apache-2.0
// Messages over a socket pair: whole, in pieces, with descriptors, and what is no message.
#include <d1/vfio_user/message_socket.hpp>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <thread>

namespace d1::vfio_user {
namespace {

using std::chrono::milliseconds;

Deadline in(milliseconds time) { return std::chrono::steady_clock::now() + time; }

class MessageSocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> pair;
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    here = MessageSocket(Descriptor(pair[0]));
    there = MessageSocket(Descriptor(pair[1]));
  }
  void send_raw(std::span<const std::byte> bytes) {
    ASSERT_EQ(::send(there.descriptor(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }
  static d1_vfio_user_header header(std::uint16_t id,
                                    std::uint32_t size = sizeof(d1_vfio_user_header)) {
    return {id, D1_VFIO_USER_DEVICE_RESET, size, 0, 0};
  }

  MessageSocket here, there;
};

TEST_F(MessageSocketTest, AMessageArrivesWithItsPayloadInOrder) {
  const std::uint32_t first = 7;
  const std::uint64_t second = 9;
  ASSERT_TRUE(
      there.send(header(3), {bytes_of(first), bytes_of(second)}, {}, in(milliseconds(100))));
  auto message = here.receive(in(milliseconds(100)));
  ASSERT_TRUE(message) << message.error().to_string();
  EXPECT_EQ(message->header.id, 3);
  EXPECT_EQ(message->header.size, 16 + 12);
  EXPECT_EQ(message->read<std::uint32_t>(), 7u);
  EXPECT_EQ(message->read<std::uint64_t>(4), 9u);
  EXPECT_FALSE(message->read<std::uint64_t>(5)) << "one byte more than there is";
}

TEST_F(MessageSocketTest, BytesThatComeOneByOneMakeAMessageAtTheLast) {
  const auto whole = header(5);
  const auto bytes = bytes_of(whole);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto early = here.try_receive();
    ASSERT_TRUE(early && !*early) << "after " << i << " bytes";
    send_raw(bytes.subspan(i, 1));
  }
  auto message = here.try_receive();
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->header.id, 5);
}

TEST_F(MessageSocketTest, DescriptorsBelongToTheMessageTheyCameWith) {
  const Descriptor event(::eventfd(0, EFD_CLOEXEC));
  const std::array<int, 1> one{event.get()};
  ASSERT_TRUE(there.send(header(1), {}, {}, in(milliseconds(100))));
  ASSERT_TRUE(there.send(header(2), {}, one, in(milliseconds(100))));
  ASSERT_TRUE(there.send(header(3), {}, {}, in(milliseconds(100))));
  for (std::uint16_t id = 1; id <= 3; ++id) {
    auto message = here.receive(in(milliseconds(100)));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->header.id, id);
    EXPECT_EQ(message->descriptors.size(), id == 2 ? 1u : 0u);
  }
}

TEST_F(MessageSocketTest, ASizeThatCannotBeIsAProtocolError) {
  for (const std::uint32_t size : {0u, 15u, kMessageBytes + 1, ~0u}) {
    SetUp();
    const auto wrong = header(1, size);
    send_raw(bytes_of(wrong));
    auto message = here.try_receive();
    ASSERT_FALSE(message) << size;
    EXPECT_EQ(message.error().kind(), ErrorKind::Protocol);
    EXPECT_NE(message.error().sentence().find(std::to_string(size)), std::string::npos);
  }
}

TEST_F(MessageSocketTest, AClosedPeerIsALostDeviceForWhoReceivesAndWhoSends) {
  there = MessageSocket();
  EXPECT_EQ(here.receive(in(milliseconds(100))).error().kind(), ErrorKind::DeviceLost);
  EXPECT_EQ(here.send(header(1), {}, {}, in(milliseconds(100))).error().kind(),
            ErrorKind::DeviceLost);
}

TEST_F(MessageSocketTest, ReceivingKeepsWhatCameBeforeTheDeadline) {
  const auto whole = header(8);
  send_raw(bytes_of(whole).first(10));
  EXPECT_EQ(here.receive(in(milliseconds(5))).error().kind(), ErrorKind::Timeout);
  send_raw(bytes_of(whole).subspan(10));
  auto message = here.receive(in(milliseconds(100)));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->header.id, 8);
}

TEST_F(MessageSocketTest, SendingToOneWhoReadsNothingEndsAtTheDeadline) {
  const std::vector<std::byte> large(D1_VFIO_USER_DEFAULT_TRANSFER);
  Result<> sent;
  for (int i = 0; i < 64 && sent; ++i)
    sent = there.send(header(1), {large}, {}, in(milliseconds(20)));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().kind(), ErrorKind::Timeout);
}

TEST_F(MessageSocketTest, ALargeMessageGoesThroughInPieces) {
  std::vector<std::byte> large(D1_VFIO_USER_DEFAULT_TRANSFER);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::byte>(i * 7);
  std::thread sender(
      [&] { EXPECT_TRUE(there.send(header(1), {large}, {}, in(milliseconds(5000)))); });
  auto message = here.receive(in(milliseconds(5000)));
  sender.join();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->payload, large);
}

}  // namespace
}  // namespace d1::vfio_user
