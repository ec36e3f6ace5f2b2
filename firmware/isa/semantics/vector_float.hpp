// SPDX-License-Identifier: Apache-2.0
// The framework of the vector floating-point semantics: formats by width, legality, operands, and
// loops that run scalar operations of float_arithmetic.hpp, or whole packets on host vectors.
// Private to firmware/isa/semantics. Nothing here owns or locks.
//
// Masked-off and tail elements raise no flags: element loops skip them, packet loops give them
// operands (ones) on which every operation is exact. An instruction's FloatScope outlives its loop.
#pragma once

#include <d1/isa/float_convert.hpp>
#include <d1/isa/float_environment.hpp>

#include <semantics/vector_common.hpp>
#include <semantics/vector_float_kernels.hpp>

namespace d1::isa::vector_float {

using namespace vector;

// ---- Formats -------------------------------------------------------------------------------

template <typename F>
struct WiderOf;
template <>
struct WiderOf<F16> {
  using Type = F32;
};
template <>
struct WiderOf<BF16> {
  using Type = F32;
};
template <>
struct WiderOf<F32> {
  using Type = F64;
};
template <typename F>
using Wider = typename WiderOf<F>::Type;

template <typename F>
inline constexpr unsigned kFormatLog2 = kWidthLog2<BitsOf<F>>;
inline constexpr unsigned kHalfLog2 = kFormatLog2<F16>, kSingleLog2 = kFormatLog2<F32>,
                          kDoubleLog2 = kFormatLog2<F64>;

// Calls f(F{}) with the format of that width.
template <typename Function>
inline auto with_format(unsigned width_log2, Function&& f) {
  switch (width_log2) {
    case kHalfLog2:
      return f(F16{});
    case kSingleLog2:
      return f(F32{});
    default:
      return f(F64{});
  }
}
// The same for operations that use a format twice as wide too.
template <typename Function>
inline auto with_narrow_format(unsigned width_log2, Function&& f) {
  return width_log2 == kHalfLog2 ? f(F16{}) : f(F32{});
}

// ---- Legality ------------------------------------------------------------------------------

// Vector and float units on, vtype valid, and frm too, even if the instruction does not round.
[[nodiscard]] inline bool float_usable(const Hart& hart) noexcept {
  return usable(hart) && !float_off(hart) && hart.frm <= static_cast<unsigned>(RoundingMode::Rmm);
}
// SEW is the width of a format (F64 is the widest, as ELEN says).
[[nodiscard]] inline bool format_ok(const Hart& hart) noexcept {
  return hart.vtype.sew_log2 >= kHalfLog2;
}
// ... and twice SEW too.
[[nodiscard]] inline bool narrow_format_ok(const Hart& hart) noexcept {
  return format_ok(hart) && hart.vtype.sew_log2 < kDoubleLog2;
}

// ---- Operands ------------------------------------------------------------------------------

// The scalar in register f[number]: a value that is no NaN-boxed F counts as canonical NaN.
template <typename F>
[[nodiscard]] inline BitsOf<F> scalar(const Hart& hart, unsigned number) noexcept {
  const std::uint64_t bits = hart.f[number];
  if constexpr (F::kWidth == 64) {
    return bits;
  } else {
    constexpr std::uint64_t kBox = ~std::uint64_t{0} << F::kWidth;
    return (bits & kBox) == kBox ? static_cast<BitsOf<F>>(bits) : F::kNan;
  }
}

// The value of every element: those of a register group, or one scalar.
template <typename F>
class Operand {
 public:
  using Bits = BitsOf<F>;

  explicit Operand(const std::uint8_t* group) noexcept : bytes_(group), step_(kVlenBytes) {}
  explicit Operand(Bits value) noexcept : step_(0) {
    for (Bits& lane : splat_.element) lane = value;
    bytes_ = reinterpret_cast<const std::uint8_t*>(&splat_);
  }
  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;

  [[nodiscard]] Bits operator[](unsigned index) const noexcept {
    return at<Bits>(bytes_, step_ == 0 ? 0 : index);
  }
  [[nodiscard]] PacketStream packets(unsigned first) const noexcept {
    return {bytes_ + first * step_, step_};
  }
  [[nodiscard]] const std::uint8_t* half_packet(unsigned number) const noexcept {
    return bytes_ + number * (step_ / 2);
  }

 private:
  const std::uint8_t* bytes_;
  std::size_t step_;
  Chunk<Bits> splat_;  // only of scalars
};

// Where the operand that has a vector and a scalar form comes from: register vs1 or f[rs1].
enum class From : std::uint8_t { Vector, Scalar };

template <typename F, From kFrom>
class FirstOperand : public Operand<F> {
 public:
  FirstOperand(const Hart& hart, const Operation& operation) noexcept
      : Operand<F>(read(hart, operation)) {}

 private:
  static auto read(const Hart& hart, const Operation& operation) noexcept {
    if constexpr (kFrom == From::Vector)
      return bytes_of(hart, operation.rs1);
    else
      return scalar<F>(hart, operation.rs1);
  }
};

// ---- Loops ---------------------------------------------------------------------------------

// The kernels of a format; null where packets are not done by host vectors: for rounding to nearest
// with ties away from zero, which hosts do not know. Each of them may be null, too.
template <typename F>
[[nodiscard]] inline const LaneKernels* lane_kernels(const FloatContext& context) noexcept {
  if (context.rounding == RoundingMode::Rmm) return nullptr;
  if constexpr (std::is_same_v<F, F32>)
    return &kernels().f32;
  else if constexpr (std::is_same_v<F, F64>)
    return &kernels().f64;
  else
    return &kernels().f16;
}

template <typename F>
inline constexpr BitsOf<F> kOne = static_cast<BitsOf<F>>(static_cast<BitsOf<F>>(F::kBias)
                                                         << F::kFractionBits);

// A packet of operands with ones for the inactive elements.
template <typename F>
inline Chunk<BitsOf<F>> only_active(const Operand<F>& operand, unsigned chunk,
                                    std::uint64_t active) noexcept {
  Chunk<BitsOf<F>> packet;
  std::memcpy(&packet, operand.packets(chunk).bytes, sizeof packet);
  if (active == ~std::uint64_t{0} >> (64 - packet.kElements)) return packet;
  for (BitsOf<F>& lane : packet.element) {
    if ((active & 1) == 0) lane = kOne<F>;
    active >>= 1;
  }
  return packet;
}

// Runs run(result, first packet number, packets, operands as streams...) over the body: all whole
// packets at once if nothing is masked, the others on copies.
template <typename F, typename Run, typename... Operands>
inline void for_packets(Hart& hart, const Body& body, unsigned vd, Run&& run,
                        const Operands&... operands) {
  using Bits = BitsOf<F>;
  constexpr unsigned n = Chunk<Bits>::kElements;
  if (body.empty()) return;
  unsigned chunk = body.start / n;
  if (!body.masked && body.start % n == 0) {
    const unsigned whole = body.end / n - chunk;
    if (whole != 0) run(bytes_of(hart, vd + chunk), whole, operands.packets(chunk)...);
    chunk += whole;
  }
  for (; chunk * n < body.end; ++chunk) {
    const std::uint64_t active = active_bits(hart, body, chunk * n, n);
    if (active == 0) continue;
    Chunk<Bits> result;
    [&](const auto&... packets) {
      run(reinterpret_cast<std::uint8_t*>(&result), 1U,
          PacketStream{reinterpret_cast<const std::uint8_t*>(&packets), 0}...);
    }(only_active<F>(operands, chunk, active)...);
    write_chunk(hart, body, vd, chunk, result);
  }
}

// vd[i] = function(i) as a value of T, for every active element.
template <typename T, typename Function>
inline void for_elements(Hart& hart, const Body& body, unsigned vd, Function&& function) {
  for_each_active(hart, body,
                  [&](unsigned index) { set_element<T>(hart, vd, index, function(index)); });
}

inline Outcome finish_float(Hart& hart, const Body& body, unsigned vd, unsigned element_log2,
                            int emul_log2) noexcept {
  mark_float_dirty(hart);  // flags may have been raised
  return finish(hart, body, vd, element_log2, emul_log2);
}

// ---- Operands of one width -----------------------------------------------------------------

[[nodiscard]] inline bool operands_ok(const Hart& hart, const Operation& operation, From from) {
  const int lmul = hart.vtype.lmul_log2;
  return float_usable(hart) && format_ok(hart) && group_ok(operation.rd, lmul) &&
         group_ok(operation.rs2, lmul) && destination_ok(operation) &&
         (from == From::Scalar || group_ok(operation.rs1, lmul));
}

// The frame of vd = f(vs2, vs1 or scalar): run(F{}, body, vs2, vs1 or scalar) does the work.
template <From kFrom, typename Run>
inline Outcome with_operands(Hart& hart, const Operation& operation, Run&& run) {
  if (!operands_ok(hart, operation, kFrom)) return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  with_format(hart.vtype.sew_log2, [&](auto format) {
    using F = decltype(format);
    const FirstOperand<F, kFrom> first(hart, operation);
    run(format, body, Operand<F>(bytes_of(hart, operation.rs2)), first);
  });
  return finish_float(hart, body, operation.rd, hart.vtype.sew_log2, hart.vtype.lmul_log2);
}

}  // namespace d1::isa::vector_float
