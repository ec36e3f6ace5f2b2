// SPDX-License-Identifier: Apache-2.0
// The architectural state of one hart, and what its instructions may ask of the node around it.
//
// HartState is plain relocatable data: no pointers, no host stack. It can be saved, moved and
// replayed; all zero bytes is a valid state (held in reset). Hart adds the pointers that tie the
// state to the node it sits in. A hart is touched by one host thread at a time; nothing here locks.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

namespace d1::isa {

struct Operation;

inline constexpr unsigned kHartsPerNode = 4;      // d1-facts 1, "threads", P
inline constexpr unsigned kVlenBits = 512;        // one 64-byte packet a register
inline constexpr unsigned kVlenBytes = kVlenBits / 8;
inline constexpr unsigned kElenBits = 64;
inline constexpr unsigned kTicksPerCycle = 4;     // the scalar side issues up to 4 a cycle

// How an instruction ended.
enum class Outcome : std::uint8_t {
  Next,  // go on with the instruction that follows
  Jump,  // the program counter was set: a branch, taken or not, or a jump
  Trap,  // Hart::trap holds the cause, pc that of the instruction; nothing else was changed
         // (vector memory accesses: vstart says how far they got)
  Park,  // the hart waits; pc is that of the instruction, which runs again when it is woken
  Sync,  // done, but what follows must be looked up anew (fence.i, a write to some CSRs): pc is set
  Stop   // done, and the hart goes back to reset (pc is set)
};

enum class Cause : std::uint64_t {
  FetchMisaligned = 0, FetchAccess = 1, IllegalInstruction = 2, Breakpoint = 3,
  LoadMisaligned = 4, LoadAccess = 5, StoreMisaligned = 6, StoreAccess = 7,
  EnvironmentCallM = 11,
  // Xd1, from the range the architecture leaves to custom use
  Assert = 24,           // d1.trap: a kernel's assert failed; mtval = address of the text
  DescriptorFault = 25,  // a transfer descriptor is malformed; mtval = its address
  SemaphoreFault = 26,   // index or count out of range; mtval = the offending value
  GridFault = 27         // a grid-relative address names no node of the launch; mtval = address
};
inline constexpr std::uint64_t kInterruptBit = std::uint64_t{1} << 63;

enum class RoundingMode : std::uint8_t { Rne = 0, Rtz = 1, Rdn = 2, Rup = 3, Rmm = 4, Dyn = 7 };

// Accrued exception flags, as in fcsr.
enum FloatFlag : std::uint8_t { kNx = 1, kUf = 2, kOf = 4, kDz = 8, kNv = 16 };

// vtype decoded once when it is written; vill is its own flag.
struct VectorType {
  std::uint8_t sew_log2;   // 3..6: element width in bits is 1 << sew_log2
  std::int8_t lmul_log2;   // -3..3
  std::uint8_t tail_agnostic;
  std::uint8_t mask_agnostic;
  std::uint8_t ill;        // vtype unsupported: vector instructions that depend on it trap
};

struct TrapRecord {
  Cause cause;
  std::uint64_t value;  // goes to mtval
};

// Shared units of a node, in units of work counted for time (see d1/isa/timing.hpp).
enum class Unit : std::uint8_t { Issue, Alu, Address, Simd, Matrix, LoadPort, StorePort, None };
inline constexpr unsigned kUnits = 7;

enum class HartStatus : std::uint8_t { Reset, Runnable, Parked, Stopped };

enum class WaitKind : std::uint8_t {
  None, Semaphore, NodeBarrier, GridBarrier, RemoteAccess, Transfer, Interrupt /* wfi */
};

// What a parked hart waits for.
struct WaitRecord {
  WaitKind kind;
  std::uint32_t index;    // semaphore number, barrier id
  std::uint64_t amount;   // count wanted, or the address accessed
  std::uint64_t since;    // ticks
};

// By lines of the host's cache, which many harts that each do little wait for: integer registers,
// time, what a launch sets and a hart waits for; then what is rarely used.
struct HartState {
  std::array<std::uint64_t, 32> x;

  std::uint64_t pc;
  std::uint64_t clock;       // ticks: emulated time at the last settlement (timing.hpp)
  std::uint64_t work;        // ticks of work since the settlement
  std::uint64_t instret;     // retired instructions
  std::array<std::uint32_t, 8> units;  // work by Unit since the settlement (index 7 unused)

  std::uint64_t mstatus, mie, mip;
  std::uint64_t vstart, vl;
  VectorType vtype;
  std::uint8_t vxrm, vxsat;
  std::uint8_t frm, fflags;
  std::uint8_t float_formats;    // Xd1 CSR d1fmt, low byte: see table/csr.def
  std::uint8_t hart_id;          // 0..3 within the node
  HartStatus status;
  std::uint8_t response_valid;   // a remote access came back; the instruction runs again
  std::uint64_t reservation;     // LR: address of the reserved 64-byte set, ~0 for none

  WaitRecord wait;
  std::uint64_t response;        // data of a remote access
  std::uint64_t d1_bias;         // Xd1 CSR: exponent biases of the CFloat operands
  std::uint64_t d1_seed;         // Xd1 CSR: state of stochastic rounding
  std::uint64_t mtvec, mscratch;

  std::uint64_t mepc, mcause, mtval, mcountinhibit;
  std::uint64_t mcycle_offset, minstret_offset;  // what a write to the counters left
  TrapRecord trap;
  std::array<std::uint64_t, 32> f;  // narrower values are NaN-boxed
};
static_assert(std::is_trivially_copyable_v<HartState>);

struct alignas(64) VectorRegisters {
  std::uint8_t bytes[32][kVlenBytes];
};

struct Hart;

// What instructions ask of the node, die and machine around the hart. Slow paths only.
class Environment {
 public:
  // An access outside the hart's window (Hart::memory). Next: data moved. Park: a remote access
  // left as a packet. Trap: Hart::trap is set. `write` stores data, otherwise data is filled.
  virtual Outcome access(Hart& hart, const Operation& operation, std::uint64_t address,
                         unsigned bytes, bool write, void* data) = 0;
  // An AMO on a remote address (local ones never come here). function = funct5 of the encoding.
  virtual Outcome remote_amo(Hart& hart, const Operation& operation, std::uint64_t address,
                             unsigned bytes, unsigned function, std::uint64_t operand,
                             std::uint64_t& result) = 0;
  virtual Outcome fence_i(Hart& hart, const Operation& operation) = 0;
  // All earlier puts of this hart are ordered before what follows (fence with w/o in pred).
  virtual Outcome fence(Hart& hart, const Operation& operation) = 0;
  virtual Outcome wait_for_interrupt(Hart& hart, const Operation& operation) = 0;
  // Xd1 system instructions; meaning in firmware/isa/README.md.
  virtual Outcome semaphore_wait(Hart& hart, const Operation& operation, std::uint64_t index,
                                 std::uint64_t count) = 0;
  virtual Outcome semaphore_try(Hart& hart, const Operation& operation, std::uint64_t index,
                                std::uint64_t count, std::uint64_t& taken) = 0;
  virtual Outcome semaphore_read(Hart& hart, const Operation& operation, std::uint64_t index,
                                 std::uint64_t& value) = 0;
  virtual Outcome semaphore_post(Hart& hart, const Operation& operation, std::uint64_t target,
                                 std::uint64_t count) = 0;
  virtual Outcome node_barrier(Hart& hart, const Operation& operation, std::uint64_t harts) = 0;
  virtual Outcome grid_barrier(Hart& hart, const Operation& operation, std::uint64_t harts) = 0;
  virtual Outcome transfer(Hart& hart, const Operation& operation, std::uint64_t descriptors,
                           std::uint64_t count) = 0;
  virtual Outcome transfer_wait(Hart& hart, const Operation& operation) = 0;
  virtual Outcome print(Hart& hart, const Operation& operation, std::uint64_t text,
                        std::uint64_t bytes) = 0;
  // A mark for profilers (d1.zone); whether anyone records it changes nothing for the hart.
  virtual Outcome zone(Hart& /*hart*/, const Operation& /*operation*/, std::uint64_t /*mark*/) {
    return Outcome::Next;
  }
  virtual Outcome stop(Hart& hart, const Operation& operation) = 0;
  // Node-level CSRs (mhartid, time, the d1* read-only ones): false if `number` is none of them.
  virtual bool read_csr(const Hart& hart, unsigned number, std::uint64_t& value) = 0;
  virtual bool write_csr(Hart& hart, unsigned number, std::uint64_t value) = 0;

 protected:
  ~Environment() = default;
};

// The part of the address space a hart reaches with one compare and one host access: the node's
// SRAM from byte 256 on (lower addresses fault, so a null pointer traps), or the RAM of `d1 exec`.
struct MemoryWindow {
  std::uint8_t* host;   // host address of guest address `base`
  std::uint64_t base;
  std::uint64_t bytes;
};

struct alignas(64) Hart : HartState {
  MemoryWindow memory;
  VectorRegisters* v;
  Environment* environment;
  // Reservations of all harts of the node, so that a store can break them: index = hart_id.
  Hart* node_harts;
  bool reservations_held;  // any hart of this node holds one (kept on each Hart of the node)
  // Host floating-point state during a turn, kept by float_environment.hpp alone.
  bool float_turn;              // between enter_guest_float and leave_guest_float
  std::uint8_t float_rounding;  // 1 + the RoundingMode in MXCSR; 0: MXCSR is the host's
  // What translated code tells its engine when it is left, and what it must not rely on in this
  // turn (the translator's own: firmware/emulator/engine/translator). Of no meaning between turns.
  std::uint8_t exit_reason;
  std::uint8_t not_reliable;
  std::uint16_t host_mxcsr;     // what leave_guest_float restores; the upper half is reserved
  const void* exit_detail;
  // Its own too: bit i is set where element i is below vl. Of no meaning where vl is VLMAX.
  alignas(64) std::array<std::uint64_t, kVlenBits / 64> length_mask;
};
static_assert(sizeof(Hart) == 14 * 64, "nodes that each do little wait for every line of this");

}  // namespace d1::isa
