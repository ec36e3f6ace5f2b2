# SPDX-License-Identifier: Apache-2.0
"""Ranges that come and go."""


def inputs():
    def act(what, place, length):
        return bytes([what, place, length])
    yield act(0, 2, 8) + act(4, 4, 16) + act(2, 2, 8) + act(6, 2, 8) + act(1, 2, 8) + act(2, 2, 8)
    yield act(4, 0xff, 8) + act(0, 0xf0, 1) + act(0, 0, 0) + act(0, 3, 0xff) + b"\xff" * 8
    yield act(0, 8, 16) + act(0, 9, 1) + act(0, 7, 9) + act(0, 10, 8) + act(1, 8, 8)
