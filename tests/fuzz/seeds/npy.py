# SPDX-License-Identifier: Apache-2.0
""".npy files."""
import struct


def npy(text, data, version=1):
    header = text.encode() + b" " * 7 + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def inputs():
    yield npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", bytes(24))
    yield npy("{'descr': '|b1', 'fortran_order': False, 'shape': (), }", b"\1")
    yield npy("{'shape': (0,), 'fortran_order': True, 'descr': '>i8', }", b"", 2)
    yield npy('{"descr": "|V2", "fortran_order": False, "shape": (4,)}', bytes(8), 3)
    yield npy("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }", bytes(4))
