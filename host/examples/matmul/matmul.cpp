// SPDX-License-Identifier: Apache-2.0
// C = A x B on all nodes of a machine, and a check of every element against the host:
//   d1-example-matmul [--directory DIR] [--size N] [--seed N] [--machine NAME] [--threads N]
//                     [--kernel FILE.cpp]
// A and B are BF16 (in .npy files as uint16), C is FP32. The kernel is compiled when this runs.
#include <d1/d1.hpp>
#include <d1/npy.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "progress_bar.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Job {
  std::filesystem::path directory = ".";
  std::size_t size = 1024;
  std::uint64_t seed = 1;
  std::string kernel = D1_EXAMPLE_KERNEL;
  d1::DeviceOptions device;
};

constexpr const char* kHelp =
    "Multiplies two random matrices on all nodes of an emulated machine and checks the product.\n"
    "usage: d1-example-matmul [options]\n"
    "  --directory FOLDER    where A.npy, B.npy and C.npy go (default: the current one)\n"
    "  --size N              rows and columns of each matrix, up to 8192 (default: 1024)\n"
    "  --seed N              of the random elements (default: 1)\n"
    "  --machine NAME        d1 (default), tile, ... or a machine file\n"
    "  --threads N           host threads that run nodes (default: as many as the host has)\n"
    "  --kernel FILE.cpp     another kernel with the same parameters\n";

[[noreturn]] void usage(const std::string& wrong) {
  std::fprintf(stderr, "error: %s (see d1-example-matmul --help)\n", wrong.c_str());
  std::exit(2);
}

std::uint64_t number(const std::string& option, const std::string& text) {
  char* end = nullptr;
  const std::uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || text[0] == '-') usage(option + " takes a number");
  return value;
}

Job parse(int count, char** words) {
  Job job;
  for (int i = 1; i < count; i += 2) {
    const std::string option = words[i];
    if (option == "--help" || option == "-h") {
      std::fputs(kHelp, stdout);
      std::exit(0);
    }
    if (i + 1 == count) usage(option + " has no value, or is no option");
    const std::string value = words[i + 1];
    if (option == "--directory")
      job.directory = value;
    else if (option == "--size")
      job.size = number(option, value);
    else if (option == "--seed")
      job.seed = number(option, value);
    else if (option == "--machine")
      job.device.machine = value;
    else if (option == "--threads")
      job.device.threads = static_cast<unsigned>(number(option, value));
    else if (option == "--kernel")
      job.kernel = value;
    else
      usage(option + " is no option");
  }
  if (job.size == 0 || job.size > 8192) usage("--size must be 1 to 8192");
  return job;
}

// Values in [-1, 1), the same on every host: the distributions of <random> are not.
std::vector<d1::bf16> random_matrix(std::size_t elements, std::mt19937_64& random) {
  std::vector<d1::bf16> matrix(elements);
  for (d1::bf16& element : matrix)
    element =
        static_cast<float>(static_cast<double>(static_cast<std::int64_t>(random())) * 0x1p-63);
  return matrix;
}

template <typename T>
void save(const std::filesystem::path& path, const char* type, std::size_t size,
          const std::vector<T>& matrix) {
  const std::size_t shape[] = {size, size};
  const auto saved = d1::write_npy(path.string(), type, shape, std::as_bytes(std::span(matrix)));
  if (!saved) throw d1::Exception(saved.error());
}

// Products and sums in double: what rounding the device does is far above this.
std::vector<double> reference(const std::vector<d1::bf16>& a, const std::vector<d1::bf16>& b,
                              std::size_t size) {
  ProgressBar bar("Reference on the host", size);
  std::vector<double> wide(b.begin(), b.end()), c(size * size);
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t row; (row = next.fetch_add(1)) < size;) {
      double* to = &c[row * size];
      for (std::size_t k = 0; k < size; ++k) {
        const double factor = a[row * size + k];
        const double* from = &wide[k * size];
        for (std::size_t column = 0; column < size; ++column) to[column] += factor * from[column];
      }
      bar.advance();
    }
  };
  std::vector<std::jthread> workers(std::max(1u, std::thread::hardware_concurrency()));
  for (std::jthread& worker : workers) worker = std::jthread(work);
  workers.clear();
  return c;
}

struct Difference {
  double absolute = 0, relative = 0, largest = 0;  // relative to the largest element
};

Difference compare(const std::vector<float>& c, const std::vector<double>& expected) {
  Difference difference;
  for (std::size_t i = 0; i < c.size(); ++i) {
    const double distance = std::abs(c[i] - expected[i]);
    // Also where it is no number.
    if (!(distance <= difference.absolute)) difference.absolute = distance;
    difference.largest = std::max(difference.largest, std::abs(expected[i]));
  }
  difference.relative = difference.absolute / difference.largest;
  return difference;
}

// FP32 sums of n products each: the error of n roundings, against what the sum could have been.
double tolerance(std::size_t n) { return static_cast<double>(n) * 0x1p-24; }

struct Run {
  std::vector<float> c;
  d1_launch_report report{};
  std::uint64_t cycles = 0;
  std::uint64_t inner_cycles = 0;  // of the inner loop, summed over the nodes
  std::uint64_t nodes = 0;
  double clock_hz = 0;
  std::string device;
  Seconds open{}, compile{}, run{};
};

Run run(const Job& job, const std::vector<d1::bf16>& a, const std::vector<d1::bf16>& b) {
  constexpr std::size_t kCounts = 8;  // a node's part of matmul_timed's last parameter
  Run result;
  auto since = [start = Clock::now()]() mutable {
    return Seconds(Clock::now() - std::exchange(start, Clock::now()));
  };
  auto device = d1::Device::open(job.device);
  result.open = since();
  auto kernel = device.compile(job.kernel).kernel("matmul_timed");
  result.compile = since();

  const d1::Grid grid = device.all();
  auto on_a = device.hbm<d1::bf16>(a.size()), on_b = device.hbm<d1::bf16>(b.size());
  auto on_c = device.hbm<float>(a.size());
  auto on_counts = device.sharded<std::uint64_t>(kCounts * grid.nodes());
  auto stream = device.stream();
  stream.copy_in(on_a, a);
  stream.copy_in(on_b, b);
  auto launch = kernel(stream, grid, on_a, on_b, on_c, job.size, job.size, job.size, on_counts);
  result.c.resize(a.size());
  std::vector<std::uint64_t> counts(on_counts.size());
  stream.copy_out(result.c, on_c);
  stream.copy_out(counts, on_counts);
  ProgressBar bar("On the emulated machine");
  bar.wait_for(launch);
  stream.synchronize();
  result.run = since();

  for (std::size_t node = 0; node < grid.nodes(); ++node) {
    const auto first = counts.begin() + static_cast<std::ptrdiff_t>(node * kCounts);
    result.inner_cycles += *std::max_element(first, first + D1_HARTS);
  }
  result.report = launch.report();
  result.cycles = launch.cycles();
  result.nodes = grid.nodes();
  result.clock_hz = static_cast<double>(device.info().clock_hz);
  result.device = device.info().description;
  return result;
}

void print(const Job& job, const Run& run, const Difference& difference) {
  const double matrix = static_cast<double>(run.report.matrix_cycles);
  const double flop = 2 * std::pow(static_cast<double>(job.size), 3);
  const double seconds = static_cast<double>(run.cycles) / run.clock_hz;
  // What all matrix units could have done in this time, from what they did in their busy cycles.
  const double peak = flop / matrix * static_cast<double>(run.nodes) * run.clock_hz;
  const auto line = [](const char* name) { std::printf("  %-14s", name); };
  std::printf("C = A x B, %zu x %zu x %zu, BF16 in, FP32 out, seed %llu\n", job.size, job.size,
              job.size, static_cast<unsigned long long>(job.seed));
  line("machine"), std::printf("%s\n", run.device.c_str());
  line("kernel"), std::printf("%s, compiled in %.2f s\n",
                              std::filesystem::proximate(job.kernel).c_str(), run.compile.count());
  line("ran on"), std::printf("%llu nodes, %llu instructions retired\n",
                              static_cast<unsigned long long>(run.nodes),
                              static_cast<unsigned long long>(run.report.instructions));
  line("error"), std::printf("at most %.3g, %.2g of the largest element %.4g\n",
                             difference.absolute, difference.relative, difference.largest);
  line("host time"),
      std::printf("%.2f s to run, %.3f s to open the machine\n", run.run.count(), run.open.count());
  line("time on a D1"),
      std::printf("%.2f us by the model: %llu cycles at %.3g GHz\n", seconds * 1e6,
                  static_cast<unsigned long long>(run.cycles), run.clock_hz / 1e9);
  line("rate"), std::printf("%.1f TFLOPS, %.1f %% of these nodes' %.1f\n", flop / seconds / 1e12,
                            100 * flop / seconds / peak, peak / 1e12);
  line("matrix units"),
      std::printf(
          "%.1f %% busy in the inner loop; the least busy node did %.1f %% of the busiest\n",
          100 * matrix / static_cast<double>(run.inner_cycles),
          100 * static_cast<double>(run.report.matrix_cycles_min) /
              static_cast<double>(run.report.matrix_cycles_max));
}

int multiply(const Job& job) {
  std::filesystem::create_directories(job.directory);
  std::mt19937_64 random(job.seed);
  const auto a = random_matrix(job.size * job.size, random);
  const auto b = random_matrix(job.size * job.size, random);
  save(job.directory / "A.npy", "u2", job.size, a);
  save(job.directory / "B.npy", "u2", job.size, b);
  const Run result = run(job, a, b);
  save(job.directory / "C.npy", "f4", job.size, result.c);
  const Difference difference = compare(result.c, reference(a, b, job.size));
  print(job, result, difference);
  std::printf("  %-14s%s\n", "files",
              (job.directory / "{A,B,C}.npy").lexically_normal().string().c_str());
  const double allowed = tolerance(job.size);
  if (difference.relative <= allowed) return 0;
  std::fprintf(stderr,
               "error: C differs from the reference by %.3g of its largest element; %.3g is "
               "allowed.\n",
               difference.relative, allowed);
  return 1;
}

}  // namespace

int main(int count, char** words) try {
  return multiply(parse(count, words));
} catch (const std::exception& problem) {
  std::fprintf(stderr, "error: %s\n", problem.what());
  return 1;
}
