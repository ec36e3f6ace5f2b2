#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`d1 fault`, and plans of faults for `d1 serve` and `d1 run`."""
import os
import subprocess
import unittest

from cli_support import CommandLineCase, D1

SPIN = """#include <d1/kernel.hpp>
D1_KERNEL void spin(unsigned rounds) { for (volatile unsigned i = 0; i < rounds; i = i + 1) {} }
"""
ONE_STOP = '[[fault]]\nkind = "node_stop"\nnode = "die0/n7,12"\n'


class Fault(CommandLineCase):
    def serve(self, *words):
        daemon = subprocess.Popen([D1, "serve", "--log-level", "off", "--dir", self.folder,
                                   "--dpu", "dev=all", *words], stdout=subprocess.PIPE, text=True)
        self.addCleanup(daemon.stdout.close)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        self.assertIn("vfio-user:", daemon.stdout.readline())
        return os.path.join(self.folder, "dev.sock")

    def test_gives_a_device_a_fault_shows_what_it_did_and_ends_it(self):
        self.serve()
        there = ("--dir", self.folder)
        self.assertIn("No fault has begun", self.good("fault", "dev", *there))
        self.good("fault", "dev", "node_stop", "node=die0/n7,12", *there)
        kernel = self.write("spin.cpp", SPIN)
        self.environment["D1_DEVICE"] = "vfio-user:" + self.path("dev.sock")
        self.bad("run", kernel, "--arg", "rounds=9", "--timeout", "0.5",
                 says="on die 0 row 7 column 12")
        self.assertRegex(self.good("fault", "dev", *there),
                         r"^fault 1 \(node_stop die0/n7,12\) begins at cycle \d+\n$")
        self.good("fault", "dev", "--clear", *there)
        self.good("run", kernel, "--arg", "rounds=9")
        events = self.document("fault", "dev", *there)["events"]
        self.assertEqual(len(events), 2)

    def test_takes_a_plan_by_the_path_of_the_socket(self):
        socket = self.serve()
        plan = self.write("plan.toml", "seed = 3\n" + ONE_STOP)
        self.good("fault", socket, "--plan", plan)
        self.good("fault", "vfio-user:" + socket, "kind=dma_error", "at_command=[3, 9]", "times=2",
                  "opcode=copy", "seed=4")
        self.assertRegex(self.good("fault", socket), "node_stop")

    def test_says_what_is_wrong_with_a_fault(self):
        socket = self.serve()
        self.bad("fault", socket, "kind=nodestop", says="There is no kind of fault 'nodestop'")
        self.bad("fault", socket, "kind=node_stop", "node=n99,0", says="is no node of this device")
        self.bad("fault", socket, "kind=node_stop", "pace=3", says="has no key pace")
        self.bad("fault", "nobody", says="Nobody serves a device")
        self.bad("fault", says="needs a device")
        self.bad("fault", socket, "--plan", self.path("none.toml"), says="none.toml")

    def test_serve_takes_plans_for_all_or_for_one(self):
        plan = self.write("plan.toml", ONE_STOP)
        socket = self.serve("--faults", "dev=" + plan)
        for _ in range(100):  # it begins when the device is first looked at
            if "begins" in self.good("fault", socket):
                return
        self.fail("no fault began")

    def test_serve_refuses_a_plan_for_a_device_that_is_not_there(self):
        plan = self.write("plan.toml", ONE_STOP)
        self.bad("serve", "--dir", self.folder, "--log-level", "off", "--faults", "other=" + plan,
                 says="a DPU 'other', which is not served here")

    def test_run_has_the_faults_of_a_plan_and_says_what_they_did(self):
        kernel, plan = self.write("spin.cpp", SPIN), self.write("plan.toml", ONE_STOP)
        done = self.d1("run", kernel, "--arg", "rounds=9", "--timeout", "0.5", "--faults", plan)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"fault 1 \(node_stop die0/n7,12\) begins at cycle \d+")
        self.assertIn("Kernel 'spin' had not ended 500 ms", done.stderr)

    def test_lists_the_kinds(self):
        kinds = self.document("fault", "--kinds")
        self.assertGreater(len(kinds), 15)
        for kind in kinds:
            self.assertEqual(set(kind), {"kind", "keys", "what", "seen"})
        self.assertIn("surprise_removal: the device is gone", self.good("fault", "--kinds"))


if __name__ == "__main__":
    unittest.main()
