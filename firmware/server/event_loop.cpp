// SPDX-License-Identifier: Apache-2.0
#include "event_loop.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <d1/vfio_user/descriptor.hpp>
#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>
#include <list>
#include <map>
#include <system_error>
#include <utility>

namespace d1::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// Far more than a timer of 1 ms takes on a loaded host.
constexpr std::chrono::milliseconds kFirstTimer{2000};

// Asio throws what the host refuses it.
template <typename Function>
Result<> attempt(const char* what, Function function) {
  try {
    function();
    return {};
  } catch (const boost::system::system_error& refused) {
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("The host refuses a DPU's thread {}: {}; close other files of this "
                            "process or raise 'ulimit -n'.",
                            what, refused.code().message()));
  }
}

}  // namespace

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

  ~Implementation() {
    watches.clear();
    if (signals.valid()) ::pthread_sigmask(SIG_SETMASK, &blocked_before, nullptr);
  }

  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
  std::map<int, std::shared_ptr<Watch>> watches;
  std::list<Timer> timers;
  vfio_user::Descriptor signals;
  sigset_t blocked_before{};
};

EventLoop::EventLoop() = default;
EventLoop::~EventLoop() = default;

// Asio does not tell that it could not have its timer looked at, so one is waited for.
Result<> EventLoop::open() {
  bool heard = false;
  auto made = attempt("what it waits for events with", [&] {
    implementation_ = std::make_unique<Implementation>();
    asio::io_context& context = implementation_->context;
    asio::steady_timer first(context, std::chrono::milliseconds(1));
    first.async_wait([&](const error_code& error) {
      heard = !error;
      context.stop();
    });
    context.run_for(kFirstTimer);
    context.restart();
  });
  if (!made || heard) return made;
  return fail(ErrorKind::ResourceExhausted,
              fmt::format("The host let no timer of a DPU's thread end within {} ms; end other "
                          "programs or raise fs.epoll.max_user_watches.",
                          kFirstTimer.count()));
}

Result<> EventLoop::watch(int descriptor, std::function<void()> ready) {
  return attempt("a look at one more descriptor", [&] {
    auto made = std::make_shared<Implementation::Watch>(implementation_->context, descriptor,
                                                        std::move(ready));
    implementation_->watches[descriptor] = made;
    Implementation::wait(made);
  });
}

void EventLoop::unwatch(int descriptor) {
  if (!implementation_) return;
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

Result<> EventLoop::on_signals(std::initializer_list<int> signals,
                               std::function<void(int)> function) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  vfio_user::Descriptor made(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!made.valid())
    return fail(ErrorKind::ResourceExhausted,
                fmt::format("The host gives no descriptor for signals: {}; close other files of "
                            "this process or raise 'ulimit -n'.",
                            std::generic_category().message(errno)));
  const int number = made.get();
  auto seen = watch(number, [number, function = std::move(function)] {
    signalfd_siginfo what;
    if (::read(number, &what, sizeof what) == sizeof what)
      function(static_cast<int>(what.ssi_signo));
  });
  if (!seen) return seen;
  ::pthread_sigmask(SIG_BLOCK, &set, &implementation_->blocked_before);
  implementation_->signals = std::move(made);
  return {};
}

void EventLoop::post(std::function<void()> function) {
  asio::post(implementation_->context, std::move(function));
}

void EventLoop::run() { implementation_->context.run(); }

void EventLoop::stop() {
  if (implementation_) post([this] { implementation_->context.stop(); });
}

}  // namespace d1::server
