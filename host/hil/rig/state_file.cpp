// SPDX-License-Identifier: Apache-2.0
#include "rig/state_file.hpp"

#include <d1/base/thread.hpp>

#include <exception>
#include <fstream>
#include <future>
#include <memory>
#include <utility>

namespace d1::hil {

void StateFile::tell(const std::string& why, std::chrono::milliseconds timeout) {
  std::future<void> written;
  {
    const std::lock_guard guard(mutex_);
    if (std::exchange(told_, true)) return;
    // The reason first: it is there even if nothing more can be learnt.
    std::ofstream(path_) << why << "\n\n";
    std::promise<void> promise;
    written = promise.get_future();
    auto write = [this, state = look_(), promise = std::move(promise)]() mutable {
      std::string text;
      try {
        text = state();
      } catch (const std::exception& problem) {
        text = problem.what();
      }
      std::ofstream(path_, std::ios::app) << text;
      promise.set_value();
    };
    auto writer = start_thread("the state of a device under test", std::move(write));
    if (!writer) return;
    writer_ = std::move(*writer);
  }
  if (may_wait_()) (void)written.wait_for(timeout);
}

void StateFile::finish() {
  std::jthread writer;
  {
    const std::lock_guard guard(mutex_);
    told_ = true;
    writer = std::move(writer_);
  }
}

}  // namespace d1::hil
