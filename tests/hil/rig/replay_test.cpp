// SPDX-License-Identifier: Apache-2.0
// Traffic that was recorded, on another device.
#include <filesystem>
#include <fstream>

#include "fixture.hpp"

namespace d1::hil::test {
namespace {

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

  std::ofstream(path) << R"({"kind": "completion", "queue": 99})" << "\n";
  auto strange = Recording::load(path);
  ASSERT_TRUE(strange);
  EXPECT_FALSE(strange->replay("in-process"));
}

}  // namespace
}  // namespace d1::hil::test
