// SPDX-License-Identifier: Apache-2.0
// copy.*: 64 MiB through the queue, against memcpy of as much in the same run.
//   plain    the device's memory in use, host memory from the API
//   .malloc  the same, host memory from malloc, in use
//   .cold    the first copy to or from device memory that nobody has touched
#include "bench.hpp"
#include "device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace d1::bench {
namespace {

constexpr std::size_t kBytes = 64u << 20;

enum class Direction : std::uint8_t { ToDevice, ToHost };

struct Subject {
  const char* place;
  Placement placement;
  Direction direction;
};

constexpr Subject kSubjects[] = {{"hbm", Placement::Hbm, Direction::ToDevice},
                                 {"hbm", Placement::Hbm, Direction::ToHost},
                                 {"sram", Placement::Sharded, Direction::ToDevice},
                                 {"sram", Placement::Sharded, Direction::ToHost}};

std::string name_of(const Subject& subject, const char* kind) {
  return fmt::format("copy.{}.{}{}", subject.direction == Direction::ToDevice ? "h2d" : "d2h",
                     subject.place, kind);
}

Buffer<std::byte> allocate(const Device& device, Placement placement) {
  return placement == Placement::Hbm ? device.hbm<std::byte>(kBytes)
                                     : device.sharded<std::byte>(kBytes);
}

double copy(Stream& stream, const Subject& subject, const Buffer<std::byte>& buffer,
            std::span<std::byte> host) {
  return time([&] {
           if (subject.direction == Direction::ToDevice)
             stream.copy_in(buffer, host).wait();
           else
             stream.copy_out(host, buffer).wait();
         })
      .seconds;
}

// What memcpy needs between two pieces of memory in use.
class Reference {
 public:
  Reference() : from_(kBytes, std::byte{1}), to_(kBytes, std::byte{2}) {}
  double operator()() {
    const double seconds = time([&] { std::memcpy(to_.data(), from_.data(), kBytes); }).seconds;
    require(std::memcmp(to_.data(), from_.data(), kBytes) == 0, "memcpy copied nothing.");
    return seconds;
  }

 private:
  std::vector<std::byte> from_, to_;
};

void report(Run& run, const std::string& name, const std::vector<double>& ours,
            const std::vector<double>& theirs) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(theirs[i] / ours[i]);
  constexpr double kGiga = 1e9;
  run.report({.name = name,
              .value = kBytes / median(ours) / kGiga,
              .unit = "GB/s",
              .nodes = kDieNodes,
              .reference = kBytes / median(theirs) / kGiga,
              .ratio = median(ratios)});
}

void measure_warm(Run& run, Reference& reference, int rounds) {
  const Device device = open_device("d1");
  Stream stream = device.stream();
  const HostBuffer<std::byte> mapped = device.host_buffer<std::byte>(kBytes);
  std::vector<std::byte> plain(kBytes);
  for (std::size_t i = 0; i < kBytes; ++i)
    plain[i] = mapped[i] = static_cast<std::byte>(i * 2654435761u >> 24);
  for (const Subject& subject : kSubjects) {
    const Buffer<std::byte> buffer = allocate(device, subject.placement);
    stream.copy_in(buffer, mapped.span()).wait();
    for (const bool api : {true, false}) {
      const std::string name = name_of(subject, api ? "" : ".malloc");
      if (!run.wanted({name, kDieNodes})) continue;
      const std::span<std::byte> host = api ? mapped.span() : std::span(plain);
      copy(stream, subject, buffer, host);
      std::vector<double> ours, theirs;
      for (int i = 0; i < rounds; ++i) {
        theirs.push_back(reference());
        ours.push_back(copy(stream, subject, buffer, host));
      }
      require(std::memcmp(mapped.data(), plain.data(), kBytes) == 0,
              fmt::format("{}: the copies have changed the data.", name));
      report(run, name, ours, theirs);
    }
  }
}

void measure_cold(Run& run, Reference& reference, int rounds) {
  for (const Subject& subject : kSubjects) {
    const std::string name = name_of(subject, ".cold");
    if (!run.wanted({name, kDieNodes})) continue;
    std::vector<double> ours, theirs;
    for (int i = 0; i < rounds; ++i) {
      const Device device = open_device("d1");
      Stream stream = device.stream();
      const HostBuffer<std::byte> host = device.host_buffer<std::byte>(kBytes);
      const Buffer<std::byte> buffer = allocate(device, subject.placement);
      theirs.push_back(reference());
      ours.push_back(copy(stream, subject, buffer, host.span()));
    }
    report(run, name, ours, theirs);
  }
}

}  // namespace

void measure_copies(Run& run) {
  Reference reference;
  measure_warm(run, reference, run.pick(31, 3));
  measure_cold(run, reference, run.pick(5, 1));
}

}  // namespace d1::bench
