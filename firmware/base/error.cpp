// SPDX-License-Identifier: Apache-2.0
#include <d1/base/error.hpp>

namespace d1 {

std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::Invalid: return "invalid";
    case ErrorKind::Unsupported: return "unsupported";
    case ErrorKind::ResourceExhausted: return "resource exhausted";
    case ErrorKind::Timeout: return "timeout";
    case ErrorKind::Cancelled: return "cancelled";
    case ErrorKind::KernelTrap: return "kernel trap";
    case ErrorKind::Deadlock: return "deadlock";
    case ErrorKind::DeviceLost: return "device lost";
    case ErrorKind::Hardware: return "hardware";
    case ErrorKind::Protocol: return "protocol";
    case ErrorKind::Internal: return "internal";
  }
  return "unknown";
}

std::string Error::to_string() const {
  std::string text = std::string(d1::to_string(kind_)) + ": " + sentence_;
  for (const auto& context : contexts_) {
    text += "\n  while " + context;
  }
  return text;
}

}  // namespace d1
