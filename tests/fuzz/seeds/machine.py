# SPDX-License-Identifier: Apache-2.0
"""Machine files."""


def inputs():
    yield 'name = "pair"\nbase = "tile"\nmissing = [[1, 4], [13, 17]]\n\n[dies]\nrows = 1\n' \
          'columns = 2\n\n[parameters]\nclock_hz = 1_500_000_000\n\n[[die]]\nrow = 0\n' \
          'column = 1\nmissing = []\n'
    yield "[parameters]\ndie_rows = 3\ndie_columns = 5\nhbm_bytes = 1_048_576\n"
    yield "missing = [[0, 0], [1, 1], [2, 2]]\n[parameters]\ndie_rows = 4\ndie_columns = 4\n"
    yield 'base = "tray"\n[dies]\nrows = 10\ncolumns = 15\n'
    yield "[[die]]\nrow = 7\ncolumn = -1\nmissing = [[99, 99]]\n"
    yield "[parameters]\nclock_hz = 0\nno_such_number = 1\n[dies]\nrows = 1.5\n"
