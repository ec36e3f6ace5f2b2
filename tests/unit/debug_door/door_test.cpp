// SPDX-License-Identifier: Apache-2.0
// Door and link against each other, and against peers that break the rules.
#include <gtest/gtest.h>

#include <d1/debug_door/door.hpp>
#include <d1/debug_door/link.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>

namespace d1::debug_door {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Doors : public testing::Test {
 protected:
  Doors() {
    std::array<char, 32> name{"/tmp/d1-door-XXXXXX"};
    folder = ::mkdtemp(name.data());
    path = folder + "/dev.debug";
    open();
  }
  ~Doors() override {
    door.reset();
    std::filesystem::remove_all(folder);
  }

  // Answers with the request's data, argument[0] times, and its verb for a cycle.
  void open() {
    auto opened = Door::open(path, [this] {
      ++visits;
      const auto leaving = std::shared_ptr<void>(nullptr, [this](void*) { ++left; });
      return [leaving](const d1_debug_request& request, std::span<const std::uint8_t> data) {
        if (request.verb == 7)
          return Answer{0, fail(ErrorKind::Unsupported, "There is no seven.")};
        std::vector<std::uint8_t> answer;
        for (std::uint64_t i = 0; i < request.argument[0]; ++i)
          answer.insert(answer.end(), data.begin(), data.end());
        return Answer{request.verb, std::move(answer)};
      };
    });
    ASSERT_TRUE(opened) << opened.error().sentence();
    door = std::move(*opened);
  }
  Link link() {
    auto made = Link::connect(path, Clock::now() + 5s);
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  static Result<Link::Answer> ask(Link& link, std::uint32_t verb, std::uint64_t times,
                                  std::span<const std::byte> data) {
    return link.ask({0, verb, 0, {times, 0, 0, 0}}, data, Clock::now() + 5s);
  }
  static void eventually(const std::function<bool()>& holds) {
    const auto deadline = Clock::now() + 5s;
    while (!holds() && Clock::now() < deadline) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(holds());
  }

  std::string folder, path;
  std::atomic<int> visits = 0, left = 0;
  std::unique_ptr<Door> door;
};

TEST_F(Doors, AnswersEachToolInTurnWithAllItsData) {
  Link first = link(), second = link();
  std::vector<std::byte> data(300'000, std::byte{5});
  for (int round = 0; round < 3; ++round) {
    const auto answer = ask(first, 3, 20, data);
    ASSERT_TRUE(answer) << answer.error().sentence();
    EXPECT_EQ(answer->cycle, 3u);
    EXPECT_EQ(answer->data.size(), 6'000'000u);
    EXPECT_EQ(answer->data.back(), std::byte{5});
    EXPECT_TRUE(ask(second, 4, 1, {})->data.empty());
  }
  EXPECT_EQ(visits, 2);
  EXPECT_EQ(first.process(), ::getpid());
}

TEST_F(Doors, HandsErrorsOnAndTheLinkIsAsGoodAsBefore) {
  Link tool = link();
  const auto refused = ask(tool, 7, 1, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::Unsupported);
  EXPECT_EQ(refused.error().sentence(), "There is no seven.");
  EXPECT_TRUE(ask(tool, 3, 1, {}));
}

TEST_F(Doors, NoticesThatAToolHasGone) {
  {
    const Link tool = link();
    eventually([&] { return visits == 1; });
  }
  eventually([&] { return left == 1; });
}

TEST_F(Doors, SendsAwayWhoBreaksTheRules) {
  auto socket = vfio_user::connect_to(path, Clock::now() + 5s);
  ASSERT_TRUE(socket);
  const d1_debug_request wrong{0x12345678, 1, 0, {}};
  ASSERT_EQ(::send(socket->get(), &wrong, sizeof wrong, 0), static_cast<ssize_t>(sizeof wrong));
  eventually([&] { return left == 1; });
  d1_debug_answer answer{};
  ASSERT_EQ(::recv(socket->get(), &answer, sizeof answer, 0),
            static_cast<ssize_t>(sizeof answer));
  EXPECT_EQ(answer.status, 1u + static_cast<std::uint32_t>(ErrorKind::Protocol));
  EXPECT_TRUE(ask(*std::make_unique<Link>(link()), 3, 1, {}));
}

TEST_F(Doors, AToolThatDoesNotReadHoldsUpNobody) {
  auto socket = vfio_user::connect_to(path, Clock::now() + 5s);
  ASSERT_TRUE(socket);
  std::vector<std::uint8_t> request(sizeof(d1_debug_request) + 1'000'000, 1);
  const d1_debug_request header{D1_DEBUG_MAGIC, 3, 1'000'000, {60, 0, 0, 0}};
  std::memcpy(request.data(), &header, sizeof header);
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t count =
        ::send(socket->get(), request.data() + sent, request.size() - sent, MSG_DONTWAIT);
    if (count > 0) sent += static_cast<std::size_t>(count);
    else std::this_thread::sleep_for(1ms);
  }
  Link other = link();
  EXPECT_TRUE(ask(other, 3, 1, {}));
}

TEST_F(Doors, TurnsAwayMoreToolsThanItServes) {
  std::vector<Link> tools;
  for (std::size_t i = 0; i < Door::kMostTools; ++i) tools.push_back(link());
  EXPECT_TRUE(ask(tools.back(), 3, 1, {}));
  Link late = link();
  EXPECT_EQ(ask(late, 3, 1, {}).error().kind(), ErrorKind::DeviceLost);
  tools.pop_back();
  eventually([&] { return left == 1; });
  Link next = link();
  EXPECT_TRUE(ask(next, 3, 1, {}));
}

TEST_F(Doors, GoesWithItsSocketAndToolsHearOfIt) {
  Link tool = link();
  EXPECT_TRUE(ask(tool, 3, 1, {}));
  door.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
  const auto lost = ask(tool, 3, 1, {});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().kind(), ErrorKind::DeviceLost);
  EXPECT_NE(lost.error().sentence().find("has ended"), std::string::npos);
  EXPECT_EQ(left, 1);
}

}  // namespace
}  // namespace d1::debug_door
