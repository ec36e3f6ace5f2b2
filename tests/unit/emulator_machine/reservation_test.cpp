// SPDX-License-Identifier: Apache-2.0
#include "reservation.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>

namespace d1::emulator {
namespace {

constexpr std::size_t kPage = 4096, kHuge = std::size_t{2} << 20;

// Resident memory of this process, in bytes.
std::size_t resident() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0, pages = 0;
  file >> size >> pages;
  return pages * kPage;
}

// The first place in it where a huge page can be.
std::uint8_t* first_boundary(const Reservation& memory) {
  const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
  return memory.data() + (kHuge - begin % kHuge) % kHuge;
}

void touch(std::uint8_t* from, std::size_t pages) {
  for (std::size_t i = 0; i < pages; ++i) from[i * kPage] = static_cast<std::uint8_t>(i + 1);
}

bool is_as_touched(const std::uint8_t* from, std::size_t pages) {
  for (std::size_t i = 0; i < kHuge; ++i) {
    const std::size_t page = i / kPage;
    const bool written = i % kPage == 0 && page < pages;
    if (from[i] != (written ? static_cast<std::uint8_t>(page + 1) : 0)) return false;
  }
  return true;
}

TEST(Reservation, DensePagesKeepTheirContentWhenTheyBecomeHuge) {
  Reservation memory(4 * kHuge);
  constexpr std::size_t kPages = 300;
  touch(first_boundary(memory), kPages);
  memory.collapse_dense_pages(0, memory.huge_pages());
  memory.collapse_dense_pages(0, memory.huge_pages());
  EXPECT_TRUE(is_as_touched(first_boundary(memory), kPages));
}

TEST(Reservation, PagesThatAreHardlyUsedStaySmall) {
  Reservation memory(64 * kHuge);
  for (std::size_t i = 0; i < memory.huge_pages(); ++i)
    touch(first_boundary(memory) + i * kHuge, 100);
  const std::size_t before = resident();
  memory.collapse_dense_pages(0, memory.huge_pages());
  EXPECT_LT(resident(), before + kHuge);
}

TEST(Reservation, HugePagesAreThoseThatLieInItAsAWhole) {
  EXPECT_EQ(Reservation().huge_pages(), 0u);
  EXPECT_EQ(Reservation(kPage).huge_pages(), 0u);
  const std::size_t pages = Reservation(4 * kHuge).huge_pages();
  EXPECT_TRUE(pages == 3 || pages == 4) << pages;
}

}  // namespace
}  // namespace d1::emulator
