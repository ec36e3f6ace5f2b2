// SPDX-License-Identifier: Apache-2.0
// Files straight into device memory and back, in the stream's order, by io_uring and without.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>

#include "fixture.hpp"

namespace d1 {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kHead = 100;  // bytes of a file in front of what is copied

class File {
 public:
  explicit File(std::span<const std::byte> content = {}) {
    std::string name = (std::filesystem::temp_directory_path() / "d1-file-XXXXXX").string();
    file_ = ::mkstemp(name.data());
    ::unlink(name.c_str());
    const std::vector<char> head(kHead, 'h');
    EXPECT_EQ(::write(file_, head.data(), head.size()), static_cast<ssize_t>(kHead));
    EXPECT_EQ(::pwrite(file_, content.data(), content.size(), kHead),
              static_cast<ssize_t>(content.size()));
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(file_); }
  operator int() const { return file_; }
  template <typename T>
  [[nodiscard]] std::vector<T> content() const {
    struct stat what{};
    EXPECT_EQ(::fstat(file_, &what), 0);
    std::vector<T> values((static_cast<std::size_t>(what.st_size) - kHead) / sizeof(T));
    const std::size_t bytes = values.size() * sizeof(T);
    EXPECT_EQ(::pread(file_, values.data(), bytes, kHead), static_cast<ssize_t>(bytes));
    return values;
  }

 private:
  int file_ = -1;
};

// With "0" nothing of io_uring is used.
class Files : public OnDevice, public testing::WithParamInterface<const char*> {
 protected:
  Files() { ::setenv("D1_IO_URING", GetParam(), 1); }
  ~Files() override { ::unsetenv("D1_IO_URING"); }

  static std::span<const std::byte> bytes(const std::vector<int>& values) {
    return std::as_bytes(std::span(values));
  }
  Stream stream = device.stream();
};

TEST_P(Files, EveryPlacementIsFilledFromAFileAndGivesItBack) {
  for (const std::size_t count : {1u, 17u, 5665u, 100000u}) {
    const auto values = numbers<int>(count);
    const File from(bytes(values));
    for (const auto& buffer : one_of_each(count)) {
      const File to;
      stream.fill(buffer, -1);
      stream.read_file(from, kHead, buffer);
      stream.write_file(to, kHead, buffer).wait(30s);
      EXPECT_EQ(to.content<int>(), values) << count << " " << to_string(buffer.placement());
    }
  }
}

TEST_P(Files, AReplicatedBufferHasTheFileOnEveryNode) {
  const auto values = numbers<int>(1000);
  const File from(bytes(values));
  const auto buffer = device.replicated<int>(1000);
  const auto sums = device.sharded<int>(device.all().nodes() * 16);
  stream.read_file(from, kHead, buffer);
  program("D1_KERNEL void sum(d1::replicated<int> all, d1::sharded<int> sums) {\n"
          "  if (d1::hart() != 0) return;\n"
          "  int sum = 0;\n"
          "  for (int value : all) sum += value;\n"
          "  for (int& each : sums.local()) each = sum;\n"
          "}\n")
      .kernel("sum")(stream, device.all(), buffer, sums);
  std::vector<int> all(sums.size());
  stream.copy_out(all, sums).wait(30s);
  EXPECT_EQ(all, std::vector<int>(all.size(), 500500));
}

TEST_P(Files, PartsGoWhereTheyWereAskedTo) {
  const auto values = numbers<int>(5000);
  const File from(bytes(values));
  for (const auto& buffer : one_of_each(5000)) {
    stream.fill(buffer, 0);
    stream.read_file(from, kHead + 4 * 1000, buffer, 2000, 1500);
    std::vector<int> all(5000);
    stream.copy_out(all, buffer).wait(30s);
    std::vector<int> wanted(5000, 0);
    std::copy_n(values.begin() + 1000, 1500, wanted.begin() + 2000);
    EXPECT_EQ(all, wanted) << to_string(buffer.placement());
  }
}

// What stands before has ended, what stands behind has not begun.
TEST_P(Files, TheStreamsOrderHolds) {
  const auto buffer = device.hbm<int>(1 << 20);
  const auto ones = std::vector<int>(1 << 20, 1), twos = std::vector<int>(1 << 20, 2);
  const File one(bytes(ones)), two(bytes(twos)), seen;
  for (int round = 0; round < 5; ++round) {
    stream.fill(buffer, 7);
    stream.read_file(one, kHead, buffer);
    stream.write_file(seen, kHead, buffer);
    stream.read_file(two, kHead, buffer);
    stream.fill(buffer, 9).wait(30s);
    EXPECT_EQ(seen.content<int>(), ones);
    std::vector<int> last(1 << 20);
    stream.copy_out(last, buffer).wait(30s);
    EXPECT_EQ(last, std::vector<int>(1 << 20, 9));
  }
}

TEST_P(Files, AFileOfAnotherStreamIsOrderedByAnEvent) {
  const auto values = numbers<int>(300000);
  const File from(bytes(values)), to;
  const auto buffer = device.hbm<int>(values.size());
  Stream other = device.stream();
  Event there = device.event();
  stream.read_file(from, kHead, buffer);
  stream.record(there);
  other.wait_for(there);
  other.write_file(to, kHead, buffer).wait(30s);
  EXPECT_EQ(to.content<int>(), values);
}

TEST_P(Files, TheFileMayBeClosedAtOnce) {
  const auto values = numbers<int>(100000);
  const auto buffer = device.hbm<int>(values.size());
  std::optional<File> from(bytes(values));
  const Launch read = stream.read_file(*from, kHead, buffer);
  from.reset();
  read.wait(30s);
  std::vector<int> all(values.size());
  stream.copy_out(all, buffer).wait(30s);
  EXPECT_EQ(all, values);
}

TEST_P(Files, AFileThatEndsTooEarlySaysWhereAndTheStreamGoesOn) {
  const auto values = numbers<int>(1000);
  const File from(bytes(values));
  const auto buffer = device.hbm<int>(2000);
  const Error error = error_of(stream.read_file(from, kHead, buffer));
  EXPECT_EQ(error.kind(), ErrorKind::Invalid);
  expect_part(error, "ends at byte 4100, and 4000 more");
  std::vector<int> first(1000);
  stream.copy_out(first, buffer).wait(30s);
  EXPECT_EQ(first, values) << "what was there of it";
}

TEST_P(Files, WhatIsNoFileIsRefusedAtOnce) {
  const auto buffer = device.hbm<int>(10);
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const int folder = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (const int file : {12345, pipe[0], folder}) {
    try {
      stream.read_file(file, 0, buffer);
      ADD_FAILURE() << file << " was taken";
    } catch (const Exception& refused) {
      EXPECT_EQ(refused.error().kind(), ErrorKind::Invalid);
      expect_part(refused.error(), "File descriptor " + std::to_string(file));
    }
  }
  for (const int file : {pipe[0], pipe[1], folder}) ::close(file);
}

TEST_P(Files, AFileThatMayNotBeWrittenIsAnErrorOfTheOperation) {
  const auto buffer = device.hbm<int>(10);
  const int unwritable = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  expect_part(error_of(stream.write_file(unwritable, 0, buffer)), "could not be written");
  ::close(unwritable);
  stream.fill(buffer, 1).wait(30s);
}

TEST_P(Files, ARangeOutsideOfTheBufferIsRefused) {
  const File from;
  const auto buffer = device.hbm<int>(10);
  EXPECT_THROW(stream.read_file(from, 0, buffer, 5, 6), Exception);
  EXPECT_THROW(stream.write_file(from, 0, buffer, 11, 1), Exception);
}

TEST_P(Files, AStreamThatGoesCancelsWhatHasNotBegun) {
  const auto values = numbers<int>(1000);
  const File from(bytes(values));
  const auto buffer = device.hbm<int>(1000);
  std::optional<Stream> going(device.stream());
  const auto forever = program("D1_KERNEL void forever() { for (;;) __asm__ volatile(\"\"); }\n");
  forever.kernel("forever")(*going, device.grid(1, 1));
  const Launch read = going->read_file(from, kHead, buffer);
  going.reset();
  EXPECT_EQ(error_of(read).kind(), ErrorKind::Cancelled);
}

TEST_P(Files, SeveralThreadsMayCopyFilesOnOneStream) {
  const auto values = numbers<int>(20000);
  const File from(bytes(values));
  std::vector<Buffer<int>> buffers;
  for (int i = 0; i < 8; ++i) buffers.push_back(device.hbm<int>(values.size()));
  std::vector<std::jthread> threads;
  for (const auto& buffer : buffers)
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) stream.read_file(from, kHead, buffer).wait(60s);
    });
  threads.clear();
  for (const auto& buffer : buffers) {
    std::vector<int> all(values.size());
    stream.copy_out(all, buffer).wait(30s);
    EXPECT_EQ(all, values);
  }
}

INSTANTIATE_TEST_SUITE_P(, Files, testing::Values("1", "0"), [](const auto& uring) {
  return std::string(uring.param) == "1" ? "WithIoUring" : "Plain";
});

}  // namespace
}  // namespace d1
