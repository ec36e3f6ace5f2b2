// SPDX-License-Identifier: Apache-2.0
#include "history.hpp"

#include <fmt/format.h>

namespace d1::test {

namespace {

// a took effect, if at all, before b did: it had ended, or stands before it in its stream.
bool precedes(const Asking& a, const Asking& b) {
  return a.ended < b.begun || (a.stream == b.stream && a.begun < b.begun);
}

std::string name(const Asking& asking) {
  const char* const verb = asking.what == Asked::Write ? "write" : "read";
  return fmt::format("the {} of {} at cell {} (stream {}, from {} to {})", verb, asking.value,
                     asking.place, asking.stream, asking.begun, asking.ended);
}

}  // namespace

std::size_t History::begin(Asked what, unsigned place, std::uint64_t value, unsigned stream) {
  all_.push_back({what, place, value, stream, ++now_});
  return all_.size() - 1;
}

void History::end(std::size_t number, Outcome outcome, std::uint64_t value) {
  Asking& asking = all_[number];
  asking.ended = ++now_;
  asking.outcome = outcome;
  if (asking.what == Asked::Read || asking.what == Asked::ReadCounter) asking.value = value;
}

std::string History::fault() const {
  for (const Asking& asking : all_) {
    if (asking.outcome != Outcome::Done) continue;
    std::string fault;
    if (asking.what == Asked::Read) fault = fault_of_read(asking);
    if (asking.what == Asked::ReadCounter) fault = fault_of_counter(asking);
    if (!fault.empty()) return fault;
  }
  return {};
}

std::string History::fault_of_read(const Asking& read) const {
  const Asking before{Asked::Write, read.place, 0, ~0u, 0, 0, Outcome::Done};
  const Asking* source = read.value == 0 ? &before : nullptr;
  for (const Asking& write : all_)
    if (write.what == Asked::Write && write.place == read.place && write.value == read.value)
      source = &write;
  if (source == nullptr) return name(read) + " found what nobody wrote there";
  if (precedes(read, *source)) return name(read) + " found " + name(*source) + ", which came later";
  for (const Asking& write : all_)
    if (write.what == Asked::Write && write.place == read.place &&
        write.outcome == Outcome::Done && write.value != read.value && precedes(*source, write) &&
        precedes(write, read))
      return name(read) + " overlooked " + name(write) + " behind " + name(*source);
  return {};
}

std::string History::fault_of_counter(const Asking& read) const {
  std::uint64_t least = 0, most = 0;
  for (const Asking& count : all_) {
    if (count.what != Asked::Count || count.place != read.place) continue;
    least += count.outcome == Outcome::Done && precedes(count, read);
    most += !precedes(read, count);
  }
  if (read.value >= least && read.value <= most) return {};
  return fmt::format("counter {} was {} at {} to {}, where {} counts were done for sure and {} "
                     "were begun",
                     read.place, read.value, read.begun, read.ended, least, most);
}

}  // namespace d1::test
