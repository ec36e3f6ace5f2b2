# SPDX-License-Identifier: Apache-2.0
"""Translated code by the names of its functions: in perf's map of the process, and in gdb."""
import os
import re
import shutil
import subprocess
import unittest

from cli_support import D1, KERNELS, SECONDS, CommandLineCase

# `work` calls a semantics function in each round, since no emitter knows atomic additions.
PROGRAM = """
  li s1, 1000
1: call work
  addi s1, s1, -1
  bnez s1, 1b
  exit 0
.globl work
.type work, @function
work:
  la t1, counter
  li t2, 3
2: amoadd.w t3, t2, (t1)
  addi t2, t2, -1
  bnez t2, 2b
  ret
.size work, . - work
"""
DATA = "\ncounter: .dword 0\n"


class PerfMap(CommandLineCase):
    def map_of(self, *words):
        """[(begin, bytes, name)] of a run that must succeed."""
        self.environment.update(D1_PERF_MAP="1", D1_ENGINE="dbt", D1_TRANSLATE_AFTER="0")
        process = subprocess.Popen([D1, *words], cwd=self.folder, env=self.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        path = f"/tmp/perf-{process.pid}.map"
        self.addCleanup(lambda: os.path.exists(path) and os.remove(path))
        _, errors = process.communicate(timeout=SECONDS)
        self.assertEqual((process.returncode, errors), (0, ""))
        with open(path) as file:
            lines = [re.fullmatch(r"([0-9a-f]+) ([0-9a-f]+) (\S.*)", line.rstrip("\n"))
                     for line in file]
        self.assertNotIn(None, lines)
        return [(int(line[1], 16), int(line[2], 16), line[3]) for line in lines]

    def test_regions_are_named_by_functions_of_the_program(self):
        entries = self.map_of("exec", self.assemble(PROGRAM, data=DATA))
        names = {name for _, _, name in entries}
        self.assertIn("work", names)
        self.assertIn("d1_call_semantics", names)
        entries.sort()
        for (begin, size, name), (following, _, _) in zip(entries, entries[1:]):
            self.assertLessEqual(begin + size, following, name)

    def test_regions_of_kernels_are_named_by_functions_of_their_source(self):
        entries = self.map_of("run", os.path.join(KERNELS, "hello.cpp"), "--arg", "greetings=1",
                              "--grid", "1x1")
        names = {name.split("+0x")[0] for _, _, name in entries}
        self.assertIn("hello", names)
        self.assertIn("boot_rom", names)


@unittest.skipUnless(shutil.which("gdb"), "gdb is not installed")
class Gdb(CommandLineCase):
    def test_frames_of_translated_code_have_names_and_lead_on_to_the_engine(self):
        program = self.assemble(PROGRAM, data=DATA)
        self.environment.update(D1_GDB_JIT="1", D1_TRANSLATE_AFTER="0", DEBUGINFOD_URLS="")
        words = ["gdb", "-nx", "-batch", "-ex", "set breakpoint pending on", "-ex",
                 "break d1::emulator::(anonymous namespace)::run_semantics", "-ex", "run", "-ex",
                 "backtrace", "--args", D1, "exec", "--engine", "dbt", program]
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS,
                              cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL)
        if "not permitted" in done.stderr:
            self.skipTest("gdb may not trace processes here")
        frames = re.findall(r"(?m)^#\d+ +(?:0x[0-9a-f]+ in )?(.*?) \(", done.stdout)
        self.assertGreater(len(frames), 4, done.stdout + done.stderr)
        self.assertIn("run_semantics", frames[0] + done.stdout)
        # Under a sanitizer the function called may have a frame for each of its inlined parts.
        self.assertIn("d1_call_semantics", frames, done.stdout)
        call = frames.index("d1_call_semantics")
        self.assertEqual(frames[call + 1], "work", done.stdout)
        self.assertIn("run_translated", frames[call + 2], done.stdout)
        self.assertEqual(frames[-1], "main", done.stdout)


if __name__ == "__main__":
    unittest.main()
