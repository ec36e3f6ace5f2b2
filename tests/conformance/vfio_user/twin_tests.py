# SPDX-License-Identifier: Apache-2.0
"""Section "VFIO_USER_VERSION", twin_socket: the device asks for its client's memory on a socket of
its own, and the client answers there, or does not, or answers what was not asked. Whoever waits
does so for a time, and the next client attaches (tearDown() of every case)."""
import socket
import struct
import time

import data_path_tests
import wire
from data_path_tests import BASE, BYTES, COMPLETIONS, IDENTITY

GIVEN_UP = 2 * wire.DEADLINE  # a client that does not answer its device is, by then
AT_ONCE = wire.DEADLINE / 2   # a twin that ends, or talks nonsense, is seen without waiting


class Twin(data_path_tests.Working):
    def setUp(self):
        super().setUp()
        self.client = self.attach({"twin_socket": {"supported": True}})
        twin = self.client.capabilities.get("twin_socket", {})
        if not twin.get("supported"):
            self.close_all()  # a case that ends here is not torn down
            self.skipTest("the server grants no twin socket")
        # Else the descriptor would be closed with the client only, and its end not be seen.
        number = self.client.received.pop(twin["fd_index"])
        self.twin = socket.socket(fileno=number)
        self.addCleanup(self.twin.close)
        self.twin.settimeout(wire.DEADLINE)

    def asked(self):
        """The next command on the twin: (header, payload)."""
        def exactly(count):
            data = b""
            while len(data) < count:
                piece = self.twin.recv(count - len(data))
                self.assertTrue(piece, "the server closed the twin")
                data += piece
            return data
        head = wire.Message(*wire.HEADER.unpack(exactly(wire.HEADER.size)))
        head.payload = exactly(head.size - wire.HEADER.size)
        self.assertEqual(head.flags & 0xf, wire.COMMAND)
        self.assertIn(head.command, (wire.DMA_READ, wire.DMA_WRITE))
        return head

    def answer(self, asked, memory):
        address, count = struct.unpack_from("=QQ", asked.payload)
        at = address - BASE
        self.assertTrue(0 <= at and at + count <= len(memory), f"{count} bytes at {address:#x}")
        payload = struct.pack("=QQ", address, count)
        if asked.command == wire.DMA_READ:
            payload += bytes(memory[at:at + count])
        else:
            memory[at:at + count] = asked.payload[16:16 + count]
        self.twin.sendall(wire.message(asked.command, payload, asked.id, wire.REPLY))

    def ring(self):
        """Memory that only messages reach, a command in it, and the device looks for it."""
        self.unshared(None)
        self.client.send(wire.REGION_WRITE, wire.region_access(
            wire.BAR0, data_path_tests.DOORBELL, 4, struct.pack("=I", 1)))
        memory = bytearray(BYTES)
        memory[0:64] = struct.pack("=BBHI", 0, 0, IDENTITY, 0).ljust(64, b"\0")
        return memory

    def expect_end(self, seconds):
        """That the session ends within this time; until then the client gets its replies."""
        start = time.monotonic()
        try:
            while time.monotonic() - start < seconds:
                # By another command than one that needs the device, which may be waiting.
                self.client.call(wire.GET_INFO, wire.get_info())
                time.sleep(0.02)
        except wire.Closed:
            return time.monotonic() - start
        self.fail(f"the session goes on after {seconds} s, though its device got no answer")

    def drain(self):
        """The reply to the doorbell's write, which may come before or after what is asked."""
        self.assertEqual(self.client.reply().command, wire.REGION_WRITE)

    def test_a_command_completes_by_what_is_answered_on_the_twin(self):
        memory = self.ring()
        self.drain()
        while struct.unpack_from("=HHHH", memory, COMPLETIONS + 24)[3] != 1:
            self.answer(self.asked(), memory)
        self.assertEqual(struct.unpack_from("=HHHH", memory, COMPLETIONS + 24),
                         (IDENTITY, 1, 0, 1))
        self.assertEqual(self.client.served, [], "asked on the first socket, too")

    def test_a_twin_that_never_answers_ends_the_session_in_time(self):
        self.ring()
        self.drain()
        self.asked()
        self.expect_end(GIVEN_UP)

    def test_a_twin_that_answers_half_a_message_ends_the_session_in_time(self):
        self.ring()
        self.drain()
        asked = self.asked()
        self.twin.sendall(wire.message(asked.command, asked.payload, asked.id, wire.REPLY,
                                       size=wire.HEADER.size + 4096))
        self.expect_end(GIVEN_UP)

    def test_a_twin_that_is_never_read_ends_the_session_in_time(self):
        self.ring()
        self.drain()
        self.expect_end(GIVEN_UP)

    def test_a_twin_that_is_closed_ends_the_session_at_once(self):
        self.ring()
        self.drain()
        self.asked()
        self.twin.close()
        self.expect_end(AT_ONCE)

    def test_a_twin_that_was_closed_before_it_was_asked_ends_the_session_at_once(self):
        self.twin.close()
        self.ring()
        try:
            self.drain()
        except wire.Closed:
            return
        self.expect_end(AT_ONCE)

    def test_an_answer_to_what_was_not_asked_ends_the_session_at_once(self):
        self.ring()
        self.drain()
        asked = self.asked()
        self.twin.sendall(wire.message(asked.command, asked.payload, asked.id ^ 1, wire.REPLY))
        self.expect_end(AT_ONCE)

    def test_a_client_that_leaves_its_device_waiting_is_not_waited_for(self):
        self.ring()
        self.drain()
        self.asked()
        start = time.monotonic()
        self.client.close(at_once=True)
        self.client = self.attach()
        self.assertLess(time.monotonic() - start, AT_ONCE)
