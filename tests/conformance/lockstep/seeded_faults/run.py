#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds faults into a copy of the source tree, one at a time, and shows that the suite finds each.

For each fault of table.py: replace the text, build, run the programs of the test lockstep.programs
and, if these find nothing, the tests of the emulator with every block translated. A fault that
nothing finds is a failure of this test.

    run.py SOURCE [--work FOLDER] [--jobs N] [--only TEXT...] [--check]

--check builds nothing: every text of the table stands once in its file, that is all.
"""
import argparse
import filecmp
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from table import FAULTS  # noqa: E402

ENGINE = pathlib.Path("firmware/emulator/engine")
LEVELS = ("portable", "avx2", "avx512")
TIMEOUT_S = 240  # a test that takes some seconds without a fault never ends then


def misplaced(source):
    """What of the table does not fit the tree."""
    wrong = []
    for fault in FAULTS:
        count = (source / ENGINE / fault.file).read_text().count(fault.old)
        if count != 1:
            wrong.append(f"{fault.file}: the text of '{fault.why}' stands there {count} times, "
                         "not once; bring table.py up to date")
    return wrong


def copy_if_changed(source, target):
    if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
        shutil.copy(source, target)  # as changed now, for the build to see


def copy_tree(source, work):
    def unwanted(folder, names):
        at_root = pathlib.Path(folder) == source
        return [name for name in names if at_root and name in ("build", ".git")]

    tree = work / "tree"
    shutil.copytree(source, tree, ignore=unwanted, copy_function=copy_if_changed,
                    dirs_exist_ok=True)
    return tree


def build(tree, jobs):
    command = ["cmake", "--build", tree / "build/release", f"-j{jobs}", "--target", "d1-lockstep",
               "unit-emulator"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def fails(command, environment=None):
    """Whether a test fails: by its status, a signal, or because it never ends."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S,
                              env={**os.environ, **(environment or {})})
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def found_by(tree):
    """The name of the test that finds the fault, or None."""
    binaries = tree / "build/release/bin"
    # As in ../CMakeLists.txt.
    if fails([binaries / "d1-lockstep", "--seed", "1", "--instructions", "4000000", "--no-reduce"]):
        return "lockstep.programs"
    for level in LEVELS:
        environment = {"D1_ENGINE": "dbt", "D1_TRANSLATE_AFTER": "0", "D1_HOST_LEVEL": level}
        if fails([binaries / "unit-emulator", "--gtest_filter=-*FortyPercent*"], environment):
            return f"unit-emulator.translated.{level}"
    return None


def seed(tree, fault, jobs):
    path = tree / ENGINE / fault.file
    text = path.read_text()
    path.write_text(text.replace(fault.old, fault.new))
    try:
        built, output = build(tree, jobs)
        if not built:
            print(output)
            raise SystemExit(f"The tree with the fault '{fault.why}' does not build.")
        return found_by(tree)
    finally:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, help="a folder to keep and use again")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", default=[""],
                        help="faults with one of these in their concern or reason")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    source = options.source.resolve()
    wrong = misplaced(source)
    print("\n".join(wrong), file=sys.stderr)
    if wrong or options.check:
        return 1 if wrong else 0
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or pathlib.Path(temporary)
        tree = copy_tree(source, work)
        subprocess.run(["cmake", "--preset", "release"], cwd=tree, check=True,
                       stdout=subprocess.DEVNULL)
        built, output = build(tree, options.jobs)
        if not built or found_by(tree) is not None:
            print(output if not built else "The suite fails without any fault.")
            return 2
        missed = 0
        for fault in FAULTS:
            if not any(text in fault.concern + fault.why for text in options.only):
                continue
            start = time.monotonic()
            finder = seed(tree, fault, options.jobs)
            missed += finder is None
            print(f"{fault.concern:12}  {fault.why}: {finder or 'NOT FOUND'} "
                  f"({time.monotonic() - start:.0f} s)", flush=True)
        print(f"{missed} faults were not found" if missed else "all faults were found")
        return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
