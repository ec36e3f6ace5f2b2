# SPDX-License-Identifier: Apache-2.0
"""Instructions."""
import struct


def words(*all_words):
    """As take_instruction() of input.hpp reads them: number 0 is any word."""
    return b"".join(struct.pack("<HI", 0, word) for word in all_words)


def inputs():
    yield words(0x00c5c533, 0x02c5d5b3, 0x00053603, 0x00a53023)  # xor, divu, ld, sd
    yield words(0x02058007, 0x022081d7, 0x021011d7, 0x02058027)  # vle8, vadd, vfadd, vse8
    yield words(0xd2c5f553, 0x5a05f5d3, 0x1005a52f, 0x18a5a52f)  # fcvt, fsqrt, lr.w, sc.w
    yield words(0x0000100f, 0x00000073, 0x30200073, 0x34202573)  # fence.i, ecall, mret, mcause
    yield words(0xfe0508e3, 0x0000006f)                          # loops
    yield b"".join(struct.pack("<HI", number, 0x02c50557) for number in range(1, 60))
    for first in range(1, 1000, 50):  # every instruction of the table, and room for more
        yield b"".join(struct.pack("<HI", number, 0x00c58507 + (number << 7))
                       for number in range(first, first + 50))
