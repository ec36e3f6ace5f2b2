# SPDX-License-Identifier: Apache-2.0
""".npy files, and what the reader has to say no to."""
import struct


def npy(text, data=b"", version=1):
    header = text.encode() + b" " * 7 + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def plain(descr="<f4", shape="(2,)", order="False", data=8, end="}"):
    return npy(f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, {end}",
               bytes(data))


def inputs():
    yield plain(shape="(2, 3)", data=24)
    yield plain("|b1", "()", data=1)
    yield npy("{'shape': (0,), 'fortran_order': True, 'descr': '>i8', }", b"", 2)
    yield npy('{"descr": "|V2", "fortran_order": False, "shape": (4,)}', bytes(8), 3)
    yield npy("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }", bytes(4))
    # The front.
    good = plain()
    yield b"NUMPY" + good[5:]
    for bytes_left in (8, 9, 11, 40):
        yield good[:bytes_left]
    yield npy("{}", version=2)[:11]
    yield npy("{}", version=4)
    yield good[:8] + b"\xff\xff" + good[10:]
    yield npy("{}", version=2)[:8] + struct.pack("<I", 1 << 20) + bytes(1 << 10)
    # The dictionary.
    for text in ("", "[]", "{", "{descr: 1}", "{'descr' 1}", "{'colour': 1}", "{'descr': }",
                 "{'descr': '<f4'", "{'fortran_order': None}", "{'shape': 4}", "{'shape': (x,)}",
                 "{'descr': '<f4' 'fortran_order': False}", "{'descr': '<f4', }", "{'descr': 'f"):
        yield npy(text)
    yield plain(end="} more")
    # Types and shapes.
    for descr in ("<f3", "?f4", "<c8", "<i16", "|b2", ">f8", "4", "<fx"):
        yield plain(descr)
    yield plain(shape="(" + "1," * 40 + ")")
    yield plain(shape="(4294967296, 4294967296)")
    yield plain(data=7)
    yield plain(data=9)
