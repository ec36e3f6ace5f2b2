// SPDX-License-Identifier: Apache-2.0
// Plays the lines of a record to a device, one after the other, and compares what comes back.
// One thread; play() of a completion waits for it, the deadline at most.
#pragma once

#include <d1/abi/commands.h>
#include <d1/abi/registers.h>
#include <d1/hil/recording.hpp>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "rig/command_memory.hpp"
#include "rig/shared_memory.hpp"

namespace d1::hil {

class Replayer {
 public:
  using Json = nlohmann::ordered_json;

  // All outlive it. What it has enabled and mapped is disabled and unmapped when it dies.
  Replayer(driver::Transport& transport, std::string_view payload, driver::Deadline deadline)
      : transport_(transport), payload_(payload), deadline_(deadline) {}
  ~Replayer() { close(); }
  Replayer(const Replayer&) = delete;
  Replayer& operator=(const Replayer&) = delete;

  [[nodiscard]] Result<> play(const Json& line);
  // What the rig did there and no transport can do again; empty: it can.
  [[nodiscard]] static std::string beyond(const Json& line);
  [[nodiscard]] Replay& result() noexcept { return result_; }

 private:
  struct Queue {
    std::uint64_t submission = 0, completion = 0, entries = 0;
    std::uint32_t submitted = 0, completed = 0;
    std::uint16_t phase = 1;
    unsigned vector = 0;
    bool enabled = false;
  };
  // As the device finds it when a client has left, with or without a word.
  void close();
  [[nodiscard]] Result<> map(const Json& line);
  [[nodiscard]] Result<> unmap(const Json& line);
  [[nodiscard]] Result<> write_register(const Json& line);
  [[nodiscard]] Result<> submit(const Json& line);
  [[nodiscard]] Result<> complete(const Json& line);
  [[nodiscard]] Result<> peek(const Json& line);
  [[nodiscard]] Result<d1_completion*> next_completion(unsigned queue);
  void compare(const Json& line, const d1_completion& entry);
  [[nodiscard]] std::byte* memory_at(std::uint64_t iova, std::uint64_t bytes) const;
  [[nodiscard]] std::byte* memory_at(const IoRange& range) const;
  [[nodiscard]] std::string_view bytes_of(const Json& about) const;

  driver::Transport& transport_;
  const std::string_view payload_;
  const driver::Deadline deadline_;
  std::map<std::uint64_t, SharedMemory> maps_;  // by iova
  std::array<Queue, D1_QUEUE_PAIRS> queues_;
  std::map<std::pair<unsigned, unsigned>, std::string> names_;  // of commands, by queue and id
  Replay result_;
};

}  // namespace d1::hil
