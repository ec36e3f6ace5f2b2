#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A daemon whose k-th call of the host's kernel fails, for each k until there are no more: it ends
with a sentence, or serves; the client that meets the failure gets a sentence or what it wanted, the
next one is served, and nothing is left behind.

    daemon_fault_points_test.py LIBRARY    with D1_PROGRAMS, the folder of the programs
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

LIBRARY = sys.argv.pop(1)
D1 = pathlib.Path(os.environ["D1_PROGRAMS"]) / "d1"
KERNEL = """#include <d1/kernel.hpp>
D1_KERNEL void add(d1::sharded<int> data, int what) {
  for (int& value : data.part_of_hart()) value += what;
}
"""
SECONDS = 30
MOST = 3000  # calls


class DaemonFaultPoints(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="d1-points-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        (self.folder / "add.cpp").write_text(KERNEL)
        self.program = self.folder / "add.elf"
        subprocess.run([D1, "build", self.folder / "add.cpp", "-o", self.program], check=True,
                       capture_output=True, timeout=SECONDS)

    def client(self):
        return subprocess.run(
            [D1, "run", self.program, "--device", f"vfio-user:{self.folder}/s/dut.sock", "--shape",
             "data=4000", "--arg", "what=3", "--timeout", "10"],
            capture_output=True, text=True, timeout=SECONDS)

    def has_a_sentence(self, text):
        self.assertRegex(text, r"error: [a-z ]+: [A-Z0-9'].*\.", text)

    def life(self, k):
        """The name of the call that failed; empty: there were not so many."""
        mark, log = self.folder / "failed", self.folder / "log"
        mark.unlink(missing_ok=True)
        with open(log, "w+", encoding="utf-8") as errors:
            daemon = subprocess.Popen(
                [D1, "serve", "--log-level", "error", "--dpu", "dut=n0,0..3,3", "--dir",
                 self.folder / "s"], stdout=subprocess.PIPE, stderr=errors, text=True,
                env=dict(os.environ, LD_PRELOAD=LIBRARY, D1_FAILING_CALL=str(k),
                         D1_FAILED_CALL=str(mark)))
            self.addCleanup(daemon.kill)
            served = daemon.stdout.readline()
            if served:
                # One of two meets the failure; whoever comes behind that is served.
                for _ in range(2):
                    done = self.client()
                    if done.returncode != 0:
                        self.has_a_sentence(done.stderr)
                        done = self.client()
                    self.assertEqual((done.returncode, done.stderr), (0, ""), log.read_text())
                daemon.send_signal(signal.SIGTERM)
            ended = daemon.wait(SECONDS)
            daemon.stdout.close()
            if served:
                self.assertEqual(ended, 0, log.read_text())
            else:
                self.assertEqual(ended, 1, log.read_text())
                self.has_a_sentence(log.read_text())
            self.assertEqual([p.name for p in (self.folder / "s").glob("*")], [])
        return mark.read_text()

    def test_each_is_a_sentence_and_the_next_client_is_served(self):
        failed = []
        for k in range(1, MOST):
            try:
                name = self.life(k)
            except AssertionError as wrong:
                self.fail(f"call {k}, behind {failed[-3:]}: {wrong}")
            if not name:
                break
            failed.append(name)
        self.assertGreater(len(failed), 30)
        for name in ("mmap", "memfd_create", "eventfd", "pthread_create", "socket", "recvmsg",
                     "sendmsg"):
            self.assertIn(name, failed)
        print(f"{len(failed)} calls, each let fail once")


if __name__ == "__main__":
    unittest.main()
