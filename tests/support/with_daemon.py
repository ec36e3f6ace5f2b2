#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program on a DPU of a daemon of its own: with_daemon.py [--transport NAME] [--serve "..."]
-- PROGRAM... The DPU is the whole of machine d1 unless --serve says otherwise; the program finds it
in D1_DEVICE. The daemon must end cleanly after it, by SIGTERM; what it logged is shown where not.
"""
import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile

SECONDS_TO_START = 60
SECONDS_TO_END = 20


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transport", default="vfio-user")
    parser.add_argument("--serve", default="", help="options of d1 serve")
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="d1-serve-") as folder:
        log = open(os.path.join(folder, "log"), "w+", encoding="utf-8")
        daemon = subprocess.Popen(
            [os.path.join(os.environ["D1_PROGRAMS"], "d1"), "serve", "--dir", folder,
             *shlex.split(options.serve)],
            stdout=subprocess.PIPE, stderr=log, text=True)
        served = daemon.stdout.readline().split()  # NAME PLACE ... vfio-user:PATH
        if not served:
            log.seek(0)
            sys.exit(f"the daemon did not start: {log.read()}")
        path = served[-1].split(":", 1)[1]
        status = subprocess.run(options.program, check=False, env=dict(
            os.environ, D1_DEVICE=f"{options.transport}:{path}")).returncode
        daemon.send_signal(signal.SIGTERM)
        try:
            ended = daemon.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            daemon.kill()
            ended = "it had to be killed"
        left = sorted(os.listdir(folder))
        if ended != 0 or left != ["log"]:
            log.seek(0)
            sys.exit(f"the daemon did not end cleanly ({ended}; left {left}):\n{log.read()}")
        sys.exit(status)


if __name__ == "__main__":
    main()
