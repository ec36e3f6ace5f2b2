// SPDX-License-Identifier: Apache-2.0
// What a RegionEmitter knows while it emits: what the code is made for, what of the region was
// emitted, and what holds at the place that is being emitted.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory_resource>
#include <vector>

#include "engine/translator/access_plan.hpp"
#include "engine/translator/assembler.hpp"
#include "engine/translator/deferred_code.hpp"
#include "engine/translator/integer_places.hpp"
#include "engine/translator/region.hpp"
#include "engine/translator/register_survey.hpp"
#include "engine/translator/translation_target.hpp"
#include "engine/translator/vector_forms.hpp"
#include "engine/translator/vector_state.hpp"

namespace d1::emulator {

inline constexpr std::size_t kLoopAlignment = 32;  // bytes; own

class RegionState : public Assembler {
 protected:
  using Reg64 = Xbyak::Reg64;
  using Reg32 = Xbyak::Reg32;
  using Operation = isa::Operation;

  // A block as it is emitted for one state at its beginning.
  struct Version {
    const Block* block;
    VectorState state;
    PendingResults pending;
    bool emitted = false;
    Label label{};
  };
  // The body of a block that loops to itself, and whose accesses can be checked for many rounds at
  // once (access_plan.hpp), is emitted twice: the copy is for when such a check fails.
  struct LoopBody {
    bool hoisted = false;  // accesses were checked, and part of the budget is put by
    bool is_copy = false;
    const Block* counted = nullptr;  // the block, if its rounds are counted beforehand
    bool is_second = false;          // of a pair of those; its end takes the ticks of both
    Label* top = nullptr;  // where the next round begins; null: where the block does
  };

  RegionState(CodeCache& cache, const TranslationTarget& target, TranslationRecords& records,
              const Region& region, const VectorState& state, const Site* rest,
              EmissionCounts& counts)
      : Assembler(cache, target.level, target.base),
        target_(target),
        records_(records),
        region_(region),
        rest_(rest),
        counts_(counts),
        memory_operand_(qword[rbp]),
        memory_part_(qword[rbp]),
        integers_(target.base),
        uses_state_(blocks_that_use_state(region)),
        entry_state_(rest == nullptr && uses_state_[0] ? state : VectorState{}) {}

  // For what lives as long as this, and never goes before.
  static constexpr std::size_t kUsualBytes = std::size_t{16} << 10;
  alignas(std::max_align_t) std::byte first_bytes_[kUsualBytes];
  std::pmr::monotonic_buffer_resource memory_{first_bytes_, kUsualBytes};

  const TranslationTarget& target_;
  TranslationRecords& records_;
  const Region& region_;
  const Site* const rest_;  // where the region is entered; null: at its first block's beginning
  EmissionCounts& counts_;
  const Block* block_ = nullptr;  // being emitted
  const AccessPlan* plan_ = nullptr;  // of that
  std::pmr::deque<Version> versions_{&memory_};
  Version* next_ = nullptr;  // falls through from what is being emitted
  bool any_length_ = false;  // what a register gives to a vset* may be less than VLMAX
  LoopBody loop_;                // being emitted
  std::pmr::deque<Label> loop_tops_{&memory_};
  std::pmr::map<const Block*, AccessPlan> plans_{&memory_};
  std::pmr::map<std::uint64_t, Label> exits_{&memory_}, budget_exits_{&memory_};  // by address
  std::pmr::map<PendingResults, Label> settlers_{&memory_};
  DeferredCode cold_{memory_}, cold_code_{memory_};  // the latter of the guest
  Xbyak::Address memory_operand_, memory_part_;
  Xbyak::Xmm register_part_;

  IntegerPlaces integers_;
  // What a survey, then the emission, finds out (register_survey.hpp).
  KeptRegisters floats_, vectors_;
  std::uint32_t relies_on_ = 0;        // Reliance bits
  std::uint32_t singles_read_ = 0;     // float registers used as singles
  std::uint32_t unboxed_writes_ = 0;   // ... and those that may get something else
  std::uint32_t always_boxed_ = 0;     // hold singles in the whole region, once that is checked
  std::uint32_t boxed_ = 0;            // hold singles here
  Label flush_, reload_, guard_, rest_top_, slow_call_;
  bool any_slow_call_ = false;

  const BlockSet uses_state_;
  const VectorState entry_state_;  // known only if the entry's code depends on it
  VectorState state_;              // here
  VectorState state_at_top_;       // of the block that is being emitted
  // Here, before the operation that is being emitted, and at the beginning of the block's body.
  PendingResults pending_, pending_before_, pending_at_top_;
  UnitTicks varying_{};                    // of the block so far: beyond its fixed_units
  unsigned vectors_seen_ = 0, vector_calls_ = 0;
  std::pmr::vector<std::pair<isa::InstructionId, bool>> emitted_{&memory_};  // true: in line
  bool uses_extra_scratch_ = false;
  MatrixRegisters matrix_;
  // Here, and before the operation that is being emitted: what its way out of line finds.
  SumStates sums_here_, sums_before_;
  OperandForms forms_;  // here
};

}  // namespace d1::emulator
