# SPDX-License-Identifier: Apache-2.0
"""Runs the built `d1` and makes the files it is given. Each test case has a folder of its own."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

D1 = os.path.join(os.environ["D1_PROGRAMS"], "d1")
KERNELS = os.path.join(os.environ["D1_SOURCE_TREE"], "host", "examples", "kernels")
SECONDS = 120

# Everything above `body` of a bare-metal program: it begins at _start and ends by `exit CODE`.
PROLOGUE = """
.macro exit code
  li a0, (\\code << 1) | 1
  la a1, tohost
  sd a0, 0(a1)
9: j 9b
.endm
.globl _start
_start:
"""
EPILOGUE = """
.data
.align 6
.globl tohost
tohost: .dword 0
.align 6
.globl fromhost
fromhost: .dword 0
"""


class CommandLineCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="d1-cli-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.environment = dict(os.environ, XDG_CACHE_HOME=os.environ.get(
            "XDG_CACHE_HOME", os.path.join(os.environ["D1_PROGRAMS"], "..", "test-cache")))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb" if isinstance(content, bytes) else "w") as file:
            file.write(content)
        return self.path(name)

    def d1(self, *words):
        return subprocess.run([D1, *words], capture_output=True, text=True, timeout=SECONDS,
                              cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL)

    def good(self, *words):
        done = self.d1(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def document(self, *words):
        return json.loads(self.good(*words, "--json"))

    def bad(self, *words, says):
        """Fails with exactly one error that holds the given words; its text."""
        done = self.d1(*words)
        self.assertGreater(done.returncode, 0, done)
        self.assertLess(done.returncode, 128, done)
        starts = [line for line in done.stderr.split("\n") if line.startswith("error: ")]
        self.assertEqual(len(starts), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("error: "), done.stderr)
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, done.stderr)
        self.assertNotIn("terminate", done.stderr)
        return done.stderr

    def assemble(self, body, name="program.elf", flags=(), data=""):
        source = self.write(name + ".s", PROLOGUE + body + EPILOGUE + data)
        subprocess.run(["clang-19", "--target=riscv64-unknown-elf", "-march=rv64gcv",
                        "-mabi=lp64d", "-nostdlib", "-static", "-fuse-ld=lld",
                        "-Wl,-Ttext=0x80000000", *flags, source, "-o", self.path(name)],
                       check=True, capture_output=True, timeout=SECONDS)
        return self.path(name)
