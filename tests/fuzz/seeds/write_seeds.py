#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the inputs that the fuzz targets begin with: write_seeds.py FOLDER PROGRAM.elf

One folder for each target, a file for each input; a module here for each target, whose inputs()
gives bytes or text in the format of the target's source. PROGRAM.elf was built for the node.
"""
import os
import shutil
import sys

sys.dont_write_bytecode = True
import device  # noqa: E402
import dma_map  # noqa: E402
import elf  # noqa: E402
import fault_plan  # noqa: E402
import hart  # noqa: E402
import machine  # noqa: E402
import npy  # noqa: E402
import session  # noqa: E402


def main(folder, program_file):
    with open(program_file, "rb") as file:
        built = file.read()
    everything = {"npy": npy.inputs(), "machine": machine.inputs(), "elf": elf.inputs(built),
                  "fault-plan": fault_plan.inputs(), "hart": hart.inputs(),
                  "device": device.inputs(), "session": session.inputs(),
                  "dma-map": dma_map.inputs()}
    shutil.rmtree(folder, ignore_errors=True)
    for name, inputs in everything.items():
        os.makedirs(os.path.join(folder, name))
        for number, data in enumerate(inputs):
            with open(os.path.join(folder, name, f"seed-{number:03}"), "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)


main(sys.argv[1], sys.argv[2])
