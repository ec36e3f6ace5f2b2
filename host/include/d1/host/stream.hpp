// SPDX-License-Identifier: Apache-2.0
// Streams of operations, their handles, events, and kernels to launch on them. Made by Device.
//
// Everything submitted to a stream is asynchronous: it runs on the device after what was submitted
// before. Wait for a Launch, an Event or the stream. Operations of different streams overlap;
// events order them. Host memory given to a copy must stay valid until the operation has ended.
//
// Errors: submitting throws d1::Exception where the request itself is wrong. An operation that
// fails later throws where it is waited for, or else at the stream's next synchronize(), once.
// Threads: any. Blocking: only wait() and synchronize(), until their time-out at most.
#pragma once

#include <d1/host/buffer.hpp>
#include <d1/host/exception.hpp>
#include <d1/runtime/stream.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace d1 {

using runtime::LaunchOptions;
using std::chrono::nanoseconds;

inline constexpr nanoseconds kDefaultWait = driver::limits::kDefaultWait;

// The nodes a launch runs on or a buffer is spread over. A handle: copies name the same grid.
class Grid {
 public:
  Grid() = default;
  explicit Grid(std::shared_ptr<const runtime::Grid> grid) : grid_(std::move(grid)) {}

  [[nodiscard]] std::uint32_t rows() const noexcept { return grid_->rows(); }
  [[nodiscard]] std::uint32_t columns() const noexcept { return grid_->columns(); }
  [[nodiscard]] std::uint64_t nodes() const noexcept { return grid_->nodes(); }
  // Where on the machine a rank (row * columns + column) is.
  [[nodiscard]] runtime::NodePlace place_of(std::uint64_t rank) const {
    return grid_->place_of(rank);
  }
  [[nodiscard]] const std::shared_ptr<const runtime::Grid>& shared() const noexcept {
    return grid_;
  }

 private:
  std::shared_ptr<const runtime::Grid> grid_;
};

// One operation on its way: a launch, or a copy. Letting go of it does not stop it.
class Launch {
 public:
  Launch() = default;
  explicit Launch(runtime::Operation operation) : operation_(std::move(operation)) {}

  // Throws its error if it failed, or Timeout if it has not ended by then; it goes on in that case.
  void wait(nanoseconds timeout = kDefaultWait) const {
    detail::value(operation_.wait(driver::after(timeout)));
  }
  [[nodiscard]] bool done() const { return operation_.done(); }

  // Once it has ended: emulated cycles of the device, and what a kernel retired.
  [[nodiscard]] std::uint64_t cycles() const noexcept {
    return operation_.end_cycle() - operation_.start_cycle();
  }
  [[nodiscard]] std::uint64_t instructions() const noexcept {
    return operation_.report().instructions;
  }
  [[nodiscard]] const d1_launch_report& report() const noexcept { return operation_.report(); }

 private:
  runtime::Operation operation_;
};

class Event {
 public:
  explicit Event(runtime::Event event) : event_(std::move(event)) {}

  // Until its last recording has been reached.
  void wait(nanoseconds timeout = kDefaultWait) const {
    detail::value(event_.wait(driver::after(timeout)));
  }
  // Emulated cycle at which it was reached; differences of two events are durations.
  [[nodiscard]] std::uint64_t cycle() const { return detail::value(event_.cycle()); }
  [[nodiscard]] runtime::Event& shared() noexcept { return event_; }
  [[nodiscard]] const runtime::Event& shared() const noexcept { return event_; }

 private:
  runtime::Event event_;
};

class Stream {
 public:
  explicit Stream(runtime::Stream stream) : stream_(std::move(stream)) {}

  // The whole span, to elements [first, first + its size) and back.
  template <typename T>
  Launch copy_in(const Buffer<T>& to, std::span<const std::type_identity_t<T>> from,
                 std::size_t first = 0) {
    return Launch(detail::value(
        stream_.copy_in(to.untyped(), first * sizeof(T), from.data(), from.size_bytes())));
  }
  template <typename T>
  Launch copy_out(std::span<std::type_identity_t<T>> to, const Buffer<T>& from,
                  std::size_t first = 0) {
    return Launch(detail::value(
        stream_.copy_out(to.data(), from.untyped(), first * sizeof(T), to.size_bytes())));
  }
  template <typename T>
  Launch copy(const Buffer<T>& to, const Buffer<T>& from) {
    return Launch(
        detail::value(stream_.copy(to.untyped(), 0, from.untyped(), 0, from.size_bytes())));
  }
  // `count` elements from element `first` on, from a file or to it, from byte `file_offset` on:
  // straight between the page cache and device memory where that is mapped. The file may be closed
  // at once; a file that ends too early is an error.
  template <typename T>
  Launch read_file(int file, std::uint64_t file_offset, const Buffer<T>& to, std::size_t first,
                   std::size_t count) {
    return Launch(detail::value(stream_.read_file(to.untyped(), first * sizeof(T), file,
                                                  file_offset, count * sizeof(T))));
  }
  template <typename T>
  Launch read_file(int file, std::uint64_t file_offset, const Buffer<T>& to) {
    return read_file(file, file_offset, to, 0, to.size());
  }
  template <typename T>
  Launch write_file(int file, std::uint64_t file_offset, const Buffer<T>& from, std::size_t first,
                    std::size_t count) {
    return Launch(detail::value(stream_.write_file(file, file_offset, from.untyped(),
                                                   first * sizeof(T), count * sizeof(T))));
  }
  template <typename T>
  Launch write_file(int file, std::uint64_t file_offset, const Buffer<T>& from) {
    return write_file(file, file_offset, from, 0, from.size());
  }

  // Every element.
  template <typename T>
  requires(sizeof(T) == 1 || sizeof(T) == 2 || sizeof(T) == 4 || sizeof(T) == 8) Launch
      fill(const Buffer<T>& to, const std::type_identity_t<T>& value) {
    std::uint64_t pattern = 0;
    __builtin_memcpy(&pattern, &value, sizeof value);
    return Launch(
        detail::value(stream_.fill(to.untyped(), 0, to.size_bytes(), pattern, sizeof(T))));
  }

  void record(Event& event) { (void)detail::value(stream_.record(event.shared())); }
  // What is submitted from here on runs after the event's last recording.
  void wait_for(const Event& event) { (void)detail::value(stream_.wait_for(event.shared())); }

  // Until everything submitted so far has ended; throws the first failure nobody has heard of.
  void synchronize(nanoseconds timeout = kDefaultWait) {
    detail::value(stream_.synchronize(driver::after(timeout)));
  }
  [[nodiscard]] runtime::Stream& shared() noexcept { return stream_; }

 private:
  runtime::Stream stream_;
};

// A kernel of a program. Call it like a function, with a stream and a grid in front:
//   Launch sum = add(stream, device.all(), a, b, c);
// Arguments are checked against the kernel's own parameters before anything runs.
class Kernel {
 public:
  explicit Kernel(runtime::Kernel kernel) : kernel_(std::move(kernel)) {}

  template <typename... Arguments>
  Launch operator()(Stream& stream, const Grid& grid, const Arguments&... arguments) const {
    return launch(stream, grid, LaunchOptions{}, arguments...);
  }
  template <typename... Arguments>
  Launch launch(Stream& stream, const Grid& grid, const LaunchOptions& options,
                const Arguments&... arguments) const {
    const std::array<runtime::Argument, sizeof...(arguments)> list{
        detail::to_argument(arguments)...};
    return Launch(detail::value(stream.shared().launch(kernel_, grid.shared(), list, options)));
  }

  [[nodiscard]] const std::string& name() const noexcept { return kernel_.name(); }
  [[nodiscard]] const runtime::Signature& signature() const {
    return *detail::value(kernel_.signature());
  }
  [[nodiscard]] const runtime::Kernel& shared() const noexcept { return kernel_; }

 private:
  runtime::Kernel kernel_;
};

// A program's kernels. A handle: copies name the same program. The first launch on a grid puts it
// on the grid's nodes, in the stream's order, and waits for that.
class Program {
 public:
  explicit Program(std::shared_ptr<const runtime::Program> program)
      : program_(std::move(program)) {}

  [[nodiscard]] Kernel kernel(std::string_view name) const {
    return Kernel(detail::value(program_->kernel(name)));
  }
  [[nodiscard]] std::vector<std::string> kernel_names() const { return program_->kernel_names(); }
  [[nodiscard]] const std::shared_ptr<const runtime::Program>& shared() const noexcept {
    return program_;
  }

 private:
  std::shared_ptr<const runtime::Program> program_;
};

}  // namespace d1
