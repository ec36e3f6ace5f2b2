# SPDX-License-Identifier: Apache-2.0
"""Faults of driver, runtime and daemon that the history checker must find: what of a source file is
replaced by what, and what breaks. Each text stands exactly once in its file.
"""
from seeded_faults import Fault

FAULTS = [
    # --- what is told of operations ----------------------------------------------------------
    Fault("outcome", "operations of a lost or closed device are told as done",
          "driver/queue_pair.cpp", "    completion.kind = kind;\n", ""),
    Fault("outcome", "operations of a closed stream are told as done",
          "driver/queue_pair.cpp",
          "fail_all(device_.lost() ? CompletionKind::DeviceLost : CompletionKind::Cancelled);",
          "fail_all(device_.lost() ? CompletionKind::DeviceLost : CompletionKind::Device);"),
    Fault("outcome", "the first failure of an operation is forgotten",
          "runtime/stream_core.cpp", "      operation->failed = true;\n", ""),
    Fault("outcome", "a transfer that broke off is told as done by the device",
          "firmware/emulator/dip/queues.cpp",
          "CommandResult{CommandResult::Done, D1_STATUS_DMA_ERROR, command.header.opcode, 0}",
          "CommandResult{CommandResult::Done, D1_STATUS_OK, 0, 0}"),
    # --- memory of operations under way ------------------------------------------------------
    Fault("staging", "copies under way share one place of the staging buffer",
          "runtime/stream_core.cpp", "      free_staging_slots_.pop_back();\n", ""),
    Fault("staging", "what a copy brought stays in the staging buffer",
          "runtime/stream_core.cpp",
          "    std::memcpy(host.copy_to, from, host.copy_bytes);\n", ""),
    Fault("launches", "launches under way share the memory of their arguments",
          "runtime/stream_core.cpp", "    free_launch_slots_.pop_back();\n", ""),
    # --- order -------------------------------------------------------------------------------
    Fault("order", "a launch is complete when it has begun",
          "firmware/emulator/dip/launches.cpp",
          "  start_nodes(launch, fabric_.host_to_dip(start));\n  return pending();",
          "  start_nodes(launch, fabric_.host_to_dip(start));\n  return done(start);"),
    Fault("order", "the device does not wait for a launch before the next command",
          "firmware/emulator/dip/queues.cpp",
          "    if (queue.busy) {\n      if (!finish_waiting(index)) return any;",
          "    if (queue.busy && queue.current.opcode != D1_COMMAND_LAUNCH) {\n"
          "      if (!finish_waiting(index)) return any;"),
    # --- the daemon --------------------------------------------------------------------------
    Fault("doorbells", "a queue that is set up anew keeps the doorbells of the one before",
          "firmware/server/function.cpp", "    forget_doorbells(2 * queue, 2);\n", "    {}\n"),
    Fault("in band", "memory without a file is read once and then believed",
          "firmware/emulator/dip/dma_map.cpp",
          "  else if (!range.remote->read(address, {memory, bytes})) return nullptr;",
          "  else if (*memory == 0 && !range.remote->read(address, {memory, bytes})) "
          "return nullptr;"),
    Fault("in band", "long writes to memory without a file get lost",
          "firmware/emulator/dip/dma_map.cpp",
          "  if (access == DmaAccess::Write) writes_.push_back({address, bytes});",
          "  if (access == DmaAccess::Write) {\n    if (bytes != 8) writes_.push_back({address, "
          "bytes});\n  }"),
]
