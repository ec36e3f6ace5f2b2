// SPDX-License-Identifier: Apache-2.0
// The table of verbs, help, and what is done to the whole device.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "verbs.hpp"

namespace d1::inspect {
namespace {

constexpr std::size_t kAny = 64;

constexpr std::array kVerbs = {
    Verb{"machine", "", "what the device is, and how much it has done", 0, 0, show_machine},
    Verb{"map", "[QUANTITY] [PLACE]",
         "dies as a grid of nodes: state, wait, launch, function, cycles, instructions, matrix, "
         "simd",
         0, 2, show_map},
    Verb{"where", "[PLACE]", "harts grouped by what they do, function and line", 0, 1, show_where},
    Verb{"ps", "", "programs, and how many nodes have them", 0, 0, show_programs},
    Verb{"launches", "", "launches that have not ended", 0, 0, show_launches},
    Verb{"stuck", "", "whether launches can still end, and who waits for whom", 0, 0, show_stuck},
    Verb{"queues", "", "the host's queues: what waits, what is under way", 0, 0, show_queues},
    Verb{"regs", "PLACE [x|f|v|csr] [TYPE]",
         "registers of a hart; TYPE of v: e8, e16, e32, e64, f32, f64, bf16", 1, 3, show_registers},
    Verb{"sem", "PLACE", "semaphores of a node that are not 0, and who waits for which", 1, 1,
         show_semaphores},
    Verb{"mailbox", "PLACE", "the latest launch as a node has it: kernel, rank, arguments", 1, 1,
         show_mailbox},
    Verb{"dis", "PLACE [FUNCTION|ADDRESS] [COUNT]",
         "instructions around a hart's pc, or of a function", 1, 3, show_code},
    Verb{"src", "PLACE", "source lines around a hart's pc", 1, 1, show_source},
    Verb{"read", "PLACE:OFFSET|ADDRESS [COUNT] [TYPE]",
         "memory; TYPE as of regs; OFFSET may be a function's name", 1, 3, read_memory},
    Verb{"write", "PLACE:OFFSET|ADDRESS VALUE... [TYPE]",
         "changes memory, and with it the run that is watched", 2, kAny, write_memory},
    Verb{"owner", "PLACE:OFFSET|ADDRESS", "whose memory an address is", 1, 1, find_owner},
    Verb{"halt", "", "emulated time stands still, and timeouts of launches with it", 0, 0, halt},
    Verb{"continue", "", "until this", 0, 0, go_on},
    Verb{"help", "[VERB]", "this", 0, 1, show_help},
};

}  // namespace

std::span<const Verb> verbs() { return kVerbs; }

Result<Answer> show_help(Session&, Words words) {
  Answer answer;
  answer.document = nlohmann::ordered_json::array();
  const auto tell = [&](const Verb& verb) {
    answer.document.push_back(
        {{"verb", verb.name}, {"words", verb.words}, {"summary", verb.summary}});
    answer.text += fmt::format("{:<10} {}\n           {}\n", verb.name, verb.words, verb.summary);
  };
  if (words.empty()) {
    std::ranges::for_each(verbs(), tell);
    answer.text +=
        "quit\n\nPlaces: die3/n7,12/h2 (row, column), ranges as die0..2/n0..3,4..7, sets joined "
        "by '+'; what is left out means all.\n";
    return answer;
  }
  const auto found = std::ranges::find(verbs(), words.front(), &Verb::name);
  if (found == verbs().end())
    return fail(ErrorKind::Invalid,
                fmt::format("There is no verb '{}'; 'help' lists them all.", words.front()));
  tell(*found);
  return answer;
}

Result<Answer> halt(Session& session, Words) {
  if (auto halted = session.target().halt(); !halted)
    return std::unexpected(std::move(halted.error()));
  return Answer{fmt::format("Emulated time stands still at cycle {} until 'continue', or the end "
                            "of this session.\n",
                            session.target().cycle()),
                {{"cycle", session.target().cycle()}}};
}

Result<Answer> go_on(Session& session, Words) {
  if (auto done = session.target().resume(); !done)
    return std::unexpected(std::move(done.error()));
  return Answer{"", {{"cycle", session.target().cycle()}}};
}

}  // namespace d1::inspect
