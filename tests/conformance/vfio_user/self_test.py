#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The suite's own test: it passes on a server that is right, and the test named here fails on
each server that is wrong on purpose (faulty_server.py).

    self_test.py [FAULT...]
"""
import os
import subprocess
import sys
import tempfile
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))

# Fault: a test that must find it.
FAULTS = {
    "id_not_echoed": "test_every_id_comes_back",
    "command_not_echoed": "test_info_of_the_device",
    "no_reply_flag": "test_a_success_has_no_error_flag_and_no_no_reply_flag",
    "no_error_flag": "test_command_0",
    "payload_in_error_reply": "test_the_error_of_a_refusal_is_an_errno",
    "size_without_header": "test_info_of_the_device",
    "replies_to_no_reply": "test_a_posted_write_gets_no_reply",
    "replies_out_of_order": "test_a_hundred_requests_in_one_write_are_replied_to_in_order",
    "executes_replies": "test_a_write_that_calls_itself_a_reply_writes_nothing",
    "waits_for_all_of_a_huge_message":
        "test_a_size_beyond_any_message_is_refused_before_it_has_all_arrived",
    "ignores_short_payloads": "test_a_payload_that_is_too_short_is_refused",
    "exits_on_unknown_command": "test_an_unknown_command_that_asks_for_no_reply_gets_none",
    "serves_one_client": "test_a_client_may_go_in_the_middle_of_a_message",
    "works_before_version": "test_a_first_message_that_is_not_version_is_refused",
    "accepts_version_twice": "test_a_second_version_is_refused",
    "accepts_any_major": "test_another_major_is_not_accepted",
    "accepts_any_version_data": "test_data_that_is_no_json_is_refused",
    "version_reply_without_nul": "test_the_proposed_major_comes_back_and_no_higher_minor",
    "grants_what_was_not_proposed": "test_no_feature_is_granted_that_was_not_proposed",
    "accepts_overlapping_maps": "test_a_map_over_a_map_is_refused_with_eexist",
    "accepts_writeable_maps_of_read_only_files":
        "test_a_writeable_map_of_a_descriptor_for_reading_is_refused",
    "unmaps_by_address_alone": "test_a_range_that_is_not_a_map_is_refused",
    "unmaps_what_is_not_mapped": "test_a_second_unmap_is_refused",
    "leaks_maps": "test_two_hundred_clients_with_stray_descriptors_leave_none_behind",
    "leaks_descriptors": "test_two_hundred_clients_with_stray_descriptors_leave_none_behind",
    "has_regions_without_end": "test_an_index_beyond_the_last_is_refused",
    "signals_vectors_without_end": "test_a_range_beyond_the_last_vector_is_refused",
    "ignores_booleans": "test_a_trigger_with_booleans_signals_those_that_are_true",
    "wraps_offsets": "test_reads_beyond_the_end_are_refused",
    "swaps_bytes": "test_read_of_vendor_and_device",
    "data_in_write_reply": "test_write_of_the_cache_line_size",
    "writes_read_only_bits": "test_what_is_read_only_keeps_its_value",
    "does_not_reset": "test_an_enabled_device_becomes_ready_and_a_reset_ends_that",
    "stalls_for_its_client": "test_a_client_that_does_not_answer_is_served_on",
    "names_a_wrong_dma_count": "test_a_command_in_memory_that_only_messages_reach_completes",
}


def run(fault, *more):
    """The suite's exit code and output."""
    with tempfile.TemporaryDirectory() as folder:
        server = [sys.executable, "-B", os.path.join(FOLDER, "faulty_server.py"), "--dir", folder]
        socket = os.path.join(folder, "faulty.sock")
        done = subprocess.run(
            [sys.executable, "-B", os.path.join(FOLDER, "conformance_test.py"), "--socket", socket,
             *more, "--", *server, *(["--fault", fault] if fault else [])],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        return done.returncode, done.stdout


class SelfTest(unittest.TestCase):
    def test_a_server_that_is_right_passes(self):
        code, output = run(None)
        self.assertEqual(code, 0, output)

    def test_every_fault_of_the_faulty_server_is_looked_for(self):
        with open(os.path.join(FOLDER, "faulty_server.py"), encoding="utf-8") as file:
            text = file.read()
        missing = [fault for fault in FAULTS if f'"{fault}"' not in text]
        self.assertEqual(missing, [])


def add(fault, name):
    def test(self):
        code, output = run(fault, "-k", name)
        self.assertEqual(code, 1, f"{name} does not find it:\n{output}")
        self.assertRegex(output, rf"(FAIL|ERROR): {name}\b")
    setattr(SelfTest, f"test_a_server_that_{fault}_is_found", test)


for each in FAULTS.items():
    add(*each)

if __name__ == "__main__":
    for position, word in enumerate(sys.argv[1:], 1):
        if word in FAULTS:
            sys.argv[position] = f"SelfTest.test_a_server_that_{word}_is_found"
    unittest.main()
