// SPDX-License-Identifier: Apache-2.0
// The C++ API of OpenD1:
//
//   auto device = d1::Device::open();
//   auto add = device.compile("vector_add.cpp").kernel("vector_add");
//   auto a = device.sharded<float>(n);
//   auto stream = device.stream();
//   stream.copy_in(a, values);
//   add(stream, device.all(), a, b, c).wait();
//
// Everything throws d1::Exception on errors. Objects keep alive what they came from, so they may be
// destroyed in any order. Threads: any object may be used from any thread. Units: sizes in elements
// unless a name says bytes; times in std::chrono durations on the host, in cycles on the device.
#pragma once

#include <d1/host/buffer.hpp>
#include <d1/host/exception.hpp>
#include <d1/host/stream.hpp>
#include <d1/runtime/compiler.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace d1 {

struct DeviceOptions {
  // "in-process", or "vfio-user:PATH" for a DPU that `d1 serve` offers; empty: $D1_DEVICE, or
  // "in-process". What follows is about an emulation in this process alone.
  std::string transport;
  std::string machine;     // empty: $D1_MACHINE, or "d1"; a built-in name or a machine file
  unsigned threads = 0;    // of the host, that run nodes; 0: as many as it has
  std::uint64_t seed = 0;  // other than 0 shuffles the order of what is unordered
  std::string engine;      // that emulates: "dbt", "interp", "lockstep"; empty: $D1_ENGINE, or dbt
  bool count_execution = false;  // so that statistics() tells more, at some cost
  bool debug = false;      // `d1 inspect PROCESS` may look into it; also by D1_DEBUG=1
  std::string rom_image;   // a boot ROM to use instead of the built-in one
};

struct CompileOptions {
  std::vector<std::string> include_directories;
  std::vector<std::string> definitions;  // "NAME" or "NAME=VALUE"
  std::vector<std::string> flags;
};

// One line (or piece of one) that a kernel printed; `text` is valid during the call.
using PrintSink = std::function<void(const driver::LogLine& line)>;

namespace detail {
// By this file an installed package finds its kernel SDK wherever it was put.
inline const bool header_is_known = (runtime::set_installed_header(__FILE__), true);
}  // namespace detail

class Device {
 public:
  [[nodiscard]] static Device open(const DeviceOptions& options = {});
  // The same by DeviceOptions::transport alone: Device::open("vfio-user:/run/d1/dev.sock").
  template <std::convertible_to<std::string> Transport>
  [[nodiscard]] static Device open(const Transport& transport) {
    DeviceOptions options;
    options.transport = transport;
    return open(options);
  }

  [[nodiscard]] const driver::DeviceInfo& info() const noexcept { return context_->info(); }
  // Emulated cycles since power-on.
  [[nodiscard]] std::uint64_t cycle() const { return context_->device().cycle(); }

  // Counts of memory errors and link retrains, and whether nodes are throttled.
  [[nodiscard]] driver::DeviceHealth health() const {
    return detail::value(context_->device().health());
  }

  // Faults of an emulated device, here or in a daemon: adds those of a plan (TOML), ends all, tells
  // what they did. Other devices, and faults this one cannot have: an error, and nothing changes.
  void inject_faults(std::string_view plan_toml) const {
    detail::value(context_->device().transport().inject_faults(plan_toml));
  }
  void clear_faults() const { detail::value(context_->device().transport().clear_faults()); }
  [[nodiscard]] std::vector<std::string> fault_events() const {
    return detail::value(context_->device().transport().fault_events());
  }

  // What the emulation did on this host: engine, translated code. Nothing for other devices.
  [[nodiscard]] Statistics statistics() const;

  // Every usable node, 1 x N; or a rectangle of the mesh (missing nodes are skipped along a row).
  [[nodiscard]] Grid all() const;
  [[nodiscard]] Grid grid(std::uint32_t rows, std::uint32_t columns, std::uint32_t first_row = 0,
                          std::uint32_t first_column = 0) const;

  // C++ source, compiled now (or taken from the cache); an ELF file; an ELF in memory.
  [[nodiscard]] Program compile(const std::string& source,
                                const CompileOptions& options = {}) const;
  [[nodiscard]] Program load(const std::string& path) const;
  [[nodiscard]] Program load(std::span<const std::byte> elf, const std::string& name) const;

  // Buffers of `count` elements. Without a grid: over all nodes.
  template <typename T>
  [[nodiscard]] Buffer<T> sharded(std::size_t count, const Grid& grid = {}) const {
    return make<T>(Placement::Sharded, count, grid, 0);
  }
  template <typename T>
  [[nodiscard]] Buffer<T> replicated(std::size_t count, const Grid& grid = {}) const {
    return make<T>(Placement::Replicated, count, grid, 0);
  }
  template <typename T>
  [[nodiscard]] Buffer<T> hbm(std::size_t count) const {
    return make<T>(Placement::Hbm, count, {}, 0);
  }
  template <typename T>
  [[nodiscard]] Buffer<T> on_node(std::size_t count, std::uint64_t rank,
                                  const Grid& grid = {}) const {
    return make<T>(Placement::OnNode, count, grid, rank);
  }
  template <typename T>
  [[nodiscard]] HostBuffer<T> host_buffer(std::size_t count) const {
    return HostBuffer<T>(detail::value(context_->allocate_host(count * sizeof(T))));
  }

  [[nodiscard]] Stream stream() const;
  [[nodiscard]] Event event() const;

  // What kernels print goes to standard output unless a sink is set. The sink runs on threads that
  // wait, one call at a time.
  void on_print(PrintSink sink) const;

  // Back to the boot ROM; launches on these nodes end as cancelled.
  void reset(const Grid& grid) const { detail::value(context_->reset(*grid.shared())); }

  [[nodiscard]] const std::shared_ptr<runtime::Context>& shared() const noexcept {
    return context_;
  }

 private:
  explicit Device(std::shared_ptr<runtime::Context> context) : context_(std::move(context)) {}

  template <typename T>
  [[nodiscard]] Buffer<T> make(Placement placement, std::size_t count, const Grid& grid,
                               std::uint64_t rank) const {
    return Buffer<T>(
        detail::value(context_->allocate({placement, count, sizeof(T), grid.shared(), rank})));
  }

  std::shared_ptr<runtime::Context> context_;
};

}  // namespace d1
