// SPDX-License-Identifier: Apache-2.0
#include "rig/traffic.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace d1::hil {
namespace {

thread_local unsigned depth_of_actions = 0;

void run(const std::function<void()>& action) {
  ++depth_of_actions;
  try {
    action();
  } catch (const std::exception& problem) {
    ADD_FAILURE() << "An action of Rig::on() ended with an exception: " << problem.what();
  } catch (...) {
    ADD_FAILURE() << "An action of Rig::on() ended with an exception.";
  }
  --depth_of_actions;
}

}  // namespace

std::uint64_t hash_of(std::span<const std::byte> bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte byte : bytes)
    hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3;
  return hash;
}

Traffic::Traffic(std::string target, driver::TransportOptions options, const std::string& record,
                 std::uint64_t limit)
    : target_(std::move(target)), options_(std::move(options)), limit_(limit) {
  if (record.empty()) return;
  record_.open(record, std::ios::trunc);
  payload_.open(record + ".data", std::ios::trunc | std::ios::binary);
}

void Traffic::add(std::string_view kind, Json what) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start_);
  Json line{{"t_us", since.count()}, {"kind", kind}};
  line.update(what);
  const std::lock_guard guard(mutex_);
  if (!record_.is_open() || cut_) return;
  std::string text = line.dump() + '\n';
  cut_ = text.size() > limit_ - line_bytes_;
  if (cut_) text = Json{{"t_us", since.count()}, {"kind", "cut"}, {"limit", limit_}}.dump() + '\n';
  else line_bytes_ += text.size();
  // Each line goes out at once, behind the payload that it speaks of: a crash cuts nothing off.
  (record_ << text).flush();
}

Traffic::Json Traffic::seen(std::span<const std::byte> bytes) {
  return {{"bytes", bytes.size()}, {"hash", hash_of(bytes)}};
}

Traffic::Json Traffic::kept(std::span<const std::byte> bytes) {
  Json about = seen(bytes);
  const std::lock_guard guard(mutex_);
  if (!payload_.is_open()) return about;
  const auto known = known_.find(about["hash"].get<std::uint64_t>());
  if (known != known_.end() && known->second.second == bytes.size()) {
    about["at"] = known->second.first;
    return about;
  }
  if (bytes.size() > limit_ - payload_bytes_) return about;
  about["at"] = payload_bytes_;
  known_[about["hash"].get<std::uint64_t>()] = {payload_bytes_, bytes.size()};
  payload_.write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
  payload_.flush();
  payload_bytes_ += bytes.size();
  return about;
}

void Traffic::on(const Event& event, std::function<void()> action) {
  const std::lock_guard guard(mutex_);
  watchers_.push_back({event, 0, std::move(action)});
}

void Traffic::passed(EventKind kind, unsigned which) {
  std::vector<std::function<void()>> due;
  {
    const std::lock_guard guard(mutex_);
    for (Watcher& watcher : watchers_) {
      const Event& event = watcher.event;
      if (event.kind != kind || (event.which && *event.which != which)) continue;
      if (++watcher.seen == event.nth) due.push_back(std::move(watcher.action));
    }
    std::erase_if(watchers_,
                  [](const Watcher& watcher) { return watcher.seen >= watcher.event.nth; });
  }
  for (const auto& action : due) run(action);
}

bool Traffic::in_action() noexcept { return depth_of_actions != 0; }

void Traffic::attach(driver::Transport& observer) {
  const std::lock_guard guard(observer_mutex_);
  observer_ = &observer;
}

void Traffic::detach(driver::Transport& observer) {
  const std::lock_guard guard(observer_mutex_);
  if (observer_ == &observer) observer_ = nullptr;
}

bool Traffic::with_observer(const std::function<void(driver::Transport&)>& what) {
  const std::lock_guard guard(observer_mutex_);
  if (observer_ == nullptr) return false;
  what(*observer_);
  return true;
}

bool Traffic::held() const {
  const std::lock_guard guard(mutex_);
  return held_;
}

void Traffic::set_held(bool held) {
  const std::lock_guard guard(mutex_);
  held_ = held;
}

}  // namespace d1::hil
