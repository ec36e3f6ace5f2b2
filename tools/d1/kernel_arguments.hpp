// SPDX-License-Identifier: Apache-2.0
// A kernel's arguments from the command line: buffers filled from .npy files and read back into
// them, and numbers, matched by name with the kernel's own parameters.
// Owns the buffers, which have no copies on the host; must live until the launch has ended. Throws
// d1::Exception. One thread; put() and fetch() wait for their copies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <d1/d1.hpp>
#include <d1/npy.hpp>
#include <map>
#include <string>
#include <vector>

namespace d1::tools {

// What the user wrote, by parameter name.
struct ArgumentOptions {
  std::vector<std::string> inputs, outputs, shapes, numbers;  // NAME=...
};

class KernelArguments {
 public:
  // Reads the heads of the input files and checks everything; nothing is on the device yet.
  KernelArguments(const runtime::Signature& signature, const ArgumentOptions& options);

  // Makes the buffers and fills them: from their files, else with zeroes.
  [[nodiscard]] const std::vector<runtime::Argument>& put(const Device& device, const Grid& grid,
                                                          Stream& stream);
  // Writes the outputs from the device into their files; their names, for people.
  [[nodiscard]] std::vector<std::string> fetch(Stream& stream);

 private:
  struct BufferArgument {
    const runtime::Parameter* parameter = nullptr;
    NpyHead content;          // of the input file; of the result where there is none
    std::uint64_t count = 0;  // of elements
    std::string output;       // file; empty: not wanted
    runtime::Buffer buffer;
  };
  static void read_file(Stream& stream, const BufferArgument& buffer, const std::string& path);
  void add_buffer(const runtime::Parameter& parameter);
  void add_number(const runtime::Parameter& parameter);

  const runtime::Signature& signature_;
  std::map<std::string, std::string> inputs_, outputs_, shapes_, numbers_;
  std::vector<std::size_t> first_shape_;  // of the first input that was named
  std::vector<BufferArgument> buffers_;
  std::vector<runtime::Argument> arguments_;  // by parameter; buffers' ones are set by put()
};

}  // namespace d1::tools
