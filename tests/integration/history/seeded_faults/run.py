#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that the history checker finds each fault of driver, runtime and daemon in table.py.

    run.py SOURCE [--work FOLDER] [--jobs N] [--only TEXT...] [--check]
"""
import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "support")]
from seeded_faults import Suite, fails, main  # noqa: E402
from table import FAULTS  # noqa: E402


def found_by(programs):
    if fails([programs / "integration-history", "--gtest_filter=Histories.*"],
             {"D1_PROGRAMS": str(programs)}):
        return "Histories.OfRandomClientsCanHaveBeen"
    return None


if __name__ == "__main__":
    sys.exit(main(Suite("Faults of driver, runtime and daemon, one at a time.", ".", FAULTS,
                        ["integration-history", "d1"], ["-DD1_BUILD_TESTS=ON"], found_by)))
