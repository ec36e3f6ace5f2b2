# SPDX-License-Identifier: Apache-2.0
"""Sections "Socket" and "Client Disconnection": clients that go, and clients that come too many."""
import os
import time

import suite
import wire
from suite import SCRATCH


class Disconnection(suite.Case):
    def test_a_client_may_go_without_a_word(self):
        self.raw().close(at_once=True)

    def test_a_client_may_go_in_the_middle_of_a_message(self):
        whole = wire.message(wire.REGION_WRITE, wire.region_access(wire.CONFIG, SCRATCH, 1, b"\7"))
        for cut in (1, 15, 16, 17, len(whole) - 1):
            client = self.attach()
            client.send_raw(whole[:cut])
            client.close(at_once=True)

    def test_a_client_may_go_in_the_middle_of_the_handshake(self):
        whole = wire.message(wire.VERSION, wire.version(0, 0, {"capabilities": {}}))
        for cut in (1, 15, 16, 19, len(whole) - 1):
            client = self.raw()
            client.send_raw(whole[:cut])
            client.close(at_once=True)

    def test_a_part_of_a_write_writes_nothing(self):
        client = self.attach()
        client.write_number(wire.CONFIG, SCRATCH, 1, 0x55)
        client.send_raw(wire.message(wire.REGION_WRITE, wire.region_access(
            wire.CONFIG, SCRATCH, 1, b"\7"))[:-1])
        client.close()
        self.assertEqual(self.attach().read_number(wire.CONFIG, SCRATCH, 1), 0x55)

    def test_a_client_may_go_without_reading_its_replies(self):
        client = self.attach()
        client.send_raw(wire.message(wire.REGION_READ,
                                     wire.region_access(wire.CONFIG, 0, 64)) * 50)
        client.close(at_once=True)

    def test_descriptors_sent_with_a_message_that_never_ends_are_closed(self):
        client = self.attach()
        before = self.descriptors(client)
        client.send_raw(wire.message(wire.DMA_MAP, wire.dma_map(0x1000, 0x1000))[:20],
                        [self.memfd(), self.memfd()])
        client.close()
        client = self.attach()
        self.assertEqual(self.settled(client, before), before)

    def test_the_state_of_the_device_outlives_its_client(self):
        client = self.attach()
        client.write_number(wire.CONFIG, SCRATCH, 1, 0x6b)
        client.close()
        self.assertEqual(self.attach().read_number(wire.CONFIG, SCRATCH, 1), 0x6b)

    def settled(self, client, expected, seconds=2.0):
        """The server's descriptors, once they are no more than expected."""
        until = time.monotonic() + seconds
        while self.descriptors(client) > expected and time.monotonic() < until:
            time.sleep(0.01)
        return self.descriptors(client)

    def test_two_hundred_clients_with_stray_descriptors_leave_none_behind(self):
        client = self.attach()
        before = self.descriptors(client)
        client.close()
        fds = self.eventfds(2) + [self.memfd()]
        for turn in range(200):
            client = self.attach()
            try:
                if turn % 4 == 0:
                    client.call(wire.GET_INFO, wire.get_info(), fds)
                elif turn % 4 == 1:
                    client.send_raw(wire.message(0xfff0), fds)
                elif turn % 4 == 2:
                    client.call(wire.DMA_MAP, wire.dma_map(0x1000, 0x1000), fds)
                else:
                    client.send_raw(b"\1\2\3", fds)
            except wire.Closed:
                pass
            client.close()
        client = self.attach()
        self.assertLessEqual(self.settled(client, before), before)

    def test_more_descriptors_than_one_message_may_carry_are_not_kept(self):
        client = self.attach()
        before = self.descriptors(client)
        try:
            client.call(wire.GET_INFO, wire.get_info(), self.eventfds(1) * 253)
        except wire.Closed:
            pass
        client.close()
        client = self.attach()
        self.assertLessEqual(self.settled(client, before), before)

    def test_descriptors_in_the_middle_of_a_message_are_not_kept(self):
        client = self.attach()
        before = self.descriptors(client)
        data = wire.message(wire.GET_INFO, wire.get_info())
        client.send_raw(data[:10])
        time.sleep(0.02)
        try:
            client.send_raw(data[10:], self.eventfds(3))
            client.reply()
        except wire.Closed:
            pass
        client.close()
        client = self.attach()
        self.assertLessEqual(self.settled(client, before), before)


class TakenFunction(suite.Case):
    def second(self):
        """A second client while the first is attached, after its VERSION: the outcome."""
        client = wire.Client(self.server.path, deadline=1.0)
        self.opened.append(client)
        try:
            client.send(wire.VERSION, wire.version(0, 0, {}))
            got = client.reply()
            return client, "refused" if got.is_error else "served"
        except wire.Closed:
            return client, "closed"
        except wire.NoAnswer:
            return client, "waits"

    def test_a_second_client_does_not_disturb_the_first(self):
        """Refused by an error reply, hung up on, left waiting or served: the specification
        leaves it open (section "Socket", "one or more clients")."""
        first = self.attach()
        self.serves(first)
        first.write_number(wire.CONFIG, SCRATCH, 1, 0x3d)
        self.second()[0].close(at_once=True)
        self.serves(first)
        self.assertEqual(first.read_number(wire.CONFIG, SCRATCH, 1), 0x3d)

    def test_a_second_client_that_waited_is_served_when_the_first_has_gone(self):
        first = self.attach()
        second, outcome = self.second()
        first.close(at_once=True)
        if outcome == "waits":
            second.deadline = wire.DEADLINE
            self.ok(second.reply())
            self.serves(second)

    def test_many_clients_that_say_nothing_keep_nobody_out_for_good(self):
        idle = []
        try:
            while len(idle) < 50:
                idle.append(wire.Client(self.server.path, deadline=0.2))
        except OSError:
            pass  # no more are let in: right too
        for client in idle:
            client.close(at_once=True)
        self.serves(self.attach())

    def test_the_socket_is_still_there(self):
        self.attach().close()
        self.assertTrue(os.path.exists(self.server.path))
