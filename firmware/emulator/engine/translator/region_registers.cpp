// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/region_registers.hpp"

#include <algorithm>
#include <vector>

namespace d1::emulator {

void choose_kept(KeptRegisters& floats, KeptRegisters& vectors, HostLevel level, Uses uses) {
  struct Candidate {
    KeptRegisters* file;
    unsigned guest;
    unsigned uses;
  };
  std::vector<Candidate> candidates;
  for (KeptRegisters* file : {&floats, &vectors})
    for (unsigned guest = 0; guest < 32; ++guest)
      if (const unsigned count = file->uses(guest); count != 0 && !file->excluded(guest))
        candidates.push_back({file, guest, count});
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.uses > b.uses; });
  int next = 0;
  const int end = level == HostLevel::Avx512 ? 32 : kThirdScratchVector;
  for (const Candidate& each : candidates) {
    if (next == kFirstPairOrder && uses == Uses::Matrix) next = kThirdScratchVector;
    if (next == kThirdScratchVector) next = 16;  // behind the scratch registers and the counters
    if (next >= end) break;
    each.file->keep(each.guest, next++);
  }
}

}  // namespace d1::emulator
