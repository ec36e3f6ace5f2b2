// SPDX-License-Identifier: Apache-2.0
// file.read: 1 GiB from the page cache into HBM in use, against a loop of io_uring reads of the
// same file into memory in use, in the same run. file.read.plain: the same without io_uring.
#include "bench.hpp"
#include "device.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <liburing.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace d1::bench {
namespace {

// A file without a name, of words that tell their place.
class CachedFile {
 public:
  explicit CachedFile(std::size_t bytes) {
    std::string name = (std::filesystem::temp_directory_path() / "d1-bench-XXXXXX").string();
    file_ = ::mkstemp(name.data());
    require(file_ >= 0, "No file can be made in the folder for temporary files.");
    ::unlink(name.c_str());
    std::vector<std::uint64_t> block((std::size_t{1} << 20) / sizeof(std::uint64_t));
    for (std::size_t at = 0; at < bytes; at += block.size() * sizeof(std::uint64_t)) {
      for (std::size_t i = 0; i < block.size(); ++i) block[i] = at + i;
      const auto wanted = static_cast<ssize_t>(block.size() * sizeof(std::uint64_t));
      require(::write(file_, block.data(), static_cast<std::size_t>(wanted)) == wanted,
              "The file for file.read cannot be written.");
    }
  }
  CachedFile(const CachedFile&) = delete;
  CachedFile& operator=(const CachedFile&) = delete;
  ~CachedFile() { ::close(file_); }
  operator int() const { return file_; }

 private:
  int file_ = -1;
};

// As one would write it: so many reads of so much in flight.
double read_by_ring(int file, std::span<std::byte> to) {
  constexpr unsigned kInFlight = 32;
  constexpr std::size_t kBlock = std::size_t{512} << 10;
  io_uring ring;
  require(::io_uring_queue_init(kInFlight, &ring, 0) == 0, "The host has no io_uring.");
  const double seconds = time([&] {
                           std::size_t begun = 0, ended = 0;
                           while (ended < to.size()) {
                             io_uring_sqe* entry = nullptr;
                             while (begun < to.size() && begun - ended < kInFlight * kBlock &&
                                    (entry = ::io_uring_get_sqe(&ring)) != nullptr) {
                               ::io_uring_prep_read(entry, file, to.data() + begun, kBlock, begun);
                               begun += kBlock;
                             }
                             ::io_uring_submit_and_wait(&ring, 1);
                             io_uring_cqe* done = nullptr;
                             while (::io_uring_peek_cqe(&ring, &done) == 0) {
                               require(done->res == static_cast<int>(kBlock), "A read was short.");
                               ended += kBlock;
                               ::io_uring_cqe_seen(&ring, done);
                             }
                           }
                         }).seconds;
  ::io_uring_queue_exit(&ring);
  return seconds;
}

}  // namespace

void measure_file(Run& run) {
  const Case by_ring{"file.read", kDieNodes}, plain{"file.read.plain", kDieNodes};
  if (!run.wanted(by_ring) && !run.wanted(plain)) return;
  const std::size_t bytes = run.pick(std::size_t{1} << 30, std::size_t{64} << 20);
  const CachedFile file(bytes);
  std::vector<std::byte> memory(bytes, std::byte{1});
  const Device device = open_device("d1");
  const Buffer<std::byte> buffer = device.hbm<std::byte>(bytes);
  const auto measure = [&](const Case& what, const char* uring) {
    if (!run.wanted(what)) return;
    ::setenv("D1_IO_URING", uring, 1);  // for the stream
    Stream stream = device.stream();
    const auto read = [&] {
      return time([&] { stream.read_file(file, 0, buffer).wait(); }).seconds;
    };
    stream.fill(buffer, std::byte{3}).wait();
    (void)read();
    std::vector<double> ours, theirs, ratios;
    for (int i = run.pick(11, 2); i > 0; --i) {
      theirs.push_back(static_cast<double>(bytes) / read_by_ring(file, memory) / 1e9);
      ours.push_back(static_cast<double>(bytes) / read() / 1e9);
      ratios.push_back(ours.back() / theirs.back());
    }
    ::unsetenv("D1_IO_URING");
    std::vector<std::byte> last(bytes);
    stream.copy_out(std::span(last), buffer).wait();
    require(last == memory, "What was read of the file is not what stands there.");
    run.report({.name = what.name,
                .value = median(ours),
                .unit = "GB/s",
                .nodes = what.nodes,
                .reference = median(theirs),
                .ratio = median(ratios),
                .note = fmt::format("{} MiB, {} pairs; reference: io_uring into plain memory",
                                    bytes >> 20, ours.size())});
  };
  measure(by_ring, "1");
  measure(plain, "0");
}

}  // namespace d1::bench
