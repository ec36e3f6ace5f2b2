// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/region_registers.hpp"

#include <algorithm>
#include <vector>

namespace d1::emulator {

namespace {

// The host registers that are left for others.
std::vector<int> choose_sums(MatrixRegisters& matrix) {
  matrix.right_forms.clear();
  std::vector<unsigned> groups;
  for (unsigned group = 0; group < kSumGroups; ++group)
    if (matrix.sums.uses(group) != 0) groups.push_back(group);
  std::stable_sort(groups.begin(), groups.end(), [&](unsigned a, unsigned b) {
    return matrix.sums.uses(a) > matrix.sums.uses(b);
  });
  // What sums leave of the first eight is for forms of B, which save a load each time.
  constexpr int kFours[] = {16, 20, 24, 28, 0, 4};
  std::vector<int> free;
  unsigned next = 0;
  for (const int host : kFours) {
    if (next < groups.size()) matrix.sums.keep(groups[next++], host);
    else if (host < kLeftForms) matrix.right_forms.push_back(host);
    else for (int i = 0; i < 4; ++i) free.push_back(host + i);
  }
  return free;
}

std::vector<int> all_free(HostLevel level, Scratch scratch) {
  std::vector<int> free;
  free.reserve(32);
  const int end = scratch == Scratch::WithExtra ? kFirstExtraScratch : kThirdScratchVector;
  for (int host = 0; host < end; ++host) free.push_back(host);
  // Behind the scratch registers and the counters.
  if (level == HostLevel::Avx512)
    for (int host = 16; host < 32; ++host) free.push_back(host);
  return free;
}

}  // namespace

void choose_kept(KeptRegisters& floats, KeptRegisters& vectors, MatrixRegisters& matrix,
                 HostLevel level, Scratch scratch) {
  struct Candidate {
    KeptRegisters* file;
    unsigned guest;
    std::uint32_t uses;
  };
  std::vector<Candidate> candidates;
  candidates.reserve(64);
  for (KeptRegisters* file : {&floats, &vectors}) file->keep_none();
  for (KeptRegisters* file : {&floats, &vectors})
    for (unsigned guest = 0; guest < 32; ++guest)
      if (const std::uint32_t count = file->uses(guest); count != 0 && !file->excluded(guest))
        candidates.push_back({file, guest, count});
  if (candidates.empty() && !matrix.sums.used()) return;
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.uses > b.uses; });
  const std::vector<int> free = matrix.sums.used() ? choose_sums(matrix) : all_free(level, scratch);
  for (std::size_t i = 0; i < std::min(free.size(), candidates.size()); ++i)
    candidates[i].file->keep(candidates[i].guest, free[i]);
}

}  // namespace d1::emulator
