# SPDX-License-Identifier: Apache-2.0
"""Sections "Connection Initiation" and "VFIO_USER_VERSION"."""
import json
import struct

import suite
import wire
from suite import SCRATCH

LIMITS = {"max_msg_fds", "max_data_xfer_size", "max_dma_maps", "pgsizes", "pgsize"}


class Negotiation(suite.Case):
    def negotiate(self, data, minor=0, major=0):
        client = self.raw()
        return client, client.call(wire.VERSION, wire.version(major, minor, data))

    def answer(self, got):
        """The reply's numbers and capabilities, with its format checked."""
        self.ok(got)
        major, minor = struct.unpack_from("=HH", got.payload)
        text = got.payload[4:]
        if not text:
            return major, minor, {}
        self.assertEqual(text[-1:], b"\0", "version data without its terminating NUL")
        self.assertNotIn(b"\0", text[:-1])
        data = json.loads(text[:-1].decode("utf-8"))
        self.assertIsInstance(data, dict)
        capabilities = data.get("capabilities", {})
        self.assertIsInstance(capabilities, dict)
        return major, minor, capabilities

    def test_the_proposed_major_comes_back_and_no_higher_minor(self):
        for proposed in (0, 1, 2, 0xffff):
            client, got = self.negotiate({"capabilities": {}}, proposed)
            major, minor, _ = self.answer(got)
            self.assertEqual(major, 0)
            self.assertLessEqual(minor, proposed)
            self.serves(client)
            client.close()

    def test_another_major_is_not_accepted(self):
        """"Or closes the connection": an error reply before that is allowed."""
        for major in (1, 2, 0xffff):
            client = self.raw()
            self.send_refused(client, wire.message(wire.VERSION, wire.version(major, 0, {})))

    def test_the_limits_in_the_reply_are_positive_whole_numbers(self):
        proposed = {"max_msg_fds": 8, "max_data_xfer_size": 1 << 20, "max_dma_maps": 65535,
                    "pgsizes": 4096}
        _, got = self.negotiate({"capabilities": proposed})
        for name, value in self.answer(got)[2].items():
            if name in LIMITS:
                self.assertIsInstance(value, int, name)
                self.assertNotIsInstance(value, bool, name)
                self.assertGreater(value, 0, name)

    def test_no_feature_is_granted_that_was_not_proposed(self):
        """"A subset of those proposed". Limits describe the server and may come unasked."""
        _, got = self.negotiate({"capabilities": {}})
        extra = {name for name, value in self.answer(got)[2].items()
                 if name not in LIMITS and value not in (False, {}, {"supported": False})}
        self.assertEqual(extra, set())

    def test_twin_socket_is_granted_with_a_descriptor_or_not_at_all(self):
        _, got = self.negotiate({"capabilities": {"twin_socket": {"supported": True}}})
        twin = self.answer(got)[2].get("twin_socket", {})
        if twin.get("supported"):
            self.assertIn("fd_index", twin)
            self.assertLess(twin["fd_index"], len(got.fds))
        else:
            self.assertEqual(got.fds, [])

    def test_twin_socket_is_not_forced_on_a_client_that_does_not_know_it(self):
        for capabilities in ({}, {"twin_socket": {}}, {"twin_socket": {"supported": False}}):
            client, got = self.negotiate({"capabilities": capabilities})
            twin = self.answer(got)[2].get("twin_socket", {})
            self.assertFalse(twin.get("supported", False))
            self.assertEqual(got.fds, [])
            client.close()

    def test_write_multiple_is_granted_as_a_boolean(self):
        _, got = self.negotiate({"capabilities": {"write_multiple": True}})
        self.assertIsInstance(self.answer(got)[2].get("write_multiple", False), bool)

    def test_unknown_keys_are_passed_over(self):
        data = {"capabilities": {"of_a_later_version": {"a": [1, 2, None]}}, "something": "else"}
        client, got = self.negotiate(data)
        self.assertNotIn("of_a_later_version", self.answer(got)[2])
        self.serves(client)

    def test_text_outside_ascii_is_passed_over(self):
        client, got = self.negotiate('{"n\u00e9": "\u2603\U0001f600"}'.encode() + b"\0")
        self.answer(got)
        self.serves(client)

    def test_a_megabyte_of_capabilities_gets_an_answer(self):
        """The specification sets no limit: accepted and refused are both right."""
        client = self.raw()
        data = b'{"padding":"' + b"x" * (1 << 20) + b'"}\0'
        try:
            client.send_raw(wire.message(wire.VERSION, wire.version(0, 0, data)))
            client.reply()
        except wire.Closed:
            pass


class BadVersions(suite.Case):
    def refuse(self, data):
        client = self.raw()
        self.send_refused(client, wire.message(wire.VERSION, data), command=wire.VERSION)
        client.close()

    def test_a_message_too_short_for_two_numbers_is_refused(self):
        for length in range(4):
            self.refuse(b"\0" * length)

    def test_data_without_the_terminating_nul_is_refused(self):
        self.refuse(wire.version(0, 0, b'{"capabilities":{}}'))

    def test_data_that_is_no_json_is_refused(self):
        for text in (b"hello\0", b"{\0", b'{"capabilities"}\0', b'{"capabilities":{}}}\0',
                     b'{"a":1,}\0', b"{'a':1}\0", b'{"a":\0', b'\x7f\x45\x4c\x46\0'):
            with self.subTest(text=text):
                self.refuse(wire.version(0, 0, text))

    def test_text_after_the_nul_is_refused(self):
        self.refuse(wire.version(0, 0, b'{}\0{"capabilities":{}}\0'))

    def test_json_that_is_no_object_is_refused(self):
        for text in (b"[]\0", b"1\0", b"null\0", b'"capabilities"\0', b"true\0"):
            with self.subTest(text=text):
                self.refuse(wire.version(0, 0, text))

    def test_text_that_is_no_utf8_is_refused(self):
        for text in (b'{"\xff\xfe":1}\0', b'{"a":"\xc0\xaf"}\0', b'{"a":"\xed\xa0\x80"}\0'):
            with self.subTest(text=text):
                self.refuse(wire.version(0, 0, text))

    def test_capabilities_of_a_wrong_type_are_refused(self):
        for value in (5, [], "all", True):
            with self.subTest(value=value):
                self.refuse(wire.version(0, 0, {"capabilities": value}))

    def test_a_capability_of_a_wrong_type_is_refused(self):
        for name, value in (("max_msg_fds", "many"), ("max_data_xfer_size", {}),
                            ("max_dma_maps", []), ("pgsizes", "4k"), ("twin_socket", 1),
                            ("write_multiple", "yes")):
            with self.subTest(name=name):
                self.refuse(wire.version(0, 0, {"capabilities": {name: value}}))

    def test_numbers_out_of_any_range_do_no_harm(self):
        """Accepted and refused are both right: the specification gives no ranges."""
        for number in (b"-1", b"0", b"1e400", b"18446744073709551616", b"0.5", b"9" * 400):
            client = self.raw()
            text = b'{"capabilities":{"max_msg_fds":' + number + b"}}\0"
            try:
                client.call(wire.VERSION, wire.version(0, 0, text))
            except wire.Closed:
                pass
            client.close()

    def test_a_hundred_thousand_brackets_do_no_harm(self):
        for text in (b"[" * 100000, b'{"a":' * 100000, b"[" * 100000 + b"]" * 100000):
            self.refuse(wire.version(0, 0, text + b"\0"))


class Order(suite.Case):
    def test_a_first_message_that_is_not_version_is_refused(self):
        for command, payload in ((wire.GET_INFO, wire.get_info()), (wire.RESET, b""),
                                 (wire.DMA_MAP, wire.dma_map(0x1000, 0x1000)),
                                 (wire.REGION_READ, wire.region_access(wire.CONFIG, 0, 4)),
                                 (0, b""), (0xffff, b"")):
            with self.subTest(command=command):
                client = self.raw()
                self.send_refused(client, wire.message(command, payload))
                client.close()

    def test_a_reset_before_version_changes_nothing(self):
        client = self.attach()
        client.write_number(wire.CONFIG, SCRATCH, 1, 0xa5)
        client.close()
        early = self.raw()
        self.send_refused(early, wire.message(wire.REGION_WRITE, wire.region_access(
            wire.CONFIG, SCRATCH, 1, b"\x11")))
        early.close()
        self.assertEqual(self.attach().read_number(wire.CONFIG, SCRATCH, 1), 0xa5)

    def test_a_second_version_is_refused(self):
        client = self.attach()
        self.send_refused(client, wire.message(wire.VERSION, wire.version(0, 0, {})))

    def test_a_version_that_asks_for_no_reply_gets_none(self):
        """It cannot negotiate anything, so the end of the connection is right too."""
        client = self.raw()
        client.send(wire.VERSION, wire.version(0, 0, {}), flags=wire.NO_REPLY)
        try:
            self.assertTrue(client.is_silent())
        except wire.Closed:
            pass
