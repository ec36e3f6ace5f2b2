// SPDX-License-Identifier: Apache-2.0
#include <d1/abi/commands.h>
#include <d1/abi/memory_map.h>
#include <gtest/gtest.h>
#include <d1/driver/status_error.hpp>

namespace d1::driver {
namespace {

TEST(StatusError, EveryStatusIsAFullSentenceThatNamesTheCommand) {
  for (std::uint16_t status = 1; status <= D1_STATUS_NOT_FOUND; ++status) {
    const Error error = status_error(D1_COMMAND_COPY, status, 0x123);
    EXPECT_TRUE(error.sentence().ends_with('.')) << error.sentence();
    if (status != D1_STATUS_TRAP) {
      EXPECT_NE(error.sentence().find("copy"), std::string::npos) << error.sentence();
    }
    EXPECT_NE(error.kind(), ErrorKind::Internal);
  }
}

TEST(StatusError, ABadAddressIsTakenApart) {
  const Error error =
      status_error(D1_COMMAND_COPY, D1_STATUS_BAD_ADDRESS, d1_node_address(3, 17, 0x4000));
  EXPECT_NE(error.sentence().find("die 3, node 17, offset 0x4000"), std::string::npos)
      << error.sentence();
}

TEST(StatusError, AnUnknownStatusIsAProtocolError) {
  EXPECT_EQ(status_error(D1_COMMAND_FENCE, 4711, 0).kind(), ErrorKind::Protocol);
}

}  // namespace
}  // namespace d1::driver
