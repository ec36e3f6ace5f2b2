// SPDX-License-Identifier: Apache-2.0
// What a client can send to a DPU of a daemon: any bytes in messages of any kind, with files of all
// sorts, and answers of all sorts to what the device asks of it (session_client.hpp). Whatever it
// was, the next client finds a device that it can ask what it is.
#include "session_client.hpp"

#include <string_view>

namespace {

using namespace d1::fuzz;
using namespace std::chrono_literals;

constexpr unsigned kActs = 32;  // of an input

// A client that behaves: it agrees on a version, and asks what it has in front of it.
void check(Function& function) {
  Connection connection = connect(function);
  MessageSocket client(std::move(connection.client));
  using Parts = std::initializer_list<std::span<const std::byte>>;
  const auto ask = [&](std::uint16_t command, Parts parts) {
    d1_vfio_user_header header{};
    header.command = command;
    require(client.send(header, parts, {}, Clock::now() + 5s).has_value(),
            "A new client cannot send.");
    require(connection.session->receive().has_value(), "A new client was sent away.");
    auto reply = client.receive(Clock::now() + 5s);
    require(reply && reply->is_reply() && (reply->header.flags & D1_VFIO_USER_ERROR) == 0,
            "A new client got no answer.");
    return std::move(*reply);
  };
  const d1_vfio_user_version version{D1_VFIO_USER_MAJOR, D1_VFIO_USER_MINOR};
  constexpr std::string_view kNothing{"{}", 3};
  (void)ask(D1_VFIO_USER_VERSION, {bytes_of(version), std::as_bytes(std::span(kNothing))});
  const d1_vfio_user_device_info request{sizeof request, 0, 0, 0};
  const Message reply = ask(D1_VFIO_USER_DEVICE_GET_INFO, {bytes_of(request)});
  const auto info = reply.read<d1_vfio_user_device_info>();
  require(info && info->regions == VFIO_PCI_NUM_REGIONS, "The device is another one.");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  static const Files files;
  static const std::unique_ptr<Function> function = [] {
    d1::server::FunctionOptions options;
    options.device.machine = D1_FUZZ_MACHINE;
    options.device.host_threads = 1;
    options.poll = 0us;
    auto made = Function::create(std::move(options));
    require(made.has_value(), "The function cannot be made.");
    return std::move(*made);
  }();
  Input input(data, bytes);
  {
    Client client(*function, files);
    for (unsigned i = 0; i < kActs && !input.empty(); ++i)
      if (!client.act(input)) break;
  }
  check(*function);
  return 0;
}
