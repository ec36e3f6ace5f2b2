# SPDX-License-Identifier: Apache-2.0
"""What a client sends to a DPU of a daemon."""
import struct


def message(command, body=b"", files=0, kind=0, flags=0, whole=True):
    """As session.cpp takes it from its input: how, length, bytes."""
    header = struct.pack("<HHIII", 1, command, 16 + len(body), flags, 0)
    how = files | (8 if whole else 0) | kind << 4
    return struct.pack("<BH", how, 16 + len(body)) + header + body


def version(text):
    return message(1, struct.pack("<HH", 0, 1) + text.encode() + b"\0")


def inputs():
    """Each command of firmware/abi's vfio_user.h, and VERSION with each capability."""
    agreed = version('{"capabilities":{"max_msg_fds":8,"max_data_xfer_size":65536,'
                     '"twin_socket":{"supported":true},"migration":{"pgsize":4096}}}')
    yield agreed
    for text in ("", "{", "[]", "{}", '{"capabilities":3}', '{"capabilities":{"max_msg_fds":-1}}',
                 '{"capabilities":{"max_data_xfer_size":1e400}}', '{"capabilities":' + "[" * 200):
        yield version(text) + message(4, struct.pack("<IIII", 16, 0, 0, 0))
    def dma_map(flags, offset, address, size, **how):
        return message(2, struct.pack("<IIQQQ", 32, flags, offset, address, size), **how)
    yield agreed + dma_map(3, 0, 0x100000000, 0x10000, files=1) + \
        message(3, struct.pack("<IIQQ", 24, 0, 0x100000000, 0x10000))
    yield agreed + dma_map(1, 0, 0x200000, 0x1000) + dma_map(3, 0x1000, 0x200000, 0x1000, files=1)
    yield agreed + dma_map(3, 0, 0x1000, 0x1000, files=1, kind=1)
    yield agreed + dma_map(3, 0, 0x1000, 0x1000, files=1, kind=2)
    for region in range(10):
        yield agreed + message(5, struct.pack("<IIIIQQ", 32, 0, region, 0, 0, 0)) + \
            message(6, struct.pack("<IIII", 16, 0, region, 0))
    for index in range(6):
        yield agreed + message(7, struct.pack("<IIII", 16, 0, index, 0))
    for flags in (0x21, 0x22, 0x24, 0x11, 0x12, 0x09, 0x0a):
        yield agreed + message(8, struct.pack("<IIIII", 20, flags, 2, 0, 2) + b"\1\0",
                               files=2, kind=1)
        yield agreed + message(8, struct.pack("<IIIII", 20, flags, 3, 0, 0))
    for region, offset, count in ((0, 0, 8), (0, 0x18, 8), (0, 0x1000, 8), (0, 0x4000, 4),
                                  (2, 0x1000, 64), (4, 0, 4096), (7, 0, 256), (7, 0x40, 4)):
        place = struct.pack("<QII", offset, region, count)
        yield agreed + message(9, place) + message(10, place + bytes(count))
    yield agreed + message(10, struct.pack("<QII", 0x10, 0, 8) + struct.pack("<Q", 1)) + \
        message(10, struct.pack("<QII", 0x1000, 0, 8) + struct.pack("<Q", 0x100000000))
    yield agreed + message(15, struct.pack("<Q", 2) + struct.pack("<QII", 0x10, 0, 8) + bytes(8) +
                           struct.pack("<QII", 0x18, 0, 8) + bytes(8))
    yield agreed + message(13) + message(99) + message(4, whole=False, flags=0x10)
    yield message(4, struct.pack("<IIII", 16, 0, 0, 0))
    yield agreed + struct.pack("<BH", 0, 8) + bytes(8) + struct.pack("<BH", 0, 8) + bytes(8)
