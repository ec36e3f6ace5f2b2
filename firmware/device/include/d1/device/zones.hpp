// SPDX-License-Identifier: Apache-2.0
// Named stretches of a kernel for the profiler. Costs two instructions, whether anyone looks or
// not:
//
//   { D1_ZONE("inner loop"); ... }
#pragma once

#include <cstdint>

#include <d1/abi/zone.h>
#include <d1/xd1.h>

namespace d1 {

// Lives from the zone's begin to its end. `name` must be a string literal.
class zone {
 public:
  explicit zone(const char* name) : name_(reinterpret_cast<std::uintptr_t>(name)) {
    d1_zone(name_);
  }
  ~zone() { d1_zone(name_ | D1_ZONE_END); }
  zone(const zone&) = delete;
  zone& operator=(const zone&) = delete;

 private:
  std::uint64_t name_;
};

}  // namespace d1

#define D1_ZONE_PASTE(a, b) a##b
#define D1_ZONE_NAME(line) D1_ZONE_PASTE(d1_zone_of_line_, line)
#define D1_ZONE(name) const d1::zone D1_ZONE_NAME(__LINE__)("" name)
