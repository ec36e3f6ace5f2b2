// SPDX-License-Identifier: Apache-2.0
// Xd1: semaphores, barriers, transfers and services. All of it belongs to the node around the hart,
// so each instruction hands its operands to the environment.
#include <d1/isa/semantics/xd1.hpp>

namespace d1::isa::exec {
namespace {

// A hart that parks runs the instruction again.
[[nodiscard]] Outcome settled(Hart& hart, const Operation& operation, Outcome outcome) noexcept {
  if (outcome == Outcome::Park) hart.pc = operation.pc;
  return outcome;
}

}  // namespace

Outcome d1_sem_wait(Hart& hart, const Operation& operation) {
  return settled(hart, operation,
                 hart.environment->semaphore_wait(hart, operation, hart.x[operation.rs1],
                                                  hart.x[operation.rs2]));
}

Outcome d1_sem_try(Hart& hart, const Operation& operation) {
  std::uint64_t taken = 0;
  const Outcome outcome = hart.environment->semaphore_try(hart, operation, hart.x[operation.rs1],
                                                          hart.x[operation.rs2], taken);
  if (outcome == Outcome::Next) set_x(hart, operation.rd, taken);
  return settled(hart, operation, outcome);
}

Outcome d1_sem_read(Hart& hart, const Operation& operation) {
  std::uint64_t value = 0;
  const Outcome outcome =
      hart.environment->semaphore_read(hart, operation, hart.x[operation.rs1], value);
  if (outcome == Outcome::Next) set_x(hart, operation.rd, value);
  return settled(hart, operation, outcome);
}

Outcome d1_sem_post(Hart& hart, const Operation& operation) {
  return settled(hart, operation,
                 hart.environment->semaphore_post(hart, operation, hart.x[operation.rs1],
                                                  hart.x[operation.rs2]));
}

Outcome d1_bar_node(Hart& hart, const Operation& operation) {
  return settled(hart, operation,
                 hart.environment->node_barrier(hart, operation, hart.x[operation.rs1]));
}

Outcome d1_bar_grid(Hart& hart, const Operation& operation) {
  return settled(hart, operation,
                 hart.environment->grid_barrier(hart, operation, hart.x[operation.rs1]));
}

Outcome d1_xfer(Hart& hart, const Operation& operation) {
  return settled(
      hart, operation,
      hart.environment->transfer(hart, operation, hart.x[operation.rs1], hart.x[operation.rs2]));
}

Outcome d1_xfer_wait(Hart& hart, const Operation& operation) {
  return settled(hart, operation, hart.environment->transfer_wait(hart, operation));
}

Outcome d1_print(Hart& hart, const Operation& operation) {
  return settled(
      hart, operation,
      hart.environment->print(hart, operation, hart.x[operation.rs1], hart.x[operation.rs2]));
}

Outcome d1_trap(Hart& hart, const Operation& operation) {
  return trap(hart, operation, Cause::Assert, hart.x[operation.rs1]);
}

Outcome d1_zone(Hart& hart, const Operation& operation) {
  return settled(hart, operation, hart.environment->zone(hart, operation, hart.x[operation.rs1]));
}

Outcome d1_halt(Hart& hart, const Operation& operation) {
  hart.pc = operation.next_pc();
  return hart.environment->stop(hart, operation);
}

}  // namespace d1::isa::exec
