# SPDX-License-Identifier: Apache-2.0
"""Commands that report: help, info, doctor, build, disasm."""
import json
import os
import re
import unittest

from cli_support import KERNELS, CommandLineCase

COMMANDS = ("run", "build", "disasm", "exec", "info", "doctor")


class Report(CommandLineCase):
    def test_help_names_every_command_and_every_command_has_help(self):
        text = self.good("--help")
        for command in COMMANDS:
            self.assertRegex(text, rf"(?m)^  {command} ")
            self.assertIn("Usage", self.good(command, "--help"))

    def test_no_command_or_an_unknown_one_is_an_error(self):
        self.bad(says="--help")
        self.bad("frobnicate", says="frobnicate")

    def test_info_shows_every_parameter_with_its_source(self):
        text = self.good("info")
        document = self.document("info")
        self.assertEqual(document["nodes"], 354)
        for group in document["parameters"].values():
            for name, parameter in group.items():
                line = next(each for each in text.split("\n") if f" {name} " in each)
                self.assertIn(f"[{parameter['confidence']}", line)

    def test_info_puts_derived_figures_beside_published_ones(self):
        figures = {each["name"]: each for each in self.document("info")["figures"]}
        peak = figures["die peak, BF16 and CFloat8"]
        self.assertAlmostEqual(peak["value"], 354 * 512 * 2 / 1000, places=3)
        self.assertEqual(peak["published"], 362)
        self.assertIn("published: 362 TFLOPS", self.good("info"))

    def test_info_reads_machine_files(self):
        document = self.document("info", "--machine", "tile")
        self.assertEqual((document["grid_rows"], document["grid_columns"]), (5, 5))
        self.assertEqual(document["nodes"], 25 * 354)

    def test_doctor_judges_each_line_and_says_what_to_do(self):
        document = self.document("doctor")
        self.assertTrue(document["ready"])
        for finding in document["findings"]:
            self.assertIn(finding["verdict"], ("ok", "warn"))
            if finding["verdict"] == "warn":
                self.assertNotEqual(finding["advice"], "")
        subjects = [finding["subject"] for finding in document["findings"]]
        for subject in ("vector units", "memory", "huge pages", "io_uring", "compiler", "/dev/shm"):
            self.assertIn(subject, subjects)
        self.assertEqual(len(self.good("doctor").split("ok  ")) > 1, True)

    def test_doctor_fails_where_the_compiler_is_missing(self):
        self.environment["PATH"] = self.folder
        done = self.d1("doctor")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"fail  compiler .*\n.*apt-get install clang-19")

    def test_doctor_fails_where_the_kernel_sdk_is_missing(self):
        self.environment["D1_DEVICE_DIR"] = self.path("nothing")
        self.assertEqual(self.d1("doctor").returncode, 1)

    def test_build_makes_a_program_and_names_its_kernels(self):
        program = self.path("matmul.elf")
        document = self.document("build", os.path.join(KERNELS, "matmul.cpp"), "-o", program)
        self.assertEqual(sorted(document["kernels"]), ["matmul", "matmul_timed"])
        with open(program, "rb") as file:
            self.assertEqual(file.read(4), b"\x7fELF")

    def test_build_passes_definitions_and_folders_on(self):
        self.write("value.hpp", "inline constexpr int value = NUMBER;\n")
        source = self.write("k.cpp", "#include <d1/kernel.hpp>\n#include <value.hpp>\n"
                            "static_assert(value == 6);\nD1_KERNEL void k() {}\n")
        self.good("build", source, "-o", self.path("k.elf"), "-I", self.folder, "-D", "NUMBER=6")
        self.good("build", source, "-o", self.path("k.elf"), f"-I{self.folder}", "-DNUMBER=6")
        self.bad("build", source, "-o", self.path("k.elf"), f"-I{self.folder}", "-DNUMBER=7",
                 says="static assertion failed")

    def test_disasm_names_xd1_instructions_and_interleaves_the_source(self):
        program = self.path("matmul.elf")
        self.good("build", os.path.join(KERNELS, "matmul.cpp"), "-o", program)
        listing = self.good("disasm", program)
        self.assertRegex(listing, r"mma\.bf16 +v\d+, v\d+, v\d+")
        self.assertRegex(listing, r"vsetvli|vsetivli")
        self.assertIn("<matmul>:", listing)
        self.assertNotRegex(listing, r"<__d1_program_start\+", "a function names its own places")
        self.assertRegex(listing, r"; .*matmul\.cpp:\d+  .*\S")
        plain = self.good("disasm", "--no-source", program)
        self.assertNotIn("matmul.cpp:", plain)
        self.assertNotIn(".word", plain)

    def test_disasm_of_one_function_as_json(self):
        program = self.path("vector_add.elf")
        self.good("build", os.path.join(KERNELS, "vector_add.cpp"), "-o", program)
        document = self.document("disasm", program, "--symbol", "vector_add")
        self.assertEqual({each["symbol"] for each in document["instructions"]}, {"vector_add"})
        texts = [each["text"] for each in document["instructions"]]
        self.assertTrue(any(text.startswith("vfadd.vv ") for text in texts), texts)
        self.assertTrue(any(each["source"]["file"].endswith("vector_add.cpp")
                            for each in document["instructions"]))
        self.bad("disasm", program, "--symbol", "nothing", says="no symbol nothing")

    def test_disasm_of_bare_metal_programs_shows_where_branches_go(self):
        program = self.assemble("nop\nagain: beqz a0, again\n.word 0xffffffff\nexit 0")
        listing = self.good("disasm", program)
        self.assertRegex(listing, r"beqz a0.*<again>")
        self.assertTrue(re.search(r"(?m)^ +80000004: ffffffff  ", listing), listing)
        json.loads(self.good("disasm", "--json", program))


if __name__ == "__main__":
    unittest.main()
