# SPDX-License-Identifier: Apache-2.0
"""Runs vectors.py, and holds this suite's own encoder against it."""
import re

import suite
import vectors
import wire


def matcher(pattern):
    """A regular expression over hexadecimal digits; `*` is any rest."""
    text = re.sub(r"\s", "", pattern)
    return re.compile(text.replace("*", "(?:..)*"))


class Vectors(suite.Case):
    pass


class Encoder(suite.Case):
    def test_the_encoder_of_this_suite_writes_the_vectors(self):
        """So that an error of wire.py cannot hide one of a server."""
        ours = {
            "info_of_the_device": wire.message(wire.GET_INFO, wire.get_info(), 2),
            "info_of_the_configuration_space":
                wire.message(wire.GET_REGION_INFO, wire.region_info(wire.CONFIG), 3),
            "info_of_msix": wire.message(wire.GET_IRQ_INFO, wire.irq_info(wire.MSIX), 4),
            "read_of_vendor_and_device":
                wire.message(wire.REGION_READ, wire.region_access(7, 0, 4), 5),
            "write_of_the_cache_line_size":
                wire.message(wire.REGION_WRITE, wire.region_access(7, 0x0c, 1, b"Z"), 6),
            "map_and_unmap": wire.message(wire.DMA_MAP, wire.dma_map(0x10000000, 4096), 9),
            "unmap_of_nothing": wire.message(wire.DMA_UNMAP, wire.dma_unmap(0x10000000, 4096), 10),
            "interrupts_disabled": wire.message(wire.SET_IRQS, wire.set_irqs(2, 0x21, 0, 0), 12),
            "version_with_empty_object": wire.message(wire.VERSION, wire.version(data={}), 0x1234),
        }
        named = {vector.name: vector for vector in vectors.VECTORS}
        for name, data in ours.items():
            self.assertEqual(data, bytes.fromhex(named[name].steps[0][0]), name)


def add(vector):
    def test(self):
        client = self.raw() if vector.bare else self.attach()
        for step in vector.steps:
            request, expected = step[:2]
            fds = [self.memfd() for _ in range(step[2])] if len(step) > 2 else []
            client.send_raw(bytes.fromhex(request), fds)
            got = client.reply()
            whole = wire.HEADER.pack(got.id, got.command, got.size, got.flags, got.error)
            whole = (whole + got.payload).hex()
            self.assertRegex(whole, re.compile("^" + matcher(expected).pattern + "$"),
                             f"{vector.section}: {request}")
        self.serves(client)
    test.__doc__ = vector.section
    setattr(Vectors, "test_" + vector.name, test)


for each in vectors.VECTORS:
    add(each)
