# SPDX-License-Identifier: Apache-2.0
"""Sections "VFIO_USER_DMA_MAP", "VFIO_USER_DMA_UNMAP" and "Client Disconnection"."""
import errno
import os
import struct

import suite
import wire

BASE, PAGE, MIB = 0x10000000, 0x1000, 1 << 20


class DmaCase(suite.Case):
    def map(self, client, address=BASE, size=MIB, fd=True, **more):
        fds = [self.memfd(size if size < (1 << 30) else MIB)] if fd is True else fd or []
        return client.call(wire.DMA_MAP, wire.dma_map(address, size, **more), fds)

    def unmap(self, client, address=BASE, size=MIB, **more):
        return client.call(wire.DMA_UNMAP, wire.dma_unmap(address, size, **more))


class Map(DmaCase):
    def test_a_map_with_a_descriptor_is_replied_to_without_payload(self):
        client = self.attach()
        self.ok(self.map(client), 0)
        self.serves(client)

    def test_maps_for_reading_only_and_writing_only_are_made(self):
        client = self.attach()
        self.ok(self.map(client, BASE, flags=wire.READABLE), 0)
        self.ok(self.map(client, BASE + MIB, flags=wire.WRITEABLE), 0)

    def test_a_map_for_reading_takes_a_descriptor_for_reading(self):
        client = self.attach()
        fd = os.open(f"/proc/self/fd/{self.memfd()}", os.O_RDONLY)
        self.files.append(fd)
        self.ok(self.map(client, fd=[fd], flags=wire.READABLE), 0)

    def test_a_map_without_a_descriptor_is_answered(self):
        """A server may refuse what it would have to reach by messages."""
        client = self.attach()
        if self.either(client, self.map(client, fd=None)):
            self.ok(self.unmap(client), 24)

    def test_an_offset_into_the_file_is_taken(self):
        client = self.attach()
        self.ok(self.map(client, size=PAGE, fd=[self.memfd()], offset=16 * PAGE), 0)

    def test_maps_may_touch_without_overlap(self):
        client = self.attach()
        for at in (0, 2, 1):
            self.ok(self.map(client, BASE + at * MIB), 0)

    def test_the_highest_page_of_the_address_space_can_be_mapped(self):
        """A device of fewer address bits may refuse; it must not wrap."""
        client = self.attach()
        self.either(client, self.map(client, (1 << 64) - PAGE, PAGE))

    def test_a_map_over_a_map_is_refused_with_eexist(self):
        client = self.attach()
        self.ok(self.map(client), 0)
        for address, size in ((BASE, MIB), (BASE, PAGE), (BASE + MIB - PAGE, MIB),
                              (BASE - PAGE, 2 * PAGE), (BASE - MIB, 3 * MIB), (BASE + PAGE, PAGE)):
            with self.subTest(address=hex(address), size=hex(size)):
                self.error(client, self.map(client, address, size), errno.EEXIST)
        self.ok(self.unmap(client), 24)

    def test_a_refused_overlap_leaves_the_free_part_free(self):
        client = self.attach()
        self.ok(self.map(client), 0)
        self.error(client, self.map(client, BASE - PAGE, 2 * PAGE), errno.EEXIST)
        self.ok(self.map(client, BASE - PAGE, PAGE), 0)

    def test_a_range_that_wraps_around_is_refused(self):
        client = self.attach()
        top = (1 << 64) - PAGE
        for address, size in ((top, 2 * PAGE), (2 * PAGE, top), (top, top), (BASE, top)):
            self.error(client, self.map(client, address, size, fd=[self.memfd()]))

    def test_an_empty_range_is_refused(self):
        client = self.attach()
        self.error(client, self.map(client, BASE, 0, fd=[self.memfd()]))

    def test_a_range_that_is_not_of_whole_pages_is_refused(self):
        """pgsizes: 4 KiB pages, as long as nothing smaller was negotiated."""
        client = self.attach()
        sizes = client.capabilities.get("pgsizes", client.capabilities.get("pgsize", PAGE))
        if sizes & (PAGE - 1):
            self.skipTest("the server takes pages below 4 KiB")
        for address, size in ((BASE + 1, PAGE), (BASE + 8, PAGE), (BASE, PAGE + 1), (BASE, 100)):
            self.error(client, self.map(client, address, size, fd=[self.memfd()]))

    def test_an_offset_that_is_not_of_whole_pages_is_answered(self):
        client = self.attach()
        self.either(client, self.map(client, size=PAGE, fd=[self.memfd()], offset=100))

    def test_an_argsz_below_the_structure_is_refused(self):
        client = self.attach()
        for argsz in (0, 8, 31):
            self.error(client, self.map(client, argsz=argsz))

    def test_flags_out_of_the_ordinary_are_answered(self):
        """No flag at all, and flags that nothing defines: the specification says neither."""
        client = self.attach()
        for at, flags in enumerate((0, 4, 7, 0x80000003)):
            self.either(client, self.map(client, BASE + at * MIB, flags=flags))

    def test_a_range_beyond_the_end_of_the_file_is_answered(self):
        """The file may grow, so it may be accepted; the server must not die of it later."""
        client = self.attach()
        for at, (size, offset) in enumerate(((2 * MIB, 0), (MIB, MIB), (PAGE, 1 << 40),
                                             (PAGE, (1 << 64) - PAGE), (1 << 50, 0))):
            self.either(client, self.map(client, (at + 1) << 52, size, fd=[self.memfd()],
                                         offset=offset))

    def test_a_descriptor_that_cannot_be_mapped_is_refused(self):
        client = self.attach()
        read, write = os.pipe()
        self.files += [read, write]
        for fd in (read, write, self.eventfds(1)[0]):
            self.error(client, self.map(client, fd=[fd]))

    def test_a_writeable_map_of_a_descriptor_for_reading_is_refused(self):
        client = self.attach()
        fd = os.open(f"/proc/self/fd/{self.memfd()}", os.O_RDONLY)
        self.files.append(fd)
        self.error(client, self.map(client, fd=[fd]))

    def test_more_descriptors_than_one_are_answered_and_not_kept(self):
        client = self.attach()
        self.serves(client)
        before = self.descriptors(client)
        self.either(client, self.map(client, fd=[self.memfd(), self.memfd(), self.memfd()]))
        self.assertLessEqual(self.descriptors(client), before + 1)

    def test_a_map_that_wants_no_reply_is_made(self):
        client = self.attach()
        client.send(wire.DMA_MAP, wire.dma_map(BASE, MIB), [self.memfd()], wire.NO_REPLY)
        self.ok(self.unmap(client), 24)


class Unmap(DmaCase):
    def test_the_entry_of_the_request_comes_back(self):
        client = self.attach()
        self.ok(self.map(client), 0)
        got = self.ok(self.unmap(client), 24)
        self.assertEqual(got.payload[8:], struct.pack("=QQ", BASE, MIB))

    def test_an_unmapped_range_can_be_mapped_again(self):
        client = self.attach()
        for _ in range(3):
            self.ok(self.map(client), 0)
            self.ok(self.unmap(client), 24)

    def test_a_range_that_is_not_a_map_is_refused(self):
        client = self.attach()
        self.error(client, self.unmap(client))
        self.ok(self.map(client), 0)
        self.ok(self.map(client, BASE + MIB), 0)
        for address, size in ((BASE, PAGE), (BASE + PAGE, MIB - PAGE), (BASE, 2 * MIB),
                              (BASE - PAGE, MIB + PAGE), (BASE + PAGE, MIB), (BASE, 0),
                              (0, 1 << 63), (BASE, (1 << 64) - 1), ((1 << 64) - PAGE, PAGE)):
            with self.subTest(address=hex(address), size=hex(size)):
                self.error(client, self.unmap(client, address, size))
        self.ok(self.unmap(client), 24)

    def test_a_second_unmap_is_refused(self):
        client = self.attach()
        self.ok(self.map(client), 0)
        self.ok(self.unmap(client), 24)
        self.error(client, self.unmap(client))

    def test_an_argsz_below_the_structure_is_answered_within_it(self):
        """Refused, or cut short as section "Message sizes" says."""
        client = self.attach()
        self.ok(self.map(client), 0)
        got = self.unmap(client, argsz=8)
        if not got.is_error:
            self.assertLessEqual(len(got.payload), 24)
        self.serves(client)

    def test_a_dirty_bitmap_is_never_returned(self):
        """Flags are unused in this version: refused, or passed over."""
        client = self.attach()
        self.ok(self.map(client), 0)
        got = self.unmap(client, flags=1, argsz=4096)
        if not got.is_error:
            self.ok(got, 24)
        self.serves(client)

    def test_unmapping_all_at_once_is_refused_or_done(self):
        """VFIO_DMA_UNMAP_FLAG_ALL, of <linux/vfio.h>: flags are unused in this version."""
        client = self.attach()
        self.ok(self.map(client), 0)
        accepted = self.either(client, self.unmap(client, 0, 0, flags=2))
        again = self.map(client)
        if accepted:
            self.ok(again, 0)
        else:
            self.error(client, again, errno.EEXIST)

    def test_an_unmap_closes_the_descriptor(self):
        client = self.attach()
        self.serves(client)
        before = self.descriptors(client)
        self.ok(self.map(client), 0)
        self.ok(self.unmap(client), 24)
        self.assertEqual(self.descriptors(client), before)


class Disconnection(DmaCase):
    def test_maps_end_with_their_connection(self):
        for _ in range(3):
            client = self.attach()
            self.ok(self.map(client), 0)
            client.close()
        client = self.attach()
        self.error(client, self.unmap(client))

    def test_a_thousand_maps_are_kept_and_released(self):
        client = self.attach()
        most = min(1000, client.capabilities.get("max_dma_maps", 65535))
        fd = self.memfd()
        for at in range(most):
            client.send(wire.DMA_MAP, wire.dma_map(BASE + at * PAGE, PAGE), [fd], wire.NO_REPLY)
        self.error(client, self.map(client, BASE + (most - 1) * PAGE, PAGE), errno.EEXIST)
        client.close()
        client = self.attach()
        self.ok(self.map(client, BASE, most * PAGE), 0)
