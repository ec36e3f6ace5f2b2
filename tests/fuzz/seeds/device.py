# SPDX-License-Identifier: Apache-2.0
"""Acts of a host, as device.cpp takes them from its input."""
import struct

from hart import words

# Acts of device.cpp.
COMMAND, MEMORY, INSTRUCTIONS, REGISTER, DOORBELL, MAP, UNMAP, APERTURE, WAIT = range(9)
# Opcodes of d1/abi/commands.h.
(FENCE, COPY, GRID, PROGRAM, LAUNCH, ABORT, SEMAPHORE, SIGNAL, AWAIT, RESET, QUERY,
 FILL) = range(12)
IO = 0x100000       # where the target maps its memory
FREE = IO + 0x10000  # behind the rings: what MEMORY and INSTRUCTIONS write
HBM = 2 << 62
NODE = 1 << 62


def command(opcode, body=b"", queue=0, flags=0, grid=0, number=7):
    header = struct.pack("<BBHI", opcode, flags, number, grid)
    return bytes([COMMAND, queue]) + (header + body).ljust(64, b"\0")


def memory(at, data):
    return bytes([MEMORY]) + struct.pack("<HB", at, len(data)) + data


def program(*code):
    """Loads code on all nodes, and a launch of it at offset 0x400."""
    launch = struct.pack("<QQIIIIIIII", 0x1000, 0, 0, 0, 0, 0, 1, 0x4000, 4, 0)
    launch += bytes(64) + struct.pack("<QQQQ", HBM, NODE | 5 << 21, 0x8000, 3)
    return (bytes([INSTRUCTIONS]) + struct.pack("<HB", 0, len(code)) + words(*code) +
            memory(0x400, launch) +
            command(PROGRAM, struct.pack("<QQQQ", FREE, 4 * len(code), 0x100, 0x1000), flags=1))


def launch(limit=100000, queue=0, grid=0):
    return command(LAUNCH, struct.pack("<QQQ", FREE + 0x400, FREE + 0x800, limit), queue,
                   grid=grid)


def inputs():
    yield command(FENCE) + command(99) + command(FENCE, queue=1)
    for flags, source, target in ((1, FREE, HBM), (2, HBM, FREE), (0, HBM, NODE | 0x2000),
                                  (5, FREE, 0x2000), (9, FREE, 0x2000), (18, 0x2000, FREE)):
        yield command(COPY, struct.pack("<QQQQQIIQ", source, target, 64, 256, 128, 1, 64, 0),
                      flags=flags)
    yield command(COPY, struct.pack("<QQQQQII", FREE, HBM + 8, 16, 32, 24, 5, 0), flags=1)
    yield command(FILL, struct.pack("<QQQI", HBM, 4096, 0x3f80, 2)) + \
        command(FILL, struct.pack("<QQQI", 0x2000, 64, 1, 8), flags=4)
    yield command(GRID, struct.pack("<IIII", 1, 1, 2, 3), flags=1, grid=3) + \
        command(GRID, grid=3) + command(GRID, flags=3, grid=4)
    yield program(0x00008067) + launch() + command(QUERY, struct.pack("<QQI", FREE, 4096, 3))
    yield program(0x0000006f) + launch(queue=1, limit=0) + command(
        QUERY, struct.pack("<QQI", FREE + 0x1000, 4096, 1)) + command(
        ABORT, struct.pack("<II", 1, 7)) + command(RESET)
    yield program(0x00052023, 0x00a5b023, 0x00008067) + launch()  # a trap; stores elsewhere
    yield program(0x0000100f, 0x0000000f, 0x10500073, 0x00008067) + launch()
    yield command(AWAIT, struct.pack("<IIQ", 1, 0, 5), queue=2) + \
        command(SIGNAL, struct.pack("<IIQ", 1, 0, 5)) + command(FENCE, queue=2)
    yield command(SEMAPHORE, struct.pack("<QQ", NODE | 9, 2)) + \
        command(SEMAPHORE, struct.pack("<QQ", 3, 1), flags=4)
    yield command(QUERY, struct.pack("<QQI", FREE, 4096, 2)) + bytes([WAIT, 0])
    yield bytes([REGISTER]) + struct.pack("<HQ", 0x1008, FREE + 1) + \
        bytes([REGISTER]) + struct.pack("<HQ", 0x1020, 1) + command(FENCE)
    yield bytes([REGISTER]) + struct.pack("<HQ", 0x10, 0) + \
        bytes([REGISTER]) + struct.pack("<HQ", 0x10, 1) + command(FENCE)
    yield bytes([MAP]) + struct.pack("<QB", 0x9000, 1) + \
        bytes([UNMAP]) + struct.pack("<QQ", 0x9000, 0x1000) + \
        bytes([UNMAP]) + struct.pack("<QQ", IO, 0x40000) + command(FENCE)
    yield bytes([APERTURE]) + struct.pack("<QB", NODE | 0x1000, 4) + b"abcd" + \
        bytes([DOORBELL]) + struct.pack("<BI", 3, 5)
