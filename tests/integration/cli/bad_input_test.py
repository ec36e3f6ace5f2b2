# SPDX-License-Identifier: Apache-2.0
"""Every kind of bad input gives one clear error and an exit status that is not 0."""
import json
import os
import struct
import unittest

import numpy

from cli_support import KERNELS, CommandLineCase

ADD = os.path.join(KERNELS, "vector_add.cpp")
LOADABLE = 1
SEGMENT = 56  # bytes of a program header


def kernel(body, before=""):
    return f"#include <d1/kernel.hpp>\n{before}\nD1_KERNEL void k() {{\n{body}\n}}\n"


class BadProgram(CommandLineCase):
    """ELF files that each command must refuse."""

    def program(self):
        """Of at least two segments: code and data."""
        path = self.path("k.elf")
        source = kernel("data[d1::hart()] += 1;", "volatile int data[16] = {1};")
        self.good("build", self.write("k.cpp", source), "-o", path)
        with open(path, "rb") as file:
            return bytearray(file.read())

    def refused(self, content, says, commands=("run", "disasm", "exec")):
        path = self.write("bad.elf", bytes(content))
        for command in commands:
            with self.subTest(command=command):
                self.bad(command, path, says=says)

    def segments(self, elf):
        """Where in the file the headers of loadable segments lie."""
        start, = struct.unpack_from("<Q", elf, 32)
        count, = struct.unpack_from("<H", elf, 56)
        places = [start + i * SEGMENT for i in range(count)]
        return [at for at in places if struct.unpack_from("<I", elf, at)[0] == LOADABLE]

    def test_missing_files_and_folders(self):
        for command in ("run", "disasm", "exec"):
            self.bad(command, self.path("nothing.elf"), says="nothing.elf")
        self.bad("run", self.path("nothing.cpp"), says="nothing.cpp")
        self.bad("build", self.path("nothing.cpp"), "-o", self.path("x"), says="nothing.cpp")
        self.bad("disasm", self.folder, says=self.folder)

    def test_what_is_no_elf_file(self):
        self.refused(b"", "bad.elf")
        self.refused(b"#!/bin/sh\n" * 20, "ELF")

    def test_truncated_at_any_place(self):
        elf = self.program()
        for length in (3, 20, 63, 70, 200, len(elf) // 2, len(elf) - 1):
            with self.subTest(length=length):
                self.refused(elf[:length], "bad.elf")

    def test_another_machine_class_or_byte_order(self):
        for offset, value, says in ((18, 62, "62"), (4, 1, "64-bit"), (5, 2, "little-endian")):
            elf = self.program()
            elf[offset] = value
            self.refused(elf, says)

    def test_an_object_file_is_not_linked(self):
        elf = self.program()
        struct.pack_into("<H", elf, 16, 1)
        self.refused(elf, "bad.elf")

    def test_segments_that_overlap(self):
        elf = self.program()
        first, second, *_ = self.segments(elf)
        address, = struct.unpack_from("<Q", elf, first + 16)
        struct.pack_into("<Q", elf, first + 40, 0x4000)
        struct.pack_into("<QQ", elf, second + 16, address + 64, address + 64)
        self.refused(elf, "overlap")

    def test_a_segment_outside_the_file(self):
        elf = self.program()
        struct.pack_into("<Q", elf, self.segments(elf)[0] + 8, 1 << 40)
        self.refused(elf, "bad.elf")

    def test_larger_than_sram(self):
        source = self.write("big.cpp", kernel("big[d1::hart()] = 1;", "char big[2 << 20];"))
        self.bad("run", source, says="big.cpp")
        elf = self.program()
        struct.pack_into("<Q", elf, self.segments(elf)[0] + 40, 1 << 30)
        self.refused(elf, "bad.elf", commands=("run",))

    def test_an_entry_outside_the_program(self):
        elf = self.program()
        struct.pack_into("<Q", elf, 24, 0x7000_0000)
        self.refused(elf, "entry", commands=("exec",))

    def test_a_program_without_kernels(self):
        self.bad("run", self.assemble("exit 0"), says="program.elf")


class BadKernel(CommandLineCase):
    """Kernels that do not compile, and kernels that go wrong."""

    def run_bad(self, source, says, *words):
        path = self.write("k.cpp", source)
        return self.bad("run", path, "--grid", "2x2", *words, says=says)

    def test_a_compile_error_is_shown_as_the_compiler_wrote_it(self):
        self.run_bad(kernel("return undeclared;"),
                     ["k.cpp:4:8", "error: use of undeclared identifier 'undeclared'"])

    def test_a_load_outside_memory(self):
        self.run_bad(kernel("volatile int* p = (int*)0x40000000; (void)*p;"), ["k.cpp:4", "hart"])

    def test_a_null_pointer(self):
        self.run_bad(kernel("volatile int* volatile p = nullptr; *p = 1;"), ["k.cpp:4"])

    def test_a_jump_into_data(self):
        self.run_bad(kernel("((void (*)())data)();", "int data[16] = {1};"), ["a jump to", "hart"])
        self.run_bad(kernel("((void (*)())data)();\ndata[1] = 5;", "volatile int data[16] = {1};"),
                     ["a jump to", "called from k (", "k.cpp:4"])

    def test_json_of_a_failure_is_a_document_with_the_error(self):
        path = self.write("k.cpp", kernel("volatile int* volatile p = nullptr; *p = 1;"))
        for words in (("run", path), ("run", self.path("no.cpp")), ("disasm", self.path("no.elf")),
                      ("info", "--machine", "d2"), ("exec", self.path("no.elf")),
                      ("build", self.path("no.cpp"), "-o", self.path("k.elf"))):
            with self.subTest(words=words):
                done = self.d1(*words, "--json")
                self.assertEqual(done.returncode, 1)
                document = json.loads(done.stdout)
                self.assertEqual(list(document), ["error"])
                self.assertEqual(done.stderr, f"error: {document['error']}\n")

    def test_a_failed_assertion_names_its_line(self):
        self.run_bad("#include <cassert>\n" + kernel("assert(d1::rank() < 1);"),
                     ["d1::rank() < 1", "k.cpp:5"])

    def test_an_integer_division_by_zero_names_its_line(self):
        self.run_bad(kernel("volatile int zero = 0, x = 7 / zero; (void)x;"),
                     ["division by zero", "k.cpp:4"])

    def test_an_endless_loop_ends_at_the_timeout_with_a_report(self):
        text = self.run_bad(kernel("for (volatile int i = 0;; i = i + 1) {}"),
                            ["timeout", "k.cpp:4"], "--timeout", "1")
        self.assertIn("16 running", " ".join(text.split()))

    def test_a_semaphore_nobody_posts(self):
        text = self.run_bad(kernel("d1::semaphore<3>::wait(1);"), ["semaphore"], "--timeout", "2")
        self.assertRegex(text, r"16 waiting for semaphore")

    def test_a_launch_that_failed_leaves_no_other_trace(self):
        for _ in range(2):
            self.run_bad(kernel("volatile int* volatile p = nullptr; *p = 1;"), ["k.cpp:4"])
        self.good("run", self.write("k.cpp", kernel("")), "--grid", "2x2")


class BadArguments(CommandLineCase):
    """Arrays, numbers, grids and machines that do not fit."""

    def save(self, name, array):
        numpy.save(self.path(name), array)
        return self.path(name)

    def add(self, a, *words, says):
        b = self.save("b.npy", numpy.ones(16, dtype=numpy.float32))
        return self.bad("run", ADD, "--in", "a=" + a, "--in", "b=" + b, "--out",
                        "c=" + self.path("c.npy"), "--grid", "1x2", *words, says=says)

    def test_a_wrong_dtype(self):
        for dtype in ("float64", "int32", "uint16", ">f4"):
            self.add(self.save("a.npy", numpy.ones(16, dtype=dtype)), says="a.npy")
        self.assertFalse(os.path.exists(self.path("c.npy")))

    def test_a_size_that_the_kernel_cannot_work_with(self):
        self.add(self.save("a.npy", numpy.ones(5, dtype=numpy.float32)), "--shape", "c=16",
                 says=["a.total() == c.total()", "vector_add.cpp:8"])

    def test_a_shape_that_contradicts_the_file(self):
        a = self.save("a.npy", numpy.ones(16, dtype=numpy.float32))
        self.add(a, "--shape", "a=4x5", says=["16", "4x5"])
        for shape in ("c=0", "c=x", "c=4x", "c=4,5", "c=99999999999x99999999999",
                      "c=200000x200000"):
            self.add(a, "--shape", shape, says="c")

    def test_cut_and_broken_files(self):
        whole = self.save("whole.npy", numpy.ones(16, dtype=numpy.float32))
        with open(whole, "rb") as file:
            content = file.read()
        for length in (0, 5, 9, 40, 100, len(content) - 1):
            with self.subTest(length=length):
                self.add(self.write("a.npy", content[:length]), says="a.npy")
        self.add(self.write("a.npy", content + b"x"), says="a.npy")
        self.add(self.save("a.npy", numpy.asfortranarray(numpy.ones((4, 4), numpy.float32))),
                 says="a.npy")
        self.add(self.path("nothing.npy"), says="nothing.npy")

    def test_parameters_that_are_missing_unknown_or_of_another_kind(self):
        a = self.save("a.npy", numpy.ones(16, dtype=numpy.float32))
        self.bad("run", ADD, "--in", "a=" + a, says=["Parameter b is missing", "--in b="])
        self.add(a, "--in", "z=" + a, says="no parameter z")
        self.add(a, "--arg", "a=5", says=["Parameter a", "--arg"])
        self.add(a, "--in", "a=" + a, says="twice")
        self.add(a, "--in", "a", says="NAME=VALUE")
        hello = os.path.join(KERNELS, "hello.cpp")
        self.bad("run", hello, says="greetings")
        for value in ("x", "1.5", "", "99999999999", "-1"):
            self.bad("run", hello, "--arg", "greetings=" + value, "--grid", "1x1",
                     says="greetings")

    def test_kernels_that_are_not_there(self):
        self.bad("run", ADD, "--kernel", "nothing", says=["nothing", "vector_add"])
        self.bad("run", os.path.join(KERNELS, "matmul.cpp"), says="matmul_timed")

    def test_grids_and_harts_that_do_not_exist(self):
        a = self.save("a.npy", numpy.ones(16, dtype=numpy.float32))
        for grid in ("0x1", "1", "axb", "100x100", "1x400"):
            self.bad("run", ADD, "--in", "a=" + a, "--in", "b=" + a, "--shape", "c=16", "--grid",
                     grid, says=grid.split("x")[0])
        self.add(a, "--harts", "5", says="--harts")
        self.add(a, "--harts", "0", says="--harts")
        self.add(a, "--timeout", "-1", says="--timeout")

    def test_an_output_that_cannot_be_written(self):
        a = self.save("a.npy", numpy.ones(16, dtype=numpy.float32))
        self.bad("run", ADD, "--in", "a=" + a, "--in", "b=" + a, "--out",
                 "c=" + self.path("no/such/c.npy"), "--grid", "1x2", says="no/such/c.npy")
        spin = "D1_KERNEL void spin(d1::sharded<int> a) { for (;;) {} }\n"
        source = self.write("spin.cpp", "#include <d1/kernel.hpp>\n" + spin)
        self.bad("run", source, "--shape", "a=4", "--out", "a=" + self.path("no/such/a.npy"),
                 says="no/such/a.npy")
        self.bad("build", ADD, "-o", self.path("no/such/k.elf"), says="no/such/k.elf")

    def test_unknown_machines_and_impossible_ones(self):
        hello = os.path.join(KERNELS, "hello.cpp")
        files = {"clock_hz = 0": "clock_hz", "nonsense = 1": "nonsense",
                 "clock_hz = 'x'": "clock_hz",
                 "clock_hz = ": "m.toml:1", "harts_per_node = 5": "harts_per_node"}
        for command in (("info",), ("run", hello, "--arg", "greetings=1")):
            self.bad(*command, "--machine", "d2", says="d2")
            self.bad(*command, "--machine", self.path("nothing.toml"), says="nothing.toml")
            for content, says in files.items():
                with self.subTest(content=content, command=command[0]):
                    self.bad(*command, "--machine", self.write("m.toml", content + "\n"),
                             says=["m.toml", says])

    def test_engines_that_are_not_there(self):
        hello = (os.path.join(KERNELS, "hello.cpp"), "--arg", "greetings=1", "--grid", "1x1")
        program = self.assemble("exit 0")
        for command in (("run", *hello), ("exec", program)):
            says = ["There is no engine named 'jit'", "known are: interp, dbt, lockstep"]
            self.bad(*command, "--engine", "jit", says=says)
            self.environment["D1_ENGINE"] = "jit"
            self.bad(*command, says=says + ["D1_ENGINE"])
            self.good(*command, "--engine", "dbt")
            del self.environment["D1_ENGINE"]


if __name__ == "__main__":
    unittest.main()
