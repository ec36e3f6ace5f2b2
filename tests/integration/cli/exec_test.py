# SPDX-License-Identifier: Apache-2.0
"""d1 exec: bare-metal programs in the manner of the public RISC-V suites."""
import json
import unittest

from cli_support import CommandLineCase

WRITE = """
  la t1, call
  li t2, 64
  sd t2, 0(t1)
  li t2, 1
  sd t2, 8(t1)
  la t2, text
  sd t2, 16(t1)
  li t2, 6
  sd t2, 24(t1)
  la t0, tohost
  sd t1, 0(t0)
1: ld t2, fromhost
  beqz t2, 1b
  ld t3, call
"""
WRITE_DATA = """
.align 6
call: .skip 64
text: .ascii "hello\\n"
"""


class Exec(CommandLineCase):
    def test_the_code_written_to_tohost_is_the_exit_status(self):
        for code in (0, 1, 42):
            done = self.d1("exec", self.assemble(f"exit {code}"))
            self.assertEqual((done.returncode, done.stdout, done.stderr), (code, "", ""))

    def test_a_code_that_no_process_can_return_is_no_success(self):
        self.assertEqual(self.d1("exec", self.assemble("exit 256")).returncode, 255)

    def test_the_write_system_call_reaches_standard_output_and_returns_the_count(self):
        program = self.assemble(WRITE + "li t4, 6\nbne t3, t4, 2f\nexit 0\n2: exit 1",
                                data=WRITE_DATA)
        self.assertEqual(self.good("exec", program), "hello\n")

    def test_json_holds_status_instructions_and_output(self):
        program = self.assemble(WRITE + "exit 3", data=WRITE_DATA)
        done = self.d1("exec", program, "--json")
        document = json.loads(done.stdout)
        self.assertEqual((done.returncode, document["status"], document["code"]), (3, 3, 3))
        self.assertEqual(document["output"], "hello\n")
        self.assertGreater(document["instructions"], 20)
        self.assertTrue(document["ended"])

    def test_every_engine_retires_the_same_instructions_in_the_same_cycles(self):
        program = self.assemble("li t0, 5000\n1: addi t0, t0, -1\nbnez t0, 1b\nexit 0")
        interpreted, translated, both = (self.document("exec", program, "--engine", engine)
                                         for engine in ("interp", "dbt", "lockstep"))
        self.assertEqual(interpreted, translated)
        self.assertEqual(interpreted, both)

    def test_statistics_go_beside_what_the_program_writes(self):
        program = self.assemble(WRITE + "exit 0", data=WRITE_DATA)
        done = self.d1("exec", program, "--engine", "dbt", "--stats")
        self.assertEqual((done.returncode, done.stdout), (0, "hello\n"))
        self.assertRegex(done.stderr, r"(?m)^engine\n  name +dbt\n")
        document = self.document("exec", program, "--engine", "interp", "--stats")
        self.assertEqual(document["statistics"]["engine"]["instructions_retired"],
                         document["instructions"])

    def test_console_characters_by_the_htif_device(self):
        put = """
  li t0, 0x0101000000000000 + {}
  la t1, tohost
  sd t0, 0(t1)
1: ld t2, 0(t1)
  bnez t2, 1b
"""
        program = self.assemble("".join(put.format(ord(c)) for c in "ok") + "exit 0")
        self.assertEqual(self.good("exec", program), "ok")

    def test_a_trap_enters_the_programs_handler_with_its_cause(self):
        program = self.assemble("""
  la t0, handler
  csrw mtvec, t0
  ecall
  exit 1
.align 2
handler:
  csrr t0, mcause
  li t1, 11
  bne t0, t1, 1f
  csrr t0, mepc
  la t1, handler
  bgeu t0, t1, 1f
  exit 0
1: exit 2
""")
        self.good("exec", program)

    def test_mret_goes_on_behind_the_trap(self):
        self.good("exec", self.assemble("""
  la t0, handler
  csrw mtvec, t0
  .word 0
  li t1, 7
  beq t6, t1, 1f
  exit 1
1: exit 0
.align 2
handler:
  csrr t0, mepc
  addi t0, t0, 4
  csrw mepc, t0
  li t6, 7
  mret
"""))

    def test_vector_and_float_state_can_be_turned_on(self):
        self.good("exec", self.assemble("""
  li t0, 0x2200
  csrs mstatus, t0
  vsetvli t1, zero, e64, m1, ta, ma
  li t2, 8
  bne t1, t2, 1f
  vmv.v.i v1, 5
  vredsum.vs v2, v1, v1
  vmv.x.s t3, v2
  li t2, 45
  bne t3, t2, 1f
  exit 0
1: exit 1
"""))

    def test_the_signature_is_written_word_by_word(self):
        program = self.assemble("exit 0", data="""
.align 4
.globl begin_signature
begin_signature:
.word 0x12345678, 0xdeadbeef
.dword 0x0102030405060708
.globl end_signature
end_signature:
""")
        self.good("exec", program, "--signature", self.path("out"))
        with open(self.path("out")) as file:
            self.assertEqual(file.read(), "12345678\ndeadbeef\n05060708\n01020304\n")

    def test_extra_ram_is_there_only_when_asked_for(self):
        program = self.assemble("""
  li t0, 0x90000000
  li t1, 77
  sd t1, 0(t0)
  ld t2, 0(t0)
  bne t1, t2, 1f
  exit 0
1: exit 1
""")
        self.good("exec", program, "--ram", "0x90000000:4K")
        self.bad("exec", program, says=["cause 7", "value 0x90000000", "_start"])

    def test_ram_may_overlap_the_program(self):
        self.good("exec", self.assemble("exit 0"), "--ram", "0x80000000:16M", "--ram",
                  "0x7ff00000:2M")

    def test_code_written_by_the_program_runs_after_fence_i(self):
        self.good("exec", self.assemble("""
  la t0, patch
  la t1, place
  lw t2, 0(t0)
  sw t2, 0(t1)
  fence.i
  jalr ra, t1
  li t3, 9
  bne a0, t3, 1f
  exit 0
1: exit 1
.option norvc
patch: addi a0, zero, 9
""", data="""
.option norvc
.align 3
place: nop
  ret
"""))

    def test_an_endless_loop_ends_at_the_limit_and_says_where(self):
        program = self.assemble("nop\nspin: j spin\nexit 0")
        self.bad("exec", program, "--max-instructions", "20000",
                 says=["did not end within", "spin"])

    def test_a_trap_without_a_handler_names_cause_place_and_value(self):
        program = self.assemble("li t0, 0x123\nfaulty: ld t1, 0(t0)\nexit 0")
        self.bad("exec", program, says=["Unhandled trap, cause 5", "faulty", "value 0x123"])

    def test_waiting_for_nothing_is_an_error(self):
        self.bad("exec", self.assemble("wfi\nexit 0"), "--max-instructions", "100000",
                 says="waits")

    def test_an_illegal_instruction_shows_its_encoding(self):
        self.bad("exec", self.assemble(".word 0xffffffff"), says=["cause 2", "value 0xffffffff"])

    def test_wrong_options_are_told(self):
        program = self.assemble("exit 0")
        for ram in ("12", "0x1000:", "x:4K", "0x1000:4Q", "0x1000:0", "0xffffffffffffffff:2"):
            self.bad("exec", program, "--ram", ram, says=ram)
        self.bad("exec", program, "--signature", self.path("s"), says="begin_signature")
        self.bad("exec", program, "--nonsense", says="nonsense")


if __name__ == "__main__":
    unittest.main()
