#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each file of the corpus, as a program of the real libcmocka, within the kit's runner, and on a
node: all must tell the same of every test, and of every group's setup and teardown.

D1_PROGRAMS names the folder of the programs."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAMS = pathlib.Path(os.environ.get("D1_PROGRAMS", "build/release/bin"))
CORPUS = pathlib.Path(__file__).parent
RUNNER = "hil-corpus"
VERDICTS = {"OK": "passed", "FAILED": "failed", "ERROR": "failed", "SKIPPED": "skipped"}


def run(arguments, **environment):
    return subprocess.run(arguments, env={**os.environ, **environment}, timeout=120, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")


class Group:
    """What became of a group: its setup, its tests in their order, its teardown."""

    def __init__(self, name):
        self.name = name
        self.tests = []
        self.set_up = self.torn_down = "passed"

    def told(self):
        # A group that could not be set up has no tests that mean anything.
        return (self.set_up, [] if self.set_up == "failed" else self.tests, self.torn_down)


def groups_of_cmocka(stem, program=None):
    """By its own lines. Groups behind one that ends the program are missing."""
    done = run([PROGRAMS / (program or f"{RUNNER}-cmocka-{stem}")], CMOCKA_MESSAGE_OUTPUT="STDOUT")
    groups, listing = [], False
    for line in done.stdout.splitlines():
        if re.search(r"\[={10}\] Running [1-9]\d* test", line):  # none: there is no suite
            groups.append(Group(f"{stem}, group {len(groups)}"))
            listing = False
        elif re.search(r"\[={10}\] \d+ test\(s\) run", line):
            listing = True  # what failed is listed once more
        elif match := re.search(r"\[ +(OK|FAILED|ERROR|SKIPPED) +\] (?!---)(.+)$", line):
            verdict, name = VERDICTS[match[1]], match[2]
            if name == "GROUP SETUP":
                groups[-1].set_up = verdict
            elif name == "GROUP TEARDOWN":
                groups[-1].torn_down = verdict
            elif not listing and " " not in name:  # else an error of the group
                groups[-1].tests.append((name, verdict))
    if done.returncode == 255 and groups:  # it ends so where blocks of a group are left
        groups[-1].torn_down = "failed"
    return groups, done


def groups_of_kit(program=RUNNER):
    """By file, in the order of their main()."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        done = run([PROGRAMS / program, f"--gtest_output=xml:{report}"])
        root = xml.etree.ElementTree.parse(report).getroot()
    torn = set(re.findall(r"^\[  FAILED  \] (.+): SetUpTestSuite or TearDownTestSuite$",
                          done.stdout, re.MULTILINE))
    files = {}
    for suite in root:
        group = Group(suite.get("name"))
        for case in suite:
            failures = [each.get("message", "") + (each.text or "")
                        for each in case.findall("failure")]
            verdict = ("failed" if failures else
                       "skipped" if case.get("result") == "skipped" else "passed")
            name = re.sub(r"/\d+$", "", case.get("name"))
            group.tests.append((name, verdict))
            if any("the group's setup failed" in each for each in failures):
                group.set_up = "failed"
        if group.name in torn:
            group.torn_down = "failed"
        files.setdefault(pathlib.Path(suite[0].get("file")).stem, []).append(group)
    return files


class Agreement(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.kit = groups_of_kit()

    def test_each_file_of_the_corpus_is_told_alike(self):
        seen = set()
        stems = sorted(path.stem for path in CORPUS.glob("*.c"))
        self.assertGreaterEqual(len(stems), 17)
        for stem in stems:
            theirs, done = groups_of_cmocka(stem)
            ours = self.kit.get(stem, [])
            with self.subTest(file=stem):
                self.assertTrue(theirs, f"{stem} runs no group with libcmocka")
                # What stands behind a group that ended the other program runs here all the same.
                if done.returncode != 255:
                    self.assertEqual(len(ours), len(theirs))
                for their, our in zip(theirs, ours):
                    with self.subTest(group=our.name):
                        self.assertEqual(our.told(), their.told())
            for group in theirs:
                seen.update(verdict for _, verdict in group.tests)
                seen.update({"setup " + group.set_up, "teardown " + group.torn_down})
        self.assertEqual(seen, {"passed", "failed", "skipped", "setup passed", "setup failed",
                                "teardown passed", "teardown failed"})

    def test_a_node_tells_the_same_as_the_host(self):
        for stem, groups in groups_of_kit("hil-corpus-nodes").items():
            with self.subTest(file=stem):
                self.assertEqual([group.name for group in groups],
                                 [group.name for group in self.kit[stem]])
                for here, there in zip(self.kit[stem], groups):
                    with self.subTest(group=here.name):
                        self.assertEqual(there.told(), here.told())

    def test_the_tests_of_the_project_are_told_alike_too(self):
        own = {"hil-c-api": ["c_api"], "hil-firmware": ["addresses", "placement", "rounding"]}
        for runner, stems in own.items():
            # Other suites may stand in the runner beside those of the files.
            ours = groups_of_kit(runner)
            on_node = groups_of_kit(runner + "-nodes") if runner == "hil-firmware" else ours
            for stem in stems:
                suffix = f"-{stem}" if len(stems) > 1 else ""
                theirs, _ = groups_of_cmocka(stem, f"{runner}-cmocka{suffix}")
                with self.subTest(file=stem):
                    self.assertTrue(any(group.tests for group in theirs))
                    for told in (ours, on_node):
                        self.assertEqual([group.told() for group in told[stem]],
                                         [group.told() for group in theirs])

    def test_a_trap_on_a_node_is_told_with_its_place(self):
        done = run([PROGRAMS / "hil-corpus-nodes", "--gtest_filter=Traps.store_to_nowhere"])
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"store_to_nowhere.*traps[.]c:\d+")

    def test_filters_and_shards_of_the_runners_choose_tests(self):
        def cases(*arguments, **environment):
            done = run([PROGRAMS / runner, *arguments], **environment)
            return re.findall(r"^\[ RUN      \] (.+)$", done.stdout, re.MULTILINE)
        for runner in (RUNNER, "hil-corpus-nodes"):
            with self.subTest(runner=runner):
                everything = cases()
                self.assertEqual(cases("--gtest_filter=first.*"),
                                 [name for name in everything if name.startswith("first.")])
                shards = [cases(GTEST_TOTAL_SHARDS="3", GTEST_SHARD_INDEX=str(i))
                          for i in range(3)]
                self.assertEqual(sorted(sum(shards, [])), sorted(everything))
                self.assertTrue(all(shards))


if __name__ == "__main__":
    unittest.main()
