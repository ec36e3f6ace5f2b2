// SPDX-License-Identifier: Apache-2.0
// The transports this library brings along. Named here and not by static constructors, which a
// linker drops from a static library.
#pragma once

#include <d1/driver/transport.hpp>

#include <functional>
#include <map>
#include <string>

namespace d1::driver {

void register_built_in_transports(std::map<std::string, TransportFactory, std::less<>>& factories);

[[nodiscard]] Result<std::unique_ptr<Transport>> make_in_process_transport(
    const TransportOptions& options);
[[nodiscard]] Result<std::unique_ptr<Transport>> make_vfio_user_transport(
    const TransportOptions& options);
[[nodiscard]] Result<std::unique_ptr<Transport>> make_vfio_user_in_band_transport(
    const TransportOptions& options);

}  // namespace d1::driver
