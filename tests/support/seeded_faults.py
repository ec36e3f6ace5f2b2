# SPDX-License-Identifier: Apache-2.0
"""Seeds faults into a copy of the source tree, one at a time, and shows that a suite finds each.

A suite gives its table of faults, what to build, and what runs; main() is its command line:

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
from collections.abc import Callable
from dataclasses import dataclass

TIMEOUT_S = 240  # a test that takes some seconds without a fault never ends then


@dataclass(frozen=True)
class Fault:
    concern: str
    why: str  # what the faulty program does
    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Suite:
    description: str
    folder: str                # the files of the table are below it
    faults: list[Fault]
    targets: list[str]         # what is built
    configure: list[str]       # options of CMake
    # The name of the test that finds what is wrong with a build's programs, or None.
    found_by: Callable[[pathlib.Path], str | None]


def fails(command, environment=None, timeout=TIMEOUT_S):
    """Whether a test fails: by its status, a signal, or because it never ends."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout,
                              env={**os.environ, **(environment or {})})
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def misplaced(suite, source):
    """What of the table does not fit the tree."""
    wrong = []
    for fault in suite.faults:
        count = (source / suite.folder / fault.file).read_text().count(fault.old)
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


def build(suite, tree, jobs):
    command = ["cmake", "--build", tree / "build/release", f"-j{jobs}", "--target", *suite.targets]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def seed(suite, tree, fault, jobs):
    path = tree / suite.folder / fault.file
    text = path.read_text()
    path.write_text(text.replace(fault.old, fault.new))
    try:
        built, output = build(suite, tree, jobs)
        if not built:
            print(output)
            raise SystemExit(f"The tree with the fault '{fault.why}' does not build.")
        return suite.found_by(tree / "build/release/bin")
    finally:
        path.write_text(text)


def run(suite, source, work, jobs, only):
    tree = copy_tree(source, work)
    subprocess.run(["cmake", "--preset", "release", *suite.configure], cwd=tree, check=True,
                   stdout=subprocess.DEVNULL)
    built, output = build(suite, tree, jobs)
    if not built or suite.found_by(tree / "build/release/bin") is not None:
        print(output if not built else "The suite fails without any fault.")
        return 2
    missed = 0
    for fault in suite.faults:
        if not any(text in fault.concern + fault.why for text in only):
            continue
        start = time.monotonic()
        finder = seed(suite, tree, fault, jobs)
        missed += finder is None
        print(f"{fault.concern:12}  {fault.why}: {finder or 'NOT FOUND'} "
              f"({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{missed} faults were not found" if missed else "all faults were found")
    return 1 if missed else 0


def main(suite):
    parser = argparse.ArgumentParser(description=suite.description)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, help="a folder to keep and use again")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", default=[""],
                        help="faults with one of these in their concern or reason")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    source = options.source.resolve()
    wrong = misplaced(suite, source)
    print("\n".join(wrong), file=sys.stderr)
    if wrong or options.check:
        return 1 if wrong else 0
    if options.work:
        return run(suite, source, options.work, options.jobs, options.only)
    with tempfile.TemporaryDirectory() as temporary:
        return run(suite, source, pathlib.Path(temporary), options.jobs, options.only)
