// SPDX-License-Identifier: Apache-2.0
#include <d1/emulator/debug_session.hpp>
#include <d1/emulator/device.hpp>

#include <utility>

namespace d1::emulator {

DebugSession::~DebugSession() {
  for (; halts_ != 0; --halts_) device_.resume();
}

DebugSession::Answer DebugSession::answer(const d1_debug_request& request,
                                          std::span<const std::uint8_t> data) {
  const auto done = [this] { return Answer{device_.read_register(D1_REG_CYCLE), {}}; };
  switch (request.verb) {
    case D1_DEBUG_HALT:
      device_.halt();
      ++halts_;
      return done();
    case D1_DEBUG_CONTINUE:
      if (halts_ == 0)
        return {0, fail(ErrorKind::Invalid,
                        "This tool has not halted the machine; who did must let it go on.")};
      --halts_;
      device_.resume();
      return done();
    default: break;
  }
  Answer answer;
  answer.data = device_.debug(request, data, answer.cycle);
  return answer;
}

}  // namespace d1::emulator
