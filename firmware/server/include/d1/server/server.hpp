// SPDX-License-Identifier: Apache-2.0
// A machine whose DPUs are offered to other processes: each as a PCI function by the vfio-user
// protocol, on a socket of its own in one folder. What is going on is told on a further socket.
//
// Each DPU is emulated by itself: own memory, own threads, own clock. Nothing leads from one to
// another. A DPU has at most one client at a time; when it leaves or dies, the DPU's state stays.
//
// Threads: create() and run() belong to one thread; stop() may be called from any, signal handlers
// included. Blocking: run() serves until stop(), SIGTERM or SIGINT.
#pragma once

#include <d1/base/error.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace d1::server {

struct ServerOptions {
  std::string machine = "d1";     // built-in machine, or path of a machine file
  std::vector<std::string> dpus;  // NAME=PLACE each (see server/README.md); none: "d1=all"
  std::string directory;          // for the sockets; made if it is not there; empty: the default
  unsigned host_threads = 0;      // that run nodes, of each DPU; 0: as many as the host has
  std::uint64_t seed = 0;         // order of what is unordered; 0: none shuffled
  std::string engine;             // by name; empty: what D1_ENGINE says
  std::string rom_image;          // path of a boot ROM to use instead of the built-in one
  // Plans of faults: [NAME=]PATH each, for one DPU or for all.
  std::vector<std::string> faults;
  // How long a DPU's thread looks for doorbells once there is no work, before it sleeps.
  std::chrono::microseconds poll{50};
};

// $XDG_RUNTIME_DIR/opend1, else /tmp/opend1-UID.
[[nodiscard]] std::string default_directory();

class Server {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Server>> create(const ServerOptions& options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void run();
  void stop();

  // One line for each DPU: name, place, nodes, socket.
  [[nodiscard]] std::string description() const;

 private:
  class Implementation;
  explicit Server(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

// What the daemons of a folder say of themselves, one JSON document each; daemons that do not
// answer within the deadline are told of in `silent`.
struct Daemons {
  std::vector<std::string> documents;
  std::vector<std::string> silent;
};
[[nodiscard]] Result<Daemons> ask_daemons(const std::string& directory,
                                          std::chrono::milliseconds timeout);

}  // namespace d1::server
