# SPDX-License-Identifier: Apache-2.0
"""What the topics share: the server under test, and a test case that leaves it as it was."""
import os
import stat
import subprocess
import time
import unittest

import wire

# A byte of the configuration space that is written and read back and changes nothing: PCI
# Express makes the cache line size so.
SCRATCH = 0x0c

# Where a message's own framing is broken, an error reply and an end of the connection are both
# allowed: the specification names neither. Where only a value is wrong, section "Header" asks
# for an error reply, and nothing ends the connection.


class Server:
    """A socket that somebody serves, or a command that is started, and again if it dies."""

    def __init__(self, socket=None, command=(), wait=60.0):
        self.given, self.command, self.wait = socket, list(command), wait
        self.process, self.path = None, socket

    def ensure(self):
        if not self.command or (self.process and self.process.poll() is None):
            return
        if self.given and os.path.exists(self.given):
            os.unlink(self.given)
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        until = time.monotonic() + self.wait
        while True:
            self.path = self._find()
            if self.path:
                return
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"no socket from {' '.join(self.command)}")
            time.sleep(0.02)

    def _find(self):
        """The socket once it takes connections: the one given, or one below --dir."""
        candidates = [self.given] if self.given else []
        for at, word in enumerate(self.command):
            folder = word[6:] if word.startswith("--dir=") else ""
            if word == "--dir" and at + 1 < len(self.command):
                folder = self.command[at + 1]
            if folder and not self.given:
                candidates += [os.path.join(place, name)
                               for place, _, names in os.walk(folder) for name in sorted(names)
                               if name.endswith(".sock")]
        # A server may have sockets of other kinds; the function's bears the name given to --dpu.
        names = [after.split("=")[0] for word, after in zip(self.command, self.command[1:])
                 if word == "--dpu"]
        for path in sorted(candidates, key=lambda path: not os.path.basename(path).startswith(
                tuple(names or [""]))):
            try:
                if stat.S_ISSOCK(os.stat(path).st_mode):
                    wire.Client(path).close()
                    return path
            except OSError:
                pass
        return None

    def died(self, seconds=0.0):
        """Whether the command has ended, or does within this time."""
        if self.process is None:
            return False
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.given and self.command and os.path.exists(self.given):
            os.unlink(self.given)


class Case(unittest.TestCase):
    server = None  # set by the program that runs the suite
    longMessage = True

    def setUp(self):
        self.server.ensure()
        self.opened, self.files = [], []

    def tearDown(self):
        self.close_all()
        for fd in self.files:
            os.close(fd)
        try:
            wire.connect(self.server.path).close()  # whatever came: the next client attaches
        except (OSError, wire.Closed, wire.NoAnswer, wire.Malformed) as problem:
            died = self.server.died(2.0)
            if self.server.command:
                self.server.stop()  # the next test gets a new one, so one fault fails one test
            self.fail("the server died of this test" if died else
                      f"after this test the server takes no client: {problem!r}")

    # Connections

    def close_all(self):
        for client in self.opened:
            client.close()

    def attach(self, capabilities=None):
        """A client past its handshake, the only one."""
        self.close_all()
        client = wire.connect(self.server.path, capabilities)
        self.opened.append(client)
        return client

    def raw(self):
        """A connection that has said nothing yet, to a function that is free."""
        self.close_all()
        wire.connect(self.server.path).close()
        client = wire.Client(self.server.path)
        self.opened.append(client)
        return client

    def memfd(self, size=1 << 20):
        fd = os.memfd_create("conformance")
        self.files.append(fd)
        os.ftruncate(fd, size)
        return fd

    def eventfds(self, count):
        fds = [os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(count)]
        self.files.extend(fds)
        return fds

    def signalled(self, fd, seconds=1.0):
        """The count of an eventfd, 0 if nothing comes within this time."""
        until = time.monotonic() + seconds
        while True:
            try:
                return os.eventfd_read(fd)
            except BlockingIOError:
                if time.monotonic() > until:
                    return 0
                time.sleep(0.005)

    def descriptors(self, client):
        """How many descriptors the server's process has open."""
        try:
            return len(os.listdir(f"/proc/{client.server_pid()}/fd"))
        except OSError:
            self.skipTest("the server's /proc entry cannot be read")

    # Outcomes

    def ok(self, got, size=None):
        self.assertFalse(got.is_error, f"refused with errno {got.error}")
        if size is not None:
            self.assertEqual(got.size, wire.HEADER.size + size, "size of the reply")
        return got

    def error(self, client, got, *errnos):
        """An error reply, of one of these errnos if any are named, and the connection lives."""
        self.assertTrue(got.is_error, f"was accepted: {got}")
        if errnos:
            self.assertIn(got.error, errnos)
        self.serves(client)
        return got

    def serves(self, client):
        self.ok(client.call(wire.GET_INFO, wire.get_info()), 16)

    def refused(self, client, command=None):
        """An error reply or the end of the connection, before the deadline. After an error reply
        the connection may go on or end."""
        try:
            got = client.reply()
        except wire.Closed:
            return "closed"
        self.assertTrue(got.is_error, f"was accepted: {got}")
        if command is not None:
            self.assertEqual(got.command, command)
        return "error"

    def send_refused(self, client, data, fds=(), command=None):
        try:
            client.send_raw(data, fds)
        except wire.Closed:
            return "closed"
        return self.refused(client, command)

    def either(self, client, got):
        """The specification leaves it open: accepted or refused, but the connection goes on."""
        self.serves(client)
        return not got.is_error
