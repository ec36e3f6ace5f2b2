// SPDX-License-Identifier: Apache-2.0
// Programs built before, by content, in $XDG_CACHE_HOME/opend1 (or ~/.cache/opend1). A cache that
// cannot be read or written is no error: the program is built. Any thread, any process; entries
// appear by rename, whole or not at all.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace d1::runtime {

// 128 bits over everything that decides what comes out.
class ContentKey {
 public:
  void add(std::string_view text) noexcept;
  [[nodiscard]] std::string to_string() const;

 private:
  __extension__ typedef unsigned __int128 Word;
  // FNV-1a's offset basis of 128 bits.
  Word state_ = (static_cast<Word>(0x6c62272e07bb0142) << 64) | 0x62b821756295c58d;
};

// Empty where no folder can be named ($HOME not set).
[[nodiscard]] std::string compile_cache_directory();
[[nodiscard]] std::optional<std::vector<std::byte>> read_compile_cache(const std::string& key);
// Also removes the oldest entries above limits::kCompileCacheBytes.
void write_compile_cache(const std::string& key, const std::vector<std::byte>& bytes);

// Whole contents of a file; nothing if it cannot be read.
[[nodiscard]] std::optional<std::vector<std::byte>> read_whole_file(const std::string& path);

}  // namespace d1::runtime
