# SPDX-License-Identifier: Apache-2.0
"""d1 inspect, on a process that emulates a device and on a DPU of a daemon."""
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

from cli_support import D1

KERNEL = """#include <d1/kernel.hpp>
D1_KERNEL void mixed(std::uint64_t rounds) {
  if (d1::rank() % 3 == 0) d1::grid_barrier();
  else if (d1::rank() % 3 == 1) d1::semaphore<5>::wait(2);
  else
    for (std::uint64_t i = 0; i != rounds; ++i) __asm__ volatile("" ::: "memory");
}
"""


class Inspect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="d1-inspect-")
        cls.source = os.path.join(cls.folder.name, "mixed.cpp")
        with open(cls.source, "w", encoding="utf-8") as file:
            file.write(KERNEL)
        program = os.path.join(cls.folder.name, "mixed.elf")
        subprocess.run([D1, "build", cls.source, "-o", program], check=True, timeout=60)
        cls.program = program

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_kernel(self, *options, **environment):
        """The kernel on 2 x 3 nodes, for ever; its process."""
        process = subprocess.Popen(
            [D1, "run", self.program, "--kernel", "mixed", "--arg", f"rounds={2**63}",
             "--grid", "2x3", "--timeout", "100", *options],
            env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    @staticmethod
    def inspect(target, verbs, *options):
        return subprocess.run([D1, "inspect", str(target), "-c", verbs, *options],
                              capture_output=True, text=True, timeout=60, check=False,
                              env=os.environ | {"NO_COLOR": "1"})

    def answers(self, target, verbs):
        done = self.inspect(target, verbs, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line)["answer"] for line in done.stdout.splitlines()]

    def wait_for_launch(self, target):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            done = self.inspect(target, "launches", "--json")
            if done.returncode == 0 and json.loads(done.stdout)["answer"]:
                groups = self.answers(target, "where")[0]["groups"]
                if len([each for each in groups if "mixed" in each["what"]]) == 3:
                    return
            time.sleep(0.05)
        self.fail("the kernel was not launched")

    def expect_views(self, target):
        where, launches, queues, state = self.answers(target, "where; launches; queues; map state")
        waiting = {each["what"].split(",")[0]: each["harts"] for each in where["groups"]}
        self.assertEqual(waiting["running"], 8)
        self.assertEqual(waiting["waiting at a barrier of the grid"], 8)
        self.assertEqual(waiting["waiting for semaphore 5 to hold 2 (it holds 0)"], 8)
        self.assertIn(f"mixed ({self.source}", json.dumps(where))
        self.assertEqual(launches[0]["kernel"], "mixed")
        self.assertEqual(launches[0]["nodes"], 6)
        self.assertEqual([each["under_way"]["command"] for each in queues if each["under_way"]],
                         ["launch"])
        kinds = [each["value"] for each in state["nodes"]]
        self.assertEqual(len(kinds), 354)
        self.assertEqual(kinds.count("running"), 2)
        self.assertEqual(kinds.count("waiting"), 4)
        sem, regs, code, source, owner = self.answers(
            target, "sem n0,1; regs n0,1/h2; dis n0,1 mixed; src n0,1/h3; owner n0,1:mixed")
        self.assertEqual(sem["semaphores"], [{"semaphore": 5, "value": 0, "waiting": [
            {"hart": hart, "amount": 2} for hart in range(4)]}])
        self.assertEqual(regs["x"]["a1"], 2)
        self.assertIn("d1.sem.wait", json.dumps(code))
        self.assertEqual(source["function"], "d1_sem_wait")
        self.assertIn("mixed", owner["owner"])

    def test_a_process_that_allows_it_is_looked_into(self):
        process = self.run_kernel(D1_DEBUG="1")
        self.wait_for_launch(process.pid)
        self.expect_views(process.pid)
        _, read = self.answers(process.pid,
                               "write n0,0:0x90000 1.5 -2 f32; read n0,0:0x90000 3 f32")
        self.assertEqual(read["elements"], ["1.5", "-2", "0"])
        halt, stands, _ = self.answers(process.pid, "halt; machine; continue")
        self.assertEqual(stands["cycle"], halt["cycle"])
        self.assertEqual(stands["halts"], 1)
        after = self.answers(process.pid, "machine")[0]  # a halt ends with the tool
        self.assertEqual(after["halts"], 0)
        stuck = self.answers(process.pid, "stuck")[0]
        self.assertEqual(stuck["state"], "moves")
        self.assertEqual(stuck["runnable_harts"], 8)
        process.kill()
        process.wait()
        gone = self.inspect(process.pid, "map")
        self.assertEqual(gone.returncode, 1)
        self.assertRegex(gone.stderr, "There is no process|Nobody serves")

    def test_a_dpu_of_a_daemon_is_looked_into_while_its_client_uses_it(self):
        daemon = subprocess.Popen([D1, "serve", "--dir", self.folder.name, "--log-level", "warn"],
                                  stdout=subprocess.PIPE)
        self.addCleanup(daemon.stdout.close)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.send_signal, signal.SIGTERM)
        daemon.stdout.readline()
        socket = os.path.join(self.folder.name, "d1.sock")
        machine = self.answers(socket, "machine")[0]
        self.assertFalse(machine["has_host"])
        self.run_kernel("--device", f"vfio-user:{socket}")
        self.wait_for_launch(socket)
        self.expect_views(socket)
        self.expect_views("vfio-user:" + socket)

    def test_a_process_that_does_not_is_not(self):
        process = self.run_kernel(D1_DEBUG="")
        done = self.inspect(process.pid, "map")
        self.assertEqual(done.returncode, 1)
        self.assertIn("start it with D1_DEBUG=1 in its environment", done.stderr)

    def test_wrong_words_are_told_with_what_would_be_right(self):
        process = self.run_kernel(D1_DEBUG="1")
        self.wait_for_launch(process.pid)
        for verbs, sentence in (
                ("wher", "There is no verb 'wher'; did you mean 'where'?"),
                ("regs", "'regs' was given 0 words; it is used as: regs PLACE"),
                ("regs n0,0..1", "'n0,0..1' is more than one node"),
                ("regs die9/n0,0", "this device has die0 to die0, of n0,0 to n17,19"),
                ("map colour", "Quantities are state wait launch function"),
                ("read n0,0:0x140000", "is behind a node's 0x140000 bytes of SRAM"),
                ("read n0,0:nowhere", "is no offset in SRAM, nor a function"),
                ("write n0,0:0x90000 300 e8", "300 does not fit into 1 bytes"),
                ("regs n0,0 v e128", "There is no type 'e128'"),
                ("continue", "This tool has not halted the machine")):
            done = self.inspect(process.pid, "machine; " + verbs)
            self.assertEqual(done.returncode, 1, verbs)
            self.assertIn(sentence, done.stderr)
            self.assertIn("354 nodes", done.stdout)  # what came before was done
        done = subprocess.run([D1, "inspect", str(process.pid)], input="machine\nwher\nqueues\n",
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("carrying out line 2", done.stderr)


if __name__ == "__main__":
    unittest.main()
