// SPDX-License-Identifier: Apache-2.0
// Faults of the daemon itself: killed, stopped, restarted. They concern this whole process.
#pragma once

#include <d1/emulator/device.hpp>

namespace d1::server {

// Does what the event says, if it is of one of these kinds; any thread. A stop with a time ends by
// itself. A restart does not come back: the program begins anew with its arguments, but for its
// plans of faults, so that it does not begin anew for ever.
void meet_daemon_fault(const emulator::FaultEvent& event);

}  // namespace d1::server
