// SPDX-License-Identifier: Apache-2.0
// A thread's loop over descriptors, timers and signals. The only part of the server that names
// Boost.Asio, behind a pointer, since its headers are large.
//
// Threads: run() serves one thread, on which all functions are called; post() and stop() may be
// called from any, everything else from the loop's own thread or before run().
#pragma once

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

  // Calls `ready` each time the descriptor can be read, until unwatch(). The descriptor stays its
  // owner's, who unwatches it before closing it.
  void watch(int descriptor, std::function<void()> ready);
  void unwatch(int descriptor);
  void every(std::chrono::milliseconds period, std::function<void()> function);
  void on_signals(std::initializer_list<int> signals, std::function<void(int)> function);
  void post(std::function<void()> function);

  void run();   // until stop()
  void stop();  // what was posted before is still done

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace d1::server
