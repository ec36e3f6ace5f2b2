// SPDX-License-Identifier: Apache-2.0
// Lines, elements and verbs, against a device that is plain data.
#include <gtest/gtest.h>

#include <d1/abi/memory_map.h>
#include <d1/inspect/session.hpp>

#include <cstring>

#include "elements.hpp"

namespace d1::inspect {
namespace {

using nlohmann::ordered_json;

// A tile, all of whose harts wait for semaphore 7, but for those of die 3, which run.
class FakeTarget final : public driver::DebugTarget {
 public:
  std::string description() const override { return "a fake"; }

 protected:
  Result<Answer> ask(const d1_debug_request& request, std::span<const std::byte>) override {
    switch (request.verb) {
      case D1_DEBUG_MACHINE: {
        d1_debug_machine machine{};
        machine.version = D1_DEBUG_VERSION;
        machine.die_rows = machine.die_columns = 5;
        machine.node_rows = 18;
        machine.node_columns = 20;
        machine.nodes = 25 * 360;
        return answer(std::span<const d1_debug_machine>(&machine, 1));
      }
      case D1_DEBUG_HARTS: {
        std::vector<d1_debug_hart> harts;
        for (std::uint32_t i = 0; i < 25 * 360 * D1_HARTS; ++i) {
          d1_debug_hart hart{};
          hart.report.die = i / D1_HARTS / 360;
          hart.report.node = i / D1_HARTS % 360;
          hart.report.hart = i % D1_HARTS;
          hart.report.pc = 0x2000;
          hart.report.status = hart.report.die == 3 ? D1_HART_RUNNABLE : D1_HART_PARKED;
          hart.report.wait_kind = D1_WAIT_SEMAPHORE;
          hart.report.wait_index = 7;
          hart.report.wait_amount = 1;
          harts.push_back(hart);
        }
        return answer(std::span<const d1_debug_hart>(harts));
      }
      case D1_DEBUG_QUEUES: return Answer{9, std::vector<std::byte>(5)};  // no record is so short
      default: return fail(ErrorKind::Unsupported, "The fake has no such thing.");
    }
  }

 private:
  template <typename Record>
  static Answer answer(std::span<const Record> records) {
    const auto bytes = std::as_bytes(records);
    return {9, {bytes.begin(), bytes.end()}};
  }
};

class Sessions : public testing::Test {
 protected:
  Sessions() {
    auto opened = Session::open(std::make_unique<FakeTarget>(), false);
    if (opened) session = std::move(*opened);
  }
  Result<Answer> run(std::string_view line) { return session->run(parse_line(line).front()); }

  std::unique_ptr<Session> session;
};

TEST(Lines, AreCutIntoVerbsAndWords) {
  using Lines = std::vector<std::vector<std::string>>;
  EXPECT_EQ(parse_line("map; where die0 ;regs  n0,0 v # no more; map"),
            (Lines{{"map"}, {"where", "die0"}, {"regs", "n0,0", "v"}}));
  EXPECT_EQ(parse_line(" ;; "), Lines{});
  EXPECT_EQ(parse_line("# a comment"), Lines{});
}

TEST(Elements, AreWrittenAsTheyAreRead) {
  for (const auto& [name, text] : {std::pair("e8", "ff"), std::pair("e64", "00000000000000ff")}) {
    const auto bytes = parse_element(*element_type_of(name), "255");
    ASSERT_TRUE(bytes);
    EXPECT_EQ(text_of(*element_type_of(name), *bytes), text);
  }
  for (const char* name : {"f32", "f64", "bf16"})
    EXPECT_EQ(text_of(*element_type_of(name), *parse_element(*element_type_of(name), "-2.5")),
              "-2.5");
  EXPECT_EQ(text_of(ElementType::Bf16, *parse_element(ElementType::Bf16, "1.004")),
            "1.0078125");  // to nearest
  EXPECT_FALSE(parse_element(ElementType::E8, "256"));
  EXPECT_FALSE(parse_element(ElementType::F32, "one"));
  EXPECT_FALSE(element_type_of("e128"));
}

TEST_F(Sessions, GroupHartsByWhatTheyDo) {
  ASSERT_NE(session, nullptr);
  const auto answer = run("where");
  ASSERT_TRUE(answer) << answer.error().sentence();
  EXPECT_EQ(answer->document["harts"], 36'000);
  EXPECT_EQ(answer->document["cycle"], 9);
  const ordered_json& groups = answer->document["groups"];
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0]["harts"], 24 * 360 * 4);
  EXPECT_EQ(groups[0]["what"], "waiting for semaphore 7 to hold 1 (it holds 0), in 0x2000");
  EXPECT_EQ(groups[1]["harts"], 360 * 4);
  EXPECT_EQ(groups[1]["examples"][0], "die3/n0,0/h0");
  EXPECT_EQ(run("where die3/n0,0")->document["harts"], 4);
}

TEST_F(Sessions, EveryVerbIsExplainedAndWantsItsWords) {
  for (const Verb& verb : verbs()) {
    EXPECT_FALSE(verb.summary.empty()) << verb.name;
    EXPECT_LE(verb.least, verb.most) << verb.name;
    EXPECT_TRUE(run("help " + std::string(verb.name)));
    if (verb.least == 0) continue;
    EXPECT_EQ(run(verb.name).error().kind(), ErrorKind::Invalid) << verb.name;
  }
  EXPECT_EQ(run("help")->document.size(), verbs().size());
}

TEST_F(Sessions, AnAnswerOfTheWrongSizeIsAnError) {
  const auto answer = run("queues");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind(), ErrorKind::Protocol);
}

}  // namespace
}  // namespace d1::inspect
