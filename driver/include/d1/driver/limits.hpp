// SPDX-License-Identifier: Apache-2.0
// Every bound and every timeout of the driver and the runtime, each with its reason. Limits that
// belong to the contract with the device (queue entries, launch arguments) stand in d1/abi.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace d1::driver {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

[[nodiscard]] inline Deadline after(Clock::duration duration) noexcept {
  const auto now = Clock::now();
  // Saturates, so that "practically for ever" is not a time in the past.
  return duration > Deadline::max() - now ? Deadline::max() : now + duration;
}

namespace limits {

// Bring-up: the boot image is prepared once, whatever the machine's size; a cold start from a slow
// disk under sanitizers was seen at 0.5 s.
inline constexpr std::chrono::milliseconds kReadyTimeout{5000};

// A device whose heartbeat stands still this long is lost. Above any pause of a loaded host that a
// test has shown (0.9 s), below the patience of a person.
inline constexpr std::chrono::milliseconds kLivenessLimit{5000};

// A device in another process that does not answer a command for this long is lost: the liveness
// limit, by another way.
inline constexpr std::chrono::milliseconds kReplyTimeout = kLivenessLimit;

// What a tool waits for an answer of a device's debug interface: a machine answers between two
// quanta, within milliseconds, and all of its registers are copied in less than a second.
inline constexpr std::chrono::milliseconds kDebugTimeout{5000};

// How often a waiting thread looks at the heartbeat and at what else may have changed. Bounds how
// late a loss is seen (P3: one second), and costs one register read each time.
inline constexpr std::chrono::milliseconds kLivenessPoll{50};

// A disabled queue must say so this fast; after it the rings' memory is retired, not reused.
inline constexpr std::chrono::milliseconds kQueueDisableTimeout{1000};

// Commands the runtime issues for itself (grids, programs, queries): they take microseconds, and
// wait at most for the transfers that stand before them in their queue.
inline constexpr std::chrono::milliseconds kAdminTimeout{10000};

// After its timeout a launch is aborted; the device ends it at the next quantum. If even that
// does not happen within this time, the queue is given up.
inline constexpr std::chrono::milliseconds kAbortGrace{2000};

// While somebody waits for a launch, how often it is looked at whether emulated time stands still
// and the launch can still end. Twice that, and the time to abort it, is well below the second in
// which a deadlock is to be reported; a look costs a register read, mostly.
inline constexpr std::chrono::milliseconds kHangLook{200};

// What the question whether a launch can end may take: milliseconds on a tile, some tenths of a
// second on the largest machine. While machines run it is asked so rarely that it takes them no
// more than a kHangShare-th of their time.
inline constexpr std::chrono::milliseconds kHangQuery{2000};
inline constexpr int kHangShare = 50;

// A stream whose queue is full waits this long for room before it reports ResourceExhausted.
inline constexpr std::chrono::milliseconds kSubmitTimeout{10000};

// Waits of the host API that name no time of their own: long enough for any emulated job that makes
// progress in an interactive session, short enough that a forgotten process ends by itself.
inline constexpr std::chrono::minutes kDefaultWait{60};

// Entries of a stream's queue: 512 commands in flight hide any round trip and cost 48 KiB.
inline constexpr std::uint32_t kQueueEntries = 512;

// Page of every IOMMU we may meet: maps are extended to it where the transport asks for it.
inline constexpr std::uint64_t kDmaPageBytes = 4096;
inline constexpr std::uint64_t kHugePageBytes = 2u << 20;

// I/O addresses are given out from here: 0 means "none" in the contract, and the first 4 GiB stay
// empty so that a truncated address faults.
inline constexpr std::uint64_t kFirstIova = std::uint64_t{1} << 32;
inline constexpr std::uint64_t kLastIova = std::uint64_t{1} << 46;  // 46 bits: every IOMMU has them

// Concurrent entries of the DMA map: a transport over sockets sends one message for each.
inline constexpr std::size_t kDmaMaps = 65536;

// 1 MiB holds 10,000 lines of 80 characters between two looks of the host.
inline constexpr std::uint64_t kLogRingBytes = 1u << 20;

// Copies of plain memory up to this size go through a staging buffer of the stream: one more copy
// in cache is cheaper than a map and an unmap. Larger ones are mapped for the copy.
inline constexpr std::uint64_t kStagedCopyBytes = 32u << 10;
inline constexpr std::uint64_t kStagingBytes = 1u << 20;  // of each stream

// Where plain memory cannot be mapped, a stream keeps one buffer of up to this size for the next
// copy: touching its pages anew costs more than the copy.
inline constexpr std::uint64_t kKeptBounceBytes = 256u << 20;

// Launches in flight on one stream: each has a slot of 1 KiB in DMA memory.
inline constexpr std::uint32_t kLaunchSlots = 256;

// An ELF file cannot hold more than the SRAM loads, its symbols and its debug information.
inline constexpr std::uint64_t kProgramFileBytes = 256u << 20;

// The compile cache is trimmed, oldest first, above this.
inline constexpr std::uint64_t kCompileCacheBytes = 256u << 20;
inline constexpr std::chrono::seconds kCompileTimeout{300};

}  // namespace limits
}  // namespace d1::driver
