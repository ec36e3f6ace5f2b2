# SPDX-License-Identifier: Apache-2.0
"""Byte vectors: whole messages in hexadecimal, written by hand from the specification, each with
the section it stands on. In a reply `..` is any byte. Little endian, as the hosts we run on
(section "Protocol Specification": the endianness of the host).

A vector is a name, a section and steps: a request, the reply, and how many memfds of 1 MiB go
with the request. All but the ones marked bare follow a handshake.
"""
import collections

Vector = collections.namedtuple("Vector", "name section steps bare", defaults=(False,))


def error(id, command, errno="........"):
    """The only form that an error reply has: a header with Reply and Error set."""
    return f"{id} {command} 10000000 21000000 {errno}"


EEXIST, MAP_4K = "11000000", "00100000 00000000"

VECTORS = [
    Vector("version_without_data", "VFIO_USER_VERSION, Request: the data is optional",
           [("3412 0100 14000000 00000000 00000000 0000 0000",
             "3412 0100 ........ 01000000 ........ 0000 0000 *")], True),
    Vector("version_with_empty_object", "VFIO_USER_VERSION, Request",
           [("3412 0100 17000000 00000000 00000000 0000 0000 7b7d00",
             "3412 0100 ........ 01000000 ........ 0000 0000 *")], True),
    Vector("info_of_the_device", "VFIO_USER_DEVICE_GET_INFO",
           [("0200 0400 20000000 00000000 00000000 10000000 00000000 00000000 00000000",
             "0200 0400 20000000 01000000 ........ 10000000 0.000000 ........ ........")]),
    Vector("highest_message_id", "Header: the id is echoed",
           [("ffff 0400 20000000 00000000 00000000 10000000 00000000 00000000 00000000",
             "ffff 0400 20000000 01000000 ........ 10000000 ........ ........ ........")]),
    Vector("info_of_the_configuration_space", "VFIO_USER_DEVICE_GET_REGION_INFO",
           [("0300 0500 30000000 00000000 00000000 20000000 00000000 07000000 00000000"
             "0000000000000000 0000000000000000",
             "0300 0500 30000000 01000000 ........ ........ ..000000 07000000 ........"
             "00..000000000000 ................")]),
    Vector("info_of_msix", "VFIO_USER_DEVICE_GET_IRQ_INFO; 16 vectors: d1/abi/registers.h",
           [("0400 0700 20000000 00000000 00000000 10000000 00000000 02000000 00000000",
             "0400 0700 20000000 01000000 ........ 10000000 0.000000 02000000 10000000")]),
    Vector("read_of_vendor_and_device", "VFIO_USER_REGION_READ; 1ed1:0d01: d1/abi/registers.h",
           [("0500 0900 20000000 00000000 00000000 0000000000000000 07000000 04000000",
             "0500 0900 24000000 01000000 ........ 0000000000000000 07000000 04000000"
             "d11e 010d")]),
    Vector("read_of_the_class", "VFIO_USER_REGION_READ; class 120000: d1/abi/registers.h",
           [("0500 0900 20000000 00000000 00000000 0900000000000000 07000000 03000000",
             "0500 0900 23000000 01000000 ........ 0900000000000000 07000000 03000000"
             "000012")]),
    Vector("write_of_the_cache_line_size", "VFIO_USER_REGION_WRITE: the reply has no data",
           [("0600 0a00 21000000 00000000 00000000 0c00000000000000 07000000 01000000 5a",
             "0600 0a00 20000000 01000000 ........ 0c00000000000000 07000000 01000000"),
            ("0700 0900 20000000 00000000 00000000 0c00000000000000 07000000 01000000",
             "0700 0900 21000000 01000000 ........ 0c00000000000000 07000000 01000000 5a")]),
    Vector("reset", "VFIO_USER_DEVICE_RESET: neither side has a payload",
           [("0800 0d00 10000000 00000000 00000000", "0800 0d00 10000000 01000000 ........")]),
    Vector("map_and_unmap", "VFIO_USER_DMA_MAP, VFIO_USER_DMA_UNMAP: the entry comes back",
           [(f"0900 0200 30000000 00000000 00000000 20000000 03000000 0000000000000000"
             f"0000001000000000 {MAP_4K}", "0900 0200 10000000 01000000 ........", 1),
            (f"0a00 0300 28000000 00000000 00000000 18000000 00000000 0000001000000000 {MAP_4K}",
             f"0a00 0300 28000000 01000000 ........ 18000000 00000000 0000001000000000 {MAP_4K}"),
            ]),
    Vector("map_over_a_map", "VFIO_USER_DMA_MAP: EEXIST",
           [(f"0900 0200 30000000 00000000 00000000 20000000 03000000 0000000000000000"
             f"0000001000000000 {MAP_4K}", "0900 0200 10000000 01000000 ........", 1),
            (f"0b00 0200 30000000 00000000 00000000 20000000 03000000 0000000000000000"
             f"0000001000000000 {MAP_4K}", error("0b00", "0200", EEXIST), 1)]),
    Vector("unmap_of_nothing", "VFIO_USER_DMA_UNMAP: must match a previous mapping",
           [(f"0a00 0300 28000000 00000000 00000000 18000000 00000000 0000001000000000 {MAP_4K}",
             error("0a00", "0300"))]),
    Vector("interrupts_disabled", "VFIO_USER_DEVICE_SET_IRQS: count and start of 0, no data",
           [("0c00 0800 24000000 00000000 00000000 14000000 21000000 02000000 00000000 00000000",
             "0c00 0800 10000000 01000000 ........")]),
    Vector("command_0", "Commands: not in the table",
           [("0d00 0000 10000000 00000000 00000000", error("0d00", "0000"))]),
    Vector("command_14", "Commands: not in the table",
           [("0d00 0e00 10000000 00000000 00000000", error("0d00", "0e00"))]),
    Vector("command_19", "Commands: not in the table",
           [("0d00 1300 10000000 00000000 00000000", error("0d00", "1300"))]),
    Vector("command_65535_with_payload", "Commands: not in the table",
           [("0d00 ffff 18000000 00000000 00000000 0102030405060708", error("0d00", "ffff"))]),
    Vector("dma_read_by_the_client", "Commands: server to client only",
           [("0d00 0b00 20000000 00000000 00000000 0000000000000000 0400000000000000",
             error("0d00", "0b00"))]),
    Vector("dma_write_by_the_client", "Commands: server to client only",
           [("0d00 0c00 24000000 00000000 00000000 0000000000000000 0400000000000000 01020304",
             error("0d00", "0c00"))]),
    Vector("region_beyond_the_last", "VFIO_USER_DEVICE_GET_INFO: num_regions",
           [("0e00 0500 30000000 00000000 00000000 20000000 00000000 ffff0000 00000000"
             "0000000000000000 0000000000000000", error("0e00", "0500"))]),
    Vector("interrupt_beyond_the_last", "VFIO_USER_DEVICE_GET_INFO: num_irqs",
           [("0e00 0700 20000000 00000000 00000000 10000000 00000000 ffff0000 00000000",
             error("0e00", "0700"))]),
    Vector("read_beyond_the_end", "VFIO_USER_REGION_READ: an offset into the region",
           [("0f00 0900 20000000 00000000 00000000 0080000000000000 00000000 08000000",
             error("0f00", "0900"))]),
    Vector("read_at_the_last_address", "VFIO_USER_REGION_READ: an offset into the region",
           [("0f00 0900 20000000 00000000 00000000 ffffffffffffffff 00000000 08000000",
             error("0f00", "0900"))]),
    Vector("two_kinds_of_interrupt_data", "VFIO_USER_DEVICE_SET_IRQS: mutually exclusive",
           [("1000 0800 25000000 00000000 00000000 15000000 23000000 02000000 00000000 01000000"
             "01", error("1000", "0800"))]),
    Vector("two_interrupt_actions", "VFIO_USER_DEVICE_SET_IRQS: mutually exclusive",
           [("1000 0800 24000000 00000000 00000000 14000000 31000000 02000000 00000000 01000000",
             error("1000", "0800"))]),
    Vector("feature_get_and_set", "VFIO_USER_DEVICE_FEATURE: exclusive without PROBE",
           [("1100 1000 18000000 00000000 00000000 08000000 01000300",
             error("1100", "1000"))]),
    Vector("migration_data_while_running", "VFIO_USER_MIG_DATA_READ: in a saving state only",
           [("1200 1100 18000000 00000000 00000000 08100000 00100000", error("1200", "1100"))]),
]
