// SPDX-License-Identifier: Apache-2.0
// The ways into translated code and out of it, emitted once at the front of the code cache.
//
// In translated code
//   rbp   the hart, 128 bytes in, so that all of x[] is in reach of a byte's displacement
//   r15   ticks of work left in the turn
//   gs    base such that gs:[address] is the hart's memory window at that guest address; where a
//         thread may not set it by an instruction r14 holds it (MemoryBase)
//   rax, rcx, rdx, vector register 14   scratch
//   vector register 15   eight counters: ticks by Unit since they were last flushed; in place of
//         Unit::None issue time (two xmm registers, 14 and 15, on HostLevel::Portable)
//   the others   guest registers: kPinned, and what a region keeps for itself
// The stack is aligned to 16 bytes, so a thunk is called like any function; the sixteen bytes at
// its top are the region's own.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include <d1/emulator/engine_options.hpp>
#include <d1/isa/hart.hpp>

#include "engine/translator/code_cache.hpp"
#include "engine/translator/execution_counters.hpp"
#include "engine/translator/translation.hpp"

namespace d1::emulator {

// What `enter` puts on the stack: registers of its caller by their numbers, in this order, then
// bytes that are the region's own and align the stack.
inline constexpr std::array<std::uint8_t, 6> kSavedRegisters = {3, 5, 12, 13, 14, 15};  // rbx, rbp
inline constexpr unsigned kRegionStackBytes = 24;

struct Thunks {
  // enter(hart, code, ticks left, base of gs, or r14)
  using Enter = void (*)(isa::Hart*, const void*, std::int64_t, std::uint64_t);
  Enter enter = nullptr;
  // Executable addresses. Exits take the guest address where to go on in rax, if in no Link.
  const std::uint8_t* leave = nullptr;
  const std::uint8_t* leave_link = nullptr;  // rdx: the Link
  const std::uint8_t* leave_budget = nullptr;
  const std::uint8_t* leave_guard = nullptr;
  const std::uint8_t* leave_rest = nullptr;   // rdx: the Site
  const std::uint8_t* leave_state = nullptr;  // rdx: the Link
  // Store the low bytes, or half-words, of those words of zmm14 that eax says to rcx plus the
  // offsets in zmm12, the first one first. Lose rax, rdx and zmm14. Only with AVX-512.
  const std::uint8_t* scatter_bytes = nullptr;
  const std::uint8_t* scatter_halves = nullptr;
  // Runs the semantics of a Site in rax; returns it in rdx if the instruction ended with Next.
  const std::uint8_t* call_semantics = nullptr;
};

// Translated code reaches other translated code by plain loads and jumps, which on x86 see what was
// written before. These say so in terms of C++: what was done before publish_code() is visible
// after see_published_code() to whoever ran that code.
inline std::atomic<std::uint64_t> published_code{0};
inline void publish_code() noexcept { published_code.fetch_add(1, std::memory_order_release); }
inline void see_published_code() noexcept {
  (void)published_code.load(std::memory_order_acquire);
}

// Emits them at cache.next(). Calls of semantics functions are counted unless `counters`, which
// must live as long as the code, is null.
[[nodiscard]] Thunks emit_thunks(CodeCache& cache, HostLevel level, MemoryBase base,
                                 ExecutionCounters* counters);

}  // namespace d1::emulator
