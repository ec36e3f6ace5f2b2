// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>
#include <d1/npy.hpp>

#include <cstring>
#include <filesystem>
#include <random>
#include <string>

namespace d1 {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

// A file of version `major` with this header and data.
std::vector<std::byte> npy(const std::string& header, const std::string& data, char major = 1) {
  std::string file = "\x93NUMPY";
  file += {major, '\0'};
  const auto length = static_cast<std::uint32_t>(header.size());
  file.append(reinterpret_cast<const char*>(&length), major == 1 ? 2 : 4);
  return bytes_of(file + header + data);
}

std::string header(const std::string& descr, const std::string& shape,
                   const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

void expect_refused(const std::vector<std::byte>& file, ErrorKind kind, const std::string& part) {
  const auto array = parse_npy(file, "test.npy");
  ASSERT_FALSE(array) << part;
  EXPECT_EQ(array.error().kind(), kind) << array.error().sentence();
  EXPECT_NE(array.error().sentence().find(part), std::string::npos) << array.error().sentence();
  EXPECT_NE(array.error().sentence().find("'test.npy'"), std::string::npos);
}

TEST(Npy, VersionsOneToThreeAreRead) {
  for (const char major : {'\1', '\2', '\3'}) {
    const auto array = parse_npy(npy(header("<f4", "(2, 3)"), std::string(24, 'x'), major), "a");
    ASSERT_TRUE(array) << array.error().to_string();
    EXPECT_EQ(array->type, "f4");
    EXPECT_EQ(array->shape, (std::vector<std::size_t>{2, 3}));
    EXPECT_EQ(array->count(), 6u);
  }
}

TEST(Npy, ScalarsEmptyArraysAndSingleDimensionsAreRead) {
  EXPECT_EQ(parse_npy(npy(header("<i8", "()"), std::string(8, 'x')), "a")->count(), 1u);
  EXPECT_EQ(parse_npy(npy(header("<i8", "(0, 5)"), ""), "a")->count(), 0u);
  EXPECT_EQ(parse_npy(npy(header("|u1", "(3,)"), "abc"), "a")->shape.size(), 1u);
  EXPECT_EQ(parse_npy(npy(header("|V2", "(3,)"), "abcdef"), "a")->type, "V2");
}

TEST(Npy, ElementsThatAreWrittenByTheCallerAreReadBack) {
  const std::string path = testing::TempDir() + "d1-npy-" + std::to_string(::getpid()) + ".npy";
  const std::vector<std::size_t> shape = {2, 2};
  const auto write = [](std::size_t bytes) {
    return NpyWriter([bytes](int file, std::uint64_t at) -> Result<> {
      EXPECT_EQ(at % 64, 0u);
      const std::string data(bytes, 'x');
      EXPECT_EQ(::pwrite(file, data.data(), bytes, static_cast<off_t>(at)), bytes);
      return {};
    });
  };
  ASSERT_TRUE(write_npy(path, "i4", shape, write(16)));
  EXPECT_EQ(read_npy(path)->bytes, bytes_of(std::string(16, 'x')));
  // Whatever goes wrong, the file that was there is as it was, and nothing is beside it.
  const NpyWriter fails = [](int, std::uint64_t) -> Result<> {
    return fail(ErrorKind::DeviceLost, "It is gone.");
  };
  EXPECT_EQ(write_npy(path, "i4", shape, fails).error().kind(), ErrorKind::DeviceLost);
  for (const std::size_t bytes : {0u, 15u, 17u}) {
    const auto written = write_npy(path, "i4", shape, write(bytes));
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().sentence().find("16 bytes"), std::string::npos);
  }
  EXPECT_EQ(read_npy(path)->bytes, bytes_of(std::string(16, 'x')));
  for (const auto& entry : std::filesystem::directory_iterator(testing::TempDir()))
    EXPECT_FALSE(entry.path().string().starts_with(path + "."));
  std::filesystem::remove(path);
}

TEST(Npy, WhatIsWrittenIsReadBack) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("d1-npy-" + std::to_string(::getpid()))).string();
  for (const auto& shape : {std::vector<std::size_t>{}, {7}, {2, 3, 4}, {0}}) {
    std::size_t count = 1;
    for (const auto size : shape) count *= size;
    std::vector<std::byte> data(count * 4, std::byte{42});
    ASSERT_TRUE(write_npy(path, "f4", shape, data));
    EXPECT_EQ(std::filesystem::file_size(path) % 64, data.size() % 64) << "the header is padded";
    const auto array = read_npy(path);
    ASSERT_TRUE(array) << array.error().to_string();
    EXPECT_EQ(array->shape, shape);
    EXPECT_EQ(array->bytes, data);
  }
  std::filesystem::remove(path);
}

TEST(Npy, EveryFaultIsOneClearError) {
  const std::string good = header("<f4", "(2, 3)");
  expect_refused(bytes_of("PK\3\4zip"), ErrorKind::Invalid, "is no .npy file");
  expect_refused(npy(good, std::string(24, 'x'), '\4'), ErrorKind::Unsupported, "version 4.0");
  expect_refused(npy(good, std::string(23, 'x')), ErrorKind::Invalid,
                 "is cut off: its shape (2, 3) of f4 needs 24 bytes of data, and it has 23");
  expect_refused(npy(good, std::string(25, 'x')), ErrorKind::Invalid, "is too long");
  expect_refused(npy(header("<f4", "(2, 3)", "True"), ""), ErrorKind::Unsupported, "Fortran order");
  expect_refused(npy(header(">f4", "(2, 3)"), ""), ErrorKind::Unsupported, "big-endian");
  expect_refused(npy(header("<c8", "(2, 3)"), ""), ErrorKind::Unsupported, "dtype '<c8'");
  expect_refused(npy(header("<f3", "(2, 3)"), ""), ErrorKind::Unsupported, "dtype '<f3'");
  expect_refused(npy(header("<U9", "(2, 3)"), ""), ErrorKind::Unsupported, "dtype");
  expect_refused(npy(header("<f4", "(2, -3)"), ""), ErrorKind::Invalid, "no tuple of sizes");
  expect_refused(npy(header("<f4", "(4294967296, 4294967296, 4294967296)"), ""), ErrorKind::Invalid,
                 "overflows");
  expect_refused(npy("{'descr': '<f4', 'shape': (1,)}", "abcd"), ErrorKind::Invalid,
                 "lacks one of");
  expect_refused(npy("{'descr': [('a', '<f4')], }", ""), ErrorKind::Unsupported, "structured");
  expect_refused(npy("hello", ""), ErrorKind::Invalid, "malformed");
  expect_refused(npy(good + "x", std::string(24, 'x')), ErrorKind::Invalid, "goes on after");
}

TEST(Npy, EveryTruncationIsRefused) {
  const auto whole = npy(header("<f4", "(2, 3)"), std::string(24, 'x'));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_npy(std::span(whole).first(size), "cut")) << size;
  }
}

TEST(Npy, RandomDamageNeverCrashes) {
  const auto seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const auto whole = npy(header("<f4", "(2, 3)"), std::string(24, 'x'));
  for (int round = 0; round < 20000; ++round) {
    auto damaged = whole;
    for (int hit = 0; hit < 2; ++hit) {
      damaged[random() % damaged.size()] = static_cast<std::byte>(random());
    }
    const auto array = parse_npy(damaged, "damaged");
    if (array) {
      EXPECT_EQ(array->bytes.size(), 24u);
    }
  }
}

TEST(Npy, AFileThatCannotBeOpenedOrWrittenIsNamed) {
  EXPECT_NE(read_npy("/no/such.npy").error().sentence().find("/no/such.npy"), std::string::npos);
  const std::size_t shape[] = {1};
  const std::byte data[4] = {};
  EXPECT_FALSE(write_npy("/no/such/folder.npy", "f4", shape, data));
  EXPECT_EQ(write_npy("/tmp/x.npy", "f4", shape, std::span(data).first(3)).error().kind(),
            ErrorKind::Invalid);
}

}  // namespace
}  // namespace d1
