#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the inputs that the fuzz targets begin with: seeds.py FOLDER PROGRAM.elf

One folder for each target, a file for each input. The formats are those of the targets' sources.
"""
import os
import shutil
import struct
import sys

# Acts of device.cpp.
COMMAND, MEMORY, INSTRUCTIONS, REGISTER, DOORBELL, MAP, UNMAP, APERTURE, WAIT = range(9)
# Opcodes of d1/abi/commands.h.
(FENCE, COPY, GRID, PROGRAM, LAUNCH, ABORT, SEMAPHORE, SIGNAL, AWAIT, RESET, QUERY,
 FILL) = range(12)
IO = 0x100000       # where the target maps its memory
FREE = IO + 0x10000  # behind the rings: what MEMORY and INSTRUCTIONS write
HBM = 2 << 62
NODE = 1 << 62


def npy(text, data, version=1):
    header = text.encode() + b" " * 7 + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def npys():
    yield npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", bytes(24))
    yield npy("{'descr': '|b1', 'fortran_order': False, 'shape': (), }", b"\1")
    yield npy("{'shape': (0,), 'fortran_order': True, 'descr': '>i8', }", b"", 2)
    yield npy('{"descr": "|V2", "fortran_order": False, "shape": (4,)}', bytes(8), 3)
    yield npy("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }", bytes(4))


def machines():
    yield 'name = "pair"\nbase = "tile"\nmissing = [[1, 4], [13, 17]]\n\n[dies]\nrows = 1\n' \
          'columns = 2\n\n[parameters]\nclock_hz = 1_500_000_000\n\n[[die]]\nrow = 0\n' \
          'column = 1\nmissing = []\n'
    yield "[parameters]\ndie_rows = 3\ndie_columns = 5\nhbm_bytes = 1_048_576\n"
    yield "missing = [[0, 0], [1, 1], [2, 2]]\n[parameters]\ndie_rows = 4\ndie_columns = 4\n"
    yield 'base = "tray"\n[dies]\nrows = 10\ncolumns = 15\n'
    yield "[[die]]\nrow = 7\ncolumn = -1\nmissing = [[99, 99]]\n"
    yield "[parameters]\nclock_hz = 0\nno_such_number = 1\n[dies]\nrows = 1.5\n"


def elf():
    """One segment with one kernel: the smallest program there is."""
    code = struct.pack("<I", 0x00008067)
    names = b"\0.shstrtab\0d1.kernels\0.symtab\0.strtab\0"
    strings = b"\0kernel\0"
    symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 0x12, 0, 1, 0x1000, 4)
    parts, at = [], 64 + 56
    for part in (code, names, symbols, strings):
        at = (at + 7) // 8 * 8
        parts.append((at, part))
        at += len(part)
    sections = (at + 7) // 8 * 8
    header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 2, 243, 1, 0x1000, 64, sections, 4, 64, 56, 1, 64, 5, 2)
    program = struct.pack("<IIQQQQQQ", 1, 5, parts[0][0], 0x1000, 0x1000, 4, 4, 4096)

    def section(name, kind, flags, address, index, link, entry):
        return struct.pack("<IIQQQQIIQQ", name, kind, flags, address, parts[index][0],
                           len(parts[index][1]), link, 0, 1, entry)
    table = (bytes(64) + section(11, 1, 6, 0x1000, 0, 0, 0) + section(1, 3, 0, 0, 1, 0, 0) +
             section(22, 2, 0, 0, 2, 4, 24) + section(30, 3, 0, 0, 3, 0, 0))
    file = bytearray(sections) + table
    file[:64], file[64:120] = header, program
    for place, part in parts:
        file[place:place + len(part)] = part
    return bytes(file)


def words(*all_words):
    """As take_instruction() of input.hpp reads them: number 0 is any word."""
    return b"".join(struct.pack("<HI", 0, word) for word in all_words)


def harts():
    yield words(0x00c5c533, 0x02c5d5b3, 0x00053603, 0x00a53023)  # xor, divu, ld, sd
    yield words(0x02058007, 0x022081d7, 0x021011d7, 0x02058027)  # vle8, vadd, vfadd, vse8
    yield words(0xd2c5f553, 0x5a05f5d3, 0x1005a52f, 0x18a5a52f)  # fcvt, fsqrt, lr.w, sc.w
    yield words(0x0000100f, 0x00000073, 0x30200073, 0x34202573)  # fence.i, ecall, mret, mcause
    yield words(0xfe0508e3, 0x0000006f)                          # loops
    yield b"".join(struct.pack("<HI", number, 0x02c50557) for number in range(1, 60))
    for first in range(1, 1000, 50):  # every instruction of the table, and room for more
        yield b"".join(struct.pack("<HI", number, 0x00c58507 + (number << 7))
                       for number in range(first, first + 50))


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


def devices():
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


def message(command, body=b"", files=0, kind=0, flags=0, whole=True):
    """As session.cpp takes it from its input: how, length, bytes."""
    header = struct.pack("<HHIII", 1, command, 16 + len(body), flags, 0)
    how = files | (8 if whole else 0) | kind << 4
    return struct.pack("<BH", how, 16 + len(body)) + header + body


def version(text):
    return message(1, struct.pack("<HH", 0, 1) + text.encode() + b"\0")


def sessions():
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


def dma_maps():
    def act(what, place, length):
        return bytes([what, place, length])
    yield act(0, 2, 8) + act(4, 4, 16) + act(2, 2, 8) + act(6, 2, 8) + act(1, 2, 8) + act(2, 2, 8)
    yield act(4, 0xff, 8) + act(0, 0xf0, 1) + act(0, 0, 0) + act(0, 3, 0xff) + b"\xff" * 8
    yield act(0, 8, 16) + act(0, 9, 1) + act(0, 7, 9) + act(0, 10, 8) + act(1, 8, 8)


def fault_plans():
    yield 'seed = 7\n[[fault]]\nkind = "hart_stuck"\nnode = "die0/n1,2"\nhart = 2\n' \
          'at_cycle = [20_000, 40_000]\nfor_cycles = 5_000\n[[fault]]\nkind = "dma_error"\n' \
          'opcode = "copy"\nat_command = 17\ntimes = 2\n'
    yield '[[fault]]\nkind = "link_slow"\nlink = "n1,2/east"\nfactor = 9\nchance = 0.5\n' \
          '[[fault]]\nkind = "link_lost"\n[[fault]]\nkind = "link_corrupt"\nat_ms = 1\n'
    yield '[[fault]]\nkind = "sram_flip"\naddress = 0x1000\nbit = 3\ncorrected = false\n' \
          '[[fault]]\nkind = "hbm_flip"\ncorrected = true\n[[fault]]\nkind = "die_lost"\ndie = 0\n'
    yield '[[fault]]\nkind = "surprise_removal"\n[[fault]]\nkind = "pcie_retrain"\nfor_ms = 1\n' \
          '[[fault]]\nkind = "clock_throttle"\nfactor = 1000\n'
    yield '[[fault]]\nkind = "queue_stuck"\nqueue = 15\n[[fault]]\nkind = "node_stop"\n' \
          '[[fault]]\nkind = "completion_delay"\ndelay_ms = 1\n[[fault]]\nkind = "daemon_kill"\n'
    # What the reader has to say no to.
    for line in ('node = "die0/n1"', 'link = "n1,1/up"', "hart = 4", "die = -1", "address = 1.5",
                 "bit = 8", "corrected = 1", "queue = 16", 'opcode = "dance"', "factor = 1",
                 "delay_ms = 0", "at_cycle = [2, 1]", "at_cycle = [1]", "at_command = 0",
                 "chance = 2", "at_ms = 1\nchance = 1", "for_cycles = 1\nfor_ms = 1", "times = 0",
                 "speed = 3"):
        key = line.split(" ")[0]
        kind = {"link": "link_lost", "die": "die_lost", "address": "sram_flip", "bit": "sram_flip",
                "corrected": "hbm_flip", "queue": "dma_error", "opcode": "dma_error",
                "factor": "clock_throttle", "delay_ms": "completion_delay"}.get(key, "hart_stuck")
        yield f'[[fault]]\nkind = "{kind}"\n{line}\n'
    yield "fault = 1\n"
    yield "[[fault]]\nkind = 1\n"
    yield '[[fault]]\nkind = "pcie_retrain"\n'
    yield '[[fault]]\nkind = "daemon_stop"\nfor_cycles = 1\n'
    yield '[[fault]]\nkind = "node_stop"\ntimes = 1\n'
    yield '[[fault]]\nkind = "node_stop"\nnode = "die9/n99,99"\n'
    yield '[[fault]]\nkind = "link_lost"\nlink = "n0,0/north"\n'
    yield "[[fault]\nseed = \n"


def main(folder, program_file):
    with open(program_file, "rb") as file:
        built = file.read()
    everything = {"npy": npys(), "machine": (text.encode() for text in machines()),
                  "fault-plan": (text.encode() for text in fault_plans()),
                  "elf": iter((elf(), built, built[:len(built) // 2])), "hart": harts(),
                  "device": devices(), "session": sessions(), "dma-map": dma_maps()}
    shutil.rmtree(folder, ignore_errors=True)
    for name, inputs in everything.items():
        os.makedirs(os.path.join(folder, name))
        for number, data in enumerate(inputs):
            with open(os.path.join(folder, name, f"seed-{number:02}"), "wb") as file:
                file.write(data)


main(sys.argv[1], sys.argv[2])
