// SPDX-License-Identifier: Apache-2.0
#include <d1/abi/memory_map.h>
#include <elf.h>
#include <gtest/gtest.h>
#include <d1/runtime/elf_image.hpp>

#include <cstring>
#include <functional>
#include <random>

#include "compiled.hpp"

namespace d1::runtime {
namespace {

constexpr const char* kSource = R"(
int table[100] = {1, 2, 3};
float zeros[1000];
D1_KERNEL void first(int* out) { out[0] = table[d1::rank() % 100]; }
D1_KERNEL void second(float x) { zeros[d1::hart()] = x; }
)";

class ElfImageTest : public ::testing::Test {
 protected:
  std::vector<std::byte> bytes = compiled(kSource);

  template <typename T>
  void change(std::size_t offset, const std::function<void(T&)>& edit) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    edit(value);
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  }
  void header(const std::function<void(Elf64_Ehdr&)>& edit) { change<Elf64_Ehdr>(0, edit); }
  void segment(unsigned number, const std::function<void(Elf64_Phdr&)>& edit) {
    Elf64_Ehdr elf;
    std::memcpy(&elf, bytes.data(), sizeof elf);
    change<Elf64_Phdr>(elf.e_phoff + number * sizeof(Elf64_Phdr), edit);
  }
  void expect_refused(const std::string& part) {
    auto image = ElfImage::parse(bytes, "broken.elf");
    ASSERT_FALSE(image);
    EXPECT_EQ(image.error().kind(), ErrorKind::Invalid);
    EXPECT_NE(image.error().sentence().find(part), std::string::npos) << image.error().sentence();
    EXPECT_NE(image.error().sentence().find("'broken.elf'"), std::string::npos);
    EXPECT_TRUE(image.error().sentence().ends_with('.'));
  }
};

TEST_F(ElfImageTest, ACompiledProgramGivesItsKernelsAndSegments) {
  auto image = ElfImage::parse(bytes, "good.elf");
  ASSERT_TRUE(image) << image.error().to_string();
  ASSERT_EQ(image->kernels().size(), 2u);
  EXPECT_EQ(image->kernels()[0].name, "first");
  EXPECT_EQ(image->kernels()[1].name, "second");
  EXPECT_GE(image->segments().size(), 2u);
  EXPECT_GE(image->segments()[0].offset, D1_PROGRAM_BASE);
  EXPECT_GT(image->end(), D1_PROGRAM_BASE + 4400u) << "data and zeroed memory are counted";
  EXPECT_EQ(image->function_at(image->kernels()[0].address), "first");
  EXPECT_EQ(image->function_at(0), "");
}

TEST_F(ElfImageTest, NotAnElfFileIsSaidSo) {
  bytes.assign(10, std::byte{'x'});
  expect_refused("is no ELF file");
}

TEST_F(ElfImageTest, EveryTruncationIsAnErrorAndNotACrash) {
  const auto whole = bytes;
  for (std::size_t size = 0; size < whole.size(); size += size < 4096 ? 1 : 61) {
    auto image = ElfImage::parse({whole.begin(), whole.begin() + static_cast<long>(size)}, "cut");
    ASSERT_FALSE(image) << size;
    EXPECT_EQ(image.error().kind(), ErrorKind::Invalid);
  }
}

TEST_F(ElfImageTest, AnotherMachineIsNamed) {
  header([](Elf64_Ehdr& elf) { elf.e_machine = EM_X86_64; });
  expect_refused("built for ELF machine 62");
}

TEST_F(ElfImageTest, A32BitFileIsRefused) {
  header([](Elf64_Ehdr& elf) { elf.e_ident[EI_CLASS] = ELFCLASS32; });
  expect_refused("class 1");
}

TEST_F(ElfImageTest, AnObjectFileIsRefused) {
  header([](Elf64_Ehdr& elf) { elf.e_type = ET_REL; });
  expect_refused("must be linked");
}

TEST_F(ElfImageTest, ASoftFloatCallingConventionIsRefused) {
  header([](Elf64_Ehdr& elf) { elf.e_flags = 0; });
  expect_refused("lp64d");
}

TEST_F(ElfImageTest, AnEntryOutsideTheProgramIsRefused) {
  header([](Elf64_Ehdr& elf) { elf.e_entry = 0x80000; });
  expect_refused("entry at 0x80000");
}

TEST_F(ElfImageTest, OverlappingSegmentsAreRefused) {
  segment(1, [](Elf64_Phdr& each) { each.p_vaddr = D1_PROGRAM_BASE + 2; });
  expect_refused("overlapping segments");
}

TEST_F(ElfImageTest, ASegmentLargerThanSramIsRefused) {
  segment(0, [](Elf64_Phdr& each) { each.p_memsz = D1_SRAM_BYTES; });
  expect_refused("does not fit in a node's SRAM");
}

TEST_F(ElfImageTest, ASegmentOutsideTheProgramsMemoryIsRefused) {
  segment(0, [](Elf64_Phdr& each) { each.p_vaddr = 0x100; });
  expect_refused("outside the program's memory");
}

TEST_F(ElfImageTest, ASegmentThatWrapsAroundIsRefused) {
  segment(0, [](Elf64_Phdr& each) { each.p_vaddr = ~std::uint64_t{0} - 16; });
  expect_refused("outside the program's memory");
}

TEST_F(ElfImageTest, MoreBytesInTheFileThanInMemoryAreRefused) {
  segment(0, [](Elf64_Phdr& each) { each.p_filesz = each.p_memsz + 1; });
  expect_refused("in the file and");
}

TEST_F(ElfImageTest, AProgramWithoutKernelsIsRefused) {
  bytes = compiled(kSource);
  header([](Elf64_Ehdr& elf) { elf.e_shnum = 0; });
  expect_refused("has no kernels");
}

TEST_F(ElfImageTest, AFileThatIsNotThereIsNamed) {
  auto image = ElfImage::load("/nowhere/at/all.elf");
  ASSERT_FALSE(image);
  EXPECT_NE(image.error().sentence().find("/nowhere/at/all.elf"), std::string::npos);
}

TEST_F(ElfImageTest, RandomDamageNeverCrashes) {
  const auto seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const auto whole = bytes;
  unsigned refused = 0;
  for (int round = 0; round < 3000; ++round) {
    auto damaged = whole;
    for (int hit = 0; hit < 3; ++hit) {
      // Headers at both ends matter most.
      const auto range = random() % 2 ? std::size_t{400} : whole.size();
      damaged[random() % range] = static_cast<std::byte>(random());
    }
    if (!ElfImage::parse(std::move(damaged), "damaged")) ++refused;
  }
  EXPECT_GT(refused, 100u);
}

}  // namespace
}  // namespace d1::runtime
