// SPDX-License-Identifier: Apache-2.0
#include "built_in_transports.hpp"

namespace d1::driver {

void register_built_in_transports(std::map<std::string, TransportFactory, std::less<>>& factories) {
  factories.emplace("in-process", make_in_process_transport);
  factories.emplace("vfio-user", make_vfio_user_transport);
  factories.emplace("vfio-user-in-band", make_vfio_user_in_band_transport);
}

}  // namespace d1::driver
