// SPDX-License-Identifier: Apache-2.0
// How an engine is chosen: by name, by the environment, and what is said of names that are wrong.
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include <d1/emulator/engine_options.hpp>

namespace d1::emulator {
namespace {

// A variable of the environment for as long as this lives; nullptr: not there.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ~Variable() { set(before_ ? before_->c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const char* value) {
    if (value != nullptr) setenv(name_, value, 1);
    else unsetenv(name_);
  }
  const char* name_;
  std::optional<std::string> before_;
};

TEST(EngineOptions, EachNameStandsForOneEngineAndBack) {
  for (const EngineKind kind : {EngineKind::Interpreter, EngineKind::Translator})
    EXPECT_EQ(engine_kind_of(name_of(kind)), kind);
  for (const HostLevel level : {HostLevel::Portable, HostLevel::Avx2, HostLevel::Avx512})
    EXPECT_EQ(host_level_of(name_of(level)), level);
}

TEST(EngineOptions, TheEnvironmentSaysHowMemoryIsReached) {
  for (const MemoryBase base : {MemoryBase::Segment, MemoryBase::Register}) {
    const Variable variable("D1_MEMORY_BASE", std::string(name_of(base)).c_str());
    EXPECT_EQ(engine_options_from_environment().memory_base, base);
    EXPECT_EQ(engine_options_for("")->memory_base, base);
  }
  const Variable variable("D1_MEMORY_BASE", "stack");
  EXPECT_EQ(engine_options_for("").error().sentence(),
            "There is no base of memory named 'stack' (as D1_MEMORY_BASE asks for); known are: "
            "segment, register.");
}

TEST(EngineOptions, ANameGoesBeforeTheEnvironment) {
  const Variable engine("D1_ENGINE", "dbt"), level("D1_HOST_LEVEL", "avx2");
  const auto chosen = engine_options_for("interp");
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->kind, EngineKind::Interpreter);
  EXPECT_EQ(chosen->level, HostLevel::Avx2);
  EXPECT_EQ(engine_options_for("")->kind, EngineKind::Translator);
}

TEST(EngineOptions, WithNothingSaidTheTranslatorRuns) {
  for (const char* nothing : {static_cast<const char*>(nullptr), ""}) {
    const Variable engine("D1_ENGINE", nothing), level("D1_HOST_LEVEL", nothing);
    const auto chosen = engine_options_for("");
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->kind, EngineKind::Translator);
    EXPECT_EQ(chosen->level, HostLevel::Avx512);
  }
}

TEST(EngineOptions, AWrongNameIsAnErrorThatTellsTheKnownOnes) {
  const Variable engine("D1_ENGINE", nullptr), level("D1_HOST_LEVEL", nullptr);
  const auto chosen = engine_options_for("jit");
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().kind(), ErrorKind::Invalid);
  EXPECT_EQ(chosen.error().sentence(),
            "There is no engine named 'jit'; known are: interp, dbt, lockstep.");
}

TEST(EngineOptions, AWrongNameInTheEnvironmentIsAnErrorToo) {
  {
    const Variable engine("D1_ENGINE", "DBT"), level("D1_HOST_LEVEL", nullptr);
    EXPECT_EQ(engine_options_for("").error().sentence(),
              "There is no engine named 'DBT' (as D1_ENGINE asks for); known are: interp, dbt, "
              "lockstep.");
  }
  const Variable engine("D1_ENGINE", nullptr), level("D1_HOST_LEVEL", "avx1");
  EXPECT_EQ(engine_options_for("dbt").error().sentence(),
            "There is no host level named 'avx1' (as D1_HOST_LEVEL asks for); known are: portable, "
            "avx2, avx512.");
}

}  // namespace
}  // namespace d1::emulator
