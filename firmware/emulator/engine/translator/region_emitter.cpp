// SPDX-License-Identifier: Apache-2.0
#include "engine/translator/region_emitter.hpp"

#include <utility>

#include <d1/isa/operands.hpp>

#include "engine/block_run.hpp"
#include "engine/register_use.hpp"

namespace d1::emulator {

using isa::Operation;

namespace {

constexpr std::size_t kVersions = 64;  // own: of the blocks of a region

}  // namespace

const std::uint8_t* RegionEmitter::emit() {
  const std::uint8_t* const entry = cache().executable(getCurr());
  const std::size_t sites = records_.sites.size(), links = records_.links.size();
  survey();
  for (unsigned attempt = 0;; ++attempt) {
    const Assumptions assumed = choose_registers();
    if (relies_on_ != 0 || keeps_registers()) emit_entry();
    emit_all();
    emit_cold();
    if (any_slow_call_) emit_slow_call();
    inside_bytes_ = getSize();
    const bool pays = 2 * vector_calls_ <= vectors_seen_;
    if (pays && holds(assumed, attempt)) break;
    forget_all(sites, links);
    if (!pays) return nullptr;
  }
  emit_settlers();
  if (keeps_registers()) emit_kept_registers();
  finish();
  count_emissions();
  return entry;
}

void RegionEmitter::survey() {
  const RegisterSurvey seen = survey_registers(region_, entry_state_, level());
  floats_ = seen.floats;
  vectors_ = seen.vectors;
  matrix_.sums = seen.sums;
  relies_on_ = seen.relies_on;
  singles_read_ = seen.singles_read;
  unboxed_writes_ = seen.unboxed_writes;
  integers_ = choose_integer_places(seen.integers, target_.base);
}

// By what was noted until now; from here on the emission notes.
RegionEmitter::Assumptions RegionEmitter::choose_registers() {
  choose_kept(floats_, vectors_, matrix_, level(),
              uses_extra_scratch_ ? Scratch::WithExtra : Scratch::Usual);
  always_boxed_ = singles_read_ & ~unboxed_writes_;
  floats_.forget_uses();
  vectors_.forget_uses();
  return {relies_on_, uses_extra_scratch_, matrix_.sums.used()};
}

// Whether the code that was emitted stands: all that it relies on was chosen as it needs it. What
// is kept without use does no harm, but is worth a second attempt.
bool RegionEmitter::holds(const Assumptions& assumed, unsigned attempt) const noexcept {
  const bool wasteful = attempt == 0 && (floats_.keeps_unused() || vectors_.keeps_unused());
  return !wasteful && relies_on_ == assumed.relies_on &&
         uses_extra_scratch_ == assumed.extra_scratch && matrix_.sums.used() == assumed.sums &&
         !floats_.keeps_excluded() && !vectors_.keeps_excluded() &&
         (always_boxed_ & unboxed_writes_) == 0;
}

void RegionEmitter::count_emissions() {
  for (const auto& [id, in_line] : emitted_)
    ++(in_line ? counts_.in_line : counts_.called)[static_cast<std::size_t>(id)];
}

void RegionEmitter::emit_all() {
  begin(*region_.blocks.front(), entry_state_, {}, {});
  if (rest_ != nullptr) emit_rest(*rest_);
  else (void)version_of(region_.blocks.front()->start);
  // Code of the guest that is out of line may put more there, and lead to further versions.
  for (;;) {
    if (Version* const version = take_next_version()) {
      emit_block(*version);
    } else if (!cold_code_.empty()) {
      cold_code_.run_next();
    } else {
      return;
    }
  }
}

void RegionEmitter::emit_cold() {
  while (!cold_.empty()) cold_.run_next();  // may put more there
}

void RegionEmitter::emit_settlers() {
  for (auto& [pending, settler] : settlers_) {
    L(settler);
    settle(pending);
    ret();
  }
  emit_cold();
}

void RegionEmitter::forget_all(std::size_t sites, std::size_t links) {
  cold_.clear();
  cold_code_.clear();
  versions_.clear();
  loop_tops_.clear();
  exits_.clear();
  budget_exits_.clear();
  settlers_.clear();
  vectors_seen_ = vector_calls_ = 0;
  emitted_.clear();
  any_slow_call_ = false;
  records_.sites.resize(sites);
  records_.links.resize(links);
  reset();
  for (Label* const each : {&flush_, &reload_, &guard_, &rest_top_, &slow_call_}) *each = {};
}

// Checks what the region relies on, and loads what it keeps.
void RegionEmitter::emit_entry() {
  if (relies_on_ != 0) {
    test(hart_field8(offset_of(&isa::Hart::not_reliable)), static_cast<std::uint8_t>(relies_on_));
    jnz(guard_, T_NEAR);
  }
  for_each_bit(always_boxed_, [this](unsigned guest) {
    cmp(upper_half_in_memory(guest), -1);
    jne(guard_, T_NEAR);
  });
  if (entry_state_.known) emit_state_check();
  if (keeps_registers()) reload_kept();
  out_of_line([this] {
    L(guard_);
    if (rest_ != nullptr) return leave_rest(*rest_);
    mov(rax, region_.blocks.front()->start);
    jmp(as_written(target_.thunks.leave_guard), T_NEAR);
  });
}

// Leaves by a link, which may lead to code for another state later.
void RegionEmitter::emit_state_check() {
  Label other;
  const std::size_t type = offset_of(&isa::Hart::vtype);
  const auto lmul = static_cast<std::uint8_t>(entry_state_.lmul_log2);
  // A fraction's logarithm is below zero: the assembler takes 16 bits as a signed number.
  const auto packed = static_cast<std::int16_t>(entry_state_.sew_log2 | lmul << 8);
  cmp(hart_field16(type), static_cast<std::uint32_t>(packed));
  jne(other, T_NEAR);
  cmp(hart_field8(type + offsetof(isa::VectorType, ill)), 0);
  jne(other, T_NEAR);
  const Xbyak::Address vl = hart_field(offset_of(&isa::Hart::vl));
  if (entry_state_.length == kAnyLength) {
    mov(rcx, vl);
    emit_length_mask(rcx);
  } else {
    cmp(vl, static_cast<std::uint32_t>(entry_state_.length));
    jne(other, T_NEAR);
  }
  out_of_line([this, other]() mutable {
    L(other);
    emit_link(region_.blocks.front()->start, target_.thunks.leave_state);
  });
}

void RegionEmitter::flush_kept() {
  if (keeps_registers()) call(flush_);
}
void RegionEmitter::flush_kept(const SumStates& states) {
  sums_here_ = states;
  sums_to_host(~0u);
  record_sums();
  flush_kept();
}
void RegionEmitter::reload_kept() {
  if (keeps_registers()) call(reload_);
}

void RegionEmitter::emit_kept_registers() {
  const auto each = [](const KeptRegisters& file, const auto& move) {
    for_each_bit(file.all_kept(), [&](unsigned guest) { move(guest, file.host(guest)); });
  };
  L(flush_);
  for (const auto& [guest, instead] : integers_.exchanges()) {
    const Xbyak::Reg64 host(integers_.host(guest));
    mov(x_in_memory(guest), host);
    mov(host, x_in_memory(instead));
  }
  each(floats_, [this](unsigned guest, int host) {
    if (floats_.written(guest)) vmovsd(f_in_memory(guest), Xbyak::Xmm(host));
  });
  const KeptSums& sums = matrix_.sums;
  const bool keeps_vectors = vectors_.any_kept() || sums.all_kept() != 0;
  if (keeps_vectors) point_to_vectors();
  const auto v = [this](unsigned guest) {
    return zword[rdx + static_cast<int>(guest * isa::kVlenBytes)];
  };
  each(vectors_, [&](unsigned guest, int host) {
    if (vectors_.written(guest)) vmovdqa64(v(guest), Xbyak::Zmm(host));
  });
  for (unsigned group = 0; group < kSumGroups; ++group) {
    if (!sums.kept(group)) continue;
    Label settled;
    test(unsettled_groups(8), 1u << group);
    jz(settled);
    settle_sums(sums.host(group));
    L(settled);
    store_sums(group);
  }
  ret();
  L(reload_);
  for (const auto& [guest, instead] : integers_.exchanges()) {
    const Xbyak::Reg64 host(integers_.host(guest));
    mov(x_in_memory(instead), host);
    mov(host, x_in_memory(guest));
  }
  each(floats_, [this](unsigned guest, int host) {
    vmovsd(Xbyak::Xmm(host), f_in_memory(guest));
  });
  if (keeps_vectors) point_to_vectors();
  each(vectors_, [&](unsigned guest, int host) { vmovdqa64(Xbyak::Zmm(host), v(guest)); });
  for (unsigned group = 0; group < kSumGroups; ++group)
    if (sums.kept(group)) load_sums(group);
  if (sums.all_kept() != 0) mov(unsettled_groups(8), 0);
  ret();
}

// What the block at a place of the region relies on of the state here.
VectorState RegionEmitter::state_for(std::size_t place) const {
  return uses_state_[place] ? state_ : VectorState{};
}

RegionEmitter::Version* RegionEmitter::version_of(std::uint64_t pc) {
  const std::size_t place = region_.place_of(pc);
  const bool is_entry = versions_.empty() && rest_ == nullptr;
  if (place == region_.blocks.size() || (target_.reach == Reach::Block && !is_entry))
    return nullptr;
  const Block* const block = region_.blocks[place];
  const VectorState state = state_for(place);
  for (Version& version : versions_)
    if (version.block == block && version.state == state && version.pending == pending_)
      return &version;
  if (versions_.size() == kVersions) return nullptr;
  return &versions_.emplace_back(Version{block, state, pending_});
}

RegionEmitter::Version* RegionEmitter::take_next_version() {
  if (next_ != nullptr) return std::exchange(next_, nullptr);
  for (Version& version : versions_)
    if (!version.emitted) return &version;
  return nullptr;
}

void RegionEmitter::emit_block(Version& version) {
  version.emitted = true;
  block_ = version.block;
  L(version.label);
  const AccessPlan& plan = plan_of(*block_);
  if (!plan.hoists() || target_.reach == Reach::Block) return emit_body(version, {});
  Label checked;
  emit_loop_entry(plan, checked);
  if (plan.counts()) emit_counted_body(version);
  else emit_body(version, {.hoisted = true, .top = &loop_tops_.emplace_back()});
  code_out_of_line([this, &version, checked]() mutable {
    L(checked);
    emit_body(version, {.is_copy = true, .top = &loop_tops_.emplace_back()});
  });
}

void RegionEmitter::begin(const Block& block, const VectorState& state,
                          const PendingResults& pending, const LoopBody& loop) {
  block_ = &block;
  plan_ = &plan_of(block);
  state_ = state_at_top_ = state;
  loop_ = loop;
  pending_ = pending_at_top_ = pending;
  boxed_ = always_boxed_;
  varying_ = {};
  sums_here_ = {};
  forms_ = {};
}

void RegionEmitter::emit_body(const Version& version, const LoopBody& loop) {
  begin(*version.block, version.state, version.pending, loop);
  if (loop.top != nullptr) {
    align(kLoopAlignment);
    L(*loop.top);
  }
  emit_operations(0);
}

void RegionEmitter::emit_operations(unsigned first) {
  emit_all_but_end(first);
  const isa::InstructionId last = block_->operations[block_->count - 1].id;
  if (is_jump(last)) emitted_.emplace_back(last, true);
  emit_end(*block_);
}

void RegionEmitter::emit_all_but_end(unsigned first) {
  const bool jumps = is_jump(block_->operations[block_->count - 1].id);
  const unsigned end = block_->count - (jumps ? 1 : 0);
  for (unsigned i = first; i < end; ++i) emit_operation(block_->operations[i]);
}

void RegionEmitter::emit_operation(const Operation& operation) {
  prepare_sums(operation);
  sums_before_ = sums_here_;
  pending_before_ = pending_;
  const bool vector = is_vector(operation.id);
  const bool in_line = vector ? emit_vector(operation) : emit_scalar(operation);
  emitted_.emplace_back(operation.id, in_line);
  if (!in_line) call_semantics(operation);
  if (!vector) return;
  ++vectors_seen_;
  if (!in_line) ++vector_calls_;
  const VectorState before = state_;
  state_ = state_after(operation, before, any_length_ ? Length::Any : Length::Most);
  // vset* has made the mask itself.
  if (state_.known && may_shorten(operation)) {
    mov(rcx, hart_field(offset_of(&isa::Hart::vl)));
    emit_length_mask(rcx);
  }
}

bool RegionEmitter::emit_scalar(const Operation& operation) {
  return emit_integer(operation) || emit_multiply(operation) || emit_bits(operation) ||
         emit_memory(operation) || emit_float(operation) || emit_rounding_mode(operation);
}

Site& RegionEmitter::make_site(const Operation& operation) {
  return records_.sites.emplace_back(
      Site{isa::semantics_of(operation.id), &operation, block_, varying_});
}

void RegionEmitter::call_semantics(const Operation& operation) {
  for (const isa::Operand each : isa::operands_of(operation.id)) {
    if (each != isa::Operand::fd) continue;
    boxed_ &= ~(1u << operation.rd);
    if (isa::facts(operation.id).extension != isa::Extension::F)
      unboxed_writes_ |= 1u << operation.rd;
  }
  settle_all();
  flush_kept(sums_here_);
  take_back_rounds(loop_);
  mov(rax, reinterpret_cast<std::uint64_t>(&make_site(operation)));
  call(as_written(target_.thunks.call_semantics));
  reload_kept();
  add_rounds(loop_);
  sums_here_ = {};
  sums_here_.settled = ~0u;
  forms_ = {};
}

UnitTicks RegionEmitter::cost_of(const Block& block) {
  UnitTicks ticks = block.fixed_units;
  ticks[static_cast<unsigned>(isa::Unit::None)] = block.work;
  return ticks;
}

void RegionEmitter::add_counters(const Block& block) {
  UnitTicks ticks = cost_of(block);
  for (unsigned u = 0; u < ticks.size(); ++u) ticks[u] += varying_[u];
  ticks[static_cast<unsigned>(isa::Unit::None)] = block.work;
  const std::uint8_t* const constant = constant_ticks(ticks);
  if (level() != HostLevel::Portable) {
    vpaddd(ymm15, ymm15, ptr[rip + constant]);
  } else {
    paddd(xmm14, ptr[rip + constant]);
    paddd(xmm15, ptr[rip + constant + 16]);
  }
}

std::uint32_t RegionEmitter::ticks_of(const Block& block) {
  return block.work + budget_of(block.fixed_units);
}

std::uint32_t RegionEmitter::budget_ticks(const Block& block) const {
  return ticks_of(block) + budget_of(varying_);
}

}  // namespace d1::emulator
