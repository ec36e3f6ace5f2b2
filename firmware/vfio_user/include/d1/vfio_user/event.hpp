// SPDX-License-Identifier: Apache-2.0
// Eventfds: how one thread or process wakes another that waits for descriptors.
#pragma once

#include <d1/base/error.hpp>
#include <d1/vfio_user/descriptor.hpp>

#include <string_view>

namespace d1::vfio_user {

// Counts from zero and never blocks. purpose: "the device's interrupts". None left:
// ResourceExhausted.
[[nodiscard]] Result<Descriptor> make_event(std::string_view purpose);

}  // namespace d1::vfio_user
