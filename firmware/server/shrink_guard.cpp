// SPDX-License-Identifier: Apache-2.0
#include "shrink_guard.hpp"

#include <d1/abi/vfio_user.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstring>

namespace d1::server {
namespace {

constexpr std::uintptr_t kPage = 4096;

// In use while `bytes` is not 0, which is written after `begin` and read before it.
struct Place {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::size_t> bytes{0};
};

struct sigaction previous_action;

}  // namespace

// Tables are never freed, since a handler may be looking at one; the next client takes it.
struct ShrinkGuard::Table {
  std::array<Place, D1_VFIO_USER_DEFAULT_MAPS> places;
  std::atomic<std::size_t> used{0};  // places beyond were never in use
  std::atomic<bool> taken{true};
  Table* next = nullptr;

  static inline std::atomic<Table*> all{nullptr};

  static Table& take() {
    for (Table* table = all.load(); table != nullptr; table = table->next)
      if (!table->taken.exchange(true)) return *table;
    auto* made = new Table;
    made->next = all.load();
    while (!all.compare_exchange_weak(made->next, made)) {
    }
    return *made;
  }

  // In a handler: whether a mapping of a client lies there.
  static bool knows(std::uintptr_t address) {
    for (const Table* table = all.load(); table != nullptr; table = table->next) {
      const std::size_t used = table->used.load(std::memory_order_acquire);
      for (std::size_t i = 0; i < used; ++i) {
        const std::size_t bytes = table->places[i].bytes.load(std::memory_order_acquire);
        const std::uintptr_t begin = table->places[i].begin.load(std::memory_order_relaxed);
        if (bytes != 0 && address >= begin && address - begin < bytes) return true;
      }
    }
    return false;
  }

  // Only what may be called in a handler. The page that is missing is put there.
  static void on_bus_error(int signal, siginfo_t* info, void* context) {
    const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    void* page = reinterpret_cast<void*>(address / kPage * kPage);
    if (knows(address) && ::mmap(page, kPage, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
      std::memset(page, 0xff, kPage);
      return;
    }
    if ((previous_action.sa_flags & SA_SIGINFO) != 0 && previous_action.sa_sigaction != nullptr) {
      previous_action.sa_sigaction(signal, info, context);
      return;
    }
    ::signal(signal, SIG_DFL);  // the access is made again, and ends the process as it should
  }
};

void ShrinkGuard::install() {
  struct sigaction action{};
  action.sa_sigaction = Table::on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, &previous_action);
}

ShrinkGuard::ShrinkGuard() : table_(Table::take()) {}

ShrinkGuard::~ShrinkGuard() {
  const std::size_t used = table_.used.load();
  for (std::size_t i = 0; i < used; ++i) table_.places[i].bytes.store(0);
  table_.used.store(0);
  table_.taken.store(false);
}

std::size_t ShrinkGuard::add(void* mapping, std::size_t bytes) {
  std::size_t number = table_.used.load();
  if (!free_.empty()) {
    number = free_.back();
    free_.pop_back();
  }
  Place& place = table_.places[number];
  place.begin.store(reinterpret_cast<std::uintptr_t>(mapping), std::memory_order_relaxed);
  place.bytes.store(bytes, std::memory_order_release);
  if (number == table_.used.load()) table_.used.store(number + 1, std::memory_order_release);
  return number;
}

void ShrinkGuard::remove(std::size_t number) {
  table_.places[number].bytes.store(0, std::memory_order_release);
  free_.push_back(number);
}

}  // namespace d1::server
