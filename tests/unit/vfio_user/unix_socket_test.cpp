// SPDX-License-Identifier: Apache-2.0
// Connecting by path: who is there, who is not, and who does not answer the door.
#include <gtest/gtest.h>
#include <d1/vfio_user/unix_socket.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace d1::vfio_user {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

class UnixSocketTest : public testing::Test {
 protected:
  UnixSocketTest() {
    std::string name = (std::filesystem::temp_directory_path() / "d1-socket-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~UnixSocketTest() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return folder_ + "/socket"; }

 private:
  std::string folder_;
};

TEST_F(UnixSocketTest, WhoListensIsFound) {
  const auto listener = listen_at(path());
  ASSERT_TRUE(listener);
  EXPECT_TRUE(connect_to(path(), Clock::now() + 1s));
}

TEST_F(UnixSocketTest, WhereNobodyListensTheErrorSaysWhatToDo) {
  const auto none = connect_to(path(), Clock::now() + 1s);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind(), ErrorKind::DeviceLost);
  EXPECT_NE(none.error().sentence().find("d1 serve"), std::string::npos);
}

TEST_F(UnixSocketTest, ASocketThatIsServedIsNotTakenAway) {
  const auto listener = listen_at(path());
  ASSERT_TRUE(listener);
  const auto second = listen_at(path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::ResourceExhausted);
}

// As of a daemon that was stopped: it accepts nobody, and then nobody more can wait.
TEST_F(UnixSocketTest, AListenerThatTakesNobodyIsATimeoutAtTheDeadline) {
  const auto listener = listen_at(path());
  ASSERT_TRUE(listener);
  std::vector<Descriptor> waiting;
  for (int i = 0; i < 1000; ++i) {
    const auto start = Clock::now();
    auto socket = connect_to(path(), start + 20ms);
    if (socket) {
      waiting.push_back(std::move(*socket));
      continue;
    }
    EXPECT_EQ(socket.error().kind(), ErrorKind::Timeout);
    EXPECT_GE(Clock::now() - start, 20ms);
    EXPECT_NE(socket.error().sentence().find(path()), std::string::npos);
    EXPECT_EQ(listen_at(path()).error().kind(), ErrorKind::ResourceExhausted) << "it is served";
    return;
  }
  FAIL() << "there is no end of those who can wait";
}

}  // namespace
}  // namespace d1::vfio_user
