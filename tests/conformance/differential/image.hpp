// SPDX-License-Identifier: Apache-2.0
// The program image of a batch of cases, and what the two sides make of it. The image is the same
// for both: a static ELF for qemu-riscv64, the same bytes in the memory of a BareHart.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include <d1/base/error.hpp>

#include "case.hpp"
#include "oracle_process.hpp"
#include "runtime_code.hpp"

namespace d1::difftest {

// More cases than this of at most kStepsPerCase steps do not fit: one jump leads from each to the
// run-time code.
inline constexpr unsigned kCasesPerImage = 1500;
inline constexpr unsigned kStepsPerCase = 8;

struct Image {
  std::uint64_t linux_entry = 0, bare_entry = 0;
  std::vector<std::uint8_t> code, blocks, data;
  std::vector<std::uint64_t> case_code;  // address of each case's first instruction
};

class ImageBuilder {
 public:
  ImageBuilder();
  [[nodiscard]] Image build(std::span<const Case> cases) const;

 private:
  RuntimeCode runtime_;
  std::vector<std::uint8_t> tables_;
};

// The ELF of an image; segments at the addresses of layout.hpp.
[[nodiscard]] std::vector<std::uint8_t> elf_of(const Image& image);

// Runs on our core. The blocks afterwards, trap causes as signals and pcs relative to the case.
[[nodiscard]] Result<std::vector<Block>> run_ours(const Image& image);

// A started qemu-riscv64. Owns its process and two files in `folder`; ends both in the destructor.
class OracleRun {
 public:
  struct Options {
    std::string program = "qemu-riscv64";
    unsigned timeout_s = 300;
  };
  OracleRun(const Image& image, const Options& options, const std::filesystem::path& folder);
  ~OracleRun();
  OracleRun(const OracleRun&) = delete;
  OracleRun& operator=(const OracleRun&) = delete;
  [[nodiscard]] Result<std::vector<Block>> finish();

 private:
  std::filesystem::path program_, output_;
  std::vector<std::uint64_t> case_code_;
  unsigned timeout_s_;
  std::optional<OracleProcess> process_;
};

}  // namespace d1::difftest
