// SPDX-License-Identifier: Apache-2.0
// A device in another process, beside the one in this process in the same run.
//   launch.empty.vfio_user    at 1 node; both sides look for each other before they sleep
//                   .eventfd  the daemon never looks, so each launch wakes it; reference: what that
//                             may cost, an eventfd's round trip + in process + 15 us
//   launch.rate.vfio_user     launches a second of 8 clients on 8 DPUs, all woken by eventfds;
//                             reference: one such client alone
//   copy.*.vfio_user          64 MiB, host memory from the API or malloc; reference: in process
//   peek.vfio_user            4 bytes of a node's SRAM, mapped or by message
//   attach.vfio_user          from nothing to a device that is ready
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <fmt/format.h>

#include <bench_empty_program.hpp>
#include <daemon.hpp>
#include <d1/abi/memory_map.h>

#include "bench.hpp"
#include "device.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

namespace d1::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;
using test::Daemon;

constexpr unsigned kClients = 8;

Device attach(const std::string& transport) { return Device::open(transport); }

// Medians in microseconds.
template <typename Work>
double median_us(int rounds, Work&& work) {
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(rounds));
  for (int i = 0; i < rounds; ++i) {
    const auto start = Clock::now();
    work();
    times.push_back(Microseconds(Clock::now() - start).count());
  }
  return median(std::move(times));
}

double launch_us(const Device& device, int launches) {
  const Kernel kernel = device.load(bench_empty_program, "bench_empty").kernel("empty");
  Stream stream = device.stream();
  const Grid grid = device.grid(1, 1);
  const auto once = [&] { kernel.launch(stream, grid, LaunchOptions{}).wait(); };
  for (int i = 0; i < 100; ++i) once();
  return median_us(launches, once);
}

// Between two threads that sleep until the other has written: what a wake costs here, twice.
double eventfd_round_trip_us(int rounds) {
  const int there = ::eventfd(0, EFD_CLOEXEC), back = ::eventfd(0, EFD_CLOEXEC);
  std::uint64_t value = 1;
  std::thread other([&] {
    std::uint64_t got = 0;
    while (::read(there, &got, sizeof got) == sizeof got && got == 1)
      (void)!::write(back, &got, sizeof got);
  });
  const double result = median_us(rounds, [&] {
    (void)!::write(there, &value, sizeof value);
    (void)!::read(back, &value, sizeof value);
  });
  value = 2;  // the end
  (void)!::write(there, &value, sizeof value);
  other.join();
  ::close(there);
  ::close(back);
  return result;
}

void measure_launches(Run& run) {
  const Case polled{"launch.empty.vfio_user", kOneNode};
  const Case woken{"launch.empty.vfio_user.eventfd", kOneNode};
  if (!run.wanted(polled) && !run.wanted(woken)) return;
  const int launches = run.pick(20'000, 500);
  const double in_process = launch_us(open_device("d1"), launches);
  if (run.wanted(polled)) {
    const Daemon daemon({"--poll-us", "100000"});
    run.report({.name = polled.name,
                .value = launch_us(attach(daemon.device()), launches),
                .unit = "us",
                .nodes = kOneNode,
                .note = fmt::format("in process {:.2f} us", in_process)});
  }
  if (run.wanted(woken)) {
    const Daemon daemon({"--poll-us", "0"});
    const double value = launch_us(attach(daemon.device()), launches);
    const double wake = eventfd_round_trip_us(run.pick(5'000, 200));
    constexpr double kAllowed = 15;
    const double budget = wake + in_process + kAllowed;
    run.report({.name = woken.name,
                .value = value,
                .unit = "us",
                .nodes = kOneNode,
                .reference = budget,
                .ratio = budget / value,
                .note = fmt::format("eventfd {:.1f}, in process {:.2f} us", wake, in_process)});
  }
}

void measure_rate(Run& run) {
  const Case rate{"launch.rate.vfio_user", kClients};
  if (!run.wanted(rate)) return;
  std::vector<std::string> options{"--machine", "tile", "--poll-us", "0"};
  for (unsigned i = 0; i < kClients; ++i) {
    options.push_back("--dpu");
    options.push_back(fmt::format("c{}=tile0/die{}", i, i));
  }
  const Daemon daemon(options);
  const auto launches_per_second = [&](unsigned clients) {
    std::atomic<std::uint64_t> total = 0;
    std::atomic<bool> go = false, stop = false;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < clients; ++i)
      threads.emplace_back([&, i] {
        const Device device = attach(daemon.device(fmt::format("c{}", i)));
        const Kernel kernel = device.load(bench_empty_program, "bench_empty").kernel("empty");
        Stream stream = device.stream();
        const Grid grid = device.grid(1, 1);
        kernel.launch(stream, grid, LaunchOptions{}).wait();
        while (!go) std::this_thread::yield();
        for (; !stop; ++total) kernel.launch(stream, grid, LaunchOptions{}).wait();
      });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    go = true;
    const auto start = Clock::now();
    std::this_thread::sleep_for(std::chrono::milliseconds(run.pick(2000, 200)));
    const std::uint64_t done = total;
    const double seconds = Microseconds(Clock::now() - start).count() / 1e6;
    stop = true;
    for (auto& thread : threads) thread.join();
    return static_cast<double>(done) / seconds;
  };
  const double alone = launches_per_second(1), together = launches_per_second(kClients);
  run.report({.name = rate.name,
              .value = together,
              .unit = "1/s",
              .nodes = kClients,
              .reference = alone,
              .ratio = together / alone});
}

constexpr std::size_t kCopied = 64u << 20;

class Copies {
 public:
  explicit Copies(Device device)
      : device_(std::move(device)),
        stream_(device_.stream()),
        buffer_(device_.hbm<std::byte>(kCopied)),
        mapped_(device_.host_buffer<std::byte>(kCopied)),
        plain_(kCopied, std::byte{3}) {
    std::ranges::fill(mapped_.span(), std::byte{5});
    in(true);
  }
  double in(bool api) {
    return time([&] { stream_.copy_in(buffer_, memory(api)).wait(); }).seconds;
  }
  double out(bool api) {
    return time([&] { stream_.copy_out(memory(api), buffer_).wait(); }).seconds;
  }

 private:
  std::span<std::byte> memory(bool api) { return api ? mapped_.span() : std::span(plain_); }

  Device device_;
  Stream stream_;
  Buffer<std::byte> buffer_;
  HostBuffer<std::byte> mapped_;
  std::vector<std::byte> plain_;
};

void measure_copies_apart(Run& run) {
  const auto name = [](bool in, bool api) {
    return fmt::format("copy.{}.vfio_user{}", in ? "h2d" : "d2h", api ? "" : ".malloc");
  };
  bool any = false;
  for (const bool in : {true, false})
    for (const bool api : {true, false}) any = any || run.wanted({name(in, api), kDieNodes});
  if (!any) return;
  const Daemon daemon;
  Copies near(open_device("d1")), far(attach(daemon.device()));
  for (const bool in : {true, false})
    for (const bool api : {true, false}) {
      const std::string each = name(in, api);
      if (!run.wanted({each, kDieNodes})) continue;
      std::vector<double> ours, theirs, ratios;
      for (int i = run.pick(21, 3); i >= 0; --i) {
        theirs.push_back(in ? near.in(api) : near.out(api));
        ours.push_back(in ? far.in(api) : far.out(api));
        ratios.push_back(theirs.back() / ours.back());
      }
      run.report({.name = each,
                  .value = kCopied / median(ours) / 1e9,
                  .unit = "GB/s",
                  .nodes = kDieNodes,
                  .reference = kCopied / median(theirs) / 1e9,
                  .ratio = median(ratios)});
    }
}

void measure_peek(Run& run) {
  const auto measure = [&run](const char* name, const std::string& transport) {
    const Device device = attach(transport);
    auto& below = device.shared()->device().transport();
    std::uint32_t value = 0;
    const auto peek = [&] {
      require(below.read_aperture(d1_node_address(0, 7, 0x1000), &value, sizeof value).has_value(),
              "the peek failed.");
    };
    peek();
    run.report({.name = name,
                .value = median_us(run.pick(20'000, 200), peek),
                .unit = "us",
                .nodes = kOneNode});
  };
  const Daemon daemon;
  if (run.wanted({"peek.vfio_user", kOneNode})) measure("peek.vfio_user", daemon.device());
  if (run.wanted({"peek.vfio_user.in_band", kOneNode}))
    measure("peek.vfio_user.in_band", "vfio-user-in-band:" + daemon.socket());
}

void measure_attach(Run& run) {
  if (!run.wanted({"attach.vfio_user", kDieNodes})) return;
  const Daemon daemon;
  const double value = median_us(run.pick(101, 5), [&] { (void)attach(daemon.device()); });
  run.report({.name = "attach.vfio_user", .value = value / 1000, .unit = "ms", .nodes = kDieNodes});
}

}  // namespace

void measure_vfio_user(Run& run) {
  ::setenv("D1_PROGRAMS", D1_BENCH_PROGRAMS, 0);
  measure_launches(run);
  measure_rate(run);
  measure_copies_apart(run);
  measure_peek(run);
  measure_attach(run);
}

}  // namespace d1::bench
