#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A wire conformance suite for vfio-user servers that show the D1's PCI function.

Every test is one behaviour that the specification (QEMU's docs/interop/vfio-user.rst and
<linux/vfio.h>) asks for or rules out; where it leaves a choice, the test accepts each outcome and
says so. It needs Python 3.11 and nothing else, and shares no code with any server.

    conformance_test.py --socket PATH                     a server that runs already
    conformance_test.py [--socket PATH] -- COMMAND...     starts it; again, should it die
        build/release/bin/d1 serve --machine die.toml --dpu dut=... --dir DIR
    conformance_test.py ... -k WORD [--failfast] [-v]     only tests whose name has the word

Without --socket, a socket below the command's --dir is meant, one named as its --dpu if there
is one. The server must serve nobody else. Exit code: 0 all passed, 1 some failed, 2 no server.

  vectors.py            whole messages in hexadecimal, each with its section; vector_tests.py
  header_tests.py       ids, flags, sizes, no-reply, unsolicited replies, the stream, order
  version_tests.py      negotiation
  info_tests.py         device, regions, interrupts, features
  dma_tests.py          maps · data_path_tests.py: the device uses them
  twin_tests.py         the device asks for memory on a socket of its own
  irq_tests.py          interrupts · region_tests.py: reads, writes, reset
  config_tests.py       the configuration space
  connection_tests.py   clients that go, second clients, descriptors left behind
  wire.py, suite.py     messages and client; test case and server
  faulty_server.py      a small server with faults on request; self_test.py: the suite finds each

Everything has a deadline (wire.DEADLINE). Each test ends by attaching once more, so one that
wedges the server is the one that fails.
"""
import argparse
import sys
import unittest

import config_tests
import connection_tests
import data_path_tests
import dma_tests
import header_tests
import info_tests
import irq_tests
import region_tests
import suite
import twin_tests
import vector_tests
import version_tests

TOPICS = (vector_tests, header_tests, version_tests, info_tests, dma_tests, irq_tests,
          region_tests, config_tests, connection_tests, data_path_tests, twin_tests)


def main():
    words = sys.argv[1:]
    command = []
    if "--" in words:
        at = words.index("--")
        words, command = words[:at], words[at + 1:]
    parser = argparse.ArgumentParser(description="vfio-user wire conformance")
    parser.add_argument("--socket")
    parser.add_argument("--failfast", action="store_true")
    parser.add_argument("--list", action="store_true", help="print the tests' names")
    parser.add_argument("-k", action="append", default=None, metavar="WORD")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args(words)
    if not (options.socket or command or options.list):
        parser.error("--socket PATH or -- COMMAND... names the server")

    loader = unittest.TestLoader()
    if options.k:
        loader.testNamePatterns = [f"*{word}*" for word in options.k]
    tests = unittest.TestSuite(loader.loadTestsFromModule(topic) for topic in TOPICS)
    if options.list:
        for topic in tests:
            for case in topic:
                for test in case:
                    print(test.id())
        return 0
    suite.Case.server = suite.Server(options.socket, command)
    try:
        suite.Case.server.ensure()
        result = unittest.TextTestRunner(verbosity=2 if options.verbose else 1,
                                         failfast=options.failfast).run(tests)
    except (OSError, RuntimeError) as problem:
        print(f"conformance_test.py: {problem}", file=sys.stderr)
        return 2
    finally:
        suite.Case.server.stop()
    if result.testsRun == 0:
        print("conformance_test.py: no test has that word in its name", file=sys.stderr)
        return 2
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
