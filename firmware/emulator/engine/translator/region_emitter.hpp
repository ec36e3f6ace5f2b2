// SPDX-License-Identifier: Apache-2.0
// Emits the host code of one region. One source file for each group of instructions
// (emit_*.cpp); what no emitter knows is done by its semantics function, out of line.
//
// An emitter is a function that takes an operation and returns false if it leaves it to the
// semantics function. It must have emitted nothing then.
#pragma once

#include <bit>
#include <optional>

#include "engine/register_use.hpp"
#include "engine/translator/function_reference.hpp"
#include "engine/translator/region_state.hpp"

namespace d1::emulator {

class RegionEmitter : private RegionState {
 public:
  RegionEmitter(CodeCache& cache, const TranslationTarget& target, TranslationRecords& records,
                const Region& region, const VectorState& state, const Site* rest,
                EmissionCounts& counts)
      : RegionState(cache, target, records, region, state, rest, counts) {}

  // The executable address of the entry; null if the interpreter does as well, because most
  // vector instructions would only call their semantics. Throws Xbyak::Error if there is no room.
  const std::uint8_t* emit();
  // Of the code in which the stack is as it was entered: functions and constants come behind it.
  [[nodiscard]] std::size_t inside_bytes() const noexcept { return inside_bytes_; }

 private:
  // --- the region (region_emitter.cpp) --------------------------------------------------------
  void survey();
  // What is settled before code is emitted. If it turns out otherwise the code is emitted again.
  struct Assumptions {
    std::uint32_t relies_on;
    bool extra_scratch, sums;
  };
  Assumptions choose_registers();
  [[nodiscard]] bool holds(const Assumptions& assumed, unsigned attempt) const noexcept;
  void emit_all();
  void emit_cold();
  void emit_settlers();
  void forget_all(std::size_t sites, std::size_t links);
  void emit_entry();
  void emit_state_check();
  void emit_kept_registers();
  // Kept registers go to memory where they were written, and come back. rdx is lost. The sums of
  // matrix products must be in host registers, and recorded; or are made so, from those states.
  void flush_kept();
  void flush_kept(const SumStates& states);
  void reload_kept();
  [[nodiscard]] bool keeps_registers() const noexcept {
    return floats_.any_kept() || vectors_.any_kept() || matrix_.sums.all_kept() != 0 ||
           !integers_.exchanges().empty();
  }
  [[nodiscard]] VectorState state_for(std::size_t place) const;
  // The version of the block at pc for the state here, to be emitted if it is new; null: outside.
  Version* version_of(std::uint64_t pc);
  Version* take_next_version();
  void emit_block(Version& version);
  void begin(const Block& block, const VectorState& state, const PendingResults& pending,
             const LoopBody& loop);
  void emit_operations(unsigned first);
  void emit_all_but_end(unsigned first);
  void emit_body(const Version& version, const LoopBody& loop);
  const AccessPlan& plan_of(const Block& block);
  void emit_operation(const Operation& operation);
  bool emit_scalar(const Operation& operation);
  void count_emissions();
  void call_semantics(const Operation& operation);
  Site& make_site(const Operation& operation);
  // Runs `emit` behind the hot code.
  template <typename Emit>
  void out_of_line(Emit&& emit) {
    cold_.push(std::forward<Emit>(emit));
  }
  template <typename Emit>
  void code_out_of_line(Emit&& emit) {
    cold_code_.push(std::forward<Emit>(emit));
  }

  // --- time -----------------------------------------------------------------------------------
  // The block's cost, issue time in the place of Unit::None; and what of it counts on the budget.
  void add_counters(const Block& block);
  [[nodiscard]] const std::uint8_t* constant_ticks(const UnitTicks& ticks) {
    return constant(std::bit_cast<std::array<std::uint64_t, sizeof(UnitTicks) / 8>>(ticks));
  }
  [[nodiscard]] static UnitTicks cost_of(const Block& block);  // without what varies
  [[nodiscard]] static std::uint32_t ticks_of(const Block& block);
  [[nodiscard]] std::uint32_t budget_ticks(const Block& block) const;

  // --- control flow (emit_control.cpp) --------------------------------------------------------
  void emit_end(const Block& block);
  // A loop of one block hands its pending registers to a version of itself.
  [[nodiscard]] bool hands_pending_to_itself(const Block& block);
  void emit_branch(const Block& block, const Operation& operation);
  // A loop's back edge, behind the jump that leaves it: on to `target` while the budget lasts.
  void emit_back_edge(std::uint64_t target);
  void compare(const Operation& branch);
  void emit_jump_register(const Block& block, const Operation& operation);
  // Goes on at pc: in the region, or through a link. From the end of a block, at whose turn's end
  // nothing is to be checked.
  void go_to(std::uint64_t pc);
  // The label of pc in the region, or of an exit.
  Label& label_of(std::uint64_t pc);
  Label& budget_exit(std::uint64_t pc);
  // A jump that leaves by `exit` until it is linked to the host code of pc.
  void emit_link(std::uint64_t pc, const std::uint8_t* exit);
  // A jump to what follows it, to be led elsewhere later.
  Link& emit_linked_jump();

  // --- loops of one block (emit_loop.cpp) ------------------------------------------------------
  // Before the first round of a loop and every plan.rounds behind it. `checked` is taken where some
  // of what they access may lie outside. Puts by what is left of the budget behind those rounds.
  void emit_loop_entry(const AccessPlan& plan, Label& checked);
  void count_rounds(const AccessPlan& plan, Label& checked);
  void divide_by_ticks(const Block& block);
  void multiply_cost(const Block& block);
  void find_cost_left(const LoopBody& loop);
  // Around everything that looks at the counters in a round, or clears them.
  void take_back_rounds(const LoopBody& loop);
  void add_rounds(const LoopBody& loop);
  void emit_counted_body(const Version& version);
  void emit_counted_end(const Block& block, const Operation& branch);

  // --- integer registers (emit_integer.cpp) ---------------------------------------------------
  [[nodiscard]] int pinned(unsigned guest) const noexcept { return integers_.host(guest); }
  // The register that holds the value: its own, or `scratch` after a load.
  Reg64 read(unsigned guest, const Reg64& scratch);
  // As an operand of an instruction; not x0.
  [[nodiscard]] const Xbyak::Operand& operand(unsigned guest);
  void load(const Reg64& to, unsigned guest);
  // Where a result is computed: the register's own, or rax; write() puts it into its place.
  [[nodiscard]] Reg64 result(unsigned guest) const;
  void write(unsigned guest, const Reg64& from);

  bool emit_integer(const Operation& operation);
  bool emit_multiply(const Operation& operation);
  bool emit_bits(const Operation& operation);
  using Binary = FunctionReference<void(const Xbyak::Operand&, const Xbyak::Operand&)>;
  enum class Order : std::uint8_t { Commutes, Matters };
  void move(unsigned to, unsigned from);
  void binary(const Operation& operation, Order order, const Binary& emit);
  using BinaryWord = FunctionReference<void(const Reg32&, const Xbyak::Operand&)>;
  void binary_word(const Operation& operation, const BinaryWord& emit);
  void immediate(const Operation& operation, const FunctionReference<void(const Reg64&)>& emit);
  enum class Width : std::uint8_t { Word, Double };
  enum class Shift : std::uint8_t { Left, RightUnsigned, RightSigned, RotateLeft, RotateRight };
  void shift(const Operation& operation, Shift kind, Width width);
  void shift_immediate(const Operation& operation, Shift kind, Width width);
  void set_if(const Operation& operation, bool is_signed, bool with_immediate);
  enum class Division : std::uint8_t { Quotient, Remainder };
  void divide(const Operation& operation, Division part, bool is_signed, Width width);

  // --- memory (emit_memory.cpp) ---------------------------------------------------------------
  bool emit_memory(const Operation& operation);
  // The base register of an access whose place is, or was, checked. Where it lies outside, `slow`
  // is taken; finish_access() says what happens there, and ends the emitter.
  Reg64 checked_address(const Operation& operation, unsigned bytes, Label& slow);
  void finish_access(const Operation& operation, Label& slow, Label& back);
  // `outside` is taken if low to end, as distances from `base`, do not lie in the window. Uses rax.
  void check_range(const Reg64& base, std::int64_t low, std::int64_t end, Label& outside);
  [[nodiscard]] AccessPlan::Access access_of(const Operation& operation) const;
  // Calls the semantics out of line at `slow`, and comes back to `back`.
  void slow_path(const Operation& operation, Label& slow, Label& back);
  void slow_path(Site& site, Label& slow, Label& back,
                 std::optional<Xbyak::Xmm> overwritten = {});  // its former value is in xmm14
  void emit_slow_call();
  // Leaves the rest of the block to the interpreter, out of line at `rest`; and here.
  void rest_path(const Operation& operation, Label& rest);
  void leave_rest(const Site& site);
  // Settles by a function of the region that all such places share.
  void call_settle(const PendingResults& pending);

  bool emit_rounding_mode(const Operation& operation);  // emit_csr.cpp
  // --- floating point (emit_float.cpp) --------------------------------------------------------
  enum class Format : std::uint8_t { Single, Double };
  enum class Comparison : std::uint8_t { Equal, Less, LessEqual };
  using FloatBinary =
      FunctionReference<void(const Xbyak::Xmm&, const Xbyak::Xmm&, const Xbyak::Xmm&)>;
  using FloatFused =
      FunctionReference<void(const Xbyak::Xmm&, const Xbyak::Xmm&, const Xbyak::Operand&)>;
  [[nodiscard]] Xbyak::Address f_in_memory(unsigned number) const {
    return hart_field(offset_of(&isa::Hart::f) + 8 * number);
  }
  [[nodiscard]] Xbyak::Address upper_half_in_memory(unsigned number) const {
    return hart_field32(offset_of(&isa::Hart::f) + 8 * number + 4);
  }
  Xbyak::Xmm read_float(unsigned guest, int scratch);
  // Its upper half may lack the ones of a single.
  Xbyak::Xmm read_unboxed(unsigned guest, int scratch);
  void box(unsigned guest);
  // Whether a vector instruction of the block takes the value of a load as a factor.
  [[nodiscard]] bool spreads(const Operation& load);
  void load_spread(const Operation& load, const Xbyak::RegExp& place);
  Xbyak::Xmm read_as(Format format, unsigned guest, int scratch, Label& slow);
  void check_single(unsigned guest, Label& slow);
  // Where a result may be computed if it cannot fail; write_float() puts it into its place.
  Xbyak::Xmm result_float(unsigned guest);
  void write_float(unsigned guest, const Xbyak::Xmm& from);
  void note_float(const Operation& operation, Format format);
  Xbyak::Xmm result_apart(const Operation& operation, bool has_third);
  // Takes the value for the result unless it is a NaN; ends the emitter.
  void finish_float(const Operation& operation, Format format, const Xbyak::Xmm& value,
                    Label& slow);
  bool emit_float(const Operation& operation);
  bool emit_float_arithmetic(const Operation& operation);
  void float_binary(const Operation& operation, unsigned second, Format format,
                    const FloatBinary& emit);
  void float_fused(const Operation& operation, Format format, const FloatFused& emit,
                   const FloatFused& into_addend);
  bool float_fused_in_place(const Operation& operation, Format format,
                            const FloatFused& into_factor, const FloatFused& into_addend);
  void float_compare(const Operation& operation, Format format, Comparison comparison);
  void float_select(const Operation& operation, Format format, bool smaller);
  void float_sign(const Operation& operation, Format format, unsigned kind);
  Xbyak::Xmm rounded(const Operation& operation, Format format, const Xbyak::Xmm& from);
  void float_to_unsigned(const Operation& operation, Format format, Width width);
  void float_to_integer(const Operation& operation, Format format, Width width);
  void float_from_integer(const Operation& operation, Format format, Width width, bool is_signed);
  void float_from_small(const Operation& operation, Format format, Width width);
  void float_change_format(const Operation& operation, Format to);
  bool emit_float_conversion(const Operation& operation);
  void float_move(const Operation& operation);
  void float_memory(const Operation& operation);
  // --- vectors (emit_vector*.cpp): in the state state_ ----------------------------------------
#include "engine/translator/vector_emitters.inc"

  // --- matrix products (emit_matrix.cpp; matrix_registers.hpp) ---------------------------------
  bool emit_matrix(const Operation& operation);
  void product_in_registers(unsigned group, unsigned a, unsigned b);
  void product_in_memory(unsigned group, unsigned a, unsigned b);
  // Points rdx to the vector registers in memory.
  void point_to_vectors() { mov(rdx, hart_field(offset_of(&isa::Hart::v))); }
  // One group of sums, between memory at rdx and host registers. The forms of A are lost.
  void load_sums(unsigned group);
  void store_sums(unsigned group);
  void transpose_lanes(int first, const FunctionReference<void(unsigned, const Zmm&)>& take);
  bool emit_shuffle(const Operation& operation);
  void transpose_quads();
  void pair_rows();
  // NaNs become canonical in the four host registers.
  void settle_sums(int host);
  // On the stack (thunks.hpp): a bit for each group with NaNs that are not canonical yet.
  [[nodiscard]] Xbyak::Address unsettled_groups(int bytes_pushed = 0) const {
    return dword[rsp + bytes_pushed];
  }
  // For an operation: before any emitter sees it.
  void prepare_sums(const Operation& operation);
  void prepare_sums_for_load(unsigned first, unsigned registers, bool whole);
  void sums_to_memory(unsigned group);
  void sums_to_host(std::uint32_t groups);
  void record_sums();
  void end_sums();
  void load_left_forms(unsigned guest);
  void load_right_forms(unsigned guest, std::size_t place);
  [[nodiscard]] int find_right_forms(unsigned guest);
  void restore_forms(const OperandForms& forms);

  std::size_t inside_bytes_ = 0;
};

}  // namespace d1::emulator
