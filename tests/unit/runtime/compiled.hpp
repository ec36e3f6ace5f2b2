// SPDX-License-Identifier: Apache-2.0
// Programs compiled from source text by the runtime's own compiler driver, once each per process.
#pragma once

#include <gtest/gtest.h>
#include <d1/runtime/compiler.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>

namespace d1::runtime {

// A folder that is gone with the test.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "d1-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline CompileRequest request_for(const std::string& source) {
  CompileRequest request;
  request.source = source;
  request.device_directory = D1_TEST_DEVICE_DIR;
  request.cache = CachePolicy::Bypass;
  return request;
}

// By any thread.
inline const std::vector<std::byte>& compiled(const std::string& text) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  static std::map<std::string, std::vector<std::byte>> known;
  auto& elf = known[text];
  if (elf.empty()) {
    const TestFolder folder;
    auto built =
        compile(request_for(folder.file("kernel.cpp", "#include <d1/kernel.hpp>\n" + text)));
    if (!built) {
      ADD_FAILURE() << built.error().to_string();
      std::abort();
    }
    elf = std::move(built->elf);
  }
  return elf;
}

}  // namespace d1::runtime
