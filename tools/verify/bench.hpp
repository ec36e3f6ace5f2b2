// SPDX-License-Identifier: Apache-2.0
// One emulated machine, and runs of the micro-benchmarks on it (kernels/time_model.cpp).
// A Bench owns its device. One thread; runs wait, at most kRunLimit each.
#pragma once

#include <d1/base/error.hpp>
#include <d1/emulator/geometry.hpp>
#include <d1/emulator/noc.hpp>
#include <d1/runtime/context.hpp>
#include <d1/runtime/stream.hpp>
#include <d1/verify/verify.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace d1::verify {

using GridPointer = std::shared_ptr<const runtime::Grid>;

// What a benchmark runs with: its first scalar is its length, taken from the call.
struct Run {
  std::string kernel;
  GridPointer grid;
  std::uint32_t harts = 1;
  std::vector<std::uint64_t> rest = {};  // the scalars after the length
};

class Bench {
 public:
  static constexpr std::uint64_t kRoomBytes = 256 * 1024;  // a node's scratch memory
  static constexpr std::chrono::seconds kRunLimit{120};

  [[nodiscard]] static Result<std::unique_ptr<Bench>> open(const std::string& machine);

  [[nodiscard]] const emulator::MachineDescription& machine() const { return geometry_.machine(); }
  [[nodiscard]] const emulator::Geometry& geometry() const { return geometry_; }
  [[nodiscard]] double clock_ghz() const { return static_cast<double>(machine().clock_hz) / 1e9; }

  [[nodiscard]] Result<GridPointer> grid(const runtime::GridShape& shape) {
    return context_->grid(shape);
  }
  [[nodiscard]] Result<GridPointer> all_nodes() { return context_->all_nodes(); }

  // Cycles from the first begin to the last end that a hart recorded.
  [[nodiscard]] Result<std::uint64_t> cycles(const Run& run, std::uint64_t length);
  // Cycles that `large` takes more than `small`.
  [[nodiscard]] Result<double> difference(const Run& run, std::uint64_t small, std::uint64_t large);
  // Cycles of a copy from the host to HBM.
  [[nodiscard]] Result<std::uint64_t> copy_cycles(std::uint64_t bytes);
  // Device address of `bytes` of HBM, kept until the bench goes.
  [[nodiscard]] Result<std::uint64_t> hbm(std::uint64_t bytes);

  [[nodiscard]] emulator::Route route(const runtime::Grid& grid, std::uint64_t a, std::uint64_t b);

  // A check whose published figure is that of `figure` in emulator::derived_figures().
  [[nodiscard]] Check check(std::string name, std::string unit, double model, double formula,
                            std::string text, const std::string& figure = {}) const;

 private:
  Bench(emulator::MachineDescription machine, std::shared_ptr<runtime::Context> context,
        runtime::Stream stream, std::shared_ptr<const runtime::Program> program);

  emulator::Geometry geometry_;
  emulator::Noc noc_;  // for routes only
  std::shared_ptr<runtime::Context> context_;
  runtime::Stream stream_;
  std::shared_ptr<const runtime::Program> program_;
  std::vector<runtime::Buffer> kept_;
};

[[nodiscard]] Result<std::vector<Check>> node_checks();
[[nodiscard]] Result<std::vector<Check>> mesh_checks();
[[nodiscard]] Result<std::vector<Check>> die_checks();
[[nodiscard]] Result<std::vector<Check>> interface_checks();

}  // namespace d1::verify
