// SPDX-License-Identifier: Apache-2.0
// What the benchmarks share: records, the run that collects them, and the registry.
//
// A benchmark is a function that measures its cases and reports a record for each. It asks the Run
// which cases are wanted, so that a filter also saves the time of the others. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <regex>
#include <span>
#include <string>
#include <vector>

namespace d1::bench {

struct Record {
  std::string name;
  double value = 0;
  std::string unit;
  std::uint64_t nodes = 0;
  std::optional<double> reference{}, ratio{};  // measured in the same run; higher is better
  std::string note{};                          // for people, not in the JSON
};

struct Case {
  std::string name;
  std::uint64_t nodes = 0;
};

enum class Format : std::uint8_t { Table, Json };
enum class Effort : std::uint8_t { Full, Quick };

class Run {
 public:
  Run(Format format, Effort effort, const std::string& filter);

  // A filter matches the name, or name/nodes.
  [[nodiscard]] bool wanted(const Case& which) const;
  // `quick` instead of `full` in a quick run.
  template <typename T>
  [[nodiscard]] T pick(T full, T quick) const {
    return effort_ == Effort::Full ? full : quick;
  }
  // Prints it, if it is wanted.
  void report(const Record& record);

 private:
  Format format_;
  Effort effort_;
  std::optional<std::regex> filter_;
  bool heading_printed_ = false;
};

struct Benchmark {
  std::string what;
  std::vector<Case> cases;
  void (*measure)(Run& run) = nullptr;
};

[[nodiscard]] std::span<const Benchmark> benchmarks();

// Nodes of the built-in machines, and of the mips and launch cases.
inline constexpr std::uint64_t kOneNode = 1, kDieNodes = 354, kTileNodes = 8850;

void measure_mips(Run& run);
void measure_idle(Run& run);
void measure_balance(Run& run);
void measure_launch(Run& run);
void measure_grid(Run& run);
void measure_copies(Run& run);
void measure_file(Run& run);
void measure_open(Run& run);
void measure_vfio_user(Run& run);
void measure_node_memory(Run& run);
void measure_gemm(Run& run);
void measure_cpu(Run& run);
void measure_vector(Run& run);
void measure_gemm_tile(Run& run);
void measure_gemm_die(Run& run);
void measure_translation(Run& run);

// --- measuring
// ------------------------------------------------------------------------------------

[[nodiscard]] double median(std::vector<double> values);

struct Elapsed {
  double seconds = 0;
  double cpu_seconds = 0;  // of all threads of this process
};
[[nodiscard]] Elapsed time(const std::function<void()>& work);

// Throws std::runtime_error: a benchmark whose result is wrong has measured nothing.
void require(bool condition, const std::string& otherwise);

}  // namespace d1::bench
