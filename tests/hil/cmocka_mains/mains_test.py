#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What files do outside of their tests is told, on the host and on a node, under the same names;
and so is what a node's report has no room for at once.

D1_PROGRAMS names the folder of the programs."""
import os
import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAMS = pathlib.Path(os.environ.get("D1_PROGRAMS", "build/release/bin"))
FILES = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("*.c"))


def cases(program, *arguments):
    """Each case by suite and name: its verdict, and its messages."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.xml"
        subprocess.run([PROGRAMS / program, f"--gtest_output=xml:{report}", *arguments],
                       timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        root = xml.etree.ElementTree.parse(report).getroot()
    told = {}
    for suite in root:
        for case in suite:
            if case.get("status") != "run":
                continue
            failures = [each.get("message", "") for each in case.findall("failure")]
            name = f"{suite.get('name')}.{case.get('name')}"
            assert name not in told, f"{name} is there twice"
            told[name] = ("failed" if failures else case.get("result"), "\n".join(failures))
    return told


class Mains(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.host, cls.node = cases("hil-mains"), cases("hil-mains-nodes")

    def test_host_and_node_tell_the_same_under_the_same_names(self):
        self.assertEqual({name: verdict for name, (verdict, _) in self.node.items()},
                         {name: verdict for name, (verdict, _) in self.host.items()})

    def test_a_main_that_fails_by_itself_is_a_case(self):
        for told in (self.host, self.node):
            self.assertEqual(told["no_group.main"], ("completed", ""))
            self.assertEqual(told["Before.passes"], ("completed", ""))
            self.assertEqual(told["returns_three.main"][0], "failed")
            self.assertIn("main() returned 3", told["returns_three.main"][1])
            self.assertEqual(told["asserts_outside.main"][0], "failed")
            self.assertIn("0x11", told["asserts_outside.main"][1])

    def test_groups_and_tests_of_one_name_are_told_apart(self):
        for told in (self.host, self.node):
            for file in ("same_name_one", "same_name_two"):
                verdicts = [told[f"{file}/Same{group}.same{test}"][0]
                            for group in ("", "/2") for test in ("", "/2")]
                self.assertEqual(verdicts, ["completed", "failed", "failed", "completed"])

    def test_nothing_is_lost_where_there_is_much_to_tell(self):
        for told in (self.host, self.node):
            much = [outcome for name, outcome in told.items() if name.startswith("Much.")]
            self.assertEqual(len(much), 60)
            failed = [message for verdict, message in much if verdict == "failed"]
            self.assertEqual(len(failed), 40)
            self.assertTrue(all("x" * 1000 in message for message in failed))

    def test_filters_choose_tests_on_a_node(self):
        self.assertEqual(cases("hil-mains-nodes", "--gtest_filter=same_name_*/2.same/2").keys(),
                         {"same_name_one/Same/2.same/2", "same_name_two/Same/2.same/2"})

    def test_libcmocka_says_by_its_exit_whether_a_file_fails(self):
        for file in FILES:
            with self.subTest(file=file):
                done = subprocess.run([PROGRAMS / f"hil-mains-cmocka-{file}"], timeout=120,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self.assertEqual(done.returncode == 0, file == "no_group")


if __name__ == "__main__":
    unittest.main()
