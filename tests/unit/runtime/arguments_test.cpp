// SPDX-License-Identifier: Apache-2.0
// Signatures come from kernels compiled by clang-19: what is checked is what users meet.
#include <gtest/gtest.h>
#include <d1/runtime/arguments.hpp>
#include <d1/runtime/program.hpp>

#include <bit>

#include "compiled.hpp"

namespace d1::runtime {
namespace {

constexpr const char* kSource = R"(
enum class Mode : unsigned char { A, B };
struct pair { int a, b; };
using index = unsigned;
D1_KERNEL void scalars(int i, unsigned u, long l, bool b, Mode m, index x) {}
D1_KERNEL void floats(float a, double b, float c, float d, float e, float f, float g, float h,
                      float ninth, int i) {}
D1_KERNEL void buffers(d1::sharded<const float> in, d1::replicated<int> all, d1::hbm<double> far,
                       d1::on_node<pair> one, int n, float* raw) {}
D1_KERNEL void half_words(d1::sharded<d1::bf16> x) {}
D1_KERNEL void by_value(pair p) {}
)";

class Arguments : public ::testing::Test {
 protected:
  static const Signature& signature(const char* kernel) {
    static const auto program = Program::create(*ElfImage::parse(compiled(kSource), "test.elf"));
    auto found = program->kernel(kernel)->signature();
    if (!found) {
      ADD_FAILURE() << found.error().to_string();
      std::abort();
    }
    return **found;
  }
  Result<> pass(const char* kernel, std::vector<Argument> arguments) {
    return marshal(signature(kernel), arguments, block);
  }
  void expect_refused(const char* kernel, std::vector<Argument> arguments, const char* part) {
    const auto result = pass(kernel, std::move(arguments));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind(), ErrorKind::Invalid);
    EXPECT_NE(result.error().sentence().find(part), std::string::npos) << result.error().sentence();
    EXPECT_NE(result.error().sentence().find(kernel), std::string::npos);
  }
  static BufferArgument buffer(Placement placement, ElementType type, std::uint64_t address,
                               std::uint64_t bytes) {
    return {placement, ElementAccess::ReadWrite, type, address, bytes};
  }
  ArgumentBlock block;
};

using I = std::int64_t;
using U = std::uint64_t;
constexpr ElementType kFloat{ElementKind::Float, 4, {}};
constexpr ElementType kInt{ElementKind::Signed, 4, {}};
constexpr ElementType kDouble{ElementKind::Float, 8, {}};

TEST_F(Arguments, SignaturesNameParametersAndTypes) {
  const Signature& all = signature("buffers");
  ASSERT_EQ(all.parameters.size(), 6u);
  EXPECT_EQ(all.parameters[0].name, "in");
  EXPECT_EQ(all.parameters[0].kind, ParameterKind::Buffer);
  EXPECT_EQ(all.parameters[0].placement, Placement::Sharded);
  EXPECT_EQ(all.parameters[0].access, ElementAccess::ReadOnly);
  EXPECT_TRUE(all.parameters[0].type.matches(kFloat));
  EXPECT_EQ(all.parameters[1].placement, Placement::Replicated);
  EXPECT_EQ(all.parameters[1].access, ElementAccess::ReadWrite);
  EXPECT_EQ(all.parameters[2].placement, Placement::Hbm);
  EXPECT_EQ(all.parameters[3].placement, Placement::OnNode);
  EXPECT_EQ(all.parameters[3].type.bytes, 8u);
  EXPECT_EQ(all.parameters[5].kind, ParameterKind::Pointer);
  EXPECT_EQ(to_string(signature("floats")).substr(0, 22), "floats(float a, double");
}

TEST_F(Arguments, IntegersAreWidenedAsLp64dWantsThem) {
  ASSERT_TRUE(pass("scalars", {I{-5}, U{0xfffffffe}, I{-7}, U{1}, U{255}, I{9}}));
  EXPECT_EQ(block.slots, 6u);
  EXPECT_EQ(block.floats, 0u);
  EXPECT_EQ(block.argument[0], static_cast<std::uint64_t>(-5));
  EXPECT_EQ(block.argument[1], 0xfffffffffffffffeu) << "unsigned 32-bit values are sign-extended";
  EXPECT_EQ(block.argument[2], static_cast<std::uint64_t>(-7));
  EXPECT_EQ(block.argument[3], 1u);
  EXPECT_EQ(block.argument[4], 255u);
  EXPECT_EQ(block.argument[5], 9u);
}

TEST_F(Arguments, FloatsAreBoxedAndTheNinthGoesToAnIntegerSlot) {
  ASSERT_TRUE(pass("floats", {1.5, 2.5, I{3}, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, I{10}}));
  EXPECT_EQ(block.floats, 8u);
  EXPECT_EQ(block.float_argument[0], 0xffffffff00000000u | std::bit_cast<std::uint32_t>(1.5f));
  EXPECT_EQ(block.float_argument[1], std::bit_cast<std::uint64_t>(2.5));
  EXPECT_EQ(static_cast<std::uint32_t>(block.float_argument[2]),
            std::bit_cast<std::uint32_t>(3.0f));
  ASSERT_EQ(block.slots, 2u);
  EXPECT_EQ(static_cast<std::uint32_t>(block.argument[0]), std::bit_cast<std::uint32_t>(9.0f));
  EXPECT_EQ(block.argument[1], 10u);
}

TEST_F(Arguments, ABufferTakesTwoSlotsAddressAndElements) {
  ASSERT_TRUE(pass("buffers", {buffer(Placement::Sharded, kFloat, 0x1000, 400),
                               buffer(Placement::Replicated, kInt, 0x2000, 40),
                               buffer(Placement::Hbm, kDouble, 0x8000000000000000, 80),
                               buffer(Placement::OnNode, {ElementKind::Class, 8, {}}, 0x3000, 16),
                               I{7}, buffer(Placement::Replicated, kFloat, 0x4000, 4)}));
  const std::uint64_t expected[] = {0x1000, 100,    0x2000, 10, 0x8000000000000000,
                                    10,     0x3000, 2,      7,  0x4000};
  ASSERT_EQ(block.slots, std::size(expected));
  for (unsigned i = 0; i < block.slots; ++i) EXPECT_EQ(block.argument[i], expected[i]) << i;
}

TEST_F(Arguments, RawBytesFitAnyElementType) {
  EXPECT_TRUE(pass("half_words", {buffer(Placement::Sharded, {ElementKind::Class, 0, {}}, 0, 64)}));
  EXPECT_TRUE(
      pass("half_words", {buffer(Placement::Sharded, {ElementKind::Class, 2, "bf16"}, 0, 64)}));
}

TEST_F(Arguments, AWrongNumberOfArgumentsShowsTheSignature) {
  expect_refused("scalars", {I{1}}, "takes 6 arguments, and 1 were given");
}

TEST_F(Arguments, AValueThatDoesNotFitIsRefusedWithTheRange) {
  expect_refused("scalars", {I{1} << 31, U{0}, I{0}, U{0}, U{0}, I{0}},
                 "-2147483648 to 2147483647");
  expect_refused("scalars", {I{0}, I{-1}, I{0}, U{0}, U{0}, I{0}}, "0 to 4294967295");
  expect_refused("scalars", {I{0}, U{0}, I{0}, U{2}, U{0}, I{0}}, "a bool is 0 or 1");
  expect_refused("scalars", {I{0}, U{0}, I{0}, U{0}, U{256}, I{0}}, "'m'");
}

TEST_F(Arguments, AFloatingPointNumberForAnIntegerIsRefused) {
  expect_refused("scalars", {1.0, U{0}, I{0}, U{0}, U{0}, I{0}}, "'i' as int");
}

TEST_F(Arguments, AnotherPlacementOrElementTypeIsRefusedByName) {
  expect_refused("half_words", {buffer(Placement::Hbm, {ElementKind::Class, 2, "bf16"}, 0, 64)},
                 "a hbm buffer of bf16");
  expect_refused("half_words", {buffer(Placement::Sharded, kFloat, 0, 64)},
                 "takes its parameter 'x' as d1::sharded<d1::bf16>");
  expect_refused("half_words", {I{3}}, "3 was given");
}

TEST_F(Arguments, AConstBufferForAParameterThatIsWrittenIsRefused) {
  BufferArgument constant{
      Placement::Sharded, ElementAccess::ReadOnly, {ElementKind::Class, 2, "bf16"}, 0, 64};
  expect_refused("half_words", {constant}, "the kernel writes to it");
}

TEST_F(Arguments, AStructByValueIsUnsupportedAndNamed) {
  static const auto program = Program::create(*ElfImage::parse(compiled(kSource), "test.elf"));
  const auto found = program->kernel("by_value")->signature();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind(), ErrorKind::Unsupported);
  EXPECT_NE(found.error().sentence().find("parameter 'p' as pair"), std::string::npos)
      << found.error().sentence();
}

TEST_F(Arguments, AnUnknownKernelNamesTheOnesThereAre) {
  static const auto program = Program::create(*ElfImage::parse(compiled(kSource), "test.elf"));
  const auto found = program->kernel("nothing");
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().sentence().find("buffers, by_value, floats"), std::string::npos);
}

}  // namespace
}  // namespace d1::runtime
