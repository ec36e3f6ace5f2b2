// SPDX-License-Identifier: Apache-2.0
// Runs a finished M-mode image on one side. Private to machine_image.cpp and machine_runners.cpp.
#pragma once

#include "machine_image.hpp"

namespace d1::difftest {

struct MachineImage {
  std::vector<std::uint8_t> code, blocks;
  MachineGlobals globals{};
  std::vector<std::uint64_t> case_code;
};

[[nodiscard]] Result<std::vector<MachineBlock>> run_machine_ours(const MachineImage& image);
[[nodiscard]] Result<std::vector<MachineBlock>> run_machine_oracle(
    const MachineImage& image, const std::string& program, const std::filesystem::path& folder);

}  // namespace d1::difftest
