# SPDX-License-Identifier: Apache-2.0
"""Fault plans."""


def inputs():
    yield 'seed = 7\n[[fault]]\nkind = "hart_stuck"\nnode = "die0/n1,2"\nhart = 2\n' \
          'at_cycle = [20_000, 40_000]\nfor_cycles = 5_000\n[[fault]]\nkind = "dma_error"\n' \
          'opcode = "copy"\nat_command = 17\ntimes = 2\n'
    yield '[[fault]]\nkind = "link_slow"\nlink = "n1,2/east"\nfactor = 9\nchance = 0.5\n' \
          '[[fault]]\nkind = "link_lost"\n[[fault]]\nkind = "link_corrupt"\nat_ms = 1\n'
    yield '[[fault]]\nkind = "sram_flip"\naddress = 0x1000\nbit = 3\ncorrected = false\n' \
          '[[fault]]\nkind = "hbm_flip"\ncorrected = true\n[[fault]]\nkind = "die_lost"\ndie = 0\n'
    yield '[[fault]]\nkind = "surprise_removal"\n[[fault]]\nkind = "pcie_retrain"\nfor_ms = 1\n' \
          '[[fault]]\nkind = "clock_throttle"\nfactor = 1000\n'
    yield '[[fault]]\nkind = "queue_stuck"\nqueue = 15\n[[fault]]\nkind = "node_stop"\n' \
          '[[fault]]\nkind = "completion_delay"\ndelay_ms = 1\n[[fault]]\nkind = "daemon_kill"\n'
    # What the reader has to say no to.
    for line in ('node = "die0/n1"', 'link = "n1,1/up"', "hart = 4", "die = -1", "address = 1.5",
                 "bit = 8", "corrected = 1", "queue = 16", 'opcode = "dance"', "factor = 1",
                 "delay_ms = 0", "at_cycle = [2, 1]", "at_cycle = [1]", "at_command = 0",
                 "chance = 2", "at_ms = 1\nchance = 1", "for_cycles = 1\nfor_ms = 1", "times = 0",
                 "speed = 3"):
        key = line.split(" ")[0]
        kind = {"link": "link_lost", "die": "die_lost", "address": "sram_flip", "bit": "sram_flip",
                "corrected": "hbm_flip", "queue": "dma_error", "opcode": "dma_error",
                "factor": "clock_throttle", "delay_ms": "completion_delay"}.get(key, "hart_stuck")
        yield f'[[fault]]\nkind = "{kind}"\n{line}\n'
    yield "fault = 1\n"
    yield "speed = 1\n"
    yield '[[fault]]\nkind = "rain"\n'
    yield '[[fault]]\nkind = "die_lost"\ndie = 1\n'
    yield '[[fault]]\nkind = "hbm_flip"\naddress = 1_048_576\n'
    yield '[[fault]]\nkind = "die_lost"\n' * 1025
    yield "#" * ((1 << 20) + 1)
    yield "[[fault]]\nkind = 1\n"
    yield '[[fault]]\nkind = "pcie_retrain"\n'
    yield '[[fault]]\nkind = "daemon_stop"\nfor_cycles = 1\n'
    yield '[[fault]]\nkind = "node_stop"\ntimes = 1\n'
    yield '[[fault]]\nkind = "node_stop"\nnode = "die9/n99,99"\n'
    yield '[[fault]]\nkind = "link_lost"\nlink = "n0,0/north"\n'
    yield "[[fault]\nseed = \n"
