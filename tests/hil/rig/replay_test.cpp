// SPDX-License-Identifier: Apache-2.0
// Traffic that was recorded, on another device.
#include <d1/abi/memory_map.h>
#include <d1/driver/device.hpp>

#include <filesystem>
#include <fstream>
#include <span>

#include "fixture.hpp"

namespace d1::hil::test {
namespace {

// The status with which a copy ends.
std::uint16_t execute(driver::QueuePair& queue, const d1_copy& copy) {
  struct End {
    bool done = false;
    std::uint16_t status = 0;
  } end;
  const auto done = [](void* context, const driver::Completion& completion) {
    *static_cast<End*>(context) = {true, completion.status};
  };
  EXPECT_TRUE(queue.post(driver::to_bytes(copy), done, &end));
  queue.ring();
  EXPECT_TRUE(queue.wait([&] { return end.done; }, driver::after(10s)));
  return end.status;
}

class Replays : public ::testing::Test {
 protected:
  // What a device did that was opened, used and closed.
  static Recording record(Rig& rig) {
    {
      Device device = rig.open();
      EXPECT_EQ(use(device, 5), expected(5));
      EXPECT_EQ(use(device, -7), expected(-7));
    }
    return rig.recording();
  }
  static Replay replay(const Recording& recording, const std::string& target,
                       const driver::TransportOptions& options = {}) {
    auto replay = recording.replay(target, options);
    if (!replay) ADD_FAILURE() << replay.error().to_string();
    return replay.value_or(Replay{});
  }
};

TEST_F(Replays, AreEqualOnAnEqualDevice) {
  Rig rig;
  D1_HIL_NEEDS(rig, power_control);
  const Recording recording = record(rig);
  rig.power_cycle();
  const std::string in_band = "vfio-user-in-band" + rig.target().substr(9);
  for (const std::string& target : {rig.target(), std::string("in-process"), in_band}) {
    const Replay played = replay(recording, target);
    EXPECT_GT(played.commands, 8u);
    EXPECT_EQ(played.differences, std::vector<std::string>()) << target;
    rig.power_cycle();
  }
}

TEST_F(Replays, SayWhatAnotherDeviceDoesDifferently) {
  Rig rig;
  const Recording recording = record(rig);
  driver::TransportOptions options;
  options.machine = "tile";
  const Replay played = replay(recording, "in-process", options);
  ASSERT_FALSE(played.differences.empty());
  // It has more nodes, so the first query of its topology has a longer answer.
  EXPECT_NE(played.differences[0].find("(query) of queue 0 ended with detail"), std::string::npos)
      << played.differences[0];
}

TEST_F(Replays, SayWhatAFaultChanges) {
  Rig rig;
  D1_HIL_NEEDS(rig, power_control, fault_injection);
  const Recording recording = record(rig);
  rig.power_cycle();
  rig.inject("[[fault]]\nkind = 'dma_error'\nopcode = 'copy'\n");
  const Replay played = replay(recording, rig.target());
  ASSERT_FALSE(played.differences.empty());
  EXPECT_NE(played.differences[0].find("(copy) of queue 1 ended with status 12; before it was 0."),
            std::string::npos)
      << played.differences[0];
}

TEST_F(Replays, OfADeviceThatWasOpenedAgainAreEqual) {
  Rig rig;
  D1_HIL_NEEDS(rig, power_control);
  (void)record(rig);
  const Recording recording = record(rig);
  rig.power_cycle();
  for (const std::string& target : {rig.target(), std::string("in-process")}) {
    const Replay played = replay(recording, target);
    EXPECT_GT(played.commands, 16u);
    EXPECT_EQ(played.differences, std::vector<std::string>()) << target;
    EXPECT_EQ(played.cut_short, "");
  }
}

// Its driver leaves without a word, since the device is lost to it.
TEST_F(Replays, OfADeviceThatWasHeldInResetAreEqual) {
  Rig rig;
  D1_HIL_NEEDS(rig, power_control);
  {
    Device device = rig.open();
    EXPECT_EQ(use(device), expected());
    rig.hold_in_reset();
    EXPECT_EQ(error_of([&] { (void)use(device); }), ErrorKind::DeviceLost);
    rig.release();
  }
  const Recording recording = record(rig);
  rig.power_cycle();
  for (const std::string& target : {rig.target(), std::string("in-process")}) {
    const Replay played = replay(recording, target);
    EXPECT_GT(played.commands, 12u);
    EXPECT_EQ(played.differences, std::vector<std::string>()) << target;
    EXPECT_EQ(played.cut_short, "");
  }
}

// What it had mapped is retired, not unmapped.
TEST_F(Replays, OfADeviceThatWasLostForATimeAreEqual) {
  Rig rig;
  D1_HIL_NEEDS(rig, process_control);
  {
    driver::DeviceOptions options;
    options.transport = rig.transport();
    options.liveness_limit = 200ms;
    auto device = driver::Device::open(options);
    ASSERT_TRUE(device);
    auto memory = (*device)->dma().allocate(4096);
    rig.stop();
    for (const auto give_up = Clock::now() + 10s; !(*device)->lost() && Clock::now() < give_up;) {
      (*device)->check_alive();
      std::this_thread::sleep_for(1ms);
    }
    EXPECT_TRUE((*device)->lost());
  }
  rig.go_on();
  const Replay played = replay(record(rig), "in-process");
  EXPECT_GT(played.commands, 8u);
  EXPECT_EQ(played.differences, std::vector<std::string>());
}

TEST_F(Replays, EndWhereTheRigSwitchedThePowerAndSaySo) {
  for (const bool kill : {true, false}) {
    Rig rig;
    D1_HIL_NEEDS(rig, process_control, power_control);
    {
      Device device = rig.open();
      EXPECT_EQ(use(device), expected());
      if (kill) rig.kill();
      else rig.power_off();
      EXPECT_EQ(error_of([&] { (void)use(device); }), ErrorKind::DeviceLost);
    }
    rig.power_on();
    const Recording recording = record(rig);
    const Replay played = replay(recording, "in-process");
    EXPECT_GT(played.commands, 3u);
    EXPECT_EQ(played.differences, std::vector<std::string>());
    EXPECT_NE(played.cut_short.find(kill ? "'kill'" : "'power off'"), std::string::npos)
        << played.cut_short;
  }
}

// More rows than are kept one by one: each of them is in the record.
TEST_F(Replays, OfCopiesWithManyRowsAreEqual) {
  Rig rig;
  D1_HIL_NEEDS(rig, power_control);
  constexpr std::uint32_t kRows = 70'000, kRowBytes = 8, kPitch = 16;
  {
    driver::DeviceOptions options;
    options.transport = rig.transport();
    auto opened = driver::Device::open(options);
    ASSERT_TRUE(opened);
    driver::Device& device = **opened;
    auto memory = device.dma().allocate(std::uint64_t{kRows} * kPitch);
    auto queue = device.create_queue_pair(16);
    ASSERT_TRUE(memory && queue);
    const std::span<std::uint64_t> words(reinterpret_cast<std::uint64_t*>(memory->data()),
                                         std::size_t{kRows} * kPitch / 8);
    std::iota(words.begin(), words.end(), 1);
    d1_copy copy{};
    copy.header.opcode = D1_COMMAND_COPY;
    copy.header.flags = D1_COPY_FROM_HOST;
    copy.source = memory->iova();
    copy.destination = d1_hbm_address(0);
    copy.row_bytes = kRowBytes;
    copy.source_pitch = kPitch;
    copy.destination_pitch = kRowBytes;
    copy.rows = kRows;
    ASSERT_EQ(execute(**queue, copy), D1_STATUS_OK);
    copy.header.flags = D1_COPY_TO_HOST;
    std::swap(copy.source, copy.destination);
    copy.source_pitch = kRowBytes;
    copy.destination_pitch = kRowBytes;
    ASSERT_EQ(execute(**queue, copy), D1_STATUS_OK);
    EXPECT_EQ(words[kRows - 1], 2 * (kRows - 1) + 1);
  }
  const Recording recording = rig.recording();
  const Replay played = replay(recording, "in-process");
  EXPECT_EQ(played.commands, 2u);
  EXPECT_EQ(played.differences, std::vector<std::string>());
}

// What recording() says of a rig that works on whatever its record has no room for.
std::string why_not(Rig& rig) {
  try {
    (void)rig.recording();
  } catch (const Exception& problem) {
    EXPECT_EQ(problem.kind(), ErrorKind::Invalid);
    return problem.what();
  }
  return "it was recorded";
}

TEST_F(Replays, OfRecordsThatGrewTooLargeAreErrors) {
  Rig rig({.record_bytes = 64 << 10});
  Device device = rig.open();
  Stream stream = device.stream();
  auto buffer = device.hbm<int>(1 << 15);
  stream.copy_in(buffer, std::vector<int>(64)).wait(10s);
  (void)rig.recording();  // as yet it has room
  const std::vector<int> much(1 << 15);
  stream.copy_in(buffer, much).wait(10s);
  EXPECT_NE(why_not(rig).find("The bytes of this line are not in the record"), std::string::npos)
      << why_not(rig);
  EXPECT_EQ(use(device), expected());
}

TEST_F(Replays, OfRecordsWithTooManyLinesAreErrors) {
  Rig rig({.record_bytes = 64 << 10});
  Device device = rig.open();
  Stream stream = device.stream();
  auto buffer = device.hbm<int>(64);
  const std::vector<int> values(64);
  for (int i = 0; i < 200; ++i) stream.copy_in(buffer, values).wait(10s);
  EXPECT_NE(why_not(rig).find("The record was cut here, at 65536 bytes"), std::string::npos)
      << why_not(rig);
  EXPECT_LT(std::filesystem::file_size(rig.artefacts() + "/traffic.jsonl"), 66'000u);
  EXPECT_EQ(use(device), expected());
}

TEST_F(Replays, OfARigThatDoesNotRecordAreErrors) {
  Rig rig({.record = false});
  EXPECT_NE(why_not(rig).find("RigOptions::record is false"), std::string::npos) << why_not(rig);
}

TEST_F(Replays, OfFilesThatAreNoRecordsAreErrors) {
  Rig rig;
  const std::string path = rig.artefacts() + "/broken.jsonl";
  const auto error = [&](const std::string& text) {
    std::ofstream(path) << text << "\n";
    std::ofstream(path + ".data") << "abc";
    auto loaded = Recording::load(path);
    EXPECT_FALSE(loaded) << text;
    return loaded ? std::string() : loaded.error().sentence();
  };
  EXPECT_NE(error("nothing").find("broken.jsonl:1: This is no line"), std::string::npos);
  EXPECT_NE(error("{\"kind\": 3}").find(":1: This is no line"), std::string::npos);
  EXPECT_NE(error("{}").find("broken.jsonl:1: "), std::string::npos);
  EXPECT_NE(error(R"({"kind": "poke", "at": 1, "bytes": 3})").find("are not in the record"),
            std::string::npos);
  EXPECT_NE(error(R"({"kind": "command", "data": [{"bytes": 3, "hash": 1}]})")
                .find("are not in the record"),
            std::string::npos);
  EXPECT_FALSE(Recording::load("/nowhere/traffic.jsonl"));

  for (const std::string line :
       {R"({"kind": "completion", "queue": 99})", R"({"kind": "doorbell", "queue": 99, "tail": 1})",
        R"({"kind": "peek", "address": 0, "bytes": 1152921504606846976, "hash": 1})"}) {
    std::ofstream(path) << line << "\n";
    auto strange = Recording::load(path);
    ASSERT_TRUE(strange);
    EXPECT_FALSE(strange->replay("in-process")) << line;
  }

  // Rows that do not add up, or have no room: no byte beyond the map is touched.
  const std::string map = R"({"kind": "map", "iova": 4096, "bytes": 4096, "writes": true})";
  for (const std::string rows :
       {R"("rows": 0)", R"("rows": 2)", R"("rows": 3, "pitch": 5000)",
        R"("rows": 3, "pitch": 9223372036854775808)", R"("rows": 3, "pitch": 0)"}) {
    std::ofstream(path) << map << "\n"
                        << R"({"kind": "command", "queue": 0, "id": 1, "name": "copy",)"
                        << R"("bytes": "", "data": [{"at": 0, "bytes": 3, "hash": 1,)"
                        << R"("iova": 4096, )" << rows << "}]}\n";
    auto broken = Recording::load(path);
    ASSERT_TRUE(broken);
    auto played = broken->replay("in-process");
    ASSERT_FALSE(played) << rows;
    EXPECT_NE(played.error().to_string().find("has not mapped"), std::string::npos) << rows;
  }
}

}  // namespace
}  // namespace d1::hil::test
