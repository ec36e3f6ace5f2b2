// SPDX-License-Identifier: Apache-2.0
// A thread's loop over descriptors, timers and signals. The only part of the server that names
// Boost.Asio, behind a pointer, since its headers are large.
//
// Errors: what the host refuses (descriptors, memory) is a Result; nothing here throws.
// Threads: run() serves one thread, on which all functions are called; post() and stop() may be
// called from any, everything else from the loop's own thread or before run().
#pragma once

#include <d1/base/error.hpp>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>

namespace d1::server {

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // First, and once.
  [[nodiscard]] Result<> open();

  // Calls `ready` each time the descriptor can be read, until unwatch(). The descriptor stays its
  // owner's, who unwatches it before closing it.
  [[nodiscard]] Result<> watch(int descriptor, std::function<void()> ready);
  void unwatch(int descriptor);
  void every(std::chrono::milliseconds period, std::function<void()> function);
  // Once. They are blocked from then on, so this comes before other threads are started, which
  // inherit that.
  [[nodiscard]] Result<> on_signals(std::initializer_list<int> signals,
                                    std::function<void(int)> function);
  void post(std::function<void()> function);

  void run();   // until stop()
  void stop();  // what was posted before is still done

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace d1::server
