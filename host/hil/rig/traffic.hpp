// SPDX-License-Identifier: Apache-2.0
// What passes between a host and its device while a rig watches: a record in a file, counts, and
// what tests want done when something passes. Shared by the rig and the transport that observes.
//
// A record is JSON lines: {"t_us", "kind", ...}, in the order in which things passed. Bytes that
// the device reads stand in FILE.data; {"at", "bytes", "hash"} says where, or, for what it wrote,
// {"bytes", "hash"} alone; {"rows", "pitch"}, if they lie in rows. "rig": what the test did;
// "cut": the record has reached its limit and ends here.
//
// Threads: any may call any member. Actions run on the thread that met the event, without a lock.
#pragma once

#include <d1/driver/transport.hpp>
#include <d1/hil/event.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace d1::hil {

// FNV-1a of 64 bits: for comparing, not for security.
[[nodiscard]] std::uint64_t hash_of(std::span<const std::byte> bytes) noexcept;

class Traffic {
 public:
  using Json = nlohmann::ordered_json;

  // target: as a transport is named. Record: a path, or "" for none. limit: bytes of lines, and of
  // payload; what is beyond is not kept, and such a record cannot be replayed.
  Traffic(std::string target, driver::TransportOptions options, const std::string& record,
          std::uint64_t limit);

  [[nodiscard]] const std::string& target() const noexcept { return target_; }
  [[nodiscard]] const driver::TransportOptions& options() const noexcept { return options_; }
  [[nodiscard]] bool recording() const noexcept { return record_.is_open(); }

  void add(std::string_view kind, Json what);
  // Bytes that the device will read; kept once however often they pass.
  [[nodiscard]] Json kept(std::span<const std::byte> bytes);
  [[nodiscard]] static Json seen(std::span<const std::byte> bytes);

  // `action` is called when the event has passed, once.
  void on(const Event& event, std::function<void()> action);
  // Something passed: does what was asked for. An action that throws fails the test, since whoever
  // met the event knows nothing of it.
  void passed(EventKind kind, unsigned which);
  // Whether this thread is in an action, and so holds what the driver locks around an event.
  [[nodiscard]] static bool in_action() noexcept;

  // The transport that observes, while there is one; the last that was attached.
  void attach(driver::Transport& observer);
  void detach(driver::Transport& observer);
  // Calls `what` with it, or returns false if there is none. It stays until `what` returns, which
  // must lead to no action: that may ask for the observer itself.
  bool with_observer(const std::function<void(driver::Transport&)>& what);

  // A device that is held in reset is not enabled by its driver until it is released.
  [[nodiscard]] bool held() const;
  void set_held(bool held);

 private:
  struct Watcher {
    Event event;
    unsigned seen = 0;
    std::function<void()> action;
  };

  const std::string target_;
  const driver::TransportOptions options_;
  const std::uint64_t limit_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;
  std::ofstream record_, payload_;
  std::uint64_t line_bytes_ = 0, payload_bytes_ = 0;
  bool cut_ = false;  // the last line says so
  std::unordered_map<std::uint64_t, std::pair<std::uint64_t, std::size_t>> known_;  // by hash
  std::vector<Watcher> watchers_;
  bool held_ = false;
  std::mutex observer_mutex_;
  driver::Transport* observer_ = nullptr;
};

// Makes "hil:ID" a transport that observes what `traffic` names; the ID. As long as that lives.
[[nodiscard]] std::string observe(const std::shared_ptr<Traffic>& traffic);

}  // namespace d1::hil
