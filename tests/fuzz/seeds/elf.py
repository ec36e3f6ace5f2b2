# SPDX-License-Identifier: Apache-2.0
"""Programs."""
import struct


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


def inputs(built):
    yield from (elf(), built, built[:len(built) // 2])
