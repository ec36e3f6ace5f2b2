# SPDX-License-Identifier: Apache-2.0
"""Acts of a host, as device.cpp takes them from its input."""
import json
import struct

from hart import words

# Acts of device.cpp.
(COMMAND, MEMORY, INSTRUCTIONS, REGISTER, DOORBELL, MAP, UNMAP, APERTURE, WAIT,
 FAULTS) = range(10)
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


def launch(limit=100000, queue=0, grid=0, flags=0, at=FREE + 0x400, report=FREE + 0x800):
    return command(LAUNCH, struct.pack("<QQQ", at, report, limit), queue, flags, grid)


def copy(source=FREE, target=HBM, row_bytes=64, pitches=(64, 64), rows=1, rank_bytes=0, flags=1,
         grid=0):
    return command(COPY, struct.pack("<QQQQQII", source, target, row_bytes, *pitches, rows,
                                     rank_bytes), flags=flags, grid=grid)


def register(offset, value):
    return bytes([REGISTER]) + struct.pack("<HQ", offset, value)


def wait(queue, times=1):
    return bytes([WAIT, queue]) * times


def faults(**fault):
    lines = ["[[fault]]"] + [f"{key} = {json.dumps(value)}" for key, value in fault.items()]
    plan = "\n".join(lines).encode()
    return bytes([FAULTS]) + struct.pack("<H", len(plan)) + plan


def refused():
    """Commands that complete with an error."""
    broadcast, scatter = 5, 9  # from the host
    half = 1 << 63
    yield [copy(flags=32), copy(flags=broadcast | scatter), copy(flags=broadcast, grid=9),
           copy(rows=0), copy(row_bytes=0), copy(rows=3, pitches=(half, 0)),
           copy(rows=3, pitches=(0, half)), copy(source=0), copy(source=3 << 62, flags=0),
           copy(target=0), copy(source=HBM, target=0, flags=2),
           copy(target=0x2000, rows=2, flags=broadcast),
           copy(target=0x2000, row_bytes=0, flags=broadcast),
           copy(target=0, flags=broadcast), copy(source=0, target=0x2000, flags=broadcast),
           copy(target=0x2000, pitches=(1 << 20, 0), rank_bytes=1, flags=scatter)]

    def fill(target=HBM, size=64, width=4, **how):
        return command(FILL, struct.pack("<QQQI", target, size, 0, width), **how)
    yield [fill(width=3), fill(size=0), fill(flags=1), fill(target=3 << 62),
           fill(target=0x2000, flags=4, grid=9), fill(target=0, flags=4),
           command(GRID), command(GRID, flags=4, grid=3), command(GRID, grid=3),
           command(GRID, struct.pack("<IIII", 0, 0, 1000, 1), flags=1, grid=3),
           command(SEMAPHORE, struct.pack("<QQ", NODE | 9, 1 << 32)),
           command(SEMAPHORE, struct.pack("<QQ", 3, 1), flags=4, grid=9),
           command(SEMAPHORE, struct.pack("<QQ", 60, 1), flags=4),
           command(SEMAPHORE, struct.pack("<QQ", NODE | 60, 1)),
           command(SIGNAL, struct.pack("<I", 4096)), command(AWAIT, struct.pack("<I", 4096))]

    def load(source=FREE, size=64, memory_bytes=64, offset=0x1000, **how):
        return command(PROGRAM, struct.pack("<QQQQ", source, size, memory_bytes, offset), **how)

    def query(kind, **how):
        return command(QUERY, struct.pack("<QQI", 0, 4096, kind), **how)
    yield [load(grid=9), load(flags=2), load(memory_bytes=0), load(offset=0x1001), load(source=0),
           launch(grid=9), launch(flags=1), launch(at=0), launch(report=8), launch(),
           command(ABORT, struct.pack("<II", 1, 7)), command(ABORT, struct.pack("<II", 0, 7)),
           command(RESET, grid=9), query(1, grid=9), query(1), query(2), query(3), query(4)]


def given_up():
    """Launches, and waits, that something else ends."""
    begun = program(0x0000006f) + launch(queue=1, limit=0)
    yield begun + launch() + register(0x1060, 0)
    yield program(0x0000006f) + launch(queue=1, limit=1000) + wait(1, 20)
    yield begun + register(0x10, 0)
    yield begun + command(RESET)
    yield begun + faults(kind="die_lost", die=0) + wait(1, 10) + launch() + copy()
    yield command(AWAIT, struct.pack("<IIQ", 1, 0, 5), queue=2) + \
        command(ABORT, struct.pack("<II", 2, 7))


def with_faults():
    yield faults(kind="dma_error", opcode="copy") + copy() + copy()
    yield faults(kind="hbm_flip", address=8, corrected=False) + wait(0) + copy(HBM, FREE, flags=2)
    yield faults(kind="sram_flip", node="n0,0", address=0x2000, corrected=False) + wait(0) + \
        copy(0x2000, FREE, rank_bytes=64, flags=18)  # gathered
    yield faults(kind="completion_delay", delay_ms=1) + copy() + wait(0, 10)
    yield faults(kind="queue_stuck") + copy() + faults(kind="surprise_removal", for_ms=1) + \
        wait(0, 4) + copy()


def inputs():
    for commands in refused():
        yield b"".join(commands)
    yield from given_up()
    yield from with_faults()
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
    yield program(0x00052023, 0x00a5b023, 0x00008067) + launch() + wait(0, 20)  # a trap
    yield program(0x0000100f, 0x0000000f, 0x10500073, 0x00008067) + launch()
    yield command(AWAIT, struct.pack("<IIQ", 1, 0, 5), queue=2) + \
        command(SIGNAL, struct.pack("<IIQ", 1, 0, 5)) + command(FENCE, queue=2)
    yield command(SEMAPHORE, struct.pack("<QQ", NODE | 9, 2)) + \
        command(SEMAPHORE, struct.pack("<QQ", 3, 1), flags=4)
    yield command(QUERY, struct.pack("<QQI", FREE, 4096, 2)) + wait(0)
    yield register(0x1008, FREE + 1) + register(0x1020, 1) + command(FENCE)
    yield register(0x10, 0) + register(0x10, 1) + command(FENCE)
    yield bytes([MAP]) + struct.pack("<QB", 0x9000, 1) + \
        bytes([UNMAP]) + struct.pack("<QQ", 0x9000, 0x1000) + \
        bytes([UNMAP]) + struct.pack("<QQ", IO, 0x40000) + command(FENCE)
    yield bytes([APERTURE]) + struct.pack("<QB", NODE | 0x1000, 4) + b"abcd" + \
        bytes([DOORBELL]) + struct.pack("<BI", 3, 5)
