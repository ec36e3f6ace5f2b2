# SPDX-License-Identifier: Apache-2.0
"""Faults that the suite must find: what of a source file is replaced by what, and what breaks.

Each text stands exactly once in its file; run.py says where that is no longer so. Files are below
firmware/emulator/engine/.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    concern: str
    why: str  # what the faulty translator does
    file: str
    old: str
    new: str


FAULTS = [
    # --- registers ---------------------------------------------------------------------------
    Fault("registers", "guest registers are kept in scratch registers of the host",
          "translator/region_registers.cpp",
          "? kFirstExtraScratch : kThirdScratchVector;",
          "? kFirstExtraScratch : kScratchVector;"),
    Fault("registers", "floating-point registers that were written do not go back to memory",
          "translator/region_emitter.cpp",
          "if (floats_.written(guest)) vmovsd(f_in_memory(guest), Xbyak::Xmm(host));",
          "if (!floats_.written(guest)) vmovsd(f_in_memory(guest), Xbyak::Xmm(host));"),
    Fault("registers", "a region is left by a link with its registers still in the host's",
          "translator/emit_control.cpp",
          "    L(label);\n    flush_kept();\n    emit_link(pc, target_.thunks.leave_link);",
          "    L(label);\n    emit_link(pc, target_.thunks.leave_link);"),
    Fault("registers", "a difference computed over its own second operand",
          "translator/emit_integer.cpp",
          "    load(rax, operation.rs1);\n    emit(rax, to);\n    mov(to, rax);",
          "    load(rax, operation.rs1);\n    emit(to, rax);"),
    # --- integers ----------------------------------------------------------------------------
    Fault("integers", "unsigned comparison takes equal for below",
          "translator/emit_integer.cpp", "else setb(al);", "else setbe(al);"),
    Fault("integers", "the remainder by minus one is the dividend",
          "translator/emit_multiply.cpp", "    else xor_(eax, eax);\n  }", "  }"),
    Fault("integers", "halfwords without a sign are loaded with one",
          "translator/emit_memory.cpp",
          "case I::lhu: movzx(to.cvt32(), word[place]); break;",
          "case I::lhu: movsx(to, word[place]); break;"),
    # --- memory ------------------------------------------------------------------------------
    Fault("bounds", "an access may reach over the window's end",
          "translator/emit_memory.cpp",
          "target_.window_bytes - bytes;", "target_.window_bytes - 1;"),
    Fault("bounds", "addresses are compared as signed numbers",
          "translator/emit_memory.cpp", "  ja(outside, T_NEAR);", "  jg(outside, T_NEAR);"),
    Fault("bounds", "the check of many rounds at once leaves the last ones out",
          "translator/emit_memory.cpp",
          "base.end + std::max<std::int64_t>(travel, 0)",
          "base.end + std::max<std::int64_t>(travel / 2, 0)"),
    Fault("reservations", "translated stores break no reservation",
          "translator/translator.cpp",
          "    if (hart.reservations_held) return {};", "    if (false) return {};"),
    # --- floating point ----------------------------------------------------------------------
    Fault("NaN", "results that are NaNs keep their payload",
          "translator/emit_float.cpp",
          "  jp(slow, T_NEAR);\n  write_float(operation.rd, value);",
          "  write_float(operation.rd, value);"),
    Fault("NaN", "singles that are not boxed count as singles",
          "translator/emit_float.cpp",
          "    cmp(upper_half_in_memory(guest), -1);\n  }\n  jne(slow, T_NEAR);",
          "    cmp(upper_half_in_memory(guest), -1);\n  }"),
    Fault("NaN", "NaNs of vectors that wait to become canonical are read as they are",
          "translator/emit_vector_nans.cpp",
          "  settle({pending_.singles & group, pending_.doubles & group, 0});\n", ""),
    Fault("flags", "zero times infinity plus a quiet NaN raises no NV in vectors",
          "translator/emit_vector_nans.cpp", "and_(eax, kInvalid);", "and_(eax, 0);"),
    Fault("flags", "a scalar that is zero is no special factor whatever it multiplies",
          "translator/emit_vector_float.cpp", "  setnz(al);\n", ""),
    Fault("box", "singles that were loaded as factors keep no ones above them",
          "translator/emit_vector_nans.cpp",
          "    if ((pending.unboxed >> guest & 1) != 0) box(guest);",
          "    if ((pending.unboxed >> guest & 1) == 2) box(guest);"),
    Fault("rounding", "translated code goes on under a helper's static rounding mode",
          "translator/thunks.cpp",
          "if (hart->float_rounding != rounding && rounding != 0)",
          "if (false && hart->float_rounding != rounding && rounding != 0)"),
    Fault("rounding", "a region is entered under the rounding mode of before",
          "translator/translator.cpp",
          "hart.frm > 3 ||\n      hart.float_rounding != hart.frm + 1)\n    bits",
          "hart.frm > 3 ||\n      hart.float_rounding == 0)\n    bits"),
    # --- vectors -----------------------------------------------------------------------------
    Fault("vector tail", "the last round of a loop runs with the full length",
          "translator/emit_vector_configuration.cpp",
          "  jb(partial, T_NEAR);", "  if (false) jb(partial, T_NEAR);"),
    Fault("vector tail", "a length that a register gives is not limited to VLMAX",
          "translator/emit_vector_configuration.cpp", "    cmova(rcx, rdx);\n", ""),
    Fault("state check", "a region is entered whatever vl is",
          "translator/region_emitter.cpp",
          "    cmp(vl, static_cast<std::uint32_t>(entry_state_.length));\n"
          "    jne(other, T_NEAR);", ""),
    Fault("state check", "a region is entered whatever vtype is",
          "translator/region_emitter.cpp",
          "  cmp(hart_field16(type), static_cast<std::uint32_t>(packed));\n"
          "  jne(other, T_NEAR);", ""),
    Fault("state check", "vl is taken to be what it was behind a load that may shorten it",
          "translator/vector_state.cpp",
          "    after.length = kAnyLength;\n    return after;\n  }\n  switch",
          "    return after;\n  }\n  switch"),
    Fault("products", "mma.bf16 adds the second pair before the first",
          "translator/emit_matrix.cpp",
          "for (int lane = 0; lane < 4; ++lane) {  // of B",
          "for (int lane = 3; lane >= 0; --lane) {  // of B"),
    # --- turns, counters, traps --------------------------------------------------------------
    Fault("budget", "a turn ends a tick late at a branch backward",
          "translator/emit_control.cpp",
          "jg(*loop_.top, T_NEAR);", "jge(*loop_.top, T_NEAR);"),
    Fault("budget", "what a loop put by of its budget is lost when it ends",
          "translator/emit_control.cpp",
          "    if (loop_.hoisted) add(r15, budget_put_by());\n  }", "  }"),
    Fault("budget", "a branch backward that is not taken costs nothing of the turn",
          "translator/emit_control.cpp",
          "    sub(r15, ticks);\n    if (loop_.hoisted) add(r15, budget_put_by());\n  }",
          "    if (loop_.hoisted) add(r15, budget_put_by());\n  }"),
    Fault("counters", "what vtype decides of an instruction's cost is not counted",
          "translator/region_emitter.cpp",
          "for (unsigned u = 0; u < ticks.size(); ++u) ticks[u] += varying_[u];", ""),
    Fault("counters", "half of the counters of portable code are counted twice",
          "translator/region_emitter.cpp",
          "paddd(xmm15, ptr[rip + constant + 16]);", "paddd(xmm15, ptr[rip + constant]);"),
    Fault("traps", "a trap is accounted for in the region's first block",
          "translator/region_emitter.cpp",
          "Site{isa::semantics_of(operation.id), &operation, block_, varying_}",
          "Site{isa::semantics_of(operation.id), &operation, region_.blocks.front(), varying_}"),
    Fault("traps", "a trap is accounted for without what vtype decided before it",
          "translator/translator.cpp",
          "hart.units[u] += site->charged[u];\n      return {finish_block",
          "hart.units[u] += 0;\n      return {finish_block"),
    # --- code --------------------------------------------------------------------------------
    Fault("jumps", "bit 0 of an indirect jump's target is kept",
          "translator/emit_control.cpp", "  and_(rax, -2);\n", ""),
    Fault("fence.i", "code goes on from the image of before",
          "translator/translator.cpp",
          "    if (left.after != After::LookUp) return left.after;\n    image = nullptr;",
          "    if (left.after != After::LookUp) return left.after;"),
    Fault("dropping", "blocks lead to host code that was dropped and written over",
          "translator/translator.cpp",
          "    if (const auto blocks = each.lock()) blocks->clear();",
          "    if (const auto blocks = each.lock()) (void)blocks;"),
    Fault("links", "a link is led to the block that was entered before",
          "translator/translator.cpp",
          "      .store(distance, std::memory_order_release);",
          "      .store(distance + 16, std::memory_order_release);"),
]
