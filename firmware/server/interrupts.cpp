// SPDX-License-Identifier: Apache-2.0
#include "interrupts.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace d1::server {
namespace {

bool one_bit(std::uint32_t bits) { return bits != 0 && (bits & (bits - 1)) == 0; }

// Anything else could block whoever writes to it.
bool is_eventfd(const vfio_user::Descriptor& descriptor) {
  std::array<char, 64> target;
  const std::string link = fmt::format("/proc/self/fd/{}", descriptor.get());
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  if (length < 0) return false;
  const std::string_view what(target.data(), static_cast<std::size_t>(length));
  return what == "anon_inode:[eventfd]";
}

}  // namespace

std::uint32_t Interrupts::count(std::uint32_t index) noexcept {
  switch (index) {
    case VFIO_PCI_MSIX_IRQ_INDEX: return D1_MSIX_VECTORS;
    case VFIO_PCI_ERR_IRQ_INDEX:
    case VFIO_PCI_REQ_IRQ_INDEX: return 1;
    default: return 0;
  }
}

Interrupts::Line* Interrupts::lines(std::uint32_t index) noexcept {
  switch (index) {
    case VFIO_PCI_MSIX_IRQ_INDEX: return msix_.data();
    case VFIO_PCI_ERR_IRQ_INDEX: return error_.data();
    case VFIO_PCI_REQ_IRQ_INDEX: return request_.data();
    default: return nullptr;
  }
}

void Interrupts::signal(const vfio_user::Descriptor& event) noexcept {
  const std::uint64_t one = 1;
  pollfd room{event.get(), POLLOUT, 0};
  // A full counter would block, and loses nothing: the event is there.
  if (event.valid() && ::poll(&room, 1, 0) > 0) (void)!::write(event.get(), &one, sizeof one);
}

void Interrupts::act(Line& line, std::uint32_t action) {
  switch (action) {
    case VFIO_IRQ_SET_ACTION_MASK:
      line.masked = true;
      signal(line.mask);
      break;
    case VFIO_IRQ_SET_ACTION_UNMASK:
      line.masked = false;
      signal(line.unmask);
      if (!line.pending) break;
      line.pending = false;
      signal(line.trigger);
      break;
    default:  // trigger
      if (line.masked) line.pending = true;
      else signal(line.trigger);
  }
}

int Interrupts::set(const vfio_irq_set& request, std::span<const std::byte> data,
                    std::vector<vfio_user::Descriptor> descriptors) {
  const std::uint32_t kind = request.flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
  const std::uint32_t action = request.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
  const std::uint32_t all = count(request.index);
  if ((kind | action) != request.flags || !one_bit(kind) || !one_bit(action)) return EINVAL;
  if (request.start > all || request.count > all - request.start) return EINVAL;
  if (all == 0) return EINVAL;
  const bool events = kind == VFIO_IRQ_SET_DATA_EVENTFD;
  if (!events && !descriptors.empty()) return EINVAL;
  if (data.size() != (kind == VFIO_IRQ_SET_DATA_BOOL ? request.count : 0)) return EINVAL;
  // One descriptor each, or none at all: then those there were are taken away.
  if (events && !descriptors.empty() && descriptors.size() != request.count) return EINVAL;
  if (!std::ranges::all_of(descriptors, is_eventfd)) return EINVAL;

  const std::lock_guard guard(mutex_);
  Line* line = lines(request.index);
  if (request.count == 0) {
    if (kind != VFIO_IRQ_SET_DATA_NONE || action != VFIO_IRQ_SET_ACTION_TRIGGER ||
        request.start != 0)
      return EINVAL;
    for (std::uint32_t i = 0; i < all; ++i) line[i] = {};  // all of the kind are switched off
    return 0;
  }
  for (std::uint32_t i = 0; i < request.count; ++i) {
    Line& one = line[request.start + i];
    if (events) {
      auto& event = action == VFIO_IRQ_SET_ACTION_TRIGGER ? one.trigger
                    : action == VFIO_IRQ_SET_ACTION_MASK  ? one.mask
                                                          : one.unmask;
      event = descriptors.empty() ? vfio_user::Descriptor() : std::move(descriptors[i]);
    } else if (kind == VFIO_IRQ_SET_DATA_NONE || data[i] != std::byte{0}) {
      act(one, action);
    }
  }
  return 0;
}

void Interrupts::raise(std::uint32_t index, std::uint32_t vector) {
  const std::lock_guard guard(mutex_);
  if (vector < count(index)) act(lines(index)[vector], VFIO_IRQ_SET_ACTION_TRIGGER);
}

void Interrupts::release() {
  const std::lock_guard guard(mutex_);
  for (auto& line : msix_) line = {};
  error_[0] = {};
  request_[0] = {};
}

std::uint64_t Interrupts::pending() const {
  const std::lock_guard guard(mutex_);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < msix_.size(); ++i)
    bits |= std::uint64_t{msix_[i].pending} << i;
  return bits;
}

}  // namespace d1::server
