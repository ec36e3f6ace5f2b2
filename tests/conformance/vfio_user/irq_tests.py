# SPDX-License-Identifier: Apache-2.0
"""Section "VFIO_USER_DEVICE_SET_IRQS"."""
import os
import struct

import suite
import wire

NONE, BOOL, EVENTFD = wire.DATA_NONE, wire.DATA_BOOL, wire.DATA_EVENTFD
MASK, UNMASK, TRIGGER = wire.ACTION_MASK, wire.ACTION_UNMASK, wire.ACTION_TRIGGER
ALL = (wire.INTX, wire.MSI, wire.MSIX, wire.ERR, wire.REQ)


class IrqCase(suite.Case):
    def setUp(self):
        super().setUp()
        self.client = self.attach()

    def set(self, flags, start=0, count=0, data=b"", fds=(), index=wire.MSIX, argsz=None):
        return self.client.call(wire.SET_IRQS,
                                wire.set_irqs(index, flags, start, count, data, argsz), fds)

    def info(self, index):
        got = self.client.call(wire.GET_IRQ_INFO, wire.irq_info(index))
        return (0, 0) if got.is_error else struct.unpack_from("=I4xI", got.payload, 4)


class SetIrqs(IrqCase):
    def test_vectors_take_descriptors_and_give_them_back(self):
        count = self.info(wire.MSIX)[1]
        self.ok(self.set(EVENTFD | TRIGGER, 0, count, fds=self.eventfds(count)), 0)
        self.ok(self.set(EVENTFD | TRIGGER, 0, count), 0)

    def test_a_part_of_the_vectors_takes_descriptors(self):
        self.ok(self.set(EVENTFD | TRIGGER, 3, 2, fds=self.eventfds(2)), 0)
        self.ok(self.set(NONE | TRIGGER), 0)

    def test_the_last_vector_takes_a_descriptor(self):
        last = self.info(wire.MSIX)[1] - 1
        self.ok(self.set(EVENTFD | TRIGGER, last, 1, fds=self.eventfds(1)), 0)

    def test_a_trigger_without_data_signals_every_vector_named_and_no_other(self):
        fds = self.eventfds(4)
        self.ok(self.set(EVENTFD | TRIGGER, 0, 4, fds=fds), 0)
        if not self.either(self.client, self.set(NONE | TRIGGER, 1, 2)):
            self.skipTest("the server does not trigger for its client")
        self.assertEqual([self.signalled(fd) for fd in fds[1:3]], [1, 1])
        self.assertEqual([self.signalled(fd, 0) for fd in fds], [0] * 4)

    def test_a_trigger_with_booleans_signals_those_that_are_true(self):
        fds = self.eventfds(3)
        self.ok(self.set(EVENTFD | TRIGGER, 0, 3, fds=fds), 0)
        if not self.either(self.client, self.set(BOOL | TRIGGER, 0, 3, b"\0\1\0")):
            self.skipTest("the server does not trigger for its client")
        self.assertEqual(self.signalled(fds[1]), 1)
        self.assertEqual([self.signalled(fd, 0) for fd in fds], [0] * 3)

    def test_a_vector_without_a_descriptor_is_signalled_to_nobody(self):
        fds = self.eventfds(2)
        self.ok(self.set(EVENTFD | TRIGGER, 0, 2, fds=fds), 0)
        self.ok(self.set(EVENTFD | TRIGGER, 0, 1), 0)
        if not self.either(self.client, self.set(NONE | TRIGGER, 0, 2)):
            self.skipTest("the server does not trigger for its client")
        self.assertEqual((self.signalled(fds[0], 0), self.signalled(fds[1])), (0, 1))

    def test_the_later_of_two_descriptors_is_signalled(self):
        first, second = self.eventfds(2)
        self.ok(self.set(EVENTFD | TRIGGER, 5, 1, fds=[first]), 0)
        self.ok(self.set(EVENTFD | TRIGGER, 5, 1, fds=[second]), 0)
        if not self.either(self.client, self.set(NONE | TRIGGER, 5, 1)):
            self.skipTest("the server does not trigger for its client")
        self.assertEqual((self.signalled(second), self.signalled(first, 0)), (1, 0))

    def test_all_are_disabled_by_a_count_of_zero(self):
        fds = self.eventfds(2)
        self.ok(self.set(EVENTFD | TRIGGER, 0, 2, fds=fds), 0)
        self.ok(self.set(NONE | TRIGGER, 0, 0), 0)
        self.either(self.client, self.set(NONE | TRIGGER, 0, 2))
        self.assertEqual([self.signalled(fd, 0.05) for fd in fds], [0, 0])

    def test_descriptors_end_with_their_connection(self):
        fds = self.eventfds(1)
        self.ok(self.set(EVENTFD | TRIGGER, 0, 1, fds=fds), 0)
        self.client.close()
        self.client = self.attach()
        self.either(self.client, self.set(NONE | TRIGGER, 0, 1))
        self.assertEqual(self.signalled(fds[0], 0.05), 0)

    def test_replaced_and_disabled_descriptors_are_closed(self):
        self.serves(self.client)
        before = self.descriptors(self.client)
        for _ in range(20):
            self.ok(self.set(EVENTFD | TRIGGER, 0, 4, fds=self.eventfds(4)), 0)
        self.assertLessEqual(self.descriptors(self.client), before + 4)
        self.ok(self.set(NONE | TRIGGER, 0, 0), 0)
        self.assertEqual(self.descriptors(self.client), before)

    def test_a_descriptor_that_is_full_blocks_nobody(self):
        """Signals are lost on it at worst."""
        fd = os.eventfd(0, 0)  # one that would block its writer
        self.files.append(fd)
        os.eventfd_write(fd, 0xfffffffffffffffe)
        self.ok(self.set(EVENTFD | TRIGGER, 0, 1, fds=[fd]), 0)
        self.client.send(wire.SET_IRQS, wire.set_irqs(wire.MSIX, NONE | TRIGGER, 0, 1),
                         flags=wire.NO_REPLY)
        self.serves(self.client)

    def test_a_descriptor_that_is_no_eventfd_harms_nobody(self):
        """Accepted or refused; a pipe whose reader is gone must not end the server."""
        read, write = os.pipe()
        os.close(read)
        self.files.append(write)
        for fd in (write, self.memfd()):
            self.either(self.client, self.set(EVENTFD | TRIGGER, 0, 1, fds=[fd]))
            self.either(self.client, self.set(NONE | TRIGGER, 0, 1))

    def test_masks_are_taken_where_the_kind_says_so_and_refused_elsewhere(self):
        for index in ALL:
            flags, count = self.info(index)
            if not count:
                continue
            for action in (MASK, UNMASK):
                for data in ((NONE, b""), (BOOL, b"\1")):
                    with self.subTest(index=index, action=action, data=data):
                        got = self.set(data[0] | action, 0, 1, data[1], index=index)
                        if flags & wire.IRQ_MASKABLE:
                            self.ok(got, 0)
                        else:
                            self.error(self.client, got)

    def test_descriptors_for_masks_are_answered(self):
        """"Not all interrupt types support every combination"."""
        for index in ALL:
            for action in (MASK, UNMASK):
                self.either(self.client, self.set(EVENTFD | action, 0, 1, fds=self.eventfds(1),
                                                  index=index))

    def test_every_kind_answers_a_trigger_descriptor(self):
        for index in ALL:
            flags, count = self.info(index)
            got = self.set(EVENTFD | TRIGGER, 0, 1, fds=self.eventfds(1), index=index)
            if count and flags & wire.IRQ_EVENTFD:
                self.ok(got, 0)
                self.ok(self.set(NONE | TRIGGER, 0, 0, index=index), 0)
            else:
                self.error(self.client, got)


class BadIrqs(IrqCase):
    def refuse(self, *arguments, **more):
        with self.subTest(arguments=arguments, more=more):
            self.error(self.client, self.set(*arguments, **more))

    def test_a_range_beyond_the_last_vector_is_refused(self):
        most = self.info(wire.MSIX)[1]
        for start, count in ((most, 1), (0, most + 1), (most - 1, 2), (0xffffffff, 1),
                             (1, 0xffffffff), (0x80000000, 0x80000000)):
            self.refuse(NONE | TRIGGER, start, count)

    def test_descriptors_beyond_the_last_vector_are_refused(self):
        most = self.info(wire.MSIX)[1]
        self.refuse(EVENTFD | TRIGGER, most, 1, fds=self.eventfds(1))
        self.refuse(EVENTFD | TRIGGER, most - 1, 2, fds=self.eventfds(2))

    def test_a_kind_beyond_the_last_is_refused(self):
        for index in (64, 0x7fffffff, 0xffffffff):
            self.refuse(NONE | TRIGGER, 0, 1, index=index)

    def test_no_kind_of_data_is_refused(self):
        self.refuse(TRIGGER, 0, 1)

    def test_two_kinds_of_data_are_refused(self):
        for data in (NONE | BOOL, NONE | EVENTFD, BOOL | EVENTFD, NONE | BOOL | EVENTFD):
            self.refuse(data | TRIGGER, 0, 1, b"\1", self.eventfds(1))

    def test_no_action_is_refused(self):
        self.refuse(NONE, 0, 1)

    def test_two_actions_are_refused(self):
        for action in (MASK | UNMASK, MASK | TRIGGER, UNMASK | TRIGGER):
            self.refuse(NONE | action, 0, 1)

    def test_flags_that_nothing_defines_are_refused(self):
        for flags in (0x40, 0x80000000):
            self.refuse(NONE | TRIGGER | flags, 0, 1)

    def test_an_argsz_below_the_structure_is_refused(self):
        for argsz in (0, 4, 19):
            self.refuse(NONE | TRIGGER, 0, 1, argsz=argsz)

    def test_fewer_booleans_than_vectors_are_refused(self):
        self.refuse(BOOL | TRIGGER, 0, 4, b"\1\1")
        self.refuse(BOOL | TRIGGER, 0, 4)
        self.refuse(BOOL | TRIGGER, 0, 4, b"\1\1", argsz=24)

    def test_fewer_descriptors_than_vectors_are_refused(self):
        self.refuse(EVENTFD | TRIGGER, 0, 4, fds=self.eventfds(2))

    def test_more_descriptors_than_vectors_are_refused(self):
        self.refuse(EVENTFD | TRIGGER, 0, 1, fds=self.eventfds(3))

    def test_descriptors_with_data_that_is_not_descriptors_are_answered(self):
        self.either(self.client, self.set(NONE | TRIGGER, 0, 1, fds=self.eventfds(1)))
        self.either(self.client, self.set(BOOL | TRIGGER, 0, 1, b"\0", self.eventfds(1)))

    def test_descriptors_for_no_vector_are_answered(self):
        self.either(self.client, self.set(EVENTFD | TRIGGER, 0, 0, fds=self.eventfds(1)))
        self.either(self.client, self.set(EVENTFD | TRIGGER, 0, 0))

    def test_what_was_refused_changed_nothing(self):
        fds = self.eventfds(2)
        self.ok(self.set(EVENTFD | TRIGGER, 0, 2, fds=fds), 0)
        most = self.info(wire.MSIX)[1]
        self.refuse(EVENTFD | TRIGGER, most - 1, 2, fds=self.eventfds(2))
        self.refuse(NONE | TRIGGER, 0, most + 1)
        self.assertEqual([self.signalled(fd, 0.05) for fd in fds], [0, 0])
        if self.either(self.client, self.set(NONE | TRIGGER, 0, 2)):
            self.assertEqual([self.signalled(fd) for fd in fds], [1, 1])
