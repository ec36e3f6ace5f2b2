#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that the suite finds each of the translator's faults in table.py: the programs of the test
lockstep.programs or, if these find nothing, the tests of the emulator with every block translated.

    run.py SOURCE [--work FOLDER] [--jobs N] [--only TEXT...] [--check]
"""
import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "support")]
from seeded_faults import Suite, fails, main  # noqa: E402
from table import FAULTS  # noqa: E402

LEVELS = ("portable", "avx2", "avx512")


def found_by(programs):
    # As in ../CMakeLists.txt.
    if fails([programs / "d1-lockstep", "--seed", "1", "--instructions", "4000000", "--no-reduce"]):
        return "lockstep.programs"
    for level in LEVELS:
        environment = {"D1_ENGINE": "dbt", "D1_TRANSLATE_AFTER": "0", "D1_HOST_LEVEL": level}
        if fails([programs / "unit-emulator", "--gtest_filter=-*FortyPercent*"], environment):
            return f"unit-emulator.translated.{level}"
    return None


if __name__ == "__main__":
    sys.exit(main(Suite("Faults of the translator, one at a time.", "firmware/emulator/engine",
                        FAULTS, ["d1-lockstep", "unit-emulator"], [], found_by)))
