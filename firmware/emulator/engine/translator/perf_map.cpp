// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/perf_map.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>

namespace d1::emulator {

namespace {

struct Entry {
  std::uint64_t end = 0;
  std::string name;
};

class File {
 public:
  void add(std::uint64_t begin, Entry entry) {
    const std::lock_guard lock(mutex_);
    const bool anew = erase(begin, entry.end) || file_ == nullptr;
    const auto [at, fresh] = entries_.insert_or_assign(begin, std::move(entry));
    if (anew) return write_all();
    write(*at);
    std::fflush(file_);
  }

  void drop(std::uint64_t begin, std::uint64_t end) {
    const std::lock_guard lock(mutex_);
    if (erase(begin, end)) write_all();
  }

 private:
  using Entries = std::map<std::uint64_t, Entry>;  // by address; none overlap

  // Whether there were any.
  bool erase(std::uint64_t begin, std::uint64_t end) {
    auto first = entries_.lower_bound(begin);
    if (first != entries_.begin() && std::prev(first)->second.end > begin) --first;
    const auto last = entries_.lower_bound(end);
    const bool any = first != last;
    entries_.erase(first, last);
    return any;
  }

  void write_all() {
    if (file_ != nullptr) std::fclose(file_);
    file_ = std::fopen(PerfMap::path().c_str(), "we");
    if (file_ == nullptr) {
      complain();
      return;
    }
    for (const auto& each : entries_) write(each);
    std::fflush(file_);
  }

  void write(const Entries::value_type& each) {
    fmt::print(file_, "{:x} {:x} {}\n", each.first, each.second.end - each.first,
               each.second.name);
  }

  // Once: the program runs well without.
  void complain() {
    if (complained_) return;
    complained_ = true;
    fmt::print(stderr, "{} cannot be written: {}. perf will not name translated code.\n",
               PerfMap::path(), std::strerror(errno));
  }

  std::mutex mutex_;
  Entries entries_;
  std::FILE* file_ = nullptr;  // null: not opened yet, or not to be had
  bool complained_ = false;
};

File& the_file() {
  static File& file = *new File;  // translators of static objects outlive others
  return file;
}

std::uint64_t address_of(const std::uint8_t* place) noexcept {
  return reinterpret_cast<std::uintptr_t>(place);
}

}  // namespace

std::string PerfMap::path() { return fmt::format("/tmp/perf-{}.map", getpid()); }

void PerfMap::add(const HostCode& code) {
  const std::uint64_t begin = address_of(code.begin);
  the_file().add(begin, {begin + code.bytes(), code.name});
}

void PerfMap::drop(const std::uint8_t* begin, const std::uint8_t* end) {
  the_file().drop(address_of(begin), address_of(end));
}

}  // namespace d1::emulator
