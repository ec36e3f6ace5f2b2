# SPDX-License-Identifier: Apache-2.0
"""Sections "Client memory access", "VFIO_USER_DMA_READ" and "VFIO_USER_DMA_WRITE": the device
reaches its client's memory, by a descriptor and by messages. The work is one D1_COMMAND_FENCE in
a queue (d1/abi/commands.h, d1/abi/registers.h)."""
import mmap
import os
import struct
import time

import suite
import wire

CONTROL, STATUS, QUEUE, DOORBELL = 0x10, 0x18, 0x1000, 0x4000
SUBMISSION, COMPLETION, ENTRIES, VECTOR, ENABLE = 0, 8, 16, 24, 32
BASE, BYTES, COMPLETIONS, IDENTITY, USED_VECTOR = 0x20000000, 0x10000, 0x4000, 0x1234, 3


class Working(suite.Case):
    """A device that is made to work on its client's memory."""

    def setUp(self):
        super().setUp()
        self.client = self.attach()
        self.ok(self.client.call(wire.RESET), 0)
        self.client.write_number(wire.CONFIG, 4, 2, 6)  # memory, bus master

    def tearDown(self):
        try:
            self.client.close()
            with wire.connect(self.server.path) as client:
                client.call(wire.RESET)
        finally:
            super().tearDown()

    def ready(self):
        self.client.write_number(wire.BAR0, CONTROL, 8, 1)
        until = time.monotonic() + wire.DEADLINE
        while not self.client.read_number(wire.BAR0, STATUS, 8) & 1:
            self.assertLess(time.monotonic(), until, "the device does not become ready")

    def queue(self):
        for at, value in ((SUBMISSION, BASE), (COMPLETION, BASE + COMPLETIONS), (ENTRIES, 16),
                          (VECTOR, USED_VECTOR), (ENABLE, 1)):
            self.client.write_number(wire.BAR0, QUEUE + at, 8, value)
        self.assertEqual(self.client.read_number(wire.BAR0, QUEUE + ENABLE, 8), 1)

    def fence(self, memory):
        """Puts the command into its ring and rings."""
        memory[0:64] = struct.pack("=BBHI", 0, 0, IDENTITY, 0).ljust(64, b"\0")
        self.client.write_number(wire.BAR0, DOORBELL, 4, 1)

    def completion(self, memory):
        """(id, head, status, phase) of the first completion, awaited by reading a register, so
        that commands of the server are answered meanwhile."""
        until = time.monotonic() + wire.DEADLINE
        while time.monotonic() < until:
            self.client.read_number(wire.BAR0, STATUS, 8)
            found = struct.unpack_from("=HHHH", memory, COMPLETIONS + 24)
            if found[3] == 1:
                return found
        self.fail("no completion")

    def unshared(self, content):
        """Maps memory that only messages reach; a server may refuse that."""
        if self.client.call(wire.DMA_MAP, wire.dma_map(BASE, BYTES)).is_error:
            self.skipTest("the server takes no memory without a descriptor")
        if content is not None:
            self.client.memory.append((BASE, content))
        self.ready()
        self.queue()


class DataPath(Working):
    def test_a_command_in_memory_shared_by_a_descriptor_completes_and_interrupts(self):
        fd = self.memfd(BYTES)
        self.ok(self.client.call(wire.DMA_MAP, wire.dma_map(BASE, BYTES), [fd]), 0)
        event = self.eventfds(1)[0]
        self.ok(self.client.call(wire.SET_IRQS, wire.set_irqs(
            wire.MSIX, wire.DATA_EVENTFD | wire.ACTION_TRIGGER, USED_VECTOR, 1), [event]), 0)
        self.enable_msix()
        self.ready()
        self.queue()
        with mmap.mmap(fd, BYTES) as memory:
            self.fence(memory)
            self.assertEqual(self.completion(memory), (IDENTITY, 1, 0, 1))
        self.assertGreaterEqual(self.signalled(event), 1)

    def enable_msix(self):
        at = self.client.read_number(wire.CONFIG, 0x34, 1)
        while at and self.client.read_number(wire.CONFIG, at, 1) != 0x11:
            at = self.client.read_number(wire.CONFIG, at + 1, 1)
        table = self.client.read_number(wire.CONFIG, at + 4, 4)
        self.client.write_number(wire.CONFIG, at + 2, 2, 0x8000)
        self.client.call(wire.REGION_WRITE, wire.region_access(
            table & 7, (table & ~7) + 16 * USED_VECTOR + 12, 4, bytes(4)))

    def test_a_command_in_memory_that_only_messages_reach_completes(self):
        memory = bytearray(BYTES)
        self.unshared(memory)
        self.fence(memory)
        self.assertEqual(self.completion(memory), (IDENTITY, 1, 0, 1))
        for command in self.client.served:
            count = struct.unpack_from("=Q", command.payload, 8)[0]
            self.assertLessEqual(count, wire.DEFAULT_XFER)
            data = count if command.command == wire.DMA_WRITE else 0
            self.assertEqual(len(command.payload), 16 + data)
        self.assertEqual({command.command for command in self.client.served},
                         {wire.DMA_READ, wire.DMA_WRITE})

    def test_a_client_that_refuses_its_memory_is_served_on(self):
        self.unshared(None)  # every DMA_READ gets EFAULT
        self.fence(bytearray(BYTES))
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            self.serves(self.client)

    def test_a_client_that_does_not_answer_is_served_on(self):
        """Section "Socket": processing must not stall for a reply that does not come."""
        self.unshared(None)
        self.client.send(wire.REGION_WRITE, wire.region_access(wire.BAR0, DOORBELL, 4,
                                                               struct.pack("=I", 1)))
        id = self.client.send(wire.GET_INFO, wire.get_info())
        while True:
            got = self.client.receive()
            if got.flags & 0xf == wire.REPLY and got.id == id:
                break

    def test_replies_that_do_not_fit_their_question_do_no_harm(self):
        """A short one, one that is too long, one of another id: refused or hung up on."""
        for lie in (struct.pack("=QQ", BASE, 1 << 20), b"", struct.pack("=QQ", 0, 0) + b"x" * 64,
                    struct.pack("=QQ", BASE, 64) + b"x" * 8):
            self.client.close()
            self.client = self.attach()
            self.ok(self.client.call(wire.RESET), 0)
            self.unshared(None)
            self.client.send(wire.REGION_WRITE, wire.region_access(
                wire.BAR0, DOORBELL, 4, struct.pack("=I", 1)))
            try:
                got = self.client.receive()
                while got.flags & 0xf == wire.REPLY:
                    got = self.client.receive(1.0)
                self.client.send_raw(wire.message(got.command, lie, got.id, wire.REPLY))
                self.client.reply(0.2)
            except (wire.Closed, wire.NoAnswer):
                pass

    def test_rings_in_memory_that_is_not_mapped_do_no_harm(self):
        self.ready()
        self.queue()
        self.client.write_number(wire.BAR0, DOORBELL, 4, 1)
        self.serves(self.client)

    def test_memory_that_goes_while_a_queue_is_set_up_in_it_does_no_harm(self):
        fd = self.memfd(BYTES)
        self.ok(self.client.call(wire.DMA_MAP, wire.dma_map(BASE, BYTES), [fd]), 0)
        self.ready()
        self.queue()
        self.ok(self.client.call(wire.DMA_UNMAP, wire.dma_unmap(BASE, BYTES)), 24)
        self.client.write_number(wire.BAR0, DOORBELL, 4, 1)
        self.serves(self.client)
        with mmap.mmap(fd, BYTES) as memory:
            time.sleep(0.05)
            self.assertEqual(bytes(memory[:]), bytes(BYTES), "written after its unmap")

    def test_a_file_that_shrinks_under_its_map_does_no_harm(self):
        """A mapping beyond the end of its file raises SIGBUS in whoever touches it."""
        fd = self.memfd(BYTES)
        self.ok(self.client.call(wire.DMA_MAP, wire.dma_map(BASE, BYTES), [fd]), 0)
        self.ready()
        self.queue()
        os.ftruncate(fd, 0)
        self.client.write_number(wire.BAR0, DOORBELL, 4, 1)
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            self.serves(self.client)
