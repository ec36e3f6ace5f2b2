// SPDX-License-Identifier: Apache-2.0
#include <d1/inspect/shell.hpp>

#include <fmt/format.h>

#include <cstdio>

namespace d1::inspect {
namespace {

bool quits(const std::vector<std::string>& words) {
  return words.front() == "quit" || words.front() == "exit";
}

}  // namespace

Result<> run_line(Session& session, std::string_view line, Form form) {
  for (const auto& words : parse_line(line)) {
    if (quits(words)) return {};
    auto answer = session.run(words);
    if (!answer) return pass_on(answer, fmt::format("doing '{}'", fmt::join(words, " ")));
    if (form == Form::Text) fmt::print("{}", answer->text);
    else
      fmt::print("{}\n", nlohmann::ordered_json{{"verb", words.front()},
                                                {"answer", std::move(answer->document)}}
                             .dump());
    std::fflush(stdout);
  }
  return {};
}

Result<> run_script(Session& session, std::istream& lines, Form form) {
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    const auto verbs = parse_line(line);
    if (!verbs.empty() && quits(verbs.front())) break;
    if (auto done = run_line(session, line, form); !done)
      return pass_on(done, fmt::format("carrying out line {}", number));
  }
  return {};
}

void run_prompt(Session& session, std::istream& lines, Form form) {
  std::string line;
  for (;;) {
    fmt::print("d1> ");
    std::fflush(stdout);
    if (!std::getline(lines, line)) break;
    const auto verbs = parse_line(line);
    if (verbs.empty()) continue;
    if (quits(verbs.front())) return;
    if (auto done = run_line(session, line, form); !done)
      fmt::print(stderr, "error: {}\n", done.error().sentence());
  }
  fmt::print("\n");
}

}  // namespace d1::inspect
