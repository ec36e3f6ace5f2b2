// SPDX-License-Identifier: Apache-2.0
// What the scalar floating-point instructions do: F, D, Zfh and Zfbfmin.
//
// Frequent operations have a short path for the usual case: FS on, the rounding mode already in
// MXCSR, the host instruction's flags left there. Everything else goes through float_detail.hpp.
#pragma once

#include <d1/isa/semantics/float_detail.hpp>

namespace d1::isa::exec {

#define D1_SEMANTICS(name) [[nodiscard]] inline Outcome name(Hart& hart, const Operation& operation)

// Short paths of F32 and F64. A fused result that is a NaN goes the long way for its flags.
#define D1_HOST_BINARY(name, F, function)                                            \
  D1_SEMANTICS(name) {                                                               \
    if (!float_detail::host_ready(hart, operation)) [[unlikely]]                     \
      return float_detail::binary<F, isa::function<F>>(hart, operation);             \
    float_detail::write<F>(                                                          \
        hart, operation.rd,                                                          \
        canonical<F>(host::function(F{}, float_detail::read<F>(hart, operation.rs1), \
                                    float_detail::read<F>(hart, operation.rs2))));   \
    return Outcome::Next;                                                            \
  }
#define D1_HOST_ROOT(name, F)                                                              \
  D1_SEMANTICS(name) {                                                                     \
    if (!float_detail::host_ready(hart, operation)) [[unlikely]]                           \
      return float_detail::root<F>(hart, operation);                                       \
    float_detail::write<F>(                                                                \
        hart, operation.rd,                                                                \
        canonical<F>(host::square_root(F{}, float_detail::read<F>(hart, operation.rs1)))); \
    return Outcome::Next;                                                                  \
  }
#define D1_HOST_FUSED(name, F, function, product_sign, addend_sign)                            \
  D1_SEMANTICS(name) {                                                                         \
    if (float_detail::host_ready(hart, operation) && host::has_fma) [[likely]] {               \
      const BitsOf<F> result =                                                                 \
          host::multiply_add(F{}, float_detail::read<F>(hart, operation.rs1) ^ (product_sign), \
                             float_detail::read<F>(hart, operation.rs2),                       \
                             float_detail::read<F>(hart, operation.rs3) ^ (addend_sign));      \
      if (!is_nan<F>(result)) [[likely]] {                                                     \
        float_detail::write<F>(hart, operation.rd, result);                                    \
        return Outcome::Next;                                                                  \
      }                                                                                        \
    }                                                                                          \
    return float_detail::ternary<F, isa::function<F>>(hart, operation);                        \
  }
#define D1_HOST_ARITHMETIC(letter, F)                                       \
  D1_HOST_BINARY(fadd_##letter, F, add)                                     \
  D1_HOST_BINARY(fsub_##letter, F, subtract)                                \
  D1_HOST_BINARY(fmul_##letter, F, multiply)                                \
  D1_HOST_BINARY(fdiv_##letter, F, divide)                                  \
  D1_HOST_ROOT(fsqrt_##letter, F)                                           \
  D1_HOST_FUSED(fmadd_##letter, F, multiply_add, 0, 0)                      \
  D1_HOST_FUSED(fmsub_##letter, F, multiply_subtract, 0, F::kSign)          \
  D1_HOST_FUSED(fnmsub_##letter, F, negated_multiply_subtract, F::kSign, 0) \
  D1_HOST_FUSED(fnmadd_##letter, F, negated_multiply_add, F::kSign, F::kSign)
D1_HOST_ARITHMETIC(s, F32)
D1_HOST_ARITHMETIC(d, F64)
#undef D1_HOST_ARITHMETIC
#undef D1_HOST_FUSED
#undef D1_HOST_ROOT
#undef D1_HOST_BINARY

// name(hart, operation) is float_detail::function<arguments...>.
#define D1_FLOAT(name, function, ...) \
  D1_SEMANTICS(name) { return float_detail::function<__VA_ARGS__>(hart, operation); }

D1_FLOAT(fadd_h, binary, F16, isa::add<F16>)
D1_FLOAT(fsub_h, binary, F16, isa::subtract<F16>)
D1_FLOAT(fmul_h, binary, F16, isa::multiply<F16>)
D1_FLOAT(fdiv_h, binary, F16, isa::divide<F16>)
D1_FLOAT(fsqrt_h, root, F16)
D1_FLOAT(fmadd_h, ternary, F16, isa::multiply_add<F16>)
D1_FLOAT(fmsub_h, ternary, F16, isa::multiply_subtract<F16>)
D1_FLOAT(fnmsub_h, ternary, F16, isa::negated_multiply_subtract<F16>)
D1_FLOAT(fnmadd_h, ternary, F16, isa::negated_multiply_add<F16>)

#define D1_FLOAT_COMMON(letter, F)                              \
  D1_FLOAT(fsgnj_##letter, inject_sign, F, isa::sgnj<F>)        \
  D1_FLOAT(fsgnjn_##letter, inject_sign, F, isa::sgnjn<F>)      \
  D1_FLOAT(fsgnjx_##letter, inject_sign, F, isa::sgnjx<F>)      \
  D1_FLOAT(fmin_##letter, select, F, isa::minimum<F>)           \
  D1_FLOAT(fmax_##letter, select, F, isa::maximum<F>)           \
  D1_FLOAT(feq_##letter, compare, F, isa::equal<F>)             \
  D1_FLOAT(flt_##letter, compare, F, isa::less<F>)              \
  D1_FLOAT(fle_##letter, compare, F, isa::less_equal<F>)        \
  D1_FLOAT(fclass_##letter, class_of, F)                        \
  D1_FLOAT(fcvt_wu_##letter, to_register, std::uint32_t, F)     \
  D1_FLOAT(fcvt_lu_##letter, to_register, std::uint64_t, F)     \
  D1_FLOAT(fcvt_##letter##_w, from_register, F, std::int32_t)   \
  D1_FLOAT(fcvt_##letter##_wu, from_register, F, std::uint32_t) \
  D1_FLOAT(fcvt_##letter##_l, from_register, F, std::int64_t)   \
  D1_FLOAT(fcvt_##letter##_lu, from_register, F, std::uint64_t)
D1_FLOAT_COMMON(s, F32)
D1_FLOAT_COMMON(d, F64)
D1_FLOAT_COMMON(h, F16)
#undef D1_FLOAT_COMMON

D1_FLOAT(fcvt_w_s, to_signed_register, std::int32_t, F32)
D1_FLOAT(fcvt_l_s, to_signed_register, std::int64_t, F32)
D1_FLOAT(fcvt_w_d, to_signed_register, std::int32_t, F64)
D1_FLOAT(fcvt_l_d, to_signed_register, std::int64_t, F64)
D1_FLOAT(fcvt_w_h, to_register, std::int32_t, F16)
D1_FLOAT(fcvt_l_h, to_register, std::int64_t, F16)

D1_FLOAT(fcvt_s_d, change_format, F32, F64)
D1_FLOAT(fcvt_d_s, change_format, F64, F32)
D1_FLOAT(fcvt_s_h, change_format, F32, F16)
D1_FLOAT(fcvt_h_s, change_format, F16, F32)
D1_FLOAT(fcvt_d_h, change_format, F64, F16)
D1_FLOAT(fcvt_h_d, change_format, F16, F64)
D1_FLOAT(fcvt_s_bf16, change_format, F32, BF16)
D1_FLOAT(fcvt_bf16_s, change_format, BF16, F32)

D1_FLOAT(fmv_x_h, move_to_x, F16)
D1_FLOAT(fmv_x_w, move_to_x, F32)
D1_FLOAT(fmv_x_d, move_to_x, F64)
D1_FLOAT(fmv_h_x, move_from_x, F16)
D1_FLOAT(fmv_w_x, move_from_x, F32)
D1_FLOAT(fmv_d_x, move_from_x, F64)
D1_FLOAT(flh, load_register, F16)
D1_FLOAT(flw, load_register, F32)
D1_FLOAT(fld, load_register, F64)
D1_FLOAT(fsh, store_register, F16)
D1_FLOAT(fsw, store_register, F32)
D1_FLOAT(fsd, store_register, F64)

#undef D1_FLOAT
#undef D1_SEMANTICS

}  // namespace d1::isa::exec
