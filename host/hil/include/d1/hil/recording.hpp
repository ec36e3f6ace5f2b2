// SPDX-License-Identifier: Apache-2.0
// Traffic between a host and a device that a rig recorded, to be played to another device: the
// same registers, maps, commands and doorbells with the same bytes at the same I/O addresses.
//
// A plain value; one thread. replay() waits for each completion, the deadline at most.
#pragma once

#include <d1/base/error.hpp>
#include <d1/driver/transport.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace d1::hil {

struct Replay {
  std::size_t commands = 0;              // that were given to the device
  std::vector<std::string> differences;  // a sentence each; times are not compared
  // Why the record was not played to its end, since what the rig did there a transport cannot: it
  // switched the power, or killed the daemon. Empty if it was.
  std::string cut_short;
};

class Recording {
 public:
  // By the path of traffic.jsonl; FILE.data lies beside it. A file that cannot be read or is no
  // record, or that was larger than RigOptions::record_bytes: Invalid.
  [[nodiscard]] static Result<Recording> load(const std::string& path);

  // Plays it to a device opened for this, which should be as the recorded one was: after power-on.
  // target: as a transport is named. A device that does not answer in time: Timeout. Faults that
  // were injected are in the record and not injected again: a mended device has none.
  [[nodiscard]] Result<Replay> replay(
      const std::string& target, const driver::TransportOptions& options = {},
      std::chrono::milliseconds timeout = std::chrono::seconds(60)) const;

  [[nodiscard]] std::size_t lines() const noexcept { return lines_.size(); }

 private:
  Recording() = default;
  std::string path_;
  std::vector<std::string> lines_;  // JSON
  std::string payload_;
};

}  // namespace d1::hil
