# SPDX-License-Identifier: Apache-2.0
"""The configuration space that VFIO_USER_REGION_READ and VFIO_USER_REGION_WRITE reach: the
function's identity (d1/abi/registers.h), its BARs and its list of capabilities (PCI)."""
import suite
import wire
from suite import SCRATCH

COMMAND, STATUS, HEADER_TYPE, BARS, SUBSYSTEM, EXPANSION, CAPABILITIES = 4, 6, 14, 16, 44, 48, 52
POWER_MANAGEMENT, MSI, PCI_EXPRESS, MSIX = 0x01, 0x05, 0x10, 0x11


class Configuration(suite.Case):
    def setUp(self):
        super().setUp()
        self.client = self.attach()

    def get(self, offset, width):
        return self.client.read_number(wire.CONFIG, offset, width)

    def put(self, offset, width, value):
        self.client.write_number(wire.CONFIG, offset, width, value)

    def chain(self):
        """{id: offset}, each met once and inside the first 256 bytes."""
        self.assertTrue(self.get(STATUS, 2) & 0x10, "the status has no capability list")
        found, at = {}, self.get(CAPABILITIES, 1)
        while at:
            self.assertEqual(at & 3, 0)
            self.assertGreaterEqual(at, 0x40)
            self.assertNotIn(at, found.values(), "the list runs in a circle")
            found[self.get(at, 1)] = at
            at = self.get(at + 1, 1)
        return found

    def bars(self):
        """{index: (size, address bits)} by writing ones, addresses put back."""
        found, index = {}, 0
        while index < 6:
            at = BARS + 4 * index
            low = self.get(at, 4)
            wide = low & 7 == 4
            high = self.get(at + 4, 4) if wide else 0
            self.put(at, 4, 0xffffffff)
            mask = self.get(at, 4)
            if wide:
                self.put(at + 4, 4, 0xffffffff)
                mask |= self.get(at + 4, 4) << 32
                self.put(at + 4, 4, high)
            self.put(at, 4, low)
            bits = 64 if wide else 32
            mask &= ~0xf
            if mask:
                found[index] = ((1 << bits) - mask, bits)
            index += 2 if wide else 1
        return found

    def test_it_is_a_processing_accelerator_of_this_project(self):
        self.assertEqual(self.get(0, 4), 0x0d011ed1)
        self.assertEqual(self.get(9, 3), 0x120000)
        self.assertEqual(self.get(HEADER_TYPE, 1) & 0x7f, 0)

    def test_every_width_and_place_reads_the_same_bytes(self):
        whole = self.client.read(wire.CONFIG, 0, 64)
        for width in (1, 2, 4):
            parts = b"".join(self.client.read(wire.CONFIG, at, width)
                             for at in range(0, 64, width))
            self.assertEqual(parts, whole)

    def test_what_is_read_only_keeps_its_value(self):
        for offset, width in ((0, 4), (8, 4), (HEADER_TYPE, 1), (SUBSYSTEM, 4),
                              (CAPABILITIES, 1)):
            before = self.get(offset, width)
            for value in (0, (1 << 8 * width) - 1):
                self.client.call(wire.REGION_WRITE, wire.region_access(
                    wire.CONFIG, offset, width, value.to_bytes(width, "little")))
                self.assertEqual(self.get(offset, width), before, f"offset {offset:#x}")

    def test_memory_and_bus_master_can_be_switched(self):
        before = self.get(COMMAND, 2)
        for value in (0, 2, 4, 6):
            self.put(COMMAND, 2, value)
            self.assertEqual(self.get(COMMAND, 2) & 6, value)
        self.put(COMMAND, 2, before)

    def test_bars_sized_by_ones_have_the_sizes_of_their_regions(self):
        bars = self.bars()
        self.assertEqual(bars[0][0], 0x8000)
        self.assertIn(2, bars)
        for index, (size, _) in bars.items():
            got = self.ok(self.client.call(wire.GET_REGION_INFO, wire.region_info(index)))
            self.assertEqual(int.from_bytes(got.payload[16:24], "little"), size)

    def test_a_bar_keeps_the_address_it_is_given(self):
        at, size = BARS, self.bars()[0][0]
        before = self.get(at, 4)
        self.put(at, 4, 0xfe000000)
        self.assertEqual(self.get(at, 4) & ~0xf, 0xfe000000)
        self.put(at, 4, 0xfe000000 | (size // 2))
        self.assertEqual(self.get(at, 4) & ~0xf, 0xfe000000, "an address below its own size")
        self.put(at, 4, before)

    def test_the_capabilities_of_an_express_function_are_there(self):
        found = self.chain()
        for name, id in (("PCI Express", PCI_EXPRESS), ("MSI-X", MSIX),
                         ("power management", POWER_MANAGEMENT)):
            self.assertIn(id, found, name)
        self.assertEqual(self.get(found[PCI_EXPRESS] + 2, 2) >> 4 & 0xf, 0, "not an endpoint")

    def test_msix_has_as_many_vectors_as_the_interrupt_says(self):
        at = self.chain()[MSIX]
        got = self.ok(self.client.call(wire.GET_IRQ_INFO, wire.irq_info(wire.MSIX)), 16)
        count = int.from_bytes(got.payload[12:16], "little")
        self.assertEqual((self.get(at + 2, 2) & 0x7ff) + 1, count)

    def test_the_tables_of_msix_lie_inside_their_bars_and_apart(self):
        at, bars, spans = self.chain()[MSIX], self.bars(), []
        count = (self.get(at + 2, 2) & 0x7ff) + 1
        for offset, size in ((4, 16 * count), (8, (count + 63) // 64 * 8)):
            place = self.get(at + offset, 4)
            bar, begin = place & 7, place & ~7
            self.assertIn(bar, bars)
            self.assertLessEqual(begin + size, bars[bar][0])
            spans.append((bar, begin, begin + size))
        self.assertTrue(spans[0][0] != spans[1][0] or spans[0][2] <= spans[1][1]
                        or spans[1][2] <= spans[0][1], "table and pending bits overlap")

    def test_msix_can_be_enabled_and_masked_and_its_size_cannot_be_written(self):
        at = self.chain()[MSIX] + 2
        before = self.get(at, 2)
        self.put(at, 2, 0xffff)
        self.assertEqual(self.get(at, 2), 0xc000 | (before & 0x7ff))
        self.put(at, 2, 0)
        self.assertEqual(self.get(at, 2), before & 0x7ff)
        self.put(at, 2, before)

    def test_the_whole_space_reads_at_once(self):
        self.assertEqual(len(self.client.read(wire.CONFIG, 0, 256)), 256)

    def test_ones_everywhere_do_no_harm(self):
        before = self.client.read(wire.CONFIG, 0, 256)
        self.client.call(wire.REGION_WRITE, wire.region_access(wire.CONFIG, 0, 256, b"\xff" * 256))
        self.assertEqual(self.get(0, 4), 0x0d011ed1)
        self.client.call(wire.REGION_WRITE, wire.region_access(wire.CONFIG, 0, 256, before))
        self.client.call(wire.RESET)
        self.put(SCRATCH, 1, 0)
        self.serves(self.client)
