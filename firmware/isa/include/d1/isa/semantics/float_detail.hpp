// SPDX-License-Identifier: Apache-2.0
// The bodies that the semantics of scalar floating point are made of (see float.hpp): registers
// with NaN boxing, and one function template for each shape of instruction.
//
// Those that need a FloatScope or a FloatContext are not inlined: a handler of the interpreter ends
// in a tail call, so none of its own locals may have its address taken.
#pragma once

#include <d1/isa/float_convert.hpp>
#include <d1/isa/semantics/common.hpp>

namespace d1::isa::exec {
namespace float_detail {

// Narrower values live in the low bits with all others set; what is not so boxed reads as NaN.
template <typename F>
inline constexpr std::uint64_t kBox = ~std::uint64_t{static_cast<BitsOf<F>>(~BitsOf<F>{0})};

template <typename F>
[[nodiscard]] inline BitsOf<F> read(const Hart& hart, unsigned number) noexcept {
  const std::uint64_t bits = hart.f[number];
  return (bits & kBox<F>) == kBox<F> ? static_cast<BitsOf<F>>(bits) : F::kNan;
}
template <typename F>
inline void write(Hart& hart, unsigned number, BitsOf<F> bits) noexcept {
  hart.f[number] = kBox<F> | bits;
  mark_float_dirty(hart);
}

// FS is on and MXCSR rounds as the instruction wants: a host instruction may run right away.
[[nodiscard]] inline bool host_ready(const Hart& hart, const Operation& operation) noexcept {
  const unsigned rm = operation.rm() == kDynamic ? hart.frm : operation.rm();
  return rm + 1 == hart.float_rounding && !float_off(hart);
}

// Instructions with an rm field in full: legality, MXCSR, flags. `body` takes the context.
template <typename Body>
[[nodiscard]] inline Outcome under_rounding(Hart& hart, const Operation& operation, Body body) {
  if (float_off(hart)) return illegal(hart, operation);
  FloatScope scope(hart, operation.rm());
  if (!scope.valid()) return illegal(hart, operation);
  mark_float_dirty(hart);
  body(scope);
  return Outcome::Next;
}

template <typename F>
using Binary = BitsOf<F> (*)(FloatContext&, BitsOf<F>, BitsOf<F>);
template <typename F>
using Ternary = BitsOf<F> (*)(FloatContext&, BitsOf<F>, BitsOf<F>, BitsOf<F>);

template <typename F, Binary<F> function>
[[gnu::noinline]] Outcome binary(Hart& hart, const Operation& operation) {
  return under_rounding(hart, operation, [&](FloatContext& context) {
    write<F>(hart, operation.rd,
             function(context, read<F>(hart, operation.rs1), read<F>(hart, operation.rs2)));
  });
}
template <typename F>
[[gnu::noinline]] Outcome root(Hart& hart, const Operation& operation) {
  return under_rounding(hart, operation, [&](FloatContext& context) {
    write<F>(hart, operation.rd, square_root<F>(context, read<F>(hart, operation.rs1)));
  });
}
template <typename F, Ternary<F> function>
[[gnu::noinline]] Outcome ternary(Hart& hart, const Operation& operation) {
  return under_rounding(hart, operation, [&](FloatContext& context) {
    write<F>(hart, operation.rd,
             function(context, read<F>(hart, operation.rs1), read<F>(hart, operation.rs2),
                      read<F>(hart, operation.rs3)));
  });
}

// Instructions that integer code carries out, with a rounding mode or without: MXCSR is left
// alone, so that the truncating conversions between others cost no change of it.
template <typename Body>
[[nodiscard]] inline Outcome in_integers(Hart& hart, const Operation& operation,
                                         RoundingMode rounding, Body body) {
  if (float_off(hart) || rounding == RoundingMode::Dyn) return illegal(hart, operation);
  FloatContext context{rounding, 0};
  body(context);
  hart.fflags = static_cast<std::uint8_t>(hart.fflags | context.flags);
  mark_float_dirty(hart);
  return Outcome::Next;
}

template <typename To, typename From>
[[gnu::noinline]] Outcome change_format(Hart& hart, const Operation& operation) {
  const auto body = [&](FloatContext& context) {
    write<To>(hart, operation.rd, convert<To, From>(context, read<From>(hart, operation.rs1)));
  };
  if constexpr (kConvertsByHost<To, From>)
    return under_rounding(hart, operation, body);
  else
    return in_integers(hart, operation, resolve_rounding(hart, operation.rm()), body);
}
// Integer results are sign-extended from their own width, unsigned ones too.
template <typename I>
inline void write_integer(Hart& hart, unsigned number, I value) noexcept {
  const auto as_signed = static_cast<std::make_signed_t<I>>(value);
  set_x(hart, number, static_cast<std::uint64_t>(std::int64_t{as_signed}));
}
template <typename I, typename F>
[[gnu::noinline]] Outcome to_register(Hart& hart, const Operation& operation) {
  return in_integers(
      hart, operation, resolve_rounding(hart, operation.rm()), [&](FloatContext& context) {
        write_integer(hart, operation.rd, to_integer<I, F>(context, read<F>(hart, operation.rs1)));
      });
}
template <typename F, typename I>
[[gnu::noinline]] Outcome from_register(Hart& hart, const Operation& operation) {
  return in_integers(hart, operation, resolve_rounding(hart, operation.rm()),
                     [&](FloatContext& context) {
                       write<F>(hart, operation.rd,
                                from_integer<F, I>(context, static_cast<I>(hart.x[operation.rs1])));
                     });
}
// A cast in a program: truncation, by the host if it may raise the guest's flags. The host's
// result for what does not fit, the most negative number, goes the long way; flags are the same.
template <typename I, typename F>
[[nodiscard]] inline Outcome to_signed_register(Hart& hart, const Operation& operation) {
  constexpr auto kTruncate = static_cast<unsigned>(RoundingMode::Rtz);
  if (operation.rm() == kTruncate && hart.float_rounding != 0 && !float_off(hart)) [[likely]] {
    const I value = host::truncate<I>(F{}, read<F>(hart, operation.rs1));
    if (value != std::numeric_limits<I>::min()) [[likely]] {
      write_integer(hart, operation.rd, value);
      mark_float_dirty(hart);
      return Outcome::Next;
    }
  }
  return to_register<I, F>(hart, operation);
}

template <typename F, Binary<F> function>
[[gnu::noinline]] Outcome select(Hart& hart, const Operation& operation) {
  return in_integers(hart, operation, RoundingMode::Rne, [&](FloatContext& context) {
    write<F>(hart, operation.rd,
             function(context, read<F>(hart, operation.rs1), read<F>(hart, operation.rs2)));
  });
}
template <typename F, bool (*function)(FloatContext&, BitsOf<F>, BitsOf<F>) noexcept>
[[gnu::noinline]] Outcome compare(Hart& hart, const Operation& operation) {
  return in_integers(hart, operation, RoundingMode::Rne, [&](FloatContext& context) {
    set_x(hart, operation.rd,
          function(context, read<F>(hart, operation.rs1), read<F>(hart, operation.rs2)));
  });
}

// Instructions that raise nothing.
template <typename F, BitsOf<F> (*function)(BitsOf<F>, BitsOf<F>) noexcept>
[[nodiscard]] inline Outcome inject_sign(Hart& hart, const Operation& operation) noexcept {
  if (float_off(hart)) return illegal(hart, operation);
  write<F>(hart, operation.rd,
           function(read<F>(hart, operation.rs1), read<F>(hart, operation.rs2)));
  return Outcome::Next;
}
template <typename F>
[[nodiscard]] inline Outcome class_of(Hart& hart, const Operation& operation) noexcept {
  if (float_off(hart)) return illegal(hart, operation);
  set_x(hart, operation.rd, classify<F>(read<F>(hart, operation.rs1)));
  return Outcome::Next;
}
template <typename F>  // the raw bits, boxed or not, sign-extended
[[nodiscard]] inline Outcome move_to_x(Hart& hart, const Operation& operation) noexcept {
  if (float_off(hart)) return illegal(hart, operation);
  using Signed = std::make_signed_t<BitsOf<F>>;
  const auto value = static_cast<Signed>(hart.f[operation.rs1]);
  set_x(hart, operation.rd, static_cast<std::uint64_t>(std::int64_t{value}));
  return Outcome::Next;
}
template <typename F>
[[nodiscard]] inline Outcome move_from_x(Hart& hart, const Operation& operation) noexcept {
  if (float_off(hart)) return illegal(hart, operation);
  write<F>(hart, operation.rd, static_cast<BitsOf<F>>(hart.x[operation.rs1]));
  return Outcome::Next;
}
template <typename F>
[[nodiscard]] inline Outcome load_register(Hart& hart, const Operation& operation) {
  if (float_off(hart)) return illegal(hart, operation);
  BitsOf<F> bits{};
  const std::uint64_t address =
      hart.x[operation.rs1] + static_cast<std::uint64_t>(operation.immediate);
  const Outcome outcome = load(hart, operation, address, bits);
  if (outcome == Outcome::Next) [[likely]]
    write<F>(hart, operation.rd, bits);
  return outcome;
}
template <typename F>
[[nodiscard]] inline Outcome store_register(Hart& hart, const Operation& operation) {
  if (float_off(hart)) return illegal(hart, operation);
  const std::uint64_t address =
      hart.x[operation.rs1] + static_cast<std::uint64_t>(operation.immediate);
  return store(hart, operation, address, static_cast<BitsOf<F>>(hart.f[operation.rs2]));
}

}  // namespace float_detail

}  // namespace d1::isa::exec
