# SPDX-License-Identifier: Apache-2.0
"""Sections "VFIO_USER_REGION_READ", "..._REGION_WRITE", "..._REGION_WRITE_MULTI",
"VFIO_USER_DEVICE_RESET" and "Message sizes", with the registers of d1/abi/registers.h."""
import struct

import suite
import wire
from suite import SCRATCH

ID, CONTROL, STATUS, LOG_BASE = 0x00, 0x10, 0x18, 0x60
ID_VALUE = 0x31444f4a4f44 << 16 | 1
BAR0_BYTES = 0x8000


class RegionCase(suite.Case):
    def setUp(self):
        super().setUp()
        self.client = self.attach()

    def size(self, region):
        got = self.ok(self.client.call(wire.GET_REGION_INFO, wire.region_info(region)))
        return struct.unpack_from("=Q", got.payload, 16)[0]

    def ask_read(self, region, offset, count):
        return self.client.call(wire.REGION_READ, wire.region_access(region, offset, count))

    def ask_write(self, region, offset, data, count=None):
        return self.client.call(wire.REGION_WRITE, wire.region_access(
            region, offset, len(data) if count is None else count, data))


class Registers(RegionCase):
    def test_the_identity_reads_as_the_contract_says(self):
        self.assertEqual(self.client.read_number(wire.BAR0, ID, 8), ID_VALUE)

    def test_a_register_that_cannot_be_written_keeps_its_value(self):
        """Whether the write is refused is left open."""
        self.either(self.client, self.ask_write(wire.BAR0, ID, b"\xff" * 8))
        self.assertEqual(self.client.read_number(wire.BAR0, ID, 8), ID_VALUE)

    def test_a_register_reads_what_was_written(self):
        self.client.write_number(wire.BAR0, LOG_BASE, 8, 0x12345678000)
        self.assertEqual(self.client.read_number(wire.BAR0, LOG_BASE, 8), 0x12345678000)
        self.client.write_number(wire.BAR0, LOG_BASE, 8, 0)

    def test_odd_widths_and_alignments_are_answered(self):
        """The contract allows whole registers only; both answers are right, no harm is."""
        for offset, count in ((0, 1), (0, 2), (0, 4), (4, 4), (1, 8), (4, 8), (0, 3), (0, 5),
                              (0, 16), (0, 4096), (7, 2)):
            self.either(self.client, self.ask_read(wire.BAR0, offset, count))
        for offset, count in ((0, 1), (2, 2), (1, 8), (0, 3), (0, 16)):
            self.either(self.client, self.ask_write(wire.BAR0, offset, bytes(count)))

    def test_every_aligned_register_place_is_answered(self):
        for first in range(0, BAR0_BYTES, 512):
            for offset in range(first, first + 512, 8):
                self.client.send(wire.REGION_READ, wire.region_access(wire.BAR0, offset, 8),
                                 id=offset)
            for offset in range(first, first + 512, 8):
                wire.check_reply(self.client.reply(), wire.REGION_READ, offset)


class Bounds(RegionCase):
    def test_reads_beyond_the_end_are_refused(self):
        for region in (wire.BAR0, wire.BAR2, wire.CONFIG):
            size = self.size(region)
            for offset, count in ((size, 8), (size - 4, 8), (size + 4096, 8), (1 << 63, 8),
                                  ((1 << 64) - 8, 8), ((1 << 64) - 4, 8), (size << 32, 8)):
                with self.subTest(region=region, offset=hex(offset)):
                    self.error(self.client, self.ask_read(region, offset, count))

    def test_writes_beyond_the_end_are_refused(self):
        for region in (wire.BAR0, wire.BAR2, wire.CONFIG):
            size = self.size(region)
            for offset in (size, size - 4, size + 4096, 1 << 63, (1 << 64) - 8, (1 << 64) - 4):
                with self.subTest(region=region, offset=hex(offset)):
                    self.error(self.client, self.ask_write(region, offset, bytes(8)))

    def test_regions_that_are_not_there_are_refused(self):
        for region in (9, 64, 0x7fffffff, 0xffffffff):
            self.error(self.client, self.ask_read(region, 0, 4))
            self.error(self.client, self.ask_write(region, 0, bytes(4)))

    def test_regions_without_a_size_are_refused(self):
        for region in range(wire.PCI_REGIONS):
            got = self.client.call(wire.GET_REGION_INFO, wire.region_info(region))
            if not got.is_error and struct.unpack_from("=Q", got.payload, 16)[0] == 0:
                self.error(self.client, self.ask_read(region, 0, 4))
                self.error(self.client, self.ask_write(region, 0, bytes(4)))

    def test_a_count_of_zero_is_answered(self):
        for region, offset in ((wire.CONFIG, 0), (wire.BAR0, 0), (wire.BAR0, BAR0_BYTES)):
            got = self.ask_read(region, offset, 0)
            if self.either(self.client, got):
                self.assertEqual(got.payload, wire.region_access(region, offset, 0))
            self.either(self.client, self.ask_write(region, offset, b""))

    def test_a_read_above_max_data_xfer_size_is_refused(self):
        most = self.client.max_xfer
        if most < self.size(wire.BAR2):
            self.error(self.client, self.ask_read(wire.BAR2, 0, most + 1))
        for count in (0x7fffffff, 0x80000000, 0xffffffff):
            self.error(self.client, self.ask_read(wire.BAR2, 0, count))

    def test_a_write_above_max_data_xfer_size_is_refused(self):
        most = self.client.max_xfer
        if most >= self.size(wire.BAR2):
            self.skipTest("the server takes as much as any region holds")
        self.send_refused(self.client, wire.message(wire.REGION_WRITE, wire.region_access(
            wire.BAR2, 0, most + 1, bytes(most + 1))))

    def test_a_count_that_differs_from_the_data_is_refused(self):
        for data, count in ((b"1234", 8), (b"", 4), (b"1234", 0xffffffff), (b"1234", 0x7fffffff),
                            (b"12345678", 4)):
            with self.subTest(data=data, count=count):
                client = self.attach_again()
                self.send_refused(client, wire.message(wire.REGION_WRITE, wire.region_access(
                    wire.CONFIG, SCRATCH, count, data)), command=wire.REGION_WRITE)

    def attach_again(self):
        self.client.close()
        self.client = self.attach()
        return self.client


class Aperture(RegionCase):
    """BAR2 is memory, so what was written is read; where the aperture points to is the
    device's matter, so a refusal of the first write skips the test."""

    def test_large_transfers_arrive_whole(self):
        count = min(self.client.max_xfer, 1 << 20)
        data = bytes(range(256)) * (count // 256)
        if self.ask_write(wire.BAR2, 0, data).is_error:
            self.skipTest("the aperture points to nothing that can be written")
        self.assertEqual(self.client.read(wire.BAR2, 0, len(data)), data)

    def test_any_offset_and_width_is_taken(self):
        if self.ask_write(wire.BAR2, 0, bytes(256)).is_error:
            self.skipTest("the aperture points to nothing that can be written")
        expected = bytearray(256)
        for at, width in enumerate((1, 2, 3, 4, 5, 7, 8, 13, 16, 31)):
            data = bytes(range(at + 1, at + 1 + width))
            self.client.write(wire.BAR2, at * 20 + 1, data)
            expected[at * 20 + 1:at * 20 + 1 + width] = data
        self.assertEqual(self.client.read(wire.BAR2, 0, 256), bytes(expected))


class WriteMulti(RegionCase):
    def setUp(self):
        super().setUp()
        self.client.close()
        self.client = self.attach({"write_multiple": True})
        if self.client.capabilities.get("write_multiple") is not True:
            got = self.multi([(wire.CONFIG, SCRATCH, b"\1")])
            self.either(self.client, got)
            self.skipTest("write_multiple was not granted")

    def multi(self, writes, count=None):
        return self.client.call(wire.REGION_WRITE_MULTI, wire.write_multi(writes, count))

    def test_all_writes_are_done_in_order(self):
        got = self.ok(self.multi([(wire.CONFIG, SCRATCH, b"\1"), (wire.CONFIG, SCRATCH, b"\2"),
                                  (wire.CONFIG, SCRATCH, b"\3")]), 8)
        self.assertEqual(got.payload, struct.pack("=Q", 3))
        self.assertEqual(self.client.read_number(wire.CONFIG, SCRATCH, 1), 3)

    def test_a_write_of_more_than_eight_bytes_is_refused(self):
        for count in (9, 16, 0xffffffff):
            self.refuse([(wire.CONFIG, SCRATCH, b"\1", count)])

    def test_a_number_of_writes_that_differs_from_the_data_is_refused(self):
        for count in (2, 1 << 32, 1 << 59, (1 << 61) + 1, (1 << 64) - 1):
            self.refuse([(wire.CONFIG, SCRATCH, b"\1")], count)

    def test_no_write_at_all_is_answered(self):
        self.either(self.client, self.multi([]))

    def test_a_write_beyond_a_region_is_refused_or_not_counted(self):
        got = self.multi([(wire.CONFIG, SCRATCH, b"\1"), (wire.BAR0, BAR0_BYTES, bytes(8))])
        if self.either(self.client, got):
            self.assertLess(struct.unpack("=Q", got.payload)[0], 2)

    def refuse(self, writes, count=None):
        client = self.attach_with_writes()
        self.send_refused(client, wire.message(wire.REGION_WRITE_MULTI,
                                               wire.write_multi(writes, count)))

    def attach_with_writes(self):
        self.client.close()
        self.client = self.attach({"write_multiple": True})
        return self.client


class Reset(RegionCase):
    def test_an_enabled_device_becomes_ready_and_a_reset_ends_that(self):
        self.client.write_number(wire.BAR0, CONTROL, 8, 1)
        for _ in range(1000):
            if self.client.read_number(wire.BAR0, STATUS, 8) & 1:
                break
        else:
            self.fail("the device does not become ready")
        self.ok(self.client.call(wire.RESET), 0)
        self.assertEqual(self.client.read_number(wire.BAR0, STATUS, 8) & 1, 0)

    def test_maps_outlive_a_reset(self):
        """Maps are the client's; only an unmap or the end of the connection ends them."""
        self.ok(self.client.call(wire.DMA_MAP, wire.dma_map(0x100000, 0x1000), [self.memfd()]), 0)
        self.ok(self.client.call(wire.RESET), 0)
        self.ok(self.client.call(wire.DMA_UNMAP, wire.dma_unmap(0x100000, 0x1000)), 24)

    def test_many_resets_are_replied_to(self):
        for id in range(20):
            self.client.send(wire.RESET, id=id)
        for id in range(20):
            wire.check_reply(self.ok(self.client.reply(), 0), wire.RESET, id)
