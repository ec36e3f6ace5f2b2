// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <d1/driver/transport.hpp>

#include <map>
#include <mutex>

#include "built_in_transports.hpp"

namespace d1::driver {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, TransportFactory, std::less<>> factories;

  Registry() { register_built_in_transports(factories); }
};

Registry& registry() {
  static Registry instance;
  return instance;
}

}  // namespace

Result<> register_transport(std::string name, TransportFactory factory) {
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  if (name.empty() || !factory) {
    return fail(ErrorKind::Invalid, "A transport needs a name and a factory.");
  }
  if (all.factories.contains(name)) {
    return fail(ErrorKind::Invalid,
                fmt::format("A transport named '{}' is registered already.", name));
  }
  all.factories.emplace(std::move(name), std::move(factory));
  return {};
}

std::vector<std::string> transport_names() {
  Registry& all = registry();
  std::lock_guard lock(all.mutex);
  std::vector<std::string> names;
  for (const auto& [name, factory] : all.factories) names.push_back(name);
  return names;
}

Result<std::unique_ptr<Transport>> open_transport(std::string_view name,
                                                  TransportOptions options) {
  if (const std::size_t colon = name.find(':'); colon != name.npos) {
    options.address = name.substr(colon + 1);
    name = name.substr(0, colon);
  }
  TransportFactory factory;
  {
    Registry& all = registry();
    std::lock_guard lock(all.mutex);
    const auto found = all.factories.find(name);
    if (found != all.factories.end()) factory = found->second;
  }
  if (!factory) {
    return fail(ErrorKind::Invalid, fmt::format("There is no transport named '{}'; known are: {}.",
                                                name, fmt::join(transport_names(), ", ")));
  }
  auto transport = factory(options);
  if (!transport) return pass_on(transport, fmt::format("opening transport '{}'", name));
  return transport;
}

}  // namespace d1::driver
