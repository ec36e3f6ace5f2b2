// SPDX-License-Identifier: Apache-2.0
// The engine that translates: counts how often blocks are interpreted, translates the regions of
// those that are hot, enters translated code and deals with what it is left for.
//
// Host code is shared by all harts and host threads. Who translates holds a lock; who finds it
// taken goes on interpreting. When the cache is full all code is dropped: nobody new enters, those
// inside leave at the end of their turns, then it is filled anew.
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include <d1/isa/semantics/atomic.hpp>
#include <d1/isa/semantics/vector.hpp>

#include "engine/block_run.hpp"
#include "engine/lockstep.hpp"
#include "engine/translator/code_register.hpp"
#include "engine/translator/region_emitter.hpp"
#include "engine/translator/stay.hpp"
#include "engine/translator/translation_counts.hpp"

namespace d1::emulator {

using isa::Hart;
using isa::Outcome;

namespace {

constexpr std::size_t kRoomForRegion = std::size_t{256} << 10;  // bytes of host code, at most
constexpr std::size_t kRoomForConstants = std::size_t{16} << 10;
constexpr std::uint32_t kMissesBeforeVariant = 8;               // own
constexpr unsigned kTries = 4;                                  // to translate a block, own
constexpr std::uint32_t kNeverTranslated = ~std::uint32_t{0};   // Block::heat

// That a core worked for it.
std::chrono::nanoseconds time_of_this_thread() noexcept {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

class Translator final : public Engine {
 public:
  Translator(const EngineOptions& options, Reach reach)
      : options_(options), cache_(options.code_bytes), register_(options) {
    target_.reach = reach;
    target_.level = std::min(options.level, detect_host_level());
    target_.base = std::max(options.memory_base, detect_memory_base());
    if (options.count_execution) counters_ = std::make_unique<ExecutionCounters>();
    target_.thunks = emit_thunks(cache_, target_.level, target_.base, counters_.get());
    totals_.level = target_.level;
    thunk_bytes_ = cache_.used();
    if (register_.wanted()) tell_thunks();
  }

  TurnEnd run(Hart& hart, const CodeView& code, std::uint64_t budget) override {
    isa::enter_guest_float(hart);
    const After after = run_turn(hart, code, work_done(hart) + budget);
    isa::leave_guest_float(hart);
    return turn_end(after);
  }
  EngineStatistics statistics() override;

 private:
  // What to do after translated code was left.
  struct Left {
    After after = After::Continue;
    bool interpret = false;       // the next block
    Link* link = nullptr;         // that leads to the next block, or to code for another state
    bool other_state = false;     // the latter
    bool ran = true;              // something, at least
    std::uint64_t generation = 0; // of the code the link is part of
  };

  After run_turn(Hart& hart, const CodeView& code, std::uint64_t limit);
  // Host code, and which generation of it that is. No code: null.
  struct Entry {
    const void* code = nullptr;
    std::uint64_t generation = 0;
  };
  [[nodiscard]] bool may_enter(const Hart& hart, const Entry& entry, Stay& stay) noexcept;
  Left run_translated(Hart& hart, const Entry& entry, std::uint64_t limit, Stay& stay);
  [[nodiscard]] Entry entry_of(Hart& hart, CodeImage& image, const Block& block, bool linked,
                               Stay& stay);
  [[nodiscard]] Entry translate(Hart& hart, CodeImage& image, const Block& block);
  [[nodiscard]] Entry variant_of(Hart& hart, CodeImage& image, const Block& block,
                                 const Left& left);
  // Where translated code left the rest of a block at a jump that can lead to code for it: that
  // code, once this has happened often enough.
  struct Rest {
    std::weak_ptr<TranslatedBlocks> image;
    const void* code = nullptr;
  };
  [[nodiscard]] Entry rest_of(Hart& hart, const Site& site, std::uint64_t generation);
  // With the lock held. Of a block, or of the rest of one that begins at a Site. Null if it does
  // not pay.
  [[nodiscard]] const void* emit_region(Hart& hart, CodeImage& image, const Block& block,
                                        const Site* rest = nullptr);
  // For a region.
  [[nodiscard]] bool has_room() {
    return cache_.room() >= kRoomForRegion && cache_.constants().room() >= kRoomForConstants;
  }
  void tell_thunks();
  void tell_region(const Region& region, const Site* rest, std::size_t inside_bytes,
                   std::size_t code_bytes);
  void link(const Left& left, const Entry& entry);
  void lead(const Link& link, const void* code);  // with the lock held
  void drop_all();
  // All that can be translated is, and runs so.
  [[nodiscard]] bool eager() const noexcept { return options_.runs_before_translation == 0; }
  [[nodiscard]] static std::uint8_t missing(const Hart& hart) noexcept;
  static bool make_ready(Hart& hart) noexcept;
  static std::uint32_t sync_counters(Hart& hart, std::uint32_t issued_before) noexcept;

  EngineOptions options_;
  CodeCache cache_;
  CodeRegister register_;
  std::unique_ptr<ExecutionCounters> counters_;  // null: nobody asked
  TranslationTarget target_;
  std::size_t thunk_bytes_ = 0;
  std::mutex mutex_;  // guards what follows, and writing to the cache
  TranslationRecords records_;
  TranslationStatistics totals_;
  EmissionCounts emissions_;
  std::vector<std::weak_ptr<TranslatedBlocks>> images_;
  std::unordered_map<const Block*, unsigned> rejections_;
  std::map<std::pair<const isa::Operation*, UnitTicks>, Rest> rests_;
  std::atomic<bool> window_known_{false};
  std::atomic<bool> dropping_{false};
  std::atomic<std::uint64_t> generation_{0};  // of all code; counted up when it is dropped
  Insiders insiders_;
};

// What translated code may not rely on in the hart's present state.
std::uint8_t Translator::missing(const Hart& hart) noexcept {
  std::uint8_t bits = 0;
  if ((hart.mstatus & isa::kMstatusFs) != isa::kMstatusFs || hart.frm > 3 ||
      hart.float_rounding != hart.frm + 1)
    bits |= kFloatReady;
  if ((hart.mstatus & isa::kMstatusVs) != isa::kMstatusVs || hart.vstart != 0 ||
      isa::agnostic_fill)
    bits |= kVectorReady;
  return bits;
}

// Loads the guest's MXCSR where only that is missing. True if something changed.
bool Translator::make_ready(Hart& hart) noexcept {
  if ((hart.mstatus & isa::kMstatusFs) != isa::kMstatusFs || hart.frm > 3 ||
      hart.float_rounding == hart.frm + 1)
    return false;
  (void)isa::detail::prepare_guest_float(hart, static_cast<isa::RoundingMode>(hart.frm));
  return true;
}

After Translator::run_turn(Hart& hart, const CodeView& code, std::uint64_t limit) {
  take_pending_interrupt(hart);
  CodeImage* image = code.find(hart.pc);
  Left left;
  Stay stay(insiders_);
  for (;;) {
    if (image == nullptr || !image->contains(hart.pc)) [[unlikely]] {
      image = code.find(hart.pc);
      left.link = nullptr;
    }
    const Block* block = image != nullptr ? &image->block(hart.pc) : nullptr;
    if (block == nullptr || block->count == 0) [[unlikely]] {
      if (fetch_fault(hart) == After::Unhandled) return After::Unhandled;
      continue;
    }
    Entry entry;
    if (left.other_state) entry = variant_of(hart, *image, *block, left);
    else if (!left.interpret) entry = entry_of(hart, *image, *block, left.link != nullptr, stay);
    if (entry.code != nullptr) {
      if (left.link != nullptr && (left.other_state || target_.reach == Reach::Turn))
        link(left, entry);
      const std::uint64_t before = StayLengths::progress(hart);
      left = run_translated(hart, entry, limit, stay);
      StayLengths::note(*block, hart, before);
    } else {
      left = {run_block(hart, *block, limit)};
    }
    if (left.ran && is_over(left.after, target_.reach)) [[unlikely]] return After::Block;
    if (left.after == After::Continue) continue;
    if (left.after != After::LookUp) return left.after;
    image = nullptr;
  }
}

// The block's host code, if it may be entered and that pays. linked: other host code goes on there.
Translator::Entry Translator::entry_of(Hart& hart, CodeImage& image, const Block& block,
                                       bool linked, Stay& stay) {
  if (hart.reservations_held) [[unlikely]] {
    isa::announce_reservations(hart);
    if (hart.reservations_held) return {};
  }
  const std::uint64_t generation = generation_.load(std::memory_order_acquire);
  // Pairs with the release in TranslatedBlocks::add.
  if (const void* code = block.entry.load(std::memory_order_acquire)) [[likely]] {
    if (linked || eager() || StayLengths::worth_entering(block, hart)) return {code, generation};
    return {};
  }
  const std::uint32_t heat = block.heat.load(std::memory_order_relaxed);
  if (heat == kNeverTranslated) return {};
  block.heat.store(heat + 1, std::memory_order_relaxed);  // losing a count does no harm
  if (heat < options_.runs_before_translation) return {};
  stay.end();  // there may be no room for more code until all have left
  return translate(hart, image, block);
}

// Begins the stay if need be. During it no code is dropped, so what was found then may be entered.
bool Translator::may_enter(const Hart& hart, const Entry& entry, Stay& stay) noexcept {
  if (stay.begun()) [[likely]] return true;
  if (hart.memory.base != target_.window_base || hart.memory.bytes != target_.window_bytes)
    return false;
  stay.begin();
  // Pairs with drop_all: either it sees this thread inside, or this thread sees that it drops, or
  // has dropped, the code.
  if (!dropping_.load(std::memory_order_seq_cst) &&
      generation_.load(std::memory_order_seq_cst) == entry.generation)
    return true;
  stay.end();
  return false;
}

Translator::Left Translator::run_translated(Hart& hart, const Entry& entry, std::uint64_t limit,
                                            Stay& stay) {
  if (!may_enter(hart, entry, stay)) return {.interpret = true, .ran = false};
  const std::uint32_t issued = hart.units[static_cast<unsigned>(isa::Unit::Issue)];
  const auto base = reinterpret_cast<std::uint64_t>(hart.memory.host) - hart.memory.base;
  hart.not_reliable = missing(hart);
  target_.thunks.enter(&hart, entry.code, static_cast<std::int64_t>(limit - work_done(hart)), base);
  see_published_code();
  const auto reason = static_cast<ExitReason>(hart.exit_reason);
  const auto* const site = static_cast<const Site*>(hart.exit_detail);  // Rest, Outcome
  const std::uint32_t retired = sync_counters(hart, issued);
  if (counters_ != nullptr) counters_->count_exit(hart.exit_reason, retired);
  switch (reason) {
    case ExitReason::Leave: return {};
    case ExitReason::Link:
    case ExitReason::State:
      return {.link = const_cast<Link*>(static_cast<const Link*>(hart.exit_detail)),
              .other_state = reason == ExitReason::State,
              .ran = reason == ExitReason::Link,
              .generation = entry.generation};
    case ExitReason::Rest:
      if (const Entry rest = rest_of(hart, *site, entry.generation); rest.code != nullptr)
        return run_translated(hart, rest, limit, stay);
      return {run_rest(hart, *site->block, *site->operation, site->charged, limit)};
    case ExitReason::Budget: return {After::Budget};
    case ExitReason::Guard: return {.interpret = !make_ready(hart), .ran = false};
    default: {
      const auto outcome = static_cast<Outcome>(static_cast<std::uint8_t>(reason) -
                                                static_cast<std::uint8_t>(ExitReason::Outcome));
      for (unsigned u = 0; u < hart.units.size(); ++u) hart.units[u] += site->charged[u];
      return {finish_block(hart, *site->block, outcome, limit)};
    }
  }
}

// Translated code counts issue time in the place of Unit::None, and no instructions: each takes a
// tick of the issue unit. Returns how many it retired.
std::uint32_t Translator::sync_counters(Hart& hart, std::uint32_t issued_before) noexcept {
  std::uint32_t& work = hart.units[static_cast<unsigned>(isa::Unit::None)];
  hart.work += work;
  work = 0;
  const std::uint32_t retired =
      hart.units[static_cast<unsigned>(isa::Unit::Issue)] - issued_before;
  hart.instret += retired;
  return retired;
}

Translator::Entry Translator::translate(Hart& hart, CodeImage& image, const Block& block) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return {};
  if (const void* code = block.entry.load(std::memory_order_acquire))
    return {code, generation_.load(std::memory_order_relaxed)};
  if (!translatable(block) || (!eager() && is_brief(image, block))) {
    block.heat.store(kNeverTranslated, std::memory_order_relaxed);
    return {};
  }
  if (!window_known_.load(std::memory_order_relaxed)) {
    target_.window_base = hart.memory.base;
    target_.window_bytes = hart.memory.bytes;
    window_known_.store(true, std::memory_order_relaxed);
  }
  const void* const entry = emit_region(hart, image, block);
  if (entry != nullptr) {
    images_.push_back(image.translated());
    image.translated()->add(block, entry);
  } else if (++rejections_[&block] < kTries) {
    block.heat.store(0, std::memory_order_relaxed);  // perhaps in another state of vtype and vl
  } else {
    block.heat.store(kNeverTranslated, std::memory_order_relaxed);
  }
  return {entry, generation_.load(std::memory_order_relaxed)};
}

const void* Translator::emit_region(Hart& hart, CodeImage& image, const Block& block,
                                    const Site* rest) {
  if (!has_room()) drop_all();
  const std::chrono::nanoseconds start = time_of_this_thread();
  const Region region = target_.reach == Reach::Block
                            ? Region{&image, {&block}}
                            : find_region(image, block, eager());
  const std::size_t used = cache_.used(), constants_used = cache_.constants().used();
  const void* code = nullptr;
  std::size_t inside_bytes = 0;
  try {
    RegionEmitter emitter(cache_, target_, records_, region, vector_state_of(hart), rest,
                          emissions_);
    code = emitter.emit();
    inside_bytes = emitter.inside_bytes();
    publish_code();
  } catch (const Xbyak::Error& error) {  // larger than the room that is kept for a region
    if (error != Xbyak::ERR_CODE_IS_TOO_BIG) throw;  // a fault of an emitter
  }
  totals_.time += time_of_this_thread() - start;
  const std::size_t constant_bytes = cache_.constants().used() - constants_used;
  count_region(totals_, region, rest, code != nullptr ? cache_.used() - used + constant_bytes : 0);
  if (code != nullptr && register_.wanted())
    tell_region(region, rest, inside_bytes, cache_.used() - used);
  return code;
}

void Translator::tell_thunks() {
  const Thunks& thunks = target_.thunks;
  const auto* const enter = reinterpret_cast<const std::uint8_t*>(thunks.enter);
  const auto* const end = cache_.executable(cache_.next());
  const auto tell = [this](const char* name, const std::uint8_t* from, const std::uint8_t* to,
                           StackShape stack) {
    register_.add({name, from, {{static_cast<std::size_t>(to - from), stack}}});
  };
  tell("d1_enter_translated_code", enter, thunks.leave, StackShape::Called);
  tell("d1_leave_translated_code", thunks.leave, thunks.scatter_bytes, StackShape::Inside);
  tell("d1_scatter", thunks.scatter_bytes, thunks.call_semantics, StackShape::Called);
  tell("d1_call_semantics", thunks.call_semantics, end, StackShape::Calling);
}

void Translator::tell_region(const Region& region, const Site* rest, std::size_t inside_bytes,
                             std::size_t code_bytes) {
  const std::uint8_t* const begin = cache_.executable(cache_.next()) - code_bytes;
  const std::uint64_t start =
      rest != nullptr ? rest->operation->pc : region.blocks.front()->start;
  register_.add({name_of_code(*region.image, start),
                 begin,
                 {{inside_bytes, StackShape::Inside},
                  {code_bytes - inside_bytes, StackShape::Called}}});
}

EngineStatistics Translator::statistics() {
  const std::lock_guard lock(mutex_);
  EngineStatistics statistics{.kind = EngineKind::Translator, .translation = totals_};
  if (counters_ != nullptr) statistics.translation->execution = counters_->read();
  statistics.translation->emitted = named(emissions_);
  return statistics;
}

// Code for the state the hart is in, where that led out of the block's code often enough; null: the
// interpreter goes on.
Translator::Entry Translator::variant_of(Hart& hart, CodeImage& image, const Block& block,
                                         const Left& left) {
  if (!vector_state_of(hart).known) return {};
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || generation_.load(std::memory_order_relaxed) != left.generation)
    return {};
  if (++left.link->misses != kMissesBeforeVariant || !has_room()) return {};
  return {emit_region(hart, image, block), left.generation};
}

Translator::Entry Translator::rest_of(Hart& hart, const Site& site, std::uint64_t generation) {
  if (site.link == nullptr) return {};
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || generation_.load(std::memory_order_relaxed) != generation) return {};
  const std::uint32_t enough = std::min(kMissesBeforeVariant, options_.runs_before_translation);
  if (site.link->misses++ != enough || !has_room()) return {};
  // Versions of a block come to the same. What another image had at this address is not meant.
  CodeImage& image = *site.link->image;
  Rest& rest = rests_[{site.operation, site.charged}];
  if (rest.image.lock() != image.translated())
    rest = {image.translated(), emit_region(hart, image, *site.block, &site)};
  if (rest.code != nullptr) lead(*site.link, rest.code);
  return {rest.code, generation};
}

// Lets a jump lead to host code from now on.
void Translator::link(const Left& left, const Entry& entry) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock() || left.generation != entry.generation ||
      generation_.load(std::memory_order_relaxed) != left.generation)
    return;
  lead(*left.link, entry.code);
}

void Translator::lead(const Link& link, const void* code) {
  const std::uint8_t* const next = cache_.executable(link.displacement) + 4;
  const auto distance = static_cast<std::int32_t>(static_cast<const std::uint8_t*>(code) - next);
  // One aligned word: others see the old target or the new one.
  std::atomic_ref(*reinterpret_cast<std::int32_t*>(link.displacement))
      .store(distance, std::memory_order_release);
  ++totals_.links;
}

// With the lock held, by a thread that does not stay in translated code.
void Translator::drop_all() {
  dropping_.store(true, std::memory_order_seq_cst);
  for (const auto& each : images_)
    if (const auto blocks = each.lock()) blocks->clear();
  images_.clear();
  while (any(insiders_)) std::this_thread::yield();
  const std::uint8_t* const end = cache_.executable(cache_.next());
  cache_.drop(thunk_bytes_);
  register_.drop(cache_.executable(cache_.next()), end);
  records_ = {};
  rejections_.clear();
  rests_.clear();
  ++totals_.cache_drops;
  generation_.fetch_add(1, std::memory_order_relaxed);
  dropping_.store(false, std::memory_order_seq_cst);
}

}  // namespace

std::unique_ptr<Engine> make_translator(const EngineOptions& options, Reach reach) {
#if defined(__x86_64__)
  try {
    return std::make_unique<Translator>(options, reach);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
#else
  (void)options, (void)reach;
  return nullptr;
#endif
}

std::unique_ptr<Engine> make_engine(const EngineOptions& options) {
  std::unique_ptr<Engine> engine;
  if (options.kind == EngineKind::Translator) engine = make_translator(options);
  if (options.kind == EngineKind::Lockstep) engine = make_lockstep(options, end_with_report);
  if (engine != nullptr) return engine;
  return make_interpreter();
}

}  // namespace d1::emulator
