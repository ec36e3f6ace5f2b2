// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <d1/runtime/compiler.hpp>

#include "compiled.hpp"

namespace d1::runtime {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGood = "#include <d1/kernel.hpp>\nD1_KERNEL void k(int x) {}\n";

class Compiler : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("XDG_CACHE_HOME", (folder.path() + "/cache").c_str(), 1); }
  void TearDown() override { ::unsetenv("XDG_CACHE_HOME"); }

  CompileRequest cached(const std::string& source) {
    auto request = request_for(source);
    request.cache = CachePolicy::Use;
    return request;
  }
  std::size_t entries() {
    std::error_code error;
    std::size_t count = 0;
    for (const auto& each : fs::directory_iterator(folder.path() + "/cache/opend1", error)) {
      count += each.path().extension() == ".elf";
    }
    return count;
  }
  TestFolder folder;
};

TEST_F(Compiler, AnErrorIsShownAsTheCompilerWroteIt) {
  const auto source =
      folder.file("bad.cpp", "#include <d1/kernel.hpp>\nD1_KERNEL void k() { y = 3; }\n");
  const auto built = compile(request_for(source));
  ASSERT_FALSE(built);
  EXPECT_EQ(built.error().kind(), ErrorKind::Invalid);
  EXPECT_NE(built.error().sentence().find("bad.cpp:2:22: error: use of undeclared identifier 'y'"),
            std::string::npos)
      << built.error().sentence();
}

TEST_F(Compiler, ALinkErrorIsShownToo) {
  const auto source = folder.file(
      "link.cpp",
      "#include <d1/kernel.hpp>\nint missing();\nD1_KERNEL void k(int* x) { *x = missing(); }\n");
  const auto built = compile(request_for(source));
  ASSERT_FALSE(built);
  EXPECT_NE(built.error().sentence().find("does not link"), std::string::npos);
  EXPECT_NE(built.error().sentence().find("missing()"), std::string::npos);
}

TEST_F(Compiler, IncludesAndDefinitionsArePassedOn) {
  fs::create_directory(folder.path() + "/inc");
  (void)folder.file("inc/mine.hpp", "#pragma once\nconstexpr int mine = NUMBER;\n");
  const auto source =
      folder.file("with.cpp",
                  "#include <d1/kernel.hpp>\n#include <d1/kernels/collectives.hpp>\n"
                  "#include <d1/kernels/copy.hpp>\n#include <d1/kernels/matrix_product.hpp>\n"
                  "#include <mine.hpp>\nstatic_assert(mine == 42);\n"
                  "D1_KERNEL void k() {}\n");
  auto request = request_for(source);
  EXPECT_FALSE(compile(request));
  request.include_directories = {folder.path() + "/inc"};
  // Sizes are often given so: no header of the SDK minds.
  request.definitions = {"NUMBER=42", "N=7", "M=8", "K=9", "A=1", "B=2", "C=3"};
  const auto built = compile(request);
  EXPECT_TRUE(built) << built.error().to_string();
}

TEST_F(Compiler, TheSameContentComesFromTheCacheAndAChangeDoesNot) {
  const auto source = folder.file("k.cpp", kGood);
  const auto first = compile(cached(source));
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_FALSE(first->from_cache);
  const auto second = compile(cached(source));
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->from_cache);
  EXPECT_EQ(second->elf, first->elf);
  auto request = cached(source);
  request.definitions = {"OTHER"};
  EXPECT_FALSE(compile(request)->from_cache);
  (void)folder.file("k.cpp", std::string(kGood) + "D1_KERNEL void another() {}\n");
  EXPECT_FALSE(compile(cached(source))->from_cache);
  EXPECT_EQ(entries(), 3u);
}

TEST_F(Compiler, ADamagedCacheEntryIsBuiltAnew) {
  const auto source = folder.file("k.cpp", kGood);
  ASSERT_TRUE(compile(cached(source)));
  for (const auto& each : fs::directory_iterator(folder.path() + "/cache/opend1")) {
    fs::resize_file(each.path(), 100);
  }
  const auto again = compile(cached(source));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->from_cache);
}

TEST_F(Compiler, ACacheThatCannotBeWrittenIsNoError) {
  ::setenv("XDG_CACHE_HOME", "/proc/nowhere", 1);
  EXPECT_TRUE(compile(cached(folder.file("k.cpp", kGood))));
}

TEST_F(Compiler, ASourceThatIsNotThereIsNamed) {
  const auto built = compile(request_for("/no/such/kernel.cpp"));
  ASSERT_FALSE(built);
  EXPECT_NE(built.error().sentence().find("/no/such/kernel.cpp"), std::string::npos);
}

TEST_F(Compiler, AWrongDeviceDirectoryInTheEnvironmentIsNamed) {
  ::setenv("D1_DEVICE_DIR", "/no/device", 1);
  const auto found = find_device_directory();
  ::unsetenv("D1_DEVICE_DIR");
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().sentence().find("/no/device"), std::string::npos);
}

}  // namespace
}  // namespace d1::runtime
