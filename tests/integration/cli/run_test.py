# SPDX-License-Identifier: Apache-2.0
"""d1 run: kernels with arrays from and to .npy files."""
import os
import unittest

import numpy

from cli_support import KERNELS, CommandLineCase

ADD = os.path.join(KERNELS, "vector_add.cpp")
HELLO = os.path.join(KERNELS, "hello.cpp")
MATMUL = os.path.join(KERNELS, "matmul.cpp")
COUNT = """#include <d1/kernel.hpp>
std::uint32_t counted;
D1_KERNEL void count(std::uint64_t rounds) {
  for (std::uint64_t i = 0; i < rounds; ++i) __atomic_fetch_add(&counted, 1, __ATOMIC_RELAXED);
}
"""
SCALE = """#include <d1/kernel.hpp>
D1_KERNEL void scale(d1::sharded<const float> in, d1::sharded<float> out, float factor, int add,
                     bool negate) {
  const auto from = in.part_of_hart();
  const auto to = out.part_of_hart();
  for (std::size_t i = 0; i < to.size(); ++i)
    to[i] = (negate ? -1 : 1) * (from[i] * factor + add);
}
"""


class Run(CommandLineCase):
    def save(self, name, array):
        numpy.save(self.path(name), array)
        return self.path(name)

    def test_vector_add_from_source_over_the_whole_die(self):
        rng = numpy.random.default_rng(1)
        a, b = (rng.random(5000, dtype=numpy.float32) for _ in range(2))
        text = self.good("run", ADD, "--in", "a=" + self.save("a.npy", a), "--in",
                         "b=" + self.save("b.npy", b), "--out", "c=" + self.path("c.npy"))
        c = numpy.load(self.path("c.npy"))
        self.assertEqual(c.dtype, numpy.float32)
        numpy.testing.assert_array_equal(c, a + b)
        self.assertIn("1 x 354 nodes with 4 harts each", text)
        self.assertRegex(text, r"device time +\d+ cycles, [\d.]+ us at 2 GHz")

    def test_an_output_takes_the_shape_of_its_input_or_of_the_first(self):
        a = numpy.arange(12, dtype=numpy.float32).reshape(3, 4)
        self.good("run", ADD, "--in", "a=" + self.save("a.npy", a), "--in",
                  "b=" + self.save("b.npy", a), "--out", "c=" + self.path("c.npy"), "--grid", "2x2")
        self.assertEqual(numpy.load(self.path("c.npy")).shape, (3, 4))
        self.good("run", ADD, "--in", "a=" + self.save("a.npy", a), "--in",
                  "b=" + self.save("b.npy", a), "--out", "c=" + self.path("c.npy"), "--shape",
                  "c=6x2", "--grid", "2x2")
        numpy.testing.assert_array_equal(numpy.load(self.path("c.npy")), (a + a).reshape(6, 2))

    def test_json_tells_what_ran_where(self):
        a = self.save("a.npy", numpy.ones(64, dtype=numpy.float32))
        words = ("run", ADD, "--in", "a=" + a, "--in", "b=" + a, "--shape", "c=64", "--grid", "1x4",
                 "--harts", "2")
        first, second = self.document(*words), self.document(*words, "--threads", "1")
        self.assertEqual((first["kernel"], first["nodes"], first["harts"]), ("vector_add", 4, 2))
        self.assertGreater(first["instructions"], 100)
        for same in ("cycles", "instructions"):
            self.assertEqual(first[same], second[same], "on any number of host threads")
        self.assertTrue(second["from_cache"])

    def test_every_engine_gives_the_same_result_in_the_same_cycles(self):
        a = self.save("a.npy", numpy.arange(3000, dtype=numpy.float32))
        documents = []
        for engine in ("interp", "dbt", "lockstep"):
            documents.append(self.document(
                "run", ADD, "--in", "a=" + a, "--in", "b=" + a, "--out", "c=" + self.path("c.npy"),
                "--grid", "1x2", "--engine", engine))
            numpy.testing.assert_array_equal(numpy.load(self.path("c.npy")),
                                             2 * numpy.arange(3000, dtype=numpy.float32))
        for same in ("cycles", "instructions"):
            self.assertEqual(len({document[same] for document in documents}), 1, same)

    def test_statistics_tell_what_either_engine_did(self):
        a = self.save("a.npy", numpy.ones((64, 64), dtype=numpy.uint16))
        sizes = [word for name in "mnk" for word in ("--arg", f"{name}=64")]
        words = ("run", MATMUL, "--kernel", "matmul", "--in", "a=" + a, "--in", "b=" + a, "--out",
                 "c=" + self.path("c.npy"), *sizes, "--grid", "2x2", "--stats")
        interpreted = self.document(*words, "--engine", "interp")["statistics"]
        self.assertEqual(list(interpreted), ["engine"])
        self.assertEqual(interpreted["engine"]["name"], "interp")
        self.environment["D1_TRANSLATE_AFTER"] = "0"
        translated = self.document(*words, "--engine", "dbt")["statistics"]
        self.assertEqual(list(translated), ["engine", "translation", "exits", "helpers"])
        engine, translation = translated["engine"], translated["translation"]
        self.assertEqual(engine["name"], "dbt")
        retired = engine["instructions_retired"]
        self.assertEqual(retired, interpreted["engine"]["instructions_retired"])
        self.assertEqual(retired,
                         engine["retired_by_translated_code"] + engine["retired_by_interpreter"])
        self.assertGreater(translation["regions"], 5)
        self.assertGreater(translation["guest_instructions_per_second"], 0)

    def test_statistics_name_the_helpers_of_translated_code(self):
        self.environment["D1_TRANSLATE_AFTER"] = "0"
        document = self.document("run", self.write("count.cpp", COUNT), "--arg", "rounds=100",
                                 "--grid", "1x1", "--engine", "dbt", "--stats")
        self.assertGreater(document["statistics"]["helpers"]["amoadd.w"], 0)

    def test_statistics_read_well_in_a_terminal(self):
        text = self.good("run", HELLO, "--arg", "greetings=1", "--grid", "1x1", "--engine", "dbt",
                         "--stats")
        for line in ("engine", "  name +dbt", "  blocks decoded +[0-9]+", "translation",
                     "  code bytes +[0-9.]+( Ki)?B?", "exits", "helpers"):
            self.assertRegex(text, f"(?m)^{line}")
        table = text[text.index("\nengine\n"):]
        self.assertLessEqual(max(map(len, table.split("\n"))), 80)

    def test_without_being_asked_there_are_no_statistics(self):
        words = ("run", HELLO, "--arg", "greetings=1", "--grid", "1x1", "--engine", "dbt")
        self.assertNotIn("statistics", self.document(*words))
        self.assertNotIn("blocks decoded", self.good(*words))

    def test_what_a_kernel_prints_goes_to_standard_output(self):
        text = self.good("run", HELLO, "--arg", "greetings=2", "--grid", "1x2", "--harts", "1")
        lines = [line for line in text.split("\n") if line.startswith("hello")]
        self.assertEqual(len(lines), 4)
        self.assertEqual(sorted(line.split(" from ")[0] for line in lines),
                         ["hello 0", "hello 0", "hello 1", "hello 1"])
        document = self.document("run", HELLO, "--arg", "greetings=1", "--grid", "1x2")
        self.assertEqual(len(document["printed"]), 8)
        self.assertEqual({each["hart"] for each in document["printed"]}, {0, 1, 2, 3})

    def test_numbers_of_every_kind(self):
        a = numpy.arange(40, dtype=numpy.float32)
        source = self.write("scale.cpp", SCALE)
        self.good("run", source, "--in", "in=" + self.save("a.npy", a), "--out",
                  "out=" + self.path("c.npy"), "--arg", "factor=0.5", "--arg", "add=-3", "--arg",
                  "negate=true", "--grid", "1x3")
        numpy.testing.assert_array_equal(numpy.load(self.path("c.npy")), -(a * 0.5 - 3))

    def test_bf16_comes_and_goes_as_uint16(self):
        one, two = numpy.uint16(0x3f80), numpy.uint16(0x4000)
        a = self.save("a.npy", numpy.full((16, 16), one))
        b = self.save("b.npy", numpy.full((16, 16), two))
        sizes = [word for name in "mnk" for word in ("--arg", f"{name}=16")]
        self.good("run", MATMUL, "--kernel", "matmul", "--in", "a=" + a, "--in", "b=" + b, "--out",
                  "c=" + self.path("c.npy"), *sizes, "--grid", "2x2")
        numpy.testing.assert_array_equal(numpy.load(self.path("c.npy")),
                                         numpy.full((16, 16), 32, dtype=numpy.float32))

    def test_a_program_built_before_runs_the_same(self):
        program = self.path("add.elf")
        self.good("build", ADD, "-o", program)
        a = self.save("a.npy", numpy.ones(100, dtype=numpy.float32))
        self.good("run", program, "--in", "a=" + a, "--in", "b=" + a, "--out",
                  "c=" + self.path("c.npy"), "--grid", "3x3")
        numpy.testing.assert_array_equal(numpy.load(self.path("c.npy")), 2)

    def test_other_machines(self):
        a = self.save("a.npy", numpy.ones(1000, dtype=numpy.float32))
        document = self.document("run", ADD, "--machine", "tile", "--in", "a=" + a, "--in",
                                 "b=" + a, "--shape", "c=1000", "--grid", "4x90")
        self.assertEqual(document["nodes"], 360)

    def test_seeds_do_not_change_what_is_ordered(self):
        a = self.save("a.npy", numpy.arange(999, dtype=numpy.float32))
        for seed in ("1", "2"):
            self.good("run", ADD, "--in", "a=" + a, "--in", "b=" + a, "--out",
                      "c=" + self.path("c.npy"), "--seed", seed, "--grid", "2x5")
            numpy.testing.assert_array_equal(numpy.load(self.path("c.npy")),
                                             2 * numpy.arange(999, dtype=numpy.float32))


if __name__ == "__main__":
    unittest.main()
