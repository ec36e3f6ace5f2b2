// SPDX-License-Identifier: Apache-2.0
// A file with why a test failed and what its device was doing then, written once.
//
// On a thread of its own, since whoever fails may hold GoogleTest's lock, or the driver's of a
// queue that is needed to ask the device; it is not waited for longer than it may take.
//
// Threads: any may call tell(); finish() waits for what it began.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace d1::hil {

class StateFile {
 public:
  // Called by who fails, and must not wait; what it returns, on the other thread, makes the text.
  // So the device stays open until it has been asked.
  using Look = std::function<std::function<std::string()>()>;

  // may_wait: whether the thread that calls tell() may wait for the file.
  StateFile(std::string path, Look look, bool (*may_wait)())
      : path_(std::move(path)), look_(std::move(look)), may_wait_(may_wait) {}

  void tell(const std::string& why, std::chrono::milliseconds timeout);
  void finish();

 private:
  const std::string path_;
  const Look look_;
  bool (*const may_wait_)();
  std::mutex mutex_;  // what follows
  bool told_ = false;
  std::jthread writer_;
};

}  // namespace d1::hil
