// SPDX-License-Identifier: Apache-2.0
// What nodes do with each other takes no lock: the locks that threads take which run nodes are
// counted, and a launch of many barriers takes no more of them than one of few.
#include <gtest/gtest.h>

#ifndef D1_LOCKS_ARE_NOT_COUNTED

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>

#include <emulator_kernels_program.hpp>
#include <raw_host.hpp>

namespace {

std::atomic<std::uint64_t> locks{0};
thread_local bool runs_nodes = false;

using Lock = int (*)(pthread_mutex_t*);

int counted(const char* name, pthread_mutex_t* mutex) {
  if (runs_nodes) locks.fetch_add(1, std::memory_order_relaxed);
  return reinterpret_cast<Lock>(dlsym(RTLD_NEXT, name))(mutex);
}

}  // namespace

// In the place of the C library's, for the whole program.
extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  return counted("pthread_mutex_lock", mutex);
}
extern "C" int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  return counted("pthread_mutex_trylock", mutex);
}

namespace d1::emulator::test {
namespace {

constexpr std::uint64_t kOut = 0x80000;

// Locks taken by a launch over the die.
std::uint64_t locks_of(RawHost& host, const char* kernel, std::uint64_t rounds) {
  const std::uint64_t before = locks.load();
  EXPECT_EQ(host.launch(kernel, 0, {kOut, rounds}).status, D1_STATUS_OK);
  return locks.load() - before;
}

void expect_no_lock_a_round(const char* kernel, EngineKind engine) {
  DeviceOptions options;
  options.host_threads = 2;
  options.engine.kind = engine;
  // This thread, and helpers: not the device's own, which looks for forgotten work now and then.
  runs_nodes = true;
  options.join_delay = [](unsigned worker) { runs_nodes = runs_nodes || worker != 0; };
  RawHost host(options);
  host.load(emulator_kernels_program);
  (void)locks_of(host, kernel, 100);  // code is decoded and translated
  const std::uint64_t few = locks_of(host, kernel, 5), many = locks_of(host, kernel, 105);
  EXPECT_GT(few, 0u);  // the launch itself takes some: they are counted
  EXPECT_LE(many, few + 10) << "for 100 rounds more on each of 354 nodes";
}

TEST(Locks, BarriersOverADieTakeNone) {
  expect_no_lock_a_round("barriers", EngineKind::Interpreter);
  expect_no_lock_a_round("barriers", EngineKind::Translator);
}
// The translator still finds code to translate now and then, for which it tries its lock.
TEST(Locks, AtomicsBetweenNodesTakeNone) {
  expect_no_lock_a_round("storm", EngineKind::Interpreter);
}

}  // namespace
}  // namespace d1::emulator::test

#endif
