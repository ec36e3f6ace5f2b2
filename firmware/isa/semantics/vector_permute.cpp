// SPDX-License-Identifier: Apache-2.0
// Vector permutations: slides, gathers, compression, whole registers, and element 0 from and to
// integer registers. (Their floating-point forms are in vector_float_move.cpp.)
#include <algorithm>

#include <semantics/vector_slide.hpp>

namespace d1::isa {
namespace {

using namespace vector;

// Source and destination have LMUL registers of SEW elements.
[[nodiscard]] bool permutable(const Hart& hart, const Operation& operation) {
  const int lmul = hart.vtype.lmul_log2;
  return usable(hart) && group_ok(operation.rd, lmul) && group_ok(operation.rs2, lmul) &&
         destination_ok(operation);
}
// ... and share none: elements are read after lower or higher ones were written.
[[nodiscard]] bool permutable_apart(const Hart& hart, const Operation& operation) {
  return permutable(hart, operation) && operation.rd != operation.rs2;
}

Outcome slide_up(Hart& hart, const Operation& operation, std::uint64_t offset) {
  if (!permutable_apart(hart, operation)) return illegal(hart, operation);
  Body body = body_of(hart, operation);
  // The elements below the offset are no part of the result.
  body.start = static_cast<unsigned>(
      std::max<std::uint64_t>(body.start, std::min<std::uint64_t>(offset, body.end)));
  with_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    if (!body.masked && !body.empty()) {
      std::memcpy(bytes_of(hart, operation.rd) + body.start * sizeof(T),
                  bytes_of(hart, operation.rs2) + (body.start - offset) * sizeof(T),
                  (body.end - body.start) * sizeof(T));
      return;
    }
    for_each_active(hart, body, [&](unsigned index) {
      set_element(hart, operation.rd, index, element<T>(hart, operation.rs2, index - offset));
    });
  });
  return finish(hart, body, operation.rd, hart.vtype.sew_log2, hart.vtype.lmul_log2);
}

Outcome slide_down(Hart& hart, const Operation& operation, std::uint64_t offset) {
  if (!permutable(hart, operation)) return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  const std::uint64_t limit = vlmax(hart.vtype);
  const std::uint64_t available = offset < limit ? limit - offset : 0;  // elements not zero
  with_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    // In ascending order the sources are still unchanged, also where the groups are the same.
    for_each_active(hart, body, [&](unsigned index) {
      const T value = index < available ? element<T>(hart, operation.rs2, index + offset) : T{0};
      set_element(hart, operation.rd, index, value);
    });
  });
  return finish(hart, body, operation.rd, hart.vtype.sew_log2, hart.vtype.lmul_log2);
}

// vd[i] = vs2[index_at(i)], 0 past the group's end.
template <typename F>
Outcome gather(Hart& hart, const Operation& operation, F index_at) {
  const Body body = body_of(hart, operation);
  const std::uint64_t limit = vlmax(hart.vtype);
  with_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    for_each_active(hart, body, [&](unsigned index) {
      const std::uint64_t from = index_at(tag, index);
      const T value = from < limit ? element<T>(hart, operation.rs2, from) : T{0};
      set_element(hart, operation.rd, index, value);
    });
  });
  return finish(hart, body, operation.rd, hart.vtype.sew_log2, hart.vtype.lmul_log2);
}

Outcome gather_one(Hart& hart, const Operation& operation, std::uint64_t from) {
  if (!permutable_apart(hart, operation)) return illegal(hart, operation);
  return gather(hart, operation, [from](auto, unsigned) { return from; });
}

Outcome move_registers(Hart& hart, const Operation& operation, int count_log2) {
  if (!usable(hart) || !group_ok(operation.rd, count_log2) || !group_ok(operation.rs2, count_log2))
    return illegal(hart, operation);
  // vl plays no part; vstart counts elements of SEW.
  const std::size_t bytes = std::size_t{registers_of(count_log2)} * kVlenBytes;
  const std::size_t start = hart.vstart << (hart.vtype.sew_log2 - 3U);
  if (start < bytes)
    std::memmove(bytes_of(hart, operation.rd) + start, bytes_of(hart, operation.rs2) + start,
                 bytes - start);
  return finish(hart);
}

}  // namespace

namespace exec {

Outcome vslideup_vx(Hart& hart, const Operation& operation) {
  return slide_up(hart, operation, hart.x[operation.rs1]);
}
Outcome vslideup_vi(Hart& hart, const Operation& operation) {
  return slide_up(hart, operation, operation.rs1);  // the immediate is in the rs1 field
}
Outcome vslidedown_vx(Hart& hart, const Operation& operation) {
  return slide_down(hart, operation, hart.x[operation.rs1]);
}
Outcome vslidedown_vi(Hart& hart, const Operation& operation) {
  return slide_down(hart, operation, operation.rs1);
}

Outcome vslide1up_vx(Hart& hart, const Operation& operation) {
  if (!permutable_apart(hart, operation)) return illegal(hart, operation);
  return slide_one_up(hart, operation, hart.x[operation.rs1]);
}
Outcome vslide1down_vx(Hart& hart, const Operation& operation) {
  if (!permutable(hart, operation)) return illegal(hart, operation);
  return slide_one_down(hart, operation, hart.x[operation.rs1]);
}

Outcome vrgather_vv(Hart& hart, const Operation& operation) {
  if (!permutable_apart(hart, operation) || !group_ok(operation.rs1, hart.vtype.lmul_log2) ||
      operation.rd == operation.rs1)
    return illegal(hart, operation);
  return gather(hart, operation, [&](auto tag, unsigned index) -> std::uint64_t {
    return element<decltype(tag)>(hart, operation.rs1, index);
  });
}
Outcome vrgather_vx(Hart& hart, const Operation& operation) {
  return gather_one(hart, operation, hart.x[operation.rs1]);
}
Outcome vrgather_vi(Hart& hart, const Operation& operation) {
  return gather_one(hart, operation, operation.rs1);
}
Outcome vrgatherei16_vv(Hart& hart, const Operation& operation) {
  const int lmul = hart.vtype.lmul_log2;
  const int index_emul = lmul + static_cast<int>(kWidthLog2<std::uint16_t>) - hart.vtype.sew_log2;
  if (!permutable_apart(hart, operation) || !group_ok(operation.rs1, index_emul) ||
      overlaps(operation.rd, registers_of(lmul), operation.rs1, registers_of(index_emul)))
    return illegal(hart, operation);
  return gather(hart, operation, [&](auto, unsigned index) -> std::uint64_t {
    return element<std::uint16_t>(hart, operation.rs1, index);
  });
}

Outcome vcompress_vm(Hart& hart, const Operation& operation) {
  const int lmul = hart.vtype.lmul_log2;
  if (!usable(hart) || hart.vstart != 0 || !group_ok(operation.rd, lmul) ||
      !group_ok(operation.rs2, lmul) || operation.rd == operation.rs2 ||
      overlaps(operation.rd, registers_of(lmul), operation.rs1, 1))
    return illegal(hart, operation);
  const auto length = static_cast<unsigned>(hart.vl);
  if (length == 0) return finish(hart);
  unsigned count = 0;
  with_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = decltype(tag);
    for (unsigned first = 0; first < length; first += 64)
      for (std::uint64_t bits =
               mask_bits(hart, operation.rs1, first, 64) & range_bits(0, length, first, 64);
           bits != 0; bits &= bits - 1) {
        const unsigned from = first + static_cast<unsigned>(std::countr_zero(bits));
        set_element(hart, operation.rd, count++, element<T>(hart, operation.rs2, from));
      }
  });
  // What follows the packed elements is tail, up to vl too.
  if (agnostic_fill && count == 0) return finish(hart);
  return finish(hart, Body{0, count, false}, operation.rd, hart.vtype.sew_log2, lmul);
}

Outcome vmv1r_v(Hart& hart, const Operation& operation) {
  return move_registers(hart, operation, 0);
}
Outcome vmv2r_v(Hart& hart, const Operation& operation) {
  return move_registers(hart, operation, 1);
}
Outcome vmv4r_v(Hart& hart, const Operation& operation) {
  return move_registers(hart, operation, 2);
}
Outcome vmv8r_v(Hart& hart, const Operation& operation) {
  return move_registers(hart, operation, 3);
}

// Element 0 is read even if vl is 0. LMUL plays no part: any register will do.
Outcome vmv_x_s(Hart& hart, const Operation& operation) {
  if (!usable(hart)) return illegal(hart, operation);
  with_element(hart.vtype.sew_log2, [&](auto tag) {
    using T = Signed<decltype(tag)>;
    set_x(hart, operation.rd,
          static_cast<std::uint64_t>(std::int64_t{element<T>(hart, operation.rs2, 0)}));
  });
  return finish(hart);
}
Outcome vmv_s_x(Hart& hart, const Operation& operation) {
  if (!usable(hart)) return illegal(hart, operation);
  return set_first_element(hart, operation, hart.x[operation.rs1]);
}

}  // namespace exec
}  // namespace d1::isa
