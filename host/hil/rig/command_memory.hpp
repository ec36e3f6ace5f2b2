// SPDX-License-Identifier: Apache-2.0
// Which host memory a command of the device's queues reads and writes. Pure functions of the
// command; malformed ones name nothing.
#pragma once

#include <d1/driver/queue_pair.hpp>

#include <cstdint>
#include <vector>

namespace d1::hil {

struct IoRange {
  std::uint64_t iova, bytes;
};

[[nodiscard]] std::vector<IoRange> read_by(const driver::CommandBytes& command);
// What is the same in every run: reports that hold times are left out.
[[nodiscard]] std::vector<IoRange> written_by(const driver::CommandBytes& command,
                                              const driver::Completion& completion);

}  // namespace d1::hil
