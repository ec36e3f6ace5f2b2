// SPDX-License-Identifier: Apache-2.0
#include <d1/runtime/hart_state.hpp>

#include <d1/isa/hart.hpp>
#include <fmt/format.h>

namespace d1::runtime {

std::string describe(const d1_hart_report& hart) {
  switch (static_cast<isa::HartStatus>(hart.status)) {
    case isa::HartStatus::Reset:
      return "in reset";
    case isa::HartStatus::Runnable:
      return "running";
    case isa::HartStatus::Stopped:
      return "stopped";
    case isa::HartStatus::Parked:
      break;
  }
  switch (static_cast<isa::WaitKind>(hart.wait_kind)) {
    case isa::WaitKind::Semaphore:
      return fmt::format("waiting for semaphore {} to hold {} (it holds {})", hart.wait_index,
                         hart.wait_amount, hart.wait_value);
    case isa::WaitKind::NodeBarrier:
      return "waiting at a barrier of its node";
    case isa::WaitKind::GridBarrier:
      return "waiting at a barrier of the grid";
    case isa::WaitKind::RemoteAccess:
      return "waiting for an access to another node or HBM";
    case isa::WaitKind::Transfer:
      return "waiting for its transfers";
    case isa::WaitKind::Interrupt:
      return "waiting for an interrupt";
    case isa::WaitKind::None:
      break;
  }
  return "waiting";
}

}  // namespace d1::runtime
