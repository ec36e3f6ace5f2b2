# SPDX-License-Identifier: Apache-2.0
"""The main job in small: a matrix product on all nodes, files written, result checked."""
import os
import re
import subprocess
import unittest

import numpy

from cli_support import SECONDS, CommandLineCase

PROGRAM = os.path.join(os.environ["D1_PROGRAMS"], "d1-example-matmul")


class Quickstart(CommandLineCase):
    def multiply(self, *words):
        return subprocess.run([PROGRAM, "--directory", self.folder, *words], capture_output=True,
                              text=True, timeout=SECONDS, env=self.environment)

    def test_the_files_hold_a_matrix_product_and_the_report_its_error(self):
        done = self.multiply("--size", "200", "--seed", "7")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        a, b = (numpy.load(self.path(name)).astype(numpy.uint32) << 16 for name in
                ("A.npy", "B.npy"))
        expected = a.view(numpy.float32).astype(float) @ b.view(numpy.float32).astype(float)
        c = numpy.load(self.path("C.npy"))
        self.assertEqual((c.dtype, c.shape), (numpy.float32, (200, 200)))
        error = numpy.abs(c - expected).max()
        self.assertLess(error, 1e-4)
        told = float(re.search(r"error +at most ([\d.e-]+)", done.stdout).group(1))
        self.assertAlmostEqual(told, error, delta=0.01 * error)
        self.assertIn("354 nodes", done.stdout)
        for word in ("host time", "time on a D1", "TFLOPS", "busy in the inner loop"):
            self.assertIn(word, done.stdout)

    def test_equal_seeds_give_equal_files(self):
        contents = []
        for seed in ("3", "3", "4"):
            self.assertEqual(self.multiply("--size", "64", "--seed", seed).returncode, 0)
            contents.append(numpy.load(self.path("C.npy")).tobytes())
        self.assertEqual(contents[0], contents[1])
        self.assertNotEqual(contents[0], contents[2])

    def test_help_is_no_error(self):
        done = self.multiply("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("--directory", done.stdout)
        for script in ("quickstart.sh", "test.sh"):
            path = os.path.join(os.environ["D1_SOURCE_TREE"], "tools", script)
            done = subprocess.run([path, "--help"], capture_output=True, text=True, timeout=20)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("Arguments are passed to", done.stdout)

    def test_wrong_options_and_kernels_are_told(self):
        self.assertEqual(self.multiply("--size", "0").returncode, 2)
        self.assertEqual(self.multiply("--nonsense", "1").returncode, 2)
        done = self.multiply("--kernel", self.path("nothing.cpp"), "--size", "32")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nothing.cpp", done.stderr)


if __name__ == "__main__":
    unittest.main()
