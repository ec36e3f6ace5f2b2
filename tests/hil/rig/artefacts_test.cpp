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
    const std::string command = "cd " + folder.string() + " && D1_HIL_ARTEFACTS=kept " +
                                D1_TEST_RIG_FAILS +
                                " --gtest_filter=Fails.* --gtest_output=xml:report.xml > out 2>&1";
    status = std::system(command.c_str());
  }
  void TearDown() override { fs::remove_all(folder); }

  fs::path folder;
  int status = 0;
};

TEST_F(ArtefactsOfTests, AreThereOfThoseThatFailAndOfNoOthers) {
  EXPECT_NE(status, 0);
  std::set<std::string> kept;
  for (const auto& entry : fs::directory_iterator(folder / "kept"))
    kept.insert(entry.path().filename());
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
  const std::string report = text_of(folder / "report.xml");
  EXPECT_NE(report.find("tests=\"4\" failures=\"2\""), std::string::npos) << report;
  EXPECT_NE(report.find("This test needs 1000000 nodes"), std::string::npos) << report;
}

}  // namespace
}  // namespace d1::hil::test
