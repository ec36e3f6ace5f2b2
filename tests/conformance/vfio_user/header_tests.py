# SPDX-License-Identifier: Apache-2.0
"""Sections "Header" and "Command Concurrency": what holds for every command, and the stream."""
import errno
import struct

import suite
import wire
from suite import SCRATCH


class Replies(suite.Case):
    def test_every_id_comes_back(self):
        client = self.attach()
        for id in (0, 1, 0x7fff, 0x8000, 0xffff):
            self.ok(client.call(wire.GET_INFO, wire.get_info(), id=id), 16)

    def test_a_success_has_no_error_flag_and_no_no_reply_flag(self):
        got = self.ok(self.attach().call(wire.GET_INFO, wire.get_info()))
        self.assertEqual(got.flags, wire.REPLY)

    def test_an_id_may_be_used_twice_at_once(self):
        client = self.attach()
        one = wire.message(wire.GET_INFO, wire.get_info(), 7)
        two = wire.message(wire.GET_IRQ_INFO, wire.irq_info(wire.MSIX), 7)
        client.send_raw(one + two)
        wire.check_reply(client.reply(), wire.GET_INFO, 7)
        wire.check_reply(client.reply(), wire.GET_IRQ_INFO, 7)

    def test_the_error_of_a_refusal_is_an_errno(self):
        """It "may be zero"; anything else is a small positive number."""
        got = self.attach().call(0xabcd)
        self.assertTrue(got.is_error)
        self.assertIn(got.error, set(errno.errorcode) | {0})

    def test_the_reserved_error_of_a_command_does_no_harm(self):
        client = self.attach()
        client.send_raw(wire.message(wire.GET_INFO, wire.get_info(), 9, error=5))
        wire.check_reply(client.reply(), wire.GET_INFO, 9)
        self.serves(client)

    def test_flags_that_nothing_defines_do_no_harm(self):
        """Passed over, refused and hung up on are all right."""
        for flags in (0x20, 0x40, 0x80000000, 0xffffffc0):
            client = self.attach()
            client.send_raw(wire.message(wire.GET_INFO, wire.get_info(), 9, flags=flags))
            try:
                client.reply()
            except wire.Closed:
                pass
            client.close()


class NoReply(suite.Case):
    def test_a_posted_write_gets_no_reply(self):
        client = self.attach()
        client.send(wire.REGION_WRITE, wire.region_access(wire.CONFIG, SCRATCH, 1, b"\x42"),
                    flags=wire.NO_REPLY)
        self.assertTrue(client.is_silent())
        self.assertEqual(client.read_number(wire.CONFIG, SCRATCH, 1), 0x42)

    def test_a_refused_command_that_asks_for_no_reply_gets_none(self):
        client = self.attach()
        client.send(wire.GET_REGION_INFO, wire.region_info(0xffff), flags=wire.NO_REPLY)
        self.serves(client)  # the next message is the reply to this

    def test_an_unknown_command_that_asks_for_no_reply_gets_none(self):
        client = self.attach()
        for command in (0, 14, 19, 0xffff):
            client.send(command, b"12345678", flags=wire.NO_REPLY)
        self.serves(client)

    def test_a_malformed_payload_that_asks_for_no_reply_gets_none(self):
        client = self.attach()
        client.send(wire.GET_INFO, b"123", flags=wire.NO_REPLY)
        try:
            self.serves(client)
        except wire.Closed:
            pass

    def test_posted_writes_are_done_before_the_next_reply(self):
        client = self.attach()
        for value in range(200):
            client.send(wire.REGION_WRITE,
                        wire.region_access(wire.CONFIG, SCRATCH, 1, bytes([value])),
                        flags=wire.NO_REPLY)
        self.assertEqual(client.read_number(wire.CONFIG, SCRATCH, 1), 199)


class Unsolicited(suite.Case):
    def test_a_reply_that_nobody_asked_for_is_not_answered(self):
        """Passed over or hung up on; never executed, never replied to."""
        for command, payload in ((wire.GET_INFO, wire.get_info()), (wire.RESET, b""),
                                 (wire.DMA_READ, struct.pack("=QQ", 0, 4) + b"1234"),
                                 (wire.DMA_WRITE, struct.pack("=QQ", 0, 4)), (0xffff, b"")):
            with self.subTest(command=command):
                client = self.attach()
                try:
                    client.send_raw(wire.message(command, payload, 0x77, wire.REPLY))
                    self.serves(client)
                except wire.Closed:
                    pass
                client.close()

    def test_a_write_that_calls_itself_a_reply_writes_nothing(self):
        client = self.attach()
        client.write_number(wire.CONFIG, SCRATCH, 1, 0x21)
        client.send_raw(wire.message(wire.REGION_WRITE, wire.region_access(
            wire.CONFIG, SCRATCH, 1, b"\x99"), 3, wire.REPLY))
        client.close()
        self.assertEqual(self.attach().read_number(wire.CONFIG, SCRATCH, 1), 0x21)

    def test_a_type_that_is_neither_command_nor_reply_is_not_executed(self):
        for kind in (2, 3, 8, 15):
            client = self.attach()
            client.write_number(wire.CONFIG, SCRATCH, 1, 0x21)
            try:
                client.send_raw(wire.message(wire.REGION_WRITE, wire.region_access(
                    wire.CONFIG, SCRATCH, 1, b"\x99"), 3, kind))
            except wire.Closed:
                pass
            client.close()
            client = self.attach()
            self.assertEqual(client.read_number(wire.CONFIG, SCRATCH, 1), 0x21)
            client.close()


class Sizes(suite.Case):
    def test_a_size_below_the_header_is_refused(self):
        """Where the next message begins is lost then."""
        for size in (0, 1, 8, 15):
            with self.subTest(size=size):
                client = self.attach()
                self.send_refused(client, wire.message(wire.GET_INFO, wire.get_info(), size=size))
                client.close()

    def test_a_size_beyond_any_message_is_refused_before_it_has_all_arrived(self):
        for size in (0x40000000, 0x7fffffff, 0x80000000, 0xffffffff):
            with self.subTest(size=size):
                client = self.attach()
                data = wire.message(wire.REGION_WRITE, wire.region_access(2, 0, size - 32), 5,
                                    size=size)
                self.send_refused(client, data)
                client.close()

    def test_a_payload_that_is_too_short_is_refused(self):
        fixed = {wire.DMA_MAP: 32, wire.DMA_UNMAP: 24, wire.GET_INFO: 16, wire.GET_REGION_INFO: 32,
                 wire.GET_REGION_IO_FDS: 16, wire.GET_IRQ_INFO: 16, wire.SET_IRQS: 20,
                 wire.REGION_READ: 16, wire.REGION_WRITE: 16, wire.REGION_WRITE_MULTI: 8,
                 wire.FEATURE: 8, wire.MIG_DATA_READ: 8, wire.MIG_DATA_WRITE: 8}
        for command, size in fixed.items():
            for length in {0, 3, size - 4, size - 1}:
                with self.subTest(command=command, length=length):
                    client = self.attach()
                    payload = struct.pack("=I", size).ljust(length, b"\0")[:length]
                    self.send_refused(client, wire.message(command, payload), command=command)
                    client.close()

    def test_a_payload_with_bytes_left_over_does_not_shift_the_stream(self):
        """Accepted or refused, but the next message is found where this one's size says."""
        for command, payload in ((wire.GET_INFO, wire.get_info()), (wire.RESET, b""),
                                 (wire.GET_IRQ_INFO, wire.irq_info(wire.MSIX)),
                                 (wire.REGION_READ, wire.region_access(wire.CONFIG, 0, 4))):
            with self.subTest(command=command):
                client = self.attach()
                try:
                    client.call(command, payload + b"\xff" * 24)
                    self.serves(client)
                except wire.Closed:
                    pass
                client.close()


class Stream(suite.Case):
    def test_a_message_may_come_byte_by_byte(self):
        client = self.attach()
        for byte in wire.message(wire.GET_INFO, wire.get_info(), 0x31):
            client.send_raw(bytes([byte]))
        wire.check_reply(self.ok(client.reply(), 16), wire.GET_INFO, 0x31)

    def test_the_handshake_may_come_byte_by_byte(self):
        client = self.raw()
        for byte in wire.message(wire.VERSION, wire.version(0, 0, {}), 0x32):
            client.send_raw(bytes([byte]))
        wire.check_reply(self.ok(client.reply()), wire.VERSION, 0x32)

    def test_a_message_may_be_cut_anywhere(self):
        client = self.attach()
        data = wire.message(wire.REGION_WRITE, wire.region_access(wire.CONFIG, SCRATCH, 1, b"Q"), 5)
        for cut in range(1, len(data)):
            client.send_raw(data[:cut])
            self.assertTrue(client.is_silent(0.002), "replied to a part of a message")
            client.send_raw(data[cut:])
            wire.check_reply(self.ok(client.reply(), 16), wire.REGION_WRITE, 5)

    def test_a_hundred_requests_in_one_write_are_replied_to_in_order(self):
        client = self.attach()
        client.send_raw(b"".join(
            wire.message(wire.REGION_READ, wire.region_access(wire.CONFIG, at % 64, 1), at)
            for at in range(100)))
        for at in range(100):
            got = self.ok(client.reply(), 17)
            wire.check_reply(got, wire.REGION_READ, at)
            self.assertEqual(got.payload[:8], struct.pack("=Q", at % 64))

    def test_good_and_bad_requests_in_one_write_are_replied_to_in_order(self):
        client = self.attach()
        client.send_raw(b"".join(
            wire.message(0x7777 if at % 3 else wire.GET_INFO,
                         b"" if at % 3 else wire.get_info(), at) for at in range(99)))
        for at in range(99):
            got = client.reply()
            wire.check_reply(got, 0x7777 if at % 3 else wire.GET_INFO, at)
            self.assertEqual(got.is_error, bool(at % 3))

    def test_writes_and_reads_in_one_write_happen_in_order(self):
        client = self.attach()
        data = b""
        for value in range(50):
            data += wire.message(wire.REGION_WRITE, wire.region_access(
                wire.CONFIG, SCRATCH, 1, bytes([value])), value)
            data += wire.message(wire.REGION_READ,
                                 wire.region_access(wire.CONFIG, SCRATCH, 1), value)
        client.send_raw(data)
        for value in range(50):
            wire.check_reply(self.ok(client.reply(), 16), wire.REGION_WRITE, value)
            self.assertEqual(self.ok(client.reply(), 17).payload[16], value)

    def test_a_client_that_reads_no_replies_harms_nobody(self):
        """The server may hang up or wait; the next client attaches either way."""
        client = self.attach()
        client.deadline = 1.0
        request = wire.message(wire.REGION_READ, wire.region_access(wire.CONFIG, 0, 64)) * 512
        try:
            for _ in range(64):
                client.send_raw(request)
        except (wire.Closed, wire.NoAnswer):
            pass
        client.close(at_once=True)
