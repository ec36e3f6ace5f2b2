// SPDX-License-Identifier: Apache-2.0
// Gather and scatter: element addresses from a vector of byte offsets. Elements are accessed in
// ascending order in both the unordered and the ordered instructions.
#include <semantics/vector_memory.hpp>

namespace d1::isa {
namespace vector {
namespace {

template <Direction direction>
[[nodiscard]] bool indexed_ok(const Hart& hart, const Operation& operation, unsigned index_width,
                              int index_emul) noexcept {
  const int emul = hart.vtype.lmul_log2;
  const unsigned fields = operation.fields();
  if (!usable(hart) || !fields_ok(operation, fields, emul)) return false;
  if (!group_ok(operation.rs2, index_emul)) return false;
  if (direction == Direction::Store) return true;
  if (!destination_ok(operation)) return false;
  if (fields == 1)
    return overlap_ok(operation.rd, hart.vtype.sew_log2, emul, operation.rs2, index_width,
                      index_emul);
  return !overlaps(operation.rd, fields * registers_of(emul), operation.rs2,
                   registers_of(index_emul));
}

template <Direction direction, typename Index>
Outcome indexed(Hart& hart, const Operation& operation) {
  constexpr unsigned width = kWidthLog2<Index>;
  const int emul = hart.vtype.lmul_log2;
  const int index_emul = static_cast<int>(width) - hart.vtype.sew_log2 + emul;
  if (!indexed_ok<direction>(hart, operation, width, index_emul)) return illegal(hart, operation);
  const Body body = body_of(hart, operation);
  const unsigned fields = operation.fields();
  const std::uint64_t base = hart.x[operation.rs1];
  const Outcome outcome = with_element(hart.vtype.sew_log2, [&](auto zero) {
    return move_elements<direction, decltype(zero)>(
        hart, operation, body, fields, registers_of(emul),
        [&](unsigned index) { return base + element<Index>(hart, operation.rs2, index); });
  });
  if (outcome != Outcome::Next) return outcome;
  if constexpr (direction == Direction::Store) return finish(hart);
  return finish_load(hart, operation, body, fields, hart.vtype.sew_log2, emul);
}

}  // namespace
}  // namespace vector

namespace exec {

#define D1_DEFINE(id, direction, width)                                                          \
  Outcome id(Hart& hart, const Operation& operation) {                                           \
    return vector::indexed<vector::Direction::direction, std::uint##width##_t>(hart, operation); \
  }
#define D1_WIDTH(width)                      \
  D1_DEFINE(vluxei##width##_v, Load, width)  \
  D1_DEFINE(vloxei##width##_v, Load, width)  \
  D1_DEFINE(vsuxei##width##_v, Store, width) \
  D1_DEFINE(vsoxei##width##_v, Store, width)

D1_WIDTH(8)
D1_WIDTH(16)
D1_WIDTH(32)
D1_WIDTH(64)

#undef D1_WIDTH
#undef D1_DEFINE

}  // namespace exec
}  // namespace d1::isa
