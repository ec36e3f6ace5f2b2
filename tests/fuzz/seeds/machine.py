# SPDX-License-Identifier: Apache-2.0
"""Machine files, and what the reader has to say no to."""

PAIR = """name = "pair"
base = "tile"
missing = [[1, 4], [13, 17]]

[dies]
rows = 1
columns = 2

[parameters]
clock_hz = 1_500_000_000

[[die]]
row = 0
column = 1
missing = []
"""
SMALL = "[parameters]\ndie_rows = 2\ndie_columns = 3\n"


def inputs():
    yield PAIR
    yield "[parameters]\ndie_rows = 3\ndie_columns = 5\nhbm_bytes = 1_048_576\n"
    yield "missing = [[0, 0], [1, 1], [2, 2]]\n[parameters]\ndie_rows = 4\ndie_columns = 4\n"
    yield 'base = "tray"\n[dies]\nrows = 10\ncolumns = 15\n'
    yield "[[die]]\nrow = 7\ncolumn = -1\nmissing = [[99, 99]]\n"
    yield "[dies]\nrows = 1.5\n"
    yield "name = \n"
    # One key each that is wrong.
    for line in ("colour = 1", "base = 1", 'base = "moon"', "name = 1", 'name = ""', "dies = 1",
                 "dies = {rows = 0}", "dies = {depth = 1}", "dies = {rows = 4096, columns = 4096}",
                 "parameters = 1", "parameters = {no_such_number = 1}",
                 "parameters = {clock_hz = 0}", "parameters = {clock_hz = -1}",
                 "parameters = {die_rows = 64, die_columns = 64}", "missing = 1",
                 "missing = [1]", "missing = [[1]]", "missing = [[99, 0]]", "missing = [[0, 99]]",
                 "missing = [[1, 1], [1, 1]]", "die = 1", "die = [{row = 0}]",
                 "die = [{row = 0, column = 0, missing = [], colour = 1}]"):
        yield line + "\n"
    for name in ("sram_bytes", "harts_per_node", "threads_per_node", "die_rows", "die_columns"):
        yield f"[parameters]\n{name} = 1\n"
    all_nodes = [[row, column] for row in range(2) for column in range(3)]
    yield f"missing = {all_nodes}\n{SMALL}"
    yield f"missing = [[0, 1], [1, 1]]\n{SMALL}"  # cuts the die in two
    die = "[[die]]\nrow = 0\ncolumn = 0\nmissing = []\n"
    yield SMALL + die + die
    # A column without nodes: no way to the die beside it, or to an interface processor.
    for column in (0, 2):
        yield f"missing = [[0, {column}], [1, {column}]]\n{SMALL}"
        yield f"missing = [[0, {column}], [1, {column}]]\n[dies]\ncolumns = 2\n{SMALL}"
        yield f"base = \"tile\"\nmissing = [[0, {column}], [1, {column}]]\n{SMALL}"
    yield f"missing = [[1, 0], [1, 1], [1, 2]]\n[dies]\nrows = 2\n{SMALL}"
