#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the rules of the source tree: who may include whom, licence lines, lengths, READMEs.

Called with the root of the source tree.
"""
import os
import re
import sys
import unittest

ROOT = ""
CODE = (".cpp", ".hpp", ".h", ".c", ".def", ".inc")
SCRIPTS = (".sh", ".py", ".cmake", ".S", ".ld.in", ".cpp.in")

# Floors from the top down, and whose headers (by folder of the header) each may include.
BASE = {"base"}
MAY_INCLUDE = {
    # Device code of the kit.
    "host/hil/on_node": {"hil", "device", "abi"},
    # The kit for tests stands on the host API as any application does.
    "host/hil": {"hil", "host", "runtime", "driver", "abi"} | BASE,
    "host": {"host", "runtime", "driver", "abi"} | BASE,
    "runtime": {"runtime", "driver", "abi", "isa"} | BASE,
    "driver": {"driver", "vfio_user", "debug_door", "abi"} | BASE,
    "firmware/abi": {"abi"},
    "firmware/base": BASE,
    # Messages between a device in another process and its driver: both ends use it.
    "firmware/vfio_user": {"vfio_user", "abi"} | BASE,
    # Both ends of the debug interface.
    "firmware/debug_door": {"debug_door", "vfio_user", "abi"} | BASE,
    "firmware/server": {"server", "vfio_user", "debug_door", "emulator", "abi"} | BASE,
    "firmware/isa": {"isa"} | BASE,
    "firmware/emulator": {"emulator", "isa", "abi", "device"} | BASE,
    "firmware/device": {"device", "abi", "isa"},
    # Compares the emulator's model of time with formulas, so it asks the model itself too.
    "tools/verify": {"verify", "emulator", "host", "runtime", "driver", "abi", "isa"} | BASE,
    "tools": {"host", "runtime", "driver", "abi", "isa", "verify", "inspect"} | BASE,
}
# The single files that go further, each for a reason that its folder's README gives.
EXCEPTIONS = {
    # The one place where the driver names the emulator.
    "driver/in_process_transport.cpp": {"emulator"},
    # Commands about the emulator itself, not about a device behind the driver.
    "tools/d1/exec.cpp": {"emulator"},
    "tools/d1/info.cpp": {"emulator"},
    # The daemon, and who asks it how it is.
    "tools/d1/serve.cpp": {"server"},
    "tools/d1/ps.cpp": {"server"},
    # Faults are the emulator's, and go in by the daemon's second door.
    "tools/d1/fault.cpp": {"emulator", "server", "vfio_user"},
}
LINE_LENGTH = 100
# A file above these is split; the words "rarely past" leave some room.
MOST_LINES = {".cpp": 450, ".hpp": 300, ".h": 400, ".c": 450, ".py": 450}
# A row of a table is one line; tables and pages of intrinsics are one concept however long.
WIDE_FILES = re.compile(r"^firmware/isa/include/d1/isa/table/")
LONG_FILES = re.compile(r"^(firmware/isa/include/d1/isa/table/|firmware/device/include/d1/xd1\.h$)")
TOP_LEVEL_FOLDERS = {"driver", "runtime", "firmware", "host", "tools", "tests"}
TOP_LEVEL_FILES = {"CMakeLists.txt", "CMakePresets.json", "CONTRIBUTING.md", "LICENSE", "README.md",
                   "CMakeUserPresets.json"}


def files(suffixes):
    """Paths below ROOT of all files of the tree with these endings."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [f for f in folders if f != "__pycache__" and not f.startswith(".")
                      and not (folder == ROOT and f.startswith("build"))]
        for name in names:
            if name.endswith(suffixes):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


def lines(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read().split("\n")


def header_owner():
    """Which folder of MAY_INCLUDE's words a header <d1/...> belongs to."""
    owners = {}
    for path in files((".hpp", ".h", ".def")):
        match = re.match(r"(?:firmware/|tools/)?(\w+)/include/(d1/.*)", path)
        if match:
            owners[match.group(2)] = match.group(1)
    return owners


class SourceTree(unittest.TestCase):
    maxDiff = None

    def test_every_include_goes_down_the_floors(self):
        owners = header_owner()
        self.assertGreater(len(owners), 40)
        wrong, seen = [], 0
        for path in files(CODE):
            floor = next((f for f in MAY_INCLUDE if path.startswith(f + "/")), None)
            if floor is None:
                continue
            if "/kernels/" in path:  # device code, wherever it lies
                floor = "firmware/device"
            allowed = MAY_INCLUDE[floor] | EXCEPTIONS.get(path, set())
            for number, line in enumerate(lines(path), 1):
                match = re.match(r'\s*#\s*include\s*[<"](d1/[^>"]+)[>"]', line)
                if not match:
                    continue
                seen += 1
                owner = owners.get(match.group(1), match.group(1).split("/")[1])
                if owner not in allowed:
                    wrong.append(f"{path}:{number}: {floor} must not include {match.group(1)}")
        self.assertGreater(seen, 200)
        self.assertEqual(wrong, [])

    def test_exceptions_are_still_needed(self):
        for path, owners in EXCEPTIONS.items():
            text = "\n".join(lines(path))
            for owner in owners:
                self.assertIn(f"d1/{owner}/", text, f"{path} needs no exception for {owner}")

    def test_contract_headers_are_plain_c(self):
        for path in files((".h",)):
            if path.startswith("firmware/abi/"):
                text = "\n".join(lines(path))
                for word in (r"\bnamespace\b", r"\btemplate\b", r"\bconstexpr\b", r"\bclass\b"):
                    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
                    code = re.sub(r"#ifdef __cplusplus.*?#e(?:lse|ndif)", "", code, flags=re.S)
                    self.assertIsNone(re.search(word, code), f"{path} holds C++")

    def test_every_source_begins_with_its_licence(self):
        missing = []
        for path in files(CODE + SCRIPTS + ("CMakeLists.txt",)):
            first = lines(path)
            head = first[1] if first[0].startswith("#!") and len(first) > 1 else first[0]
            if "SPDX-License-Identifier: Apache-2.0" not in head:
                missing.append(path)
        self.assertEqual(missing, [])

    def test_no_line_is_longer_than_a_hundred_columns(self):
        long = [f"{path}:{number}: {len(line)} columns"
                for path in files(CODE + (".sh", ".py"))
                for number, line in enumerate(lines(path), 1)
                if len(line) > LINE_LENGTH and not WIDE_FILES.match(path)]
        self.assertEqual(long, [])

    def test_no_file_outgrows_its_concept(self):
        long = []
        for path in files(tuple(MOST_LINES)):
            most = MOST_LINES[os.path.splitext(path)[1]]
            count = len(lines(path)) - 1
            if count > most and not LONG_FILES.match(path):
                long.append(f"{path}: {count} lines, {most} are allowed")
        self.assertEqual(long, [])

    def test_the_top_level_holds_its_six_folders_and_small_files_only(self):
        for name in sorted(os.listdir(ROOT)):
            if name.startswith((".", "build")):
                continue
            if os.path.isdir(os.path.join(ROOT, name)):
                self.assertIn(name, TOP_LEVEL_FOLDERS)
                self.assertTrue(os.path.exists(os.path.join(ROOT, name, "README.md")),
                                f"{name}/ has no README.md")
            else:
                self.assertIn(name, TOP_LEVEL_FILES)

    def test_links_in_pages_lead_somewhere(self):
        broken = []
        for path in files((".md",)):
            for target in re.findall(r"\]\(([^)#\s]+)", "\n".join(lines(path))):
                place = os.path.join(ROOT, os.path.dirname(path), target)
                if "://" not in target and not os.path.exists(place):
                    broken.append(f"{path}: {target}")
        self.assertEqual(broken, [])

    def test_every_package_has_a_reason(self):
        names = []
        for line in lines("tools/packages.txt"):
            if line and not line.startswith(("#", "[")):
                match = re.fullmatch(r"([a-z0-9.+-]+) +# (.+)", line)
                self.assertIsNotNone(match, f"'{line}' is not PACKAGE  # why")
                names.append(match.group(1))
        self.assertEqual(len(names), len(set(names)), "a package is named twice")


if __name__ == "__main__":
    ROOT = sys.argv.pop(1)
    unittest.main()
