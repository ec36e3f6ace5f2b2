// SPDX-License-Identifier: Apache-2.0
// vsetvli, vsetivli, vsetvl.
#include <semantics/vector_common.hpp>

namespace d1::isa {
namespace {

Outcome configure(Hart& hart, const Operation& operation, std::uint64_t type, std::uint64_t avl) {
  hart.vtype = decode_vtype(type);
  const std::uint64_t limit = vlmax(hart.vtype);
  hart.vl = avl < limit ? avl : limit;
  set_x(hart, operation.rd, hart.vl);
  return vector::finish(hart);
}

// The application's vector length from rs1: x0 asks for the most, or, with rd x0 too, to keep vl.
Outcome configure_from_register(Hart& hart, const Operation& operation, std::uint64_t type) {
  if (vector_off(hart)) return illegal(hart, operation);
  if (operation.rs1 != 0) return configure(hart, operation, type, hart.x[operation.rs1]);
  if (operation.rd != 0) return configure(hart, operation, type, ~std::uint64_t{0});
  // Keeping vl is reserved where VLMAX changes, or vtype was ill; vill shows the mistake at once.
  const unsigned before = vlmax(hart.vtype);
  const bool same = before != 0 && vlmax(decode_vtype(type)) == before;
  return configure(hart, operation, same ? type : kVtypeIll, hart.vl);
}

}  // namespace

namespace exec {

Outcome vsetvli(Hart& hart, const Operation& operation) {
  return configure_from_register(hart, operation, operation.full >> 20 & 0x7ff);
}

Outcome vsetvl(Hart& hart, const Operation& operation) {
  return configure_from_register(hart, operation, hart.x[operation.rs2]);
}

Outcome vsetivli(Hart& hart, const Operation& operation) {
  if (vector_off(hart)) return illegal(hart, operation);
  return configure(hart, operation, operation.full >> 20 & 0x3ff, operation.rs1);
}

}  // namespace exec
}  // namespace d1::isa
