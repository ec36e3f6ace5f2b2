# SPDX-License-Identifier: Apache-2.0
"""What a client sends to a DPU of a daemon."""
import struct


def message(command, body=b"", files=0, kind=0, flags=0, whole=True):
    """As session_client.hpp takes it from its input: how, length, bytes."""
    header = struct.pack("<HHIII", 1, command, 16 + len(body), flags, 0)
    how = files | (8 if whole else 0) | kind << 4
    return struct.pack("<BH", how, 16 + len(body)) + header + body


def version(text):
    return message(1, struct.pack("<HH", 0, 1) + text.encode() + b"\0")


# What session_client.hpp does beside messages, and what an answer can have wrong.
ANSWER, FILES, MANY, LEAVE = range(0xf0, 0xf4)
NO_ANSWER, REFUSAL, OTHER_ID, OTHER_ADDRESS, TOO_SHORT, NO_REPLY = (1, 2, 4, 8, 16, 32)
MEMORY, EVENT, NEITHER, READ_ONLY = range(4)  # files
RINGS = 0x1000000  # their I/O address
AGREED = version('{"capabilities":{"twin_socket":{"supported":true}}}')
PLAIN = version("{}")


def answer(wrong=0, data=b""):
    return struct.pack("<BBH", ANSWER, wrong, len(data)) + data


def many(maps):
    return struct.pack("<BH", MANY, maps)


def with_files(count, first, sent):
    return bytes([FILES, count, first]) + sent[1:]


def dma_map(flags, offset, address, size, argsz=32, **how):
    return message(2, struct.pack("<IIQQQ", argsz, flags, offset, address, size), **how)


def dma_unmap(address, size, argsz=24, flags=0):
    return message(3, struct.pack("<IIQQ", argsz, flags, address, size))


def set_irqs(flags, index, start, count, data=b"", argsz=None, **how):
    fixed = struct.pack("<IIIII", argsz or 20 + len(data), flags, index, start, count)
    return message(8, fixed + data, **how)


def write(offset, data, region=0):
    return message(10, struct.pack("<QII", offset, region, len(data)) + data)


def rings_by_message():
    """Rings in memory without a file, and the bell for one command: the device asks for it."""
    writes = b"".join(struct.pack("<QIIQ", offset, 0, 8, value) for offset, value in (
        (0x10, 1), (0x1000, RINGS), (0x1008, RINGS + 0x1000), (0x1010, 8), (0x1020, 1)))
    return dma_map(3, 0, RINGS, 0x4000) + message(15, struct.pack("<Q", 5) + writes) + \
        write(0x4000, struct.pack("<I", 1))


def refused():
    """Commands that are not as they must be."""
    page = 0x1000
    yield [message(2), dma_map(3, 0, page, page, argsz=31),
           with_files(2, MEMORY, dma_map(3, 0, page, page)), dma_map(4, 0, page, page),
           dma_map(3, page, page, page), dma_map(3, 0, page, page), dma_map(3, 0, page, page),
           dma_map(3, 0, 1 << 60, 1 << 59), with_files(1, MEMORY, dma_map(3, 1, 0x10000, page)),
           with_files(1, READ_ONLY, dma_map(3, 0, 0x10000, page)),
           message(3), dma_unmap(page, page, argsz=23), dma_unmap(page, page, flags=1),
           dma_unmap(page, 2 * page), dma_unmap(page, page)]
    info = struct.pack("<IIII", 15, 0, 0, 0)
    yield [message(4), message(4, info), message(5), message(6), message(6, info), message(7),
           message(7, info), message(9), message(10), message(13, b"1"), message(15), message(16),
           with_files(1, MEMORY, message(4, info)), message(4, flags=2, whole=False),
           message(9, struct.pack("<QII", 0, 0, 1 << 21)),
           message(9, struct.pack("<QII", 1 << 40, 0, 8)),
           message(9, struct.pack("<QII", 0, 0, 4)),
           message(10, struct.pack("<QII", 0, 0, 8)), write(1 << 40, bytes(8)),
           write(0, bytes(4)), write(0x4000, bytes(3)),
           message(15, struct.pack("<QQIIQ", 1, 0, 0, 9, 0)),
           message(15, struct.pack("<QQIIQ", 1, 4, 0, 8, 0))]
    none, boolean, event, trigger = 1, 2, 4, 32
    yield [message(8), set_irqs(none | trigger, 2, 0, 1, argsz=19), set_irqs(0x61, 2, 0, 1),
           set_irqs(none | trigger, 2, 17, 0), set_irqs(none | trigger, 0, 0, 0),
           set_irqs(none | trigger, 2, 0, 1, files=1), set_irqs(boolean | trigger, 2, 0, 2, b"1"),
           set_irqs(event | trigger, 2, 0, 2, files=1, kind=EVENT),
           set_irqs(event | trigger, 2, 0, 1, files=1, kind=MEMORY),
           set_irqs(event | trigger, 2, 0, 0), set_irqs(none | trigger, 2, 0, 0)]


def asked_for_memory():
    """Rings, and what a copy reads, in memory that the device has to ask for."""
    copy = struct.pack("<BBHIQQQQQIIQ", 1, 1, 7, 0, RINGS + 0x2000, 2 << 62, 64, 64, 64, 1, 0, 0)
    for begin in (AGREED, PLAIN):
        asked = begin + rings_by_message()
        yield asked + answer() + answer() + dma_unmap(RINGS, 0x4000)
        yield asked + answer(data=copy) + answer() + answer()
        for wrong in (REFUSAL, OTHER_ADDRESS, TOO_SHORT, OTHER_ID, NO_REPLY, NO_ANSWER):
            yield asked + answer(data=copy) + answer(wrong) + answer() + message(13)
    # More commands than are kept for later.
    yield PLAIN + rings_by_message() + answer(NO_ANSWER) + many(1100) + answer()


def inputs():
    yield from commands()
    for body in (b"", struct.pack("<HH", 1, 1), struct.pack("<HH", 0, 1),
                 struct.pack("<HH", 0, 1) + b"{}"):
        yield message(1, body)
    yield version('{"capabilities":{"max_data_xfer_size":0}}')
    for messages in refused():
        yield AGREED + b"".join(messages)
    yield from asked_for_memory()
    yield AGREED + many(0xffff)
    yield AGREED + with_files(65, EVENT, set_irqs(0x24, 2, 0, 16))
    for answered in (0, 1):
        yield AGREED + bytes([LEAVE, answered]) + message(4, struct.pack("<IIII", 16, 0, 0, 0))


def commands():
    """Each command of firmware/abi's vfio_user.h, and VERSION with each capability."""
    agreed = version('{"capabilities":{"max_msg_fds":8,"max_data_xfer_size":65536,'
                     '"twin_socket":{"supported":true},"migration":{"pgsize":4096}}}')
    yield agreed
    for text in ("", "{", "[]", "{}", '{"capabilities":3}', '{"capabilities":{"max_msg_fds":-1}}',
                 '{"capabilities":{"max_data_xfer_size":1e400}}', '{"capabilities":' + "[" * 200):
        yield version(text) + message(4, struct.pack("<IIII", 16, 0, 0, 0))
    yield agreed + dma_map(3, 0, 0x100000000, 0x10000, files=1) + dma_unmap(0x100000000, 0x10000)
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
