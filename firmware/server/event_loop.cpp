// SPDX-License-Identifier: Apache-2.0
#include "event_loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>
#include <map>
#include <utility>

namespace d1::server {

namespace asio = boost::asio;
using boost::system::error_code;

struct EventLoop::Implementation {
  struct Watch {
    Watch(asio::io_context& context, int number, std::function<void()> function)
        : descriptor(context, number), ready(std::move(function)) {}
    ~Watch() { let_go(); }
    void let_go() {  // the number is not ours to close
      if (descriptor.is_open()) descriptor.release();
    }

    asio::posix::stream_descriptor descriptor;
    std::function<void()> ready;
  };
  struct Timer {
    asio::steady_timer timer;
    std::chrono::milliseconds period;
    std::function<void()> function;
  };

  // A watch that was given up while its event was on the way is held by that event alone.
  static void wait(const std::shared_ptr<Watch>& watch) {
    watch->descriptor.async_wait(
        asio::posix::stream_descriptor::wait_read,
        [held = std::weak_ptr(watch)](const error_code& error) {
          const auto strong = held.lock();
          if (error || !strong) return;
          strong->ready();
          if (strong.use_count() > 1) wait(strong);
        });
  }
  static void wait(Timer& timer) {
    timer.timer.expires_after(timer.period);
    timer.timer.async_wait([&timer](const error_code& error) {
      if (error) return;
      timer.function();
      wait(timer);
    });
  }

  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
  std::map<int, std::shared_ptr<Watch>> watches;
  std::list<Timer> timers;
  std::list<asio::signal_set> signals;
};

EventLoop::EventLoop() : implementation_(std::make_unique<Implementation>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::watch(int descriptor, std::function<void()> ready) {
  auto made = std::make_shared<Implementation::Watch>(implementation_->context, descriptor,
                                                      std::move(ready));
  implementation_->watches[descriptor] = made;
  Implementation::wait(made);
}

void EventLoop::unwatch(int descriptor) {
  const auto found = implementation_->watches.find(descriptor);
  if (found == implementation_->watches.end()) return;
  found->second->let_go();
  implementation_->watches.erase(found);
}

void EventLoop::every(std::chrono::milliseconds period, std::function<void()> function) {
  auto& timer = implementation_->timers.emplace_back(Implementation::Timer{
      asio::steady_timer(implementation_->context), period, std::move(function)});
  Implementation::wait(timer);
}

void EventLoop::on_signals(std::initializer_list<int> signals,
                           std::function<void(int)> function) {
  auto& set = implementation_->signals.emplace_back(implementation_->context);
  for (const int signal : signals) set.add(signal);
  set.async_wait([function = std::move(function)](const error_code& error, int signal) {
    if (!error) function(signal);
  });
}

void EventLoop::post(std::function<void()> function) {
  asio::post(implementation_->context, std::move(function));
}

void EventLoop::run() { implementation_->context.run(); }

void EventLoop::stop() {
  post([this] { implementation_->context.stop(); });
}

}  // namespace d1::server
