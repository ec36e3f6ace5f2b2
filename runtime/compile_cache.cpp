// SPDX-License-Identifier: Apache-2.0
#include "compile_cache.hpp"

#include <d1/driver/limits.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace d1::runtime {

namespace fs = std::filesystem;

void ContentKey::add(std::string_view text) noexcept {
  // FNV-1a: the prime is 2^88 + 2^8 + 0x3b. The length keeps neighbours apart.
  constexpr Word prime = (static_cast<Word>(1) << 88) + 0x13b;
  for (const char c : text) state_ = (state_ ^ static_cast<unsigned char>(c)) * prime;
  for (std::size_t n = text.size(), i = 0; i < sizeof n; ++i, n >>= 8) {
    state_ = (state_ ^ (n & 0xff)) * prime;
  }
}

std::string ContentKey::to_string() const {
  return fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(state_ >> 64),
                     static_cast<std::uint64_t>(state_));
}

std::string compile_cache_directory() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache) {
    return std::string(cache) + "/opend1";
  }
  if (const char* home = std::getenv("HOME"); home && *home) {
    return std::string(home) + "/.cache/opend1";
  }
  return {};
}

std::optional<std::vector<std::byte>> read_whole_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return std::nullopt;
  std::vector<std::byte> result(bytes.size());
  std::transform(bytes.begin(), bytes.end(), result.begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  return result;
}

std::optional<std::vector<std::byte>> read_compile_cache(const std::string& key) {
  const std::string directory = compile_cache_directory();
  if (directory.empty()) return std::nullopt;
  const std::string path = directory + "/" + key + ".elf";
  auto bytes = read_whole_file(path);
  std::error_code ignored;
  // Used again: the oldest entries go first.
  if (bytes) fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
  return bytes;
}

namespace {

void trim(const std::string& directory) {
  struct Entry {
    fs::path path;
    std::uint64_t bytes;
    fs::file_time_type used;
  };
  std::vector<Entry> entries;
  std::uint64_t total = 0;
  std::error_code error;
  for (const auto& each : fs::directory_iterator(directory, error)) {
    std::error_code one;
    const auto bytes = each.file_size(one);
    const auto used = each.last_write_time(one);
    if (one || !each.is_regular_file(one)) continue;
    entries.push_back({each.path(), bytes, used});
    total += bytes;
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.used < b.used; });
  for (const Entry& entry : entries) {
    if (total <= driver::limits::kCompileCacheBytes) break;
    if (fs::remove(entry.path, error)) total -= entry.bytes;
  }
}

}  // namespace

void write_compile_cache(const std::string& key, const std::vector<std::byte>& bytes) {
  static std::atomic<unsigned> counter = 0;
  const std::string directory = compile_cache_directory();
  if (directory.empty()) return;
  std::error_code error;
  fs::create_directories(directory, error);
  const std::string temporary =
      fmt::format("{}/{}.{}.{}.tmp", directory, key, ::getpid(), counter.fetch_add(1));
  {
    std::ofstream file(temporary, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) {
      fs::remove(temporary, error);
      return;
    }
  }
  fs::rename(temporary, directory + "/" + key + ".elf", error);
  if (error) fs::remove(temporary, error);
  trim(directory);
}

}  // namespace d1::runtime
