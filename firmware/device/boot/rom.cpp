// SPDX-License-Identifier: Apache-2.0
// The boot ROM of a node: reset, the dispatch loop, the trap handler. All harts run it; one copy
// at D1_ROM_BASE is shared by all nodes.
//
// It is assembly, since it may use neither a stack nor memory other than the mailbox: a node that
// runs an empty kernel touches one page. It stands in naked functions, and not in a .S file, so
// that addresses, sizes and offsets come from the contract's headers. The instructions of Xd1 are
// assembler macros, made by CMake from the intrinsics of <d1/xd1.h>.
//
// Nothing in a register outlives the kernel, which may have trampled on all of them.
#include <cstddef>
#include <cstdint>

#include <d1/abi/mailbox.h>
#include <d1/device/layout.h>

__asm__(".include \"xd1.inc\"");

namespace {

constexpr std::size_t kTrapRecords = D1_MAILBOX_ADDRESS + offsetof(d1_mailbox, trap);
constexpr std::size_t kRegisterArguments = 8;  // of each kind, by the lp64d calling convention

static_assert(D1_SEMAPHORE_LAUNCH == D1_SEMAPHORE_WORKER, "hart h waits on WORKER + h");
static_assert(offsetof(d1_mailbox, launch) == 0);
static_assert(offsetof(d1_launch, arguments) % 8 == 0 &&
                  offsetof(d1_launch, float_arguments) == offsetof(d1_launch, arguments) + 4,
              "one load reads both counts");
static_assert(sizeof(d1_mailbox) <= D1_SYSTEM_BYTES - D1_MAILBOX_ADDRESS);
static_assert(D1_TLS_BYTES % 16 == 0, "the stack pointer stays aligned to 16 bytes");

}  // namespace

extern "C" {

[[gnu::naked, gnu::used, gnu::section(".text.reset")]] void d1_rom_reset() {
  __asm__ volatile(R"(
        lla     t0, d1_rom_trap
        csrw    mtvec, t0
        j       d1_rom_dispatch
  )");
}

// Waits for a launch, runs its kernel, reports, and starts again.
//   s0 hart   s1 its semaphore   s2 mailbox   t1 one
// A launch costs what this costs, above all its branches, its CSRs and where a hart has to wait, so
// there are few of them. Harts meet at the semaphore that starts hart 0, which nobody else posts
// meanwhile; the others need not wait for each other.
[[gnu::naked, gnu::used]] void d1_rom_dispatch() {
  __asm__ volatile(
      R"(
        csrr    s0, mhartid
        andi    s0, s0, %[last_hart]
        li      t1, 1
        j       .Lwait
.Lpost: d1_sem_post t0, t1
.Lwait: addi    s1, s0, %[worker]
        li      s2, %[mailbox]
        d1_sem_wait s1, t1
        bnez    s0, .Lprepare
        lwu     t2, %[harts](s2)
        beq     t2, t1, .Lprepare
        addi    t0, s1, 1               # hart 0 wakes the others
        add     t2, s1, t2
.Lwake: d1_sem_post t0, t1
        addi    t0, t0, 1
        bne     t0, t2, .Lwake

.Lprepare:
        d1_set_modes x0                 # no launch sees the modes another one left
        lwu     t0, %[stack_bytes](s2)
        li      tp, %[stack_top]
        mul     t0, t0, s0
        ld      t2, %[arguments](s2)    # how many, of both kinds
        ld      t3, %[entry](s2)
        sub     tp, tp, t0
        mv      sp, tp
        beqz    t2, .Lcall
        srli    t0, t2, 32
        beqz    t0, .Lintegers
        fld     fa0, %[float_argument](s2)
        fld     fa1, %[float_argument]+8(s2)
        fld     fa2, %[float_argument]+16(s2)
        fld     fa3, %[float_argument]+24(s2)
        fld     fa4, %[float_argument]+32(s2)
        fld     fa5, %[float_argument]+40(s2)
        fld     fa6, %[float_argument]+48(s2)
        fld     fa7, %[float_argument]+56(s2)
.Lintegers:
        sext.w  t0, t2
        addi    t0, t0, -%[registers]
        blez    t0, .Lregisters
        slli    t0, t0, 3               # the slots that do not fit in registers
        sub     sp, tp, t0
        andi    sp, sp, -16
        addi    t1, s2, %[stack_argument]
        add     t0, t0, t1
        mv      t2, sp
.Lslot: ld      t4, 0(t1)
        sd      t4, 0(t2)
        addi    t1, t1, 8
        addi    t2, t2, 8
        bne     t1, t0, .Lslot
.Lregisters:
        ld      a0, %[argument](s2)
        ld      a1, %[argument]+8(s2)
        ld      a2, %[argument]+16(s2)
        ld      a3, %[argument]+24(s2)
        ld      a4, %[argument]+32(s2)
        ld      a5, %[argument]+40(s2)
        ld      a6, %[argument]+48(s2)
        ld      a7, %[argument]+56(s2)
.Lcall: jalr    t3

        csrr    s0, mhartid
        fence   rw, rw                  # puts of this hart come before what follows the launch
        andi    s0, s0, %[last_hart]
        li      t0, %[launch]
        li      t1, 1
        bnez    s0, .Lpost
        lwu     t2, %[mailbox]+%[harts](x0)
        mv      t3, t0
        addi    t2, t2, -1
        li      t0, %[completion]
        beqz    t2, .Lpost
        d1_sem_wait t3, t2
        j       .Lpost
  )" ::[last_hart] "i"(D1_HARTS - 1),
      [worker] "i"(D1_SEMAPHORE_WORKER), [launch] "i"(D1_SEMAPHORE_LAUNCH),
      [mailbox] "i"(D1_MAILBOX_ADDRESS), [entry] "i"(offsetof(d1_launch, entry)),
      [harts] "i"(offsetof(d1_launch, harts)), [stack_bytes] "i"(offsetof(d1_launch, stack_bytes)),
      [stack_top] "i"(D1_STACK_TOP - D1_TLS_BYTES), [arguments] "i"(offsetof(d1_launch, arguments)),
      [float_argument] "i"(offsetof(d1_launch, float_argument)),
      [argument] "i"(offsetof(d1_launch, argument)),
      [stack_argument] "i"(offsetof(d1_launch, argument) + 8 * kRegisterArguments),
      [registers] "i"(kRegisterArguments), [completion] "i"(D1_DIP_COMPLETION_ADDRESS));
}

// Leaves the record, tells the DIP, and goes back to reset; the DIP resets the launch's other
// harts. mtvec ignores the two low bits, so this is aligned to 4 bytes.
[[gnu::naked, gnu::used, gnu::aligned(4)]] void d1_rom_trap() {
  __asm__ volatile(
      R"(
        csrr    t0, mhartid             # not mscratch: the kernel could have changed it
        andi    t0, t0, %[last_hart]
        li      t1, %[record_bytes]
        mul     t0, t0, t1
        addi    t0, t0, %[records]
        sd      ra, %[ra](t0)
        sd      sp, %[sp](t0)
        csrr    t1, mcause
        sd      t1, %[cause](t0)
        csrr    t1, mtval
        sd      t1, %[value](t0)
        csrr    t1, mepc
        sd      t1, %[pc](t0)
        ld      t1, %[id](x0)
        sd      t1, %[launch_id](t0)
        li      t0, %[completion]
        li      t1, 2
        d1_sem_post t0, t1
        d1_halt
  )" ::[last_hart] "i"(D1_HARTS - 1),
      [record_bytes] "i"(sizeof(d1_trap_record)), [records] "i"(kTrapRecords),
      [ra] "i"(offsetof(d1_trap_record, ra)), [sp] "i"(offsetof(d1_trap_record, sp)),
      [cause] "i"(offsetof(d1_trap_record, cause)), [value] "i"(offsetof(d1_trap_record, value)),
      [pc] "i"(offsetof(d1_trap_record, pc)), [launch_id] "i"(offsetof(d1_trap_record, launch_id)),
      [id] "i"(D1_MAILBOX_ADDRESS + offsetof(d1_launch, id)),
      [completion] "i"(D1_DIP_COMPLETION_ADDRESS));
}

}  // extern "C"
