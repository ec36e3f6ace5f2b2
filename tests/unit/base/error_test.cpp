// SPDX-License-Identifier: Apache-2.0
#include <d1/base/error.hpp>
#include <gtest/gtest.h>

namespace d1 {
namespace {

Result<int> parse_digit(char c) {
  if (c < '0' || c > '9') return fail(ErrorKind::Invalid, "'x' is no digit; write 0 to 9.");
  return c - '0';
}

Result<int> parse_port(char c) {
  auto digit = parse_digit(c);
  if (!digit) return pass_on(digit, "reading the port");
  return *digit;
}

TEST(Error, CarriesKindSentenceAndEachContextInOrder) {
  auto result = parse_port('x');
  ASSERT_FALSE(result);
  const Error error = std::move(result.error()).while_doing("opening the device");
  EXPECT_EQ(error.kind(), ErrorKind::Invalid);
  EXPECT_EQ(error.to_string(),
            "invalid: 'x' is no digit; write 0 to 9.\n"
            "  while reading the port\n  while opening the device");
}

TEST(Error, ASuccessfulResultHoldsItsValue) { EXPECT_EQ(parse_port('7').value(), 7); }

}  // namespace
}  // namespace d1
