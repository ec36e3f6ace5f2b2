// SPDX-License-Identifier: Apache-2.0
// What was asked of a device and what came of it, and whether a device that does each thing at most
// once, in the streams' order, can have done so. One thread.
//
// A cell is a register: writes put values that no other write puts, reads tell what they found. A
// counter goes up by one for each count. Whether an operation without a verdict (the device was
// lost, the stream was closed) took effect is unknown: both are possible, until its end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace d1::test {

enum class Asked : std::uint8_t { Write, Read, Count, ReadCounter };
enum class Outcome : std::uint8_t { UnderWay, Done, Unknown };

struct Asking {
  Asked what = Asked::Write;
  unsigned place = 0;       // cell or counter
  std::uint64_t value = 0;  // written or found
  unsigned stream = 0;      // of all clients: no two have the same
  std::uint64_t begun = 0, ended = ~std::uint64_t{0};  // of one clock for all
  Outcome outcome = Outcome::UnderWay;
};

class History {
 public:
  // Memory holds zeroes at first.
  [[nodiscard]] std::size_t begin(Asked what, unsigned place, std::uint64_t value,
                                  unsigned stream);
  void end(std::size_t number, Outcome outcome, std::uint64_t value = 0);
  [[nodiscard]] const Asking& operator[](std::size_t number) const { return all_[number]; }
  [[nodiscard]] std::size_t size() const { return all_.size(); }

  // Empty: it can have been so. Else what cannot, in a sentence.
  [[nodiscard]] std::string fault() const;

 private:
  [[nodiscard]] std::string fault_of_read(const Asking& read) const;
  [[nodiscard]] std::string fault_of_counter(const Asking& read) const;

  std::vector<Asking> all_;
  std::uint64_t now_ = 0;
};

}  // namespace d1::test
