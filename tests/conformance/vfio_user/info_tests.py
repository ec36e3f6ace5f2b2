# SPDX-License-Identifier: Apache-2.0
"""Sections "Message sizes", "VFIO_USER_DEVICE_GET_INFO", "..._GET_REGION_INFO",
"..._GET_REGION_IO_FDS", "..._GET_IRQ_INFO" and "VFIO_USER_DEVICE_FEATURE"."""
import mmap
import struct

import suite
import wire

BAR0_BYTES, MSIX_VECTORS = 0x8000, 16  # d1/abi/registers.h


class Device(suite.Case):
    def test_it_is_a_pci_function_with_all_regions_and_interrupts_of_one(self):
        got = self.ok(self.attach().call(wire.GET_INFO, wire.get_info()), 16)
        argsz, flags, regions, irqs = struct.unpack("=IIII", got.payload)
        self.assertEqual(argsz, 16)
        self.assertTrue(flags & wire.DEVICE_PCI)
        self.assertTrue(flags & wire.DEVICE_RESETS)
        self.assertGreaterEqual(regions, wire.PCI_REGIONS)
        self.assertGreaterEqual(irqs, wire.PCI_IRQS)

    def test_more_room_than_needed_changes_nothing(self):
        got = self.ok(self.attach().call(wire.GET_INFO, wire.get_info(4096)), 16)
        self.assertEqual(got.payload[:4], struct.pack("=I", 16))

    def test_less_room_than_needed_is_refused_or_told_the_need(self):
        client = self.attach()
        for argsz in (0, 4, 15):
            got = client.call(wire.GET_INFO, wire.get_info(argsz))
            if self.either(client, got) and got.payload:
                self.assertEqual(got.payload[:4], struct.pack("=I", 16))

    def test_stray_descriptors_are_answered(self):
        client = self.attach()
        self.either(client, client.call(wire.GET_INFO, wire.get_info(), self.eventfds(3)))


class Regions(suite.Case):
    def region(self, client, index, argsz=32):
        got = client.call(wire.GET_REGION_INFO, wire.region_info(index, argsz))
        if got.is_error:
            return got, None
        self.assertGreaterEqual(len(got.payload), 32)
        return got, struct.unpack_from("=IIIIQQ", got.payload)

    def test_every_region_says_its_own_index(self):
        """The VGA region may be refused by a function that has none, as the kernel does."""
        client = self.attach()
        for index in range(wire.PCI_REGIONS):
            got, info = self.region(client, index)
            if index == wire.VGA and info is None:
                self.serves(client)
                continue
            self.ok(got)
            self.assertEqual(info[2], index)
            self.assertGreaterEqual(info[0], 32)
            self.assertEqual(bool(info[1] & wire.REGION_HAS_CAPS), info[3] != 0 or info[0] > 32)

    def test_the_configuration_space_can_be_read_and_written(self):
        _, info = self.region(self.attach(), wire.CONFIG)
        self.assertIn(info[4], (256, 4096))
        both = wire.REGION_CAN_READ | wire.REGION_CAN_WRITE
        self.assertEqual(info[1] & both, both)
        self.assertFalse(info[1] & wire.REGION_CAN_MMAP)

    def test_the_bars_have_the_sizes_of_the_contract(self):
        client = self.attach()
        both = wire.REGION_CAN_READ | wire.REGION_CAN_WRITE
        for index in (wire.BAR0, wire.BAR2):
            _, info = self.region(client, index)
            self.assertGreater(info[4], 0)
            self.assertEqual(info[4] & (info[4] - 1), 0, "a BAR is a power of two")
            self.assertEqual(info[1] & both, both)
        self.assertEqual(self.region(client, wire.BAR0)[1][4], BAR0_BYTES)

    def test_a_region_that_is_not_there_has_no_size_and_no_descriptor(self):
        client = self.attach()
        for index in range(wire.PCI_REGIONS):
            got, info = self.region(client, index)
            if info and info[4] == 0:
                self.assertFalse(info[1] & wire.REGION_CAN_MMAP)
                self.assertEqual(got.fds, [])

    def test_an_index_beyond_the_last_is_refused(self):
        client = self.attach()
        info = self.ok(client.call(wire.GET_INFO, wire.get_info()), 16)
        regions, = struct.unpack_from("=I", info.payload, 8)
        for index in (regions, regions + 1, 0x7fffffff, 0xffffffff):
            self.error(client, self.region(client, index)[0])

    def test_less_room_than_the_structure_is_refused_or_told_the_need(self):
        client = self.attach()
        for argsz in (0, 8, 31):
            got = client.call(wire.GET_REGION_INFO, wire.region_info(wire.BAR0, argsz))
            if self.either(client, got) and got.payload:
                self.assertGreaterEqual(struct.unpack_from("=I", got.payload)[0], 32)

    def test_a_reply_keeps_to_the_room_and_names_the_need(self):
        client = self.attach()
        for index in range(wire.VGA):
            got, info = self.region(client, index)
            self.assertEqual(len(got.payload), 32, "more than the room that argsz gave")
            got, again = self.region(client, index, info[0])
            self.assertEqual(len(got.payload), info[0])
            self.assertEqual(again[0], info[0])
            got, again = self.region(client, index, 1 << 16)
            self.assertEqual(len(got.payload), info[0])

    def capabilities(self, payload):
        """{id: offset} of the chain, with every link inside the reply and none met twice."""
        flags, _, at = struct.unpack_from("=III", payload, 4)
        found, seen = {}, set()
        if not flags & wire.REGION_HAS_CAPS:
            return found
        while at:
            self.assertNotIn(at, seen, "the chain runs in a circle")
            self.assertTrue(32 <= at <= len(payload) - 8, f"capability at {at}")
            seen.add(at)
            kind, _, following = struct.unpack_from("=HHI", payload, at)
            found[kind] = at
            at = following
        return found

    def test_areas_that_can_be_mapped_are_pages_of_the_region(self):
        client = self.attach()
        for index in range(wire.VGA):
            got, info = self.region(client, index, 1 << 16)
            areas = []
            at = self.capabilities(got.payload).get(wire.CAP_SPARSE_MMAP)
            if at is not None:
                self.assertTrue(info[1] & wire.REGION_CAN_MMAP)
                count = struct.unpack_from("=I", got.payload, at + 8)[0]
                self.assertLessEqual(at + 16 + 16 * count, len(got.payload))
                areas = sorted(struct.unpack_from("=QQ", got.payload, at + 16 + 16 * n)
                               for n in range(count))
            end = 0
            for offset, size in areas:
                self.assertGreaterEqual(offset, end, "areas overlap")
                self.assertEqual((offset % 4096, size % 4096), (0, 0))
                end = offset + size
            self.assertLessEqual(end, info[4])

    def test_a_region_that_can_be_mapped_brings_its_descriptor_and_reads_the_same(self):
        """"These operations must be supported even if the region has been shared"."""
        client, mapped = self.attach(), 0
        for index in range(wire.VGA):
            got, info = self.region(client, index, 1 << 16)
            if not info[1] & wire.REGION_CAN_MMAP:
                self.assertEqual(got.fds, [], "a descriptor without the MMAP flag")
                continue
            self.assertGreaterEqual(len(got.fds), 1)
            at = self.capabilities(got.payload).get(wire.CAP_SPARSE_MMAP)
            offset, size = (0, info[4]) if at is None else \
                struct.unpack_from("=QQ", got.payload, at + 16)
            with mmap.mmap(got.fds[0], size, mmap.MAP_SHARED, mmap.PROT_READ,
                           offset=info[5] + offset) as memory:
                self.assertEqual(memory[:8], client.read(index, offset, 8))
            mapped += 1
        if not mapped:
            self.skipTest("no region can be mapped")


class RegionDescriptors(suite.Case):
    def ask(self, client, **fields):
        return client.call(wire.GET_REGION_IO_FDS, wire.region_io_fds(**fields))

    def test_what_is_offered_is_complete(self):
        """The command is optional: refused is right."""
        client = self.attach()
        for index in range(wire.PCI_REGIONS):
            got = self.ask(client, index=index)
            if not self.either(client, got):
                self.assertEqual(got.fds, [])
                continue
            argsz, flags, echoed, count = struct.unpack_from("=IIII", got.payload)
            self.assertEqual((flags, echoed), (0, index))
            self.assertEqual(argsz, len(got.payload))
            self.assertEqual(argsz, 16 + 40 * count)
            for n in range(count):
                _, _, fd_index, kind = struct.unpack_from("=QQII", got.payload, 16 + 40 * n)
                self.assertLess(fd_index, len(got.fds))
                self.assertIn(kind, (0, 1))

    def test_an_index_beyond_the_last_is_refused(self):
        client = self.attach()
        for index in (0xffff, 0xffffffff):
            self.error(client, self.ask(client, index=index))

    def test_odd_fields_are_answered(self):
        """Less room than the structure, flags and a count that must be zero."""
        client = self.attach()
        for fields in ({"argsz": 0}, {"argsz": 15}, {"argsz": 16}, {"flags": 1},
                       {"count": 1}, {"argsz": 0xffffffff}):
            got = self.ask(client, index=wire.BAR0, **fields)
            if self.either(client, got) and fields.get("argsz") == 16:
                self.assertLessEqual(len(got.payload), 16)


class Interrupts(suite.Case):
    def info(self, client, index, argsz=16):
        return client.call(wire.GET_IRQ_INFO, wire.irq_info(index, argsz))

    def test_every_kind_says_its_own_index(self):
        """ERR and REQ may be refused by a function without them, as the kernel does."""
        client = self.attach()
        for index in range(wire.PCI_IRQS):
            got = self.info(client, index)
            if got.is_error and index in (wire.ERR, wire.REQ):
                self.serves(client)
                continue
            argsz, flags, echoed, count = struct.unpack("=IIII", self.ok(got, 16).payload)
            self.assertEqual((argsz, echoed), (16, index))
            self.assertEqual(flags & ~0xf, 0)
            if index in (wire.INTX, wire.ERR, wire.REQ):
                self.assertLessEqual(count, 1)
            if count and index in (wire.MSI, wire.MSIX):
                self.assertTrue(flags & wire.IRQ_EVENTFD)

    def test_msix_has_the_vectors_of_the_contract(self):
        got = self.ok(self.info(self.attach(), wire.MSIX), 16)
        self.assertEqual(struct.unpack_from("=I", got.payload, 12)[0], MSIX_VECTORS)

    def test_an_index_beyond_the_last_is_refused(self):
        client = self.attach()
        info = self.ok(client.call(wire.GET_INFO, wire.get_info()), 16)
        irqs, = struct.unpack_from("=I", info.payload, 12)
        for index in (irqs, irqs + 1, 0x7fffffff, 0xffffffff):
            self.error(client, self.info(client, index))

    def test_less_room_than_needed_is_refused_or_told_the_need(self):
        client = self.attach()
        for argsz in (0, 4, 15):
            got = self.info(client, wire.MSIX, argsz)
            if self.either(client, got) and got.payload:
                self.assertEqual(got.payload[:4], struct.pack("=I", 16))


class Features(suite.Case):
    """All of them are optional; what is said must be said right."""

    def test_a_probe_comes_back_as_it_was_sent_or_is_refused(self):
        client = self.attach()
        for feature in (0, 1, 2, 6, 7, 8, 0xffff):
            for method in (0x40000, 0x50000, 0x60000, 0x70000):
                payload = struct.pack("=II", 8, method | feature)
                got = client.call(wire.FEATURE, payload)
                if self.either(client, got):
                    self.assertEqual(got.payload, payload)

    def test_no_method_at_all_is_answered(self):
        client = self.attach()
        self.either(client, client.call(wire.FEATURE, struct.pack("=II", 8, 1)))

    def test_an_unknown_feature_is_refused(self):
        client = self.attach()
        for flags in (0x10000, 0x20000):
            self.error(client, client.call(wire.FEATURE, struct.pack("=II", 8, flags | 0xfff0)))

    def test_migration_data_is_not_taken_while_running(self):
        client = self.attach()
        self.error(client, client.call(wire.MIG_DATA_WRITE, struct.pack("=II", 12, 4) + b"data"))
