// SPDX-License-Identifier: Apache-2.0
// The verbs of `d1 inspect`, a file for each group. Each takes its words, checked for their number.
#pragma once

#include <d1/inspect/session.hpp>

namespace d1::inspect {

// verbs_map.cpp
[[nodiscard]] Result<Answer> show_map(Session& session, Words words);
// verbs_overview.cpp
[[nodiscard]] Result<Answer> show_where(Session& session, Words words);
[[nodiscard]] Result<Answer> show_machine(Session& session, Words words);
[[nodiscard]] Result<Answer> show_programs(Session& session, Words words);
[[nodiscard]] Result<Answer> show_launches(Session& session, Words words);
[[nodiscard]] Result<Answer> show_queues(Session& session, Words words);
// verbs_stuck.cpp
[[nodiscard]] Result<Answer> show_stuck(Session& session, Words words);
// verbs_node.cpp
[[nodiscard]] Result<Answer> show_registers(Session& session, Words words);
[[nodiscard]] Result<Answer> show_semaphores(Session& session, Words words);
[[nodiscard]] Result<Answer> show_mailbox(Session& session, Words words);
[[nodiscard]] Result<Answer> show_code(Session& session, Words words);
[[nodiscard]] Result<Answer> show_source(Session& session, Words words);
// verbs_memory.cpp
[[nodiscard]] Result<Answer> read_memory(Session& session, Words words);
[[nodiscard]] Result<Answer> write_memory(Session& session, Words words);
[[nodiscard]] Result<Answer> find_owner(Session& session, Words words);
// verbs_device.cpp
[[nodiscard]] Result<Answer> halt(Session& session, Words words);
[[nodiscard]] Result<Answer> go_on(Session& session, Words words);
[[nodiscard]] Result<Answer> show_help(Session& session, Words words);

// A whole number: 12, 0x1f. Invalid, naming what it should have been, where it is none.
[[nodiscard]] Result<std::uint64_t> number_of(std::string_view text, std::string_view what);

}  // namespace d1::inspect
