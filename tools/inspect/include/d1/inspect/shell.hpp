// SPDX-License-Identifier: Apache-2.0
// Lines of verbs, from a person or a script, carried out and printed.
#pragma once

#include <d1/inspect/session.hpp>

#include <istream>
#include <string_view>

namespace d1::inspect {

enum class Form : std::uint8_t { Text, Json };  // the latter: a document a line

// All verbs of a line; after one that failed no more. Answers go to standard output.
[[nodiscard]] Result<> run_line(Session& session, std::string_view line, Form form);
// All lines of a script; the error says in which line a verb failed.
[[nodiscard]] Result<> run_script(Session& session, std::istream& lines, Form form);
// A prompt until "quit" or the end of input; errors are printed, and the next line is asked for.
void run_prompt(Session& session, std::istream& lines, Form form);

}  // namespace d1::inspect
