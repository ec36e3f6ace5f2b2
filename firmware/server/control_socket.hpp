// SPDX-License-Identifier: Apache-2.0
// A DPU's second door (d1/vfio_user/control.hpp): takes requests, a connection each, and answers
// them. Everything happens on the thread of the loop; nothing waits for who asks.
#pragma once

#include <d1/vfio_user/descriptor.hpp>

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

#include <d1/base/error.hpp>

#include "event_loop.hpp"

namespace d1::server {

class ControlSocket {
 public:
  using Handler = std::function<Result<std::string>(std::string_view verb, std::string_view text)>;

  // Before the loop runs; the loop outlives it.
  [[nodiscard]] static Result<std::unique_ptr<ControlSocket>> create(std::string path,
                                                                     EventLoop& loop,
                                                                     Handler handler);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  struct Asker {
    vfio_user::Descriptor socket;
    std::string request;
  };
  ControlSocket(std::string path, EventLoop& loop, Handler handler,
                vfio_user::Descriptor listener);
  void accept();
  void receive(std::list<Asker>::iterator who);
  void end(std::list<Asker>::iterator who);

  const std::string path_;
  EventLoop& loop_;
  const Handler handler_;
  vfio_user::Descriptor listener_;
  std::list<Asker> askers_;  // whose requests are not complete
};

}  // namespace d1::server
