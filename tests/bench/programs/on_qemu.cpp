// SPDX-License-Identifier: Apache-2.0
// A program as a user program of Linux on RISC-V, without libraries: its one argument is the number
// of iterations; it prints the result and the nanoseconds that it took.
#include "program.hpp"

namespace {

constexpr long kWrite = 64, kExit = 93, kClockGetTime = 113, kMonotonic = 1;

long system_call(long number, long first, const void* second = nullptr, long third = 0) {
  register long a0 __asm__("a0") = first;
  register long a1 __asm__("a1") = reinterpret_cast<long>(second);
  register long a2 __asm__("a2") = third;
  register long a7 __asm__("a7") = number;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}

std::uint64_t nanoseconds() {
  std::int64_t now[2] = {};
  system_call(kClockGetTime, kMonotonic, now);
  return static_cast<std::uint64_t>(now[0]) * 1'000'000'000 + static_cast<std::uint64_t>(now[1]);
}

void print(std::uint64_t number, char behind) {
  char text[21];
  char* first = text + sizeof text;
  *--first = behind;
  do {
    *--first = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  system_call(kWrite, 1, first, text + sizeof text - first);
}

}  // namespace

// `stack` as Linux leaves it: the number of arguments, then the arguments.
extern "C" [[noreturn]] void start(const std::uint64_t* stack) {
  std::uint64_t iterations = 0;
  for (auto* digit = reinterpret_cast<const char*>(stack[2]); *digit != 0; ++digit)
    iterations = iterations * 10 + static_cast<std::uint64_t>(*digit - '0');
  const std::uint64_t begin = nanoseconds();
  const std::uint64_t result = D1_BENCH_NAME(iterations);
  const std::uint64_t end = nanoseconds();
  print(result, ' ');
  print(end - begin, '\n');
  for (;;) system_call(kExit, 0);
}

__asm__(".globl _start\n_start: mv a0, sp\n andi sp, sp, -16\n tail start\n");
