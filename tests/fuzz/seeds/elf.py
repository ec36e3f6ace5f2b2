# SPDX-License-Identifier: Apache-2.0
"""Programs, and what the reader has to say no to."""
import struct

# Of the smallest program there is: its header, its program header, its sections.
SEGMENT, PROGRAM_BASE = 64, 0x1000
EXECUTABLE_RISCV = (2, 243)


def elf():
    """One segment with one kernel; its header stands twice, for a count that takes in both."""
    code = struct.pack("<I", 0x00008067)
    names = b"\0.shstrtab\0d1.kernels\0.symtab\0.strtab\0"
    strings = b"\0kernel\0"
    symbols = bytes(24) + struct.pack("<IBBHQQ", 1, 0x12, 0, 1, PROGRAM_BASE, 4)
    parts, at = [], SEGMENT + 2 * 56
    for part in (code, names, symbols, strings):
        at = (at + 7) // 8 * 8
        parts.append((at, part))
        at += len(part)
    sections = (at + 7) // 8 * 8
    header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", *EXECUTABLE_RISCV, 1, PROGRAM_BASE, SEGMENT, sections, 4, 64, 56, 1, 64,
        5, 2)
    program = struct.pack("<IIQQQQQQ", 1, 5, parts[0][0], PROGRAM_BASE, PROGRAM_BASE, 4, 4, 4096)

    def section(name, kind, flags, address, index, link, entry):
        return struct.pack("<IIQQQQIIQQ", name, kind, flags, address, parts[index][0],
                           len(parts[index][1]), link, 0, 1, entry)
    table = (bytes(64) + section(11, 1, 6, PROGRAM_BASE, 0, 0, 0) + section(1, 3, 0, 0, 1, 0, 0) +
             section(22, 2, 0, 0, 2, 4, 24) + section(30, 3, 0, 0, 3, 0, 0))
    file = bytearray(sections) + table
    file[:64], file[64:120], file[120:176] = header, program, program
    for place, part in parts:
        file[place:place + len(part)] = part
    return bytes(file), sections, parts[2][0] + 24


def changed(file, place, form, value):
    copy = bytearray(file)
    struct.pack_into("<" + form, copy, place, value)
    return bytes(copy)


def wrong():
    file, sections, kernel = elf()
    for bytes_left in (0, 3, 10, 100, len(file) - 10):
        yield file[:bytes_left]
    for place, form, value in (
            (0, "B", 0), (4, "B", 1), (5, "B", 2), (16, "H", 3), (18, "H", 62), (48, "I", 0),
            (54, "H", 32), (56, "H", 0), (56, "H", 2), (56, "H", 60000), (24, "Q", 0x9000),
            (58, "H", 32), (60, "H", 60000)):
        yield changed(file, place, form, value)
    huge, far = 1 << 40, 1 << 30
    for place, value in ((32, 8), (32, far), (8, far), (40, huge), (16, 0), (16, huge)):
        grown = changed(file, SEGMENT + 40, "Q", huge) if value == far else file
        yield changed(grown, SEGMENT + place, "Q", value)
    yield changed(file, sections + 64 + 24, "Q", huge)      # a section's bytes are elsewhere
    yield changed(file, sections + 3 * 64 + 40, "I", 9)     # there is no such section of names
    yield changed(file, kernel + 8, "Q", 0x9000)
    yield changed(file, kernel + 8, "Q", PROGRAM_BASE + 1)
    yield changed(file, kernel + 4, "B", 0x02)              # not global: no kernel


def number(data, at):
    """A LEB128 number and what follows it."""
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def abbreviations(built):
    """The DWARF abbreviations of a program: each tag, its place and those of its attributes."""
    table, count = struct.unpack_from("<Q", built, 40)[0], struct.unpack_from("<H", built, 60)[0]
    names = struct.unpack_from("<H", built, 62)[0]

    def field(section, place, form="Q"):
        return struct.unpack_from("<" + form, built, table + section * 64 + place)[0]
    for section in range(count):
        name = field(names, 24) + field(section, 0, "I")
        if built[name:name + 14] == b".debug_abbrev\0":
            at, end = field(section, 24), field(section, 24) + field(section, 32)
            break
    while at < end:
        code, at = number(built, at)
        if code == 0:
            continue
        tag_at = at
        tag, at = number(built, at)
        at += 1
        attributes = {}
        while True:
            place = at
            attribute, at = number(built, at)
            form, at = number(built, at)
            if form == 0x21:  # the value stands here
                _, at = number(built, at)
            if attribute == 0 and form == 0:
                break
            attributes[attribute] = place
        yield tag, tag_at, attributes


def without_types(built):
    """What a compiler would not write: parameters without a type, numbers that are classes."""
    parameter, base_type, type_of, structure = 0x05, 0x24, 0x49, 0x13
    untyped, classes = bytearray(built), bytearray(built)
    for tag, place, attributes in abbreviations(built):
        if tag == parameter and type_of in attributes:
            untyped[attributes[type_of]] = 0x4a
        if tag == base_type:
            classes[place] = structure
    yield bytes(untyped)
    yield bytes(classes)


def inputs(built):
    yield from (elf()[0], built, built[:len(built) // 2])
    yield from wrong()
    yield from without_types(built)
