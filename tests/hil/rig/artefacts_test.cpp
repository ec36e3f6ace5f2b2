// SPDX-License-Identifier: Apache-2.0
// What tests leave behind that fail, pass, and are skipped: a program of such tests is run.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "fixture.hpp"

namespace d1::hil::test {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class ArtefactsOfTests : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/d1-artefacts-XXXXXX";
    folder = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder); }

  // Runs tests of the program by a filter, and says for which there are artefacts.
  std::set<std::string> run(const std::string& tests) {
    const std::string command = "cd " + folder.string() + " && D1_HIL_ARTEFACTS=kept timeout 60 " +
                                D1_TEST_RIG_FAILS + " --gtest_filter='" + tests +
                                "' --gtest_output=xml:report.xml > out 2>&1";
    EXPECT_NE(std::system(command.c_str()), 0);
    std::set<std::string> kept;
    if (fs::exists(folder / "kept"))
      for (const auto& entry : fs::directory_iterator(folder / "kept"))
        kept.insert(entry.path().filename());
    return kept;
  }
  std::string artefact(const std::string& path) const { return text_of(folder / "kept" / path); }

  fs::path folder;
};

TEST_F(ArtefactsOfTests, AreThereOfThoseThatFailAndOfNoOthers) {
  const std::set<std::string> kept = run("Fails.*");
  EXPECT_EQ(kept, (std::set<std::string>{"Fails.AtAnExpectation", "Fails.WithAnException"}))
      << text_of(folder / "out");
  for (const std::string& test : kept) {
    const fs::path place = folder / "kept" / test;
    EXPECT_NE(text_of(place / "daemon.log").find("attaches"), std::string::npos) << test;
    const std::string traffic = text_of(place / "traffic.jsonl");
    EXPECT_NE(traffic.find("\"name\":\"copy\""), std::string::npos) << test;
    EXPECT_NE(traffic.find("\"kind\":\"completion\""), std::string::npos) << test;
    EXPECT_TRUE(Recording::load(place / "traffic.jsonl")) << test;
    EXPECT_NE(text_of(place / "state.txt").find("\"name\""), std::string::npos) << test;
  }
  // The state is that of the moment: the device was open, and its first node had booted or not.
  EXPECT_NE(text_of(folder / "kept" / "Fails.AtAnExpectation" / "state.txt").find("\"process\""),
            std::string::npos);
}

TEST_F(ArtefactsOfTests, ReportsAreJUnitWithTheReasonOfASkip) {
  (void)run("Fails.*");
  const std::string report = text_of(folder / "report.xml");
  EXPECT_NE(report.find("tests=\"4\" failures=\"2\""), std::string::npos) << report;
  EXPECT_NE(report.find("This test needs 1000000 nodes"), std::string::npos) << report;
}

TEST_F(ArtefactsOfTests, AreKeptWhenATestFailsBehindItsRig) {
  EXPECT_EQ(run("Late.BehindItsRig"), std::set<std::string>{"Late.BehindItsRig"});
  EXPECT_NE(artefact("Late.BehindItsRig/daemon.log").find("attaches"), std::string::npos);
  EXPECT_TRUE(Recording::load(folder / "kept/Late.BehindItsRig/traffic.jsonl"));
}

TEST_F(ArtefactsOfTests, AreThereOfEachRigOfATest) {
  EXPECT_EQ(run("Late.WithTwoRigs"), std::set<std::string>{"Late.WithTwoRigs"});
  for (const std::string rig : {"Late.WithTwoRigs/", "Late.WithTwoRigs/rig-2/"}) {
    EXPECT_NE(artefact(rig + "daemon.log").find("attaches"), std::string::npos) << rig;
    EXPECT_NE(artefact(rig + "traffic.jsonl").find("\"name\":\"copy\""), std::string::npos) << rig;
  }
  EXPECT_NE(artefact("Late.WithTwoRigs/state.txt").find("\"process\""), std::string::npos);
}

TEST_F(ArtefactsOfTests, AreThereWhenAnActionFailsWithAQueueLocked) {
  EXPECT_EQ(run("Late.InAnAction"), std::set<std::string>{"Late.InAnAction"});
  EXPECT_NE(text_of(folder / "out").find("1 FAILED TEST"), std::string::npos);
  EXPECT_NE(artefact("Late.InAnAction/state.txt").find("\"process\""), std::string::npos);
  EXPECT_NE(artefact("Late.InAnAction/state.txt").find("harts not in reset: 0"),
            std::string::npos);
}

TEST_F(ArtefactsOfTests, AreThereWhenTheDaemonIsStopped) {
  EXPECT_EQ(run("Late.WithAStoppedDaemon"), std::set<std::string>{"Late.WithAStoppedDaemon"});
  EXPECT_NE(text_of(folder / "out").find("1 FAILED TEST"), std::string::npos);
  EXPECT_NE(artefact("Late.WithAStoppedDaemon/state.txt").find("\"silent\""), std::string::npos);
}

TEST_F(ArtefactsOfTests, OfARigForAWholeSuiteAreNamedAfterTheSuite) {
  EXPECT_EQ(run("OneRig.*"), std::set<std::string>{"OneRig"});
  EXPECT_NE(artefact("OneRig/state.txt").find("\"process\""), std::string::npos);
  fs::remove_all(folder / "kept");
  EXPECT_EQ(run("OneRig.Passes:Fails.AtAnExpectation"),
            std::set<std::string>{"Fails.AtAnExpectation"});
}

TEST_F(ArtefactsOfTests, OfACrashHoldAllThatPassedBeforeIt) {
  EXPECT_EQ(run("Crashes.*"), std::set<std::string>{"Crashes.InTheMiddle"});
  auto recording = Recording::load(folder / "kept/Crashes.InTheMiddle/traffic.jsonl");
  ASSERT_TRUE(recording) << recording.error().to_string();
  const std::string traffic = artefact("Crashes.InTheMiddle/traffic.jsonl");
  const std::size_t last = traffic.rfind("\"name\":\"copy\"");
  ASSERT_NE(last, std::string::npos);
  // The second copy was rung for, and the first had completed.
  EXPECT_NE(traffic.find("\"kind\":\"doorbell\"", last), std::string::npos);
  EXPECT_LT(traffic.find("\"name\":\"copy\""), last);
  EXPECT_TRUE(recording->replay("in-process"));
}

}  // namespace
}  // namespace d1::hil::test
