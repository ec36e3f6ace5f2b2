#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a runner of C tests on a node says of tests that hang, trap outside of any, or have more
names than fit. D1_PROGRAMS names the folder of the programs."""
import os
import pathlib
import subprocess
import unittest

PROGRAMS = pathlib.Path(os.environ.get("D1_PROGRAMS", "build/release/bin"))


def run(program, *arguments):
    return subprocess.run([PROGRAMS / program, *arguments], capture_output=True, text=True,
                          timeout=120, env=dict(os.environ, D1_HIL_NODE_TIME_MS="500"))


class NodeFailures(unittest.TestCase):
    def test_a_test_that_hangs_fails_with_its_place_and_the_next_one_runs(self):
        said = run("hil-node-failures-nodes", "--gtest_filter=Hangs.*")
        self.assertEqual(said.returncode, 1)
        self.assertIn("had not ended 500 ms after its start", said.stdout)
        self.assertRegex(said.stdout, r"running, in never_ends \(.*hangs\.c:13\)")
        for name, verdict in (("passes_before", "       OK "), ("never_ends", "  FAILED  "),
                              ("passes_behind", "       OK ")):
            self.assertIn(f"[{verdict}] Hangs.{name}", said.stdout)

    def test_a_main_that_traps_is_a_case_with_the_place(self):
        said = run("hil-node-failures-nodes", "--gtest_filter=traps_in_main.*")
        self.assertEqual(said.returncode, 1)
        self.assertIn("[  FAILED  ] traps_in_main.main", said.stdout)
        self.assertRegex(said.stdout, r"a null pointer\), at d1_main_of_traps_in_main \(.*:15\)")

    def test_a_list_that_is_not_whole_ends_the_runner_and_says_why(self):
        said = run("hil-node-long-names-nodes")
        self.assertNotEqual(said.returncode, 0)
        self.assertRegex(said.stdout + said.stderr, r"long_names\.c' cannot be listed on a node: "
                         r"\d+ of its names have no room .*; divide it into several files")


if __name__ == "__main__":
    unittest.main()
