// SPDX-License-Identifier: Apache-2.0
// Xd1: matrix products, conversions and shuffles. The arithmetic is in d1/isa/xd1_numerics.hpp;
// here are the checks, the CSRs and the registers.
#include <cstring>

#include <d1/isa/semantics/xd1.hpp>
#include <d1/isa/xd1_numerics.hpp>

namespace d1::isa::exec {
namespace {

using numerics::DenormalRule;
using numerics::Packed;
using numerics::PackedFormat;
using numerics::Rounding;

[[nodiscard]] constexpr bool misaligned(unsigned number, unsigned group) noexcept {
  return group > 1 && number % group != 0;
}

template <InstructionId kId>
[[nodiscard]] inline bool legal(const Hart& hart, const Operation& operation) noexcept {
  constexpr Xd1Groups kGroups = xd1_groups(kId);
  static_assert(kGroups.vd != 0);
  return !vector_off(hart) && !misaligned(operation.rd, kGroups.vd) &&
         !misaligned(operation.rs1, kGroups.vs1) && !misaligned(operation.rs2, kGroups.vs2);
}

[[nodiscard]] PackedFormat format_of(const Hart& hart, Packed packed, unsigned bias) noexcept {
  const bool ieee = (hart.float_formats & kFormatIeeeDenormals) != 0;
  return {packed, ieee ? DenormalRule::Ieee : DenormalRule::Paper,
          static_cast<std::uint8_t>(hart.d1_bias >> bias & 63)};
}

[[nodiscard]] PackedFormat matrix_format(const Hart& hart, unsigned choice, Packed clear,
                                         Packed set, unsigned bias) noexcept {
  return format_of(hart, (hart.float_formats & choice) != 0 ? set : clear, bias);
}

// A result of kId that is worked out beside the registers, so that groups may overlap.
template <InstructionId kId, typename Function>
[[nodiscard]] Outcome write_group(Hart& hart, const Operation& operation, Function&& function) {
  if (!legal<kId>(hart, operation)) return illegal(hart, operation);
  alignas(kVlenBytes) std::uint8_t result[xd1_groups(kId).vd * kVlenBytes];
  function(hart.v->bytes[operation.rs1], result);
  std::memcpy(hart.v->bytes[operation.rd], result, sizeof result);
  mark_vector_dirty(hart);
  return Outcome::Next;
}

// Runs `function` with the seed, and moves the seed on where the instruction draws from it.
template <InstructionId kId, Rounding kRounding, typename Function>
[[nodiscard]] Outcome convert(Hart& hart, const Operation& operation, Function&& function) {
  const Outcome outcome =
      write_group<kId>(hart, operation, [&](const std::uint8_t* source, std::uint8_t* result) {
        function(source, result, hart.d1_seed);
      });
  if constexpr (kRounding == Rounding::Stochastic)
    if (outcome == Outcome::Next) hart.d1_seed += numerics::kSeedStep;
  return outcome;
}

enum class Wide : std::uint8_t { F32, Bf16 };

template <InstructionId kId, Wide kWide, Packed kPacked, Rounding kRounding = Rounding::Nearest>
[[nodiscard]] Outcome widen(Hart& hart, const Operation& operation) {
  const PackedFormat format = format_of(hart, kPacked, kBiasSource);
  return convert<kId, kRounding>(
      hart, operation, [format](const std::uint8_t* source, std::uint8_t* result, auto seed) {
        if constexpr (kWide == Wide::F32)
          numerics::widen_to_f32(format, source, result);
        else
          numerics::widen_to_bf16(format, source, result, kRounding, seed);
      });
}

template <InstructionId kId, Packed kPacked, Wide kWide, Rounding kRounding>
[[nodiscard]] Outcome narrow(Hart& hart, const Operation& operation) {
  const PackedFormat format = format_of(hart, kPacked, kBiasResult);
  return convert<kId, kRounding>(
      hart, operation, [format](const std::uint8_t* source, std::uint8_t* result, auto seed) {
        if constexpr (kWide == Wide::F32)
          numerics::narrow_from_f32(format, source, result, kRounding, seed);
        else
          numerics::narrow_from_bf16(format, source, result, kRounding, seed);
      });
}

}  // namespace

Outcome mma_bf16(Hart& hart, const Operation& operation) {
  if (!legal<InstructionId::mma_bf16>(hart, operation)) return illegal(hart, operation);
  auto& v = hart.v->bytes;
  numerics::mma_bf16(v[operation.rd], v[operation.rs1], v[operation.rs2]);
  mark_vector_dirty(hart);
  return Outcome::Next;
}

Outcome mma_f16(Hart& hart, const Operation& operation) {
  if (!legal<InstructionId::mma_f16>(hart, operation)) return illegal(hart, operation);
  auto& v = hart.v->bytes;
  numerics::mma_f16(v[operation.rd], v[operation.rs1], v[operation.rs2]);
  mark_vector_dirty(hart);
  return Outcome::Next;
}

Outcome mma_cf8(Hart& hart, const Operation& operation) {
  if (!legal<InstructionId::mma_cf8>(hart, operation)) return illegal(hart, operation);
  auto& v = hart.v->bytes;
  numerics::mma_cf8(v[operation.rd], v[operation.rs1], v[operation.rs2],
                    matrix_format(hart, kFormatA152, Packed::Cf143, Packed::Cf152, kBiasA),
                    matrix_format(hart, kFormatB152, Packed::Cf143, Packed::Cf152, kBiasB));
  mark_vector_dirty(hart);
  return Outcome::Next;
}

Outcome mma_cf16(Hart& hart, const Operation& operation) {
  if (!legal<InstructionId::mma_cf16>(hart, operation)) return illegal(hart, operation);
  auto& v = hart.v->bytes;
  numerics::mma_cf16(v[operation.rd], v[operation.rs1], v[operation.rs2],
                     matrix_format(hart, kFormatAUhp, Packed::Shp, Packed::Uhp, kBiasA),
                     matrix_format(hart, kFormatBUhp, Packed::Shp, Packed::Uhp, kBiasB));
  mark_vector_dirty(hart);
  return Outcome::Next;
}

#define D1_WIDEN(name, ...)                                          \
  Outcome name(Hart& hart, const Operation& operation) {             \
    return widen<InstructionId::name, __VA_ARGS__>(hart, operation); \
  }
D1_WIDEN(cvt_f32_cf143, Wide::F32, Packed::Cf143)
D1_WIDEN(cvt_f32_cf152, Wide::F32, Packed::Cf152)
D1_WIDEN(cvt_f32_shp, Wide::F32, Packed::Shp)
D1_WIDEN(cvt_f32_uhp, Wide::F32, Packed::Uhp)
D1_WIDEN(cvt_bf16_cf143, Wide::Bf16, Packed::Cf143)
D1_WIDEN(cvt_bf16_cf152, Wide::Bf16, Packed::Cf152)
D1_WIDEN(cvt_bf16_shp_rn, Wide::Bf16, Packed::Shp, Rounding::Nearest)
D1_WIDEN(cvt_bf16_shp_sr, Wide::Bf16, Packed::Shp, Rounding::Stochastic)
D1_WIDEN(cvt_bf16_uhp_rn, Wide::Bf16, Packed::Uhp, Rounding::Nearest)
D1_WIDEN(cvt_bf16_uhp_sr, Wide::Bf16, Packed::Uhp, Rounding::Stochastic)
#undef D1_WIDEN

#define D1_NARROW(name, packed, wide, rounding)                                                    \
  Outcome name(Hart& hart, const Operation& operation) {                                           \
    return narrow<InstructionId::name, Packed::packed, Wide::wide, Rounding::rounding>(hart,       \
                                                                                       operation); \
  }
D1_NARROW(cvt_cf143_f32_rn, Cf143, F32, Nearest)
D1_NARROW(cvt_cf143_f32_sr, Cf143, F32, Stochastic)
D1_NARROW(cvt_cf152_f32_rn, Cf152, F32, Nearest)
D1_NARROW(cvt_cf152_f32_sr, Cf152, F32, Stochastic)
D1_NARROW(cvt_shp_f32_rn, Shp, F32, Nearest)
D1_NARROW(cvt_shp_f32_sr, Shp, F32, Stochastic)
D1_NARROW(cvt_uhp_f32_rn, Uhp, F32, Nearest)
D1_NARROW(cvt_uhp_f32_sr, Uhp, F32, Stochastic)
D1_NARROW(cvt_bf16_f32_rn, Bf16, F32, Nearest)
D1_NARROW(cvt_bf16_f32_sr, Bf16, F32, Stochastic)
D1_NARROW(cvt_cf143_bf16_rn, Cf143, Bf16, Nearest)
D1_NARROW(cvt_cf143_bf16_sr, Cf143, Bf16, Stochastic)
D1_NARROW(cvt_cf152_bf16_rn, Cf152, Bf16, Nearest)
D1_NARROW(cvt_cf152_bf16_sr, Cf152, Bf16, Stochastic)
D1_NARROW(cvt_shp_bf16_rn, Shp, Bf16, Nearest)
D1_NARROW(cvt_shp_bf16_sr, Shp, Bf16, Stochastic)
D1_NARROW(cvt_uhp_bf16_rn, Uhp, Bf16, Nearest)
D1_NARROW(cvt_uhp_bf16_sr, Uhp, Bf16, Stochastic)
#undef D1_NARROW

#define D1_TRANSPOSE(name, element_bytes)                                                   \
  Outcome name(Hart& hart, const Operation& operation) {                                    \
    return write_group<InstructionId::name>(hart, operation,                                \
                                            [](const std::uint8_t* in, std::uint8_t* out) { \
                                              numerics::transpose(element_bytes, in, out);  \
                                            });                                             \
  }
D1_TRANSPOSE(transpose_e8, 1)
D1_TRANSPOSE(transpose_e16, 2)
D1_TRANSPOSE(transpose_e32, 4)
D1_TRANSPOSE(transpose_e64, 8)
#undef D1_TRANSPOSE

#define D1_SHUFFLE(name)                                                      \
  Outcome name(Hart& hart, const Operation& operation) {                      \
    return write_group<InstructionId::name>(hart, operation, numerics::name); \
  }
D1_SHUFFLE(pack_b)
D1_SHUFFLE(unpack_b)
D1_SHUFFLE(pack_bt)
D1_SHUFFLE(unpack_bt)
D1_SHUFFLE(pack_b4)
D1_SHUFFLE(unpack_b4)
D1_SHUFFLE(pack_c)
D1_SHUFFLE(unpack_c)
#undef D1_SHUFFLE

}  // namespace d1::isa::exec
