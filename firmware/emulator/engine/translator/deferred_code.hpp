// SPDX-License-Identifier: Apache-2.0
// What is to be emitted later, first come, first served: closures in memory that is given back all
// at once. Not thread-safe.
#pragma once

#include <memory>
#include <memory_resource>
#include <type_traits>
#include <utility>

namespace d1::emulator {

class DeferredCode {
 public:
  explicit DeferredCode(std::pmr::memory_resource& memory) noexcept : memory_(memory) {}
  ~DeferredCode() { clear(); }
  DeferredCode(const DeferredCode&) = delete;
  DeferredCode& operator=(const DeferredCode&) = delete;

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

  template <typename Emit>
  void push(Emit&& emit) {
    using Stored = Item<std::decay_t<Emit>>;
    void* const place = memory_.allocate(sizeof(Stored), alignof(Stored));
    Base* const item = new (place) Stored(std::forward<Emit>(emit));
    *last_ = item;
    last_ = &item->next;
  }

  // The first one, which may push others.
  void run_next() {
    const std::unique_ptr<Base, Destroy> item(take());
    item->run();
  }

  void clear() noexcept {
    while (!empty()) Destroy{}(take());
  }

 private:
  struct Base {
    virtual void run() = 0;
    virtual ~Base() = default;
    Base* next = nullptr;
  };
  template <typename Emit>
  struct Item final : Base {
    explicit Item(Emit emit) : emit_(std::move(emit)) {}
    void run() override { emit_(); }
    Emit emit_;
  };
  struct Destroy {
    void operator()(Base* item) const noexcept { item->~Base(); }
  };

  Base* take() noexcept {
    Base* const item = first_;
    first_ = item->next;
    if (first_ == nullptr) last_ = &first_;
    return item;
  }

  std::pmr::memory_resource& memory_;
  Base* first_ = nullptr;
  Base** last_ = &first_;
};

}  // namespace d1::emulator
