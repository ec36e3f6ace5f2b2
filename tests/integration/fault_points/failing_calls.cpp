// SPDX-License-Identifier: Apache-2.0
#include "failing_calls.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace d1::test {
namespace {

constinit FaultState own;
constinit std::atomic<FaultState*> state = &own;

bool fails(const char* name) noexcept {
  FaultState& now = *state.load(std::memory_order_relaxed);
  if (now.left.load(std::memory_order_relaxed) <= 0 || now.left.fetch_sub(1) != 1) return false;
  std::strncpy(now.failed, name, sizeof now.failed - 1);
  now.has_failed.store(true);
  return true;
}

template <typename Function>
Function* real(const char* name) noexcept {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

FaultState* mapped(const char* path, int flags) noexcept {
  const int file = ::open(path, flags | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  void* memory = MAP_FAILED;
  if (file >= 0 && ::ftruncate(file, sizeof(FaultState)) == 0)
    memory = ::mmap(nullptr, sizeof(FaultState), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (file >= 0) ::close(file);
  return memory == MAP_FAILED ? nullptr : static_cast<FaultState*>(memory);
}

// Before main(): a program that a test started is armed from its first call on.
[[gnu::constructor]] void find_state() noexcept {
  const char* const path = std::getenv(kStateVariable);
  if (path == nullptr) return;
  FaultState* const found = mapped(path, 0);
  if (found == nullptr) std::abort();  // else a test would see a program without faults
  state.store(found);
}

}  // namespace

void FaultState::arm(unsigned k) noexcept {
  left.store(0);
  has_failed.store(false);
  left.store(static_cast<int>(k));
}

std::string FaultState::failed_call() const { return has_failed.load() ? failed : ""; }

SharedFaultState::SharedFaultState(std::filesystem::path path)
    : path_(std::move(path)), state_(mapped(path_.c_str(), O_CREAT)) {
  if (state_ == nullptr) throw std::runtime_error(path_.string() + " cannot be mapped");
}
SharedFaultState::~SharedFaultState() {
  ::munmap(state_, sizeof(FaultState));
  std::filesystem::remove(path_);
}

FailingCall::FailingCall(unsigned k) { own.arm(k); }
FailingCall::~FailingCall() { own.disarm(); }
std::string FailingCall::failed() const { return own.failed_call(); }

}  // namespace d1::test

// name(parameters) fails with `error`, as `result` says; else it is the C library's.
#define D1_FAULT_POINT(type, name, parameters, values, error, result)                        \
  extern "C" type name parameters {                                                          \
    static auto* const call = d1::test::real<type parameters>(#name);                        \
    if (!d1::test::fails(#name)) return call values;                                         \
    errno = error;                                                                           \
    return result;                                                                           \
  }

D1_FAULT_POINT(int, memfd_create, (const char* name, unsigned flags) noexcept, (name, flags),
               EMFILE, -1)
D1_FAULT_POINT(int, ftruncate, (int file, off_t bytes) noexcept, (file, bytes), ENOSPC, -1)
D1_FAULT_POINT(void*, mmap,
               (void* at, size_t bytes, int protection, int flags, int file, off_t offset) noexcept,
               (at, bytes, protection, flags, file, offset), ENOMEM, MAP_FAILED)
D1_FAULT_POINT(int, eventfd, (unsigned value, int flags) noexcept, (value, flags), EMFILE, -1)
D1_FAULT_POINT(int, socket, (int domain, int type, int protocol) noexcept,
               (domain, type, protocol), EMFILE, -1)
D1_FAULT_POINT(int, connect, (int file, const sockaddr* address, socklen_t bytes),
               (file, address, bytes), ECONNREFUSED, -1)
D1_FAULT_POINT(ssize_t, sendmsg, (int file, const msghdr* message, int flags),
               (file, message, flags), ECONNRESET, -1)
D1_FAULT_POINT(ssize_t, recvmsg, (int file, msghdr* message, int flags), (file, message, flags),
               ECONNRESET, -1)
D1_FAULT_POINT(int, poll, (pollfd * files, nfds_t count, int timeout), (files, count, timeout),
               ENOMEM, -1)
D1_FAULT_POINT(int, ppoll,
               (pollfd * files, nfds_t count, const timespec* timeout, const sigset_t* mask),
               (files, count, timeout, mask), ENOMEM, -1)
D1_FAULT_POINT(int, pthread_create,
               (pthread_t * thread, const pthread_attr_t* attributes, void* (*function)(void*),
                void* argument) noexcept,
               (thread, attributes, function, argument), EAGAIN, EAGAIN)
D1_FAULT_POINT(int, bind, (int file, const sockaddr* address, socklen_t bytes) noexcept,
               (file, address, bytes), EACCES, -1)
D1_FAULT_POINT(int, listen, (int file, int backlog) noexcept, (file, backlog), EADDRINUSE, -1)
D1_FAULT_POINT(int, accept4, (int file, sockaddr* address, socklen_t* bytes, int flags),
               (file, address, bytes, flags), EMFILE, -1)
D1_FAULT_POINT(int, socketpair, (int domain, int type, int protocol, int* pair) noexcept,
               (domain, type, protocol, pair), EMFILE, -1)
D1_FAULT_POINT(int, epoll_create1, (int flags) noexcept, (flags), EMFILE, -1)
D1_FAULT_POINT(int, epoll_ctl, (int epoll, int what, int file, epoll_event* event) noexcept,
               (epoll, what, file, event), ENOSPC, -1)
D1_FAULT_POINT(int, timerfd_create, (clockid_t clock, int flags) noexcept, (clock, flags), EMFILE,
               -1)
D1_FAULT_POINT(int, signalfd, (int file, const sigset_t* signals, int flags) noexcept,
               (file, signals, flags), EMFILE, -1)
D1_FAULT_POINT(int, chmod, (const char* path, mode_t mode) noexcept, (path, mode), EPERM, -1)
D1_FAULT_POINT(ssize_t, readlink, (const char* path, char* target, size_t bytes) noexcept,
               (path, target, bytes), ENOMEM, -1)
