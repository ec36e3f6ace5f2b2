#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`d1 run` with arrays that go from their files to a device and back without a stay in memory."""
import os
import resource
import signal
import subprocess
import unittest

import numpy

from cli_support import SECONDS, CommandLineCase, D1

ELEMENTS = 32 << 20  # of 4 bytes: more than the command may have of memory in one test
MEMORY = 96 << 20    # of bytes, for all that the command allocates
FILE = 1 << 20       # of bytes, that a file may have in one test
MARK = """#include <d1/kernel.hpp>
D1_KERNEL void mark(d1::sharded<unsigned> values) {
  const auto mine = values.part_of_hart();
  for (std::size_t i = 0; i < mine.size(); i += 4096) mine[i] += 1;
}
"""


class Large(CommandLineCase):
    def setUp(self):
        super().setUp()
        daemon = subprocess.Popen([D1, "serve", "--log-level", "off", "--dir", self.folder,
                                   "--dpu", "dev=all"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(daemon.stdout.close)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        self.assertIn("vfio-user:", daemon.stdout.readline())
        self.kernel = self.path("mark.elf")
        self.good("build", self.write("mark.cpp", MARK), "-o", self.kernel)

    def run_limited(self, device, limit=None, elements=ELEMENTS):
        """The finished command; limit: called in its process before it begins."""
        values = numpy.arange(elements, dtype=numpy.uint32)
        numpy.save(self.path("in.npy"), values)
        words = ["run", self.kernel, "--in", "values=" + self.path("in.npy"), "--out",
                 "values=" + self.path("out.npy"), "--grid", "all"]
        environment = dict(self.environment, D1_DEVICE=device)
        return values, subprocess.run([D1, *words], capture_output=True, text=True,
                                      timeout=SECONDS, cwd=self.folder, env=environment,
                                      stdin=subprocess.DEVNULL, preexec_fn=limit)

    def expect_marked(self, before):
        after = numpy.load(self.path("out.npy"))
        self.assertEqual((after.dtype, after.shape), (before.dtype, before.shape))
        marks = after - before
        self.assertEqual(set(numpy.unique(marks)), {0, 1})
        self.assertLess(marks.sum(), len(before) // 1000)

    def device(self, transport="vfio-user"):
        return f"{transport}:{self.path('dev.sock')}"

    @unittest.skipIf(os.environ.get("D1_SANITIZE"), "sanitizers take memory of their own")
    def test_an_array_larger_than_the_memory_of_the_command_comes_and_goes(self):
        for ring in ("1", "0"):
            self.environment["D1_IO_URING"] = ring
            values, done = self.run_limited(self.device(), lambda: resource.setrlimit(
                resource.RLIMIT_DATA, (MEMORY, MEMORY)))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.expect_marked(values)

    def test_where_nothing_is_mapped_it_goes_in_pieces(self):
        values, done = self.run_limited(self.device("vfio-user-in-band"), elements=ELEMENTS // 8)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.expect_marked(values)

    def test_a_file_that_cannot_be_written_whole_leaves_the_one_before(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
        for ring in ("1", "0"):
            self.environment["D1_IO_URING"] = ring
            self.write("out.npy", "as before")
            _, done = self.run_limited(self.device(), limit, elements=FILE)
            self.assertEqual(done.returncode, 1, done)
            self.assertRegex(done.stderr, "^error: [a-z ]+: [0-9]+ bytes at byte [0-9]+ of the "
                                          "file could not be written: File too large\\.\n")
            self.assertIn("out.npy", done.stderr)
            with open(self.path("out.npy"), encoding="ascii") as file:
                self.assertEqual(file.read(), "as before")
            self.assertEqual([name for name in os.listdir(self.folder) if name.endswith(".tmp")],
                             [])


if __name__ == "__main__":
    unittest.main()
