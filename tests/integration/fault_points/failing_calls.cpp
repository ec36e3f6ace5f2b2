// SPDX-License-Identifier: Apache-2.0
#include "failing_calls.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>

namespace d1::test {
namespace {

std::atomic<int> left = 0;  // calls until one fails; 0 and below: none will
std::atomic<const char*> name_of_failed = nullptr;

bool fails(const char* name) noexcept {
  if (left.load(std::memory_order_relaxed) <= 0 || left.fetch_sub(1) != 1) return false;
  name_of_failed.store(name);
  return true;
}

template <typename Function>
Function* real(const char* name) noexcept {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

FailingCall::FailingCall(unsigned k) {
  name_of_failed.store(nullptr);
  left.store(static_cast<int>(k));
}
FailingCall::~FailingCall() { left.store(0); }

std::string FailingCall::failed() const {
  const char* const name = name_of_failed.load();
  return name != nullptr ? name : "";
}

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
