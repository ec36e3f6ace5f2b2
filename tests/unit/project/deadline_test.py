#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No public call waits without a deadline: deadline_test.py SOURCE.

Looks for what can wait for ever in everything that an application calls (host, runtime, driver, and
the messages below them), and for public functions that wait without being told how long. What is
left is listed with its reason, and must still be there.
"""
import os
import re
import sys
import unittest

ROOT = ""
FOLDERS = ("host", "runtime", "driver", "firmware/vfio_user", "firmware/base")
NOT = ("host/hil/", "host/examples/")  # programs and their runners: not what applications call

# Calls that wait for as long as it takes.
WAITS = {
    "a condition variable": r"\b\w*(cond|ends|sleep|changed|ready)\w*_?\.wait\(",
    "poll without a limit": r"::poll\([^;]*, -1\)",
    "a thread to end": r"\.join\(\)",
    "a semaphore": r"\.acquire\(\)",
    "a future": r"\.get\(\)\.get\(\)|future\w*\.(get|wait)\(\)",
    "a process to end": r"::waitpid\([^;]*, 0\)|::wait\(",
    "a socket to connect": r"::connect\(",
    "a connection": r"::accept4?\(",
    "a message": r"::recv(msg)?\((?![^;]*MSG_DONTWAIT)",
    "room to send": r"::send(msg)?\((?![^;]*MSG_DONTWAIT)",
    "bytes": r"::read\(",
    "a lock of a file": r"::flock\((?![^;]*LOCK_NB)",
}

# path: what may stand there, and why it does not wait for ever.
ALLOWED = {
    "driver/vfio_user_client.cpp": {
        "poll without a limit": "the watcher's own thread; its eventfd ends it"},
    "firmware/vfio_user/unix_socket.cpp": {
        "a socket to connect": "the socket does not block"},
    "driver/event_wait.cpp": {
        "bytes": "an eventfd of which ppoll has said that it was written, and nobody else reads"},
    "runtime/file_worker.cpp": {
        "a thread to end": "it was asked to stop, and reads of regular files in flight end"},
    "runtime/subprocess.cpp": {
        "bytes": "a pipe of which poll has said that it has some"},
}

# Public functions that wait, by name, and what tells them how long.
WAITING = re.compile(r"^\s*(?:\[\[nodiscard\]\]\s*)?[\w:<>,&* ]+?\b(wait|wait_until|synchronize|"
                     r"wait_step|receive|exchange|wait_for_interrupt)\(([^)]*)\)?", re.MULTILINE)
LIMIT = re.compile(r"Deadline|deadline|timeout|nanoseconds|milliseconds")


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    return re.sub(r"//[^\n]*", "", text)


def sources(*endings):
    for top in FOLDERS:
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), ROOT)
                if name.endswith(endings) and not path.startswith(NOT):
                    yield path


class Deadlines(unittest.TestCase):
    def test_nothing_waits_for_as_long_as_it_takes(self):
        found, wrong = {}, []
        for path in sources(".cpp", ".hpp"):
            text = text_of(path)
            for what, pattern in WAITS.items():
                # The system's function, not a class's of that name.
                pattern = re.sub(r"(?<!:)::", r"(?<![\\w>])::", pattern)
                for match in re.finditer(pattern, text):
                    found.setdefault(path, set()).add(what)
                    if what not in ALLOWED.get(path, {}):
                        line = text.count("\n", 0, match.start()) + 1
                        wrong.append(f"{path}:{line} waits for {what}: {match.group(0)}")
        self.assertEqual(wrong, [])
        for path, allowed in ALLOWED.items():
            for what in allowed:
                self.assertIn(what, found.get(path, set()), f"{path} needs no exception")

    def test_public_functions_that_wait_are_told_how_long(self):
        seen, wrong = 0, []
        for path in sources(".hpp", ".h"):
            if "/include/" not in path:
                continue
            for match in WAITING.finditer(text_of(path)):
                name, parameters = match.group(1), match.group(2)
                if "return" in match.group(0):
                    continue
                seen += 1
                if not LIMIT.search(parameters):
                    wrong.append(f"{path}: {name}({parameters})")
        self.assertGreater(seen, 7)
        self.assertEqual(wrong, [])

    def test_the_c_interface_waits_with_a_timeout(self):
        text = re.sub(r"/\*.*?\*/", "", text_of("host/include/d1/d1.h"), flags=re.DOTALL)
        functions = re.findall(r"\bd1_error_t (d1_\w*(?:wait|synchronize)\w*)\(([^)]*)\)", text)
        self.assertGreater(len(functions), 2)
        for name, parameters in functions:
            if name == "d1_stream_wait_event":  # the stream waits, not the caller
                continue
            self.assertIn("timeout_ms", parameters, name)


if __name__ == "__main__":
    ROOT = sys.argv.pop(1)
    unittest.main()
