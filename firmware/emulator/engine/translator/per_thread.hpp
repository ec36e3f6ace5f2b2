// SPDX-License-Identifier: Apache-2.0
// A T for each thread, in lines of its own of the host's cache, so that none waits for another's.
// Places are given out once in a process; where there are more threads than places, some share
// one, so a T must bear that: atomics do.
#pragma once

#include <array>
#include <atomic>

namespace d1::emulator {

inline unsigned number_of_this_thread() noexcept {
  static std::atomic<unsigned> threads{0};
  thread_local const unsigned number = threads.fetch_add(1, std::memory_order_relaxed);
  return number;
}

template <typename T>
class PerThread {
 public:
  [[nodiscard]] T& mine() noexcept { return places_[number_of_this_thread() % kPlaces].value; }

  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const Place& place : places_) visit(place.value);
  }

 private:
  static constexpr unsigned kPlaces = 64;
  struct alignas(64) Place {
    T value{};
  };
  std::array<Place, kPlaces> places_;
};

}  // namespace d1::emulator
