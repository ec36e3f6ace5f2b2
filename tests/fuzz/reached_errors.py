#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that the inputs of the fuzz targets, seeds and corpus, meet every error of what they feed.

    reached_errors.py SOURCE BUILD

BUILD is of the preset `coverage`, its target d1_fuzz built. Prints each place in the files below
that makes an error and that no input comes to; the status is 1 if there is one.
"""
import bisect
import json
import pathlib
import re
import subprocess
import sys
import tempfile

LLVM = "19"
FILES = [
    "host/npy.cpp",
    "firmware/emulator/machine_description.cpp",
    "firmware/emulator/machine_description_file.cpp",
    "firmware/emulator/machine_description_layout.cpp",
    "runtime/elf_image.cpp",
    "runtime/debug_info.cpp",
    "firmware/emulator/faults/fault_plan_file.cpp",
    "firmware/emulator/faults/fault_places.cpp",
    "firmware/emulator/dip/commands.cpp",
    "firmware/emulator/dip/launches.cpp",
    "firmware/emulator/dip/queries.cpp",
    "firmware/emulator/dip/queues.cpp",
    "firmware/emulator/dip/dma_map.cpp",
    "firmware/emulator/dip/faulty_commands.cpp",
    "firmware/server/session.cpp",
    "firmware/server/session_commands.cpp",
    "firmware/server/client_memory.cpp",
    "firmware/server/interrupts.cpp",
    "firmware/server/function.cpp",
    "firmware/vfio_user/message_socket.cpp",
]
ERROR = re.compile(
    r"\b(?:fail|error_at|invalid|failed|bad_field|broken|closed)\("
    r"|\{(?:E[A-Z]+|errno|error), \{\}, \{\}\}|\b(?:return|error =) (?:E[A-Z]+|errno);"
    r"|CommandResult::Done, D1_STATUS_(?!OK)")
DEFINITION = re.compile(r"(?:Result<.*>|unexpected<Error>|CommandResult) +(?:\w+::)?\w+\($")
# Places that inputs need not meet: why, file, texts that stand on the lines of the places.
A_FILE = "it is of a file that the host does not give or take; the targets have none"
A_CALL = "it is of what a program passes, not of a file"
SAID_BEFORE = "the reader of files has said so before, with the place"
EXCUSED = [(file, text, why) for why, file, texts in (
    (A_FILE, "host/npy.cpp", ("be opened:", "be read:", "be written:", "bytes could not be")),
    (A_CALL, "host/npy.cpp", ("bytes cannot be written to", "cannot hold an array")),
    (A_FILE, "runtime/elf_image.cpp", ("be opened:", "be read:", "is larger than")),
    ("this host has libdw", "runtime/debug_info.cpp", ("libdw.so.1",)),
    (A_FILE, "firmware/emulator/machine_description_file.cpp",
     ("cannot be read:", "There is no machine named", "bytes; at most")),
    (SAID_BEFORE, "firmware/emulator/machine_description.cpp",
     ("Missing node index", "is listed twice", "nodes of a die are missing",
      "node positions; addresses", "dies is impossible", "The sets of missing nodes")),
    (A_FILE, "firmware/emulator/faults/fault_plan_file.cpp", ("cannot be read; give",)),
    ("the target's device has links", "firmware/emulator/faults/fault_places.cpp",
     ("needs a link, and",)),
    ("the host's own sockets", "firmware/server/session_commands.cpp", ("::socketpair(",)),
    ("a file that was received can be asked", "firmware/server/client_memory.cpp", ("::fstat(",)),
    ("what the device refuses was looked for before", "firmware/server/client_memory.cpp",
     ("return ENOMEM; } } ranges_.emplace",)),
    ("a wait of 5 s", "firmware/vfio_user/message_socket.cpp", ("its socket stayed full",)),
    ("a socket that breaks in another way than by its other end",
     "firmware/vfio_user/message_socket.cpp", ("return errno == EPIPE ?",)),
) for text in texts]
# The same, but met in a run now and then.
BY_CHANCE = [
    ("firmware/server/session.cpp", "has not answered for its memory within",
     "a wait of 5 s, or a session that ends just as the device looks whether it has"),
]


def profile(build, folder):
    """What ran when each target took its seeds and its corpus."""
    programs = sorted((build / "bin").glob("fuzz-*"))
    raw = []
    for program in programs:
        target = program.name.removeprefix("fuzz-")
        inputs = [build / "tests/fuzz/seeds" / target, HERE / "corpus" / target]
        raw.append(folder / f"{target}.profraw")
        subprocess.run([program, *filter(pathlib.Path.exists, inputs)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={"LLVM_PROFILE_FILE": str(raw[-1])})
    merged = folder / "merged"
    subprocess.run([f"llvm-profdata-{LLVM}", "merge", "-o", merged, *raw], check=True)
    objects = [word for program in programs[1:] for word in ("-object", program)]
    exported = subprocess.run(
        [f"llvm-cov-{LLVM}", "export", "-instr-profile", merged, programs[0], *objects],
        check=True, capture_output=True, text=True)
    return {entry["filename"]: entry["segments"]
            for entry in json.loads(exported.stdout)["data"][0]["files"]}


def unreached(text, segments):
    """Lines on which an error is made that nothing came to, and how many places there are."""
    starts = [(line, column) for line, column, *_ in segments]
    lines, places = [], 0
    for number, line in enumerate(text.splitlines(), 1):
        for match in ERROR.finditer(line):
            if DEFINITION.search(line[:match.end()]):
                continue
            at = bisect.bisect_right(starts, (number, match.start() + 1)) - 1
            if at < 0 or not segments[at][3]:  # no code
                continue
            places += 1
            if segments[at][2] == 0:
                lines.append(number)
    return lines, places


def main(source, build):
    with tempfile.TemporaryDirectory() as folder:
        covered = profile(build, pathlib.Path(folder))
    missing, all_places, used = 0, 0, set()
    for name in FILES:
        text = (source / name).read_text()
        lines, places = unreached(text, covered[str(source / name)])
        all_places += places
        for number in lines:
            around = " ".join(line.strip() for line in text.splitlines()[number - 1:number + 3])
            excused = [entry for entry in EXCUSED + BY_CHANCE
                       if entry[0] == name and entry[1] in around]
            used.update(excused)
            if not excused:
                missing += 1
                print(f"{name}:{number}: no input comes to this error: {around}")
    for entry in set(EXCUSED) - used:
        missing += 1
        print(f"{entry[0]}: '{entry[1]}' is met by inputs, or is gone; the list here still has it.")
    print(f"{all_places} errors in {len(FILES)} files, {missing} problems, "
          f"{len(EXCUSED + BY_CHANCE)} excused")
    return 1 if missing else 0


HERE = pathlib.Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
