// SPDX-License-Identifier: Apache-2.0
#include <d1/inspect/session.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace d1::inspect {
namespace {

// How many letters have to be added, left out or changed to make one word of the other.
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = i;
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t before = row[0]++;
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t changed = before + (one[i] == other[j] ? 0 : 1);
      before = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, before + 1});
    }
  }
  return row.back();
}

std::unexpected<Error> unknown_verb(std::string_view name) {
  const auto nearest = std::ranges::min_element(
      verbs(), {}, [&](const Verb& verb) { return distance(verb.name, name); });
  const bool near = distance(nearest->name, name) <= 2;
  return fail(ErrorKind::Invalid,
              fmt::format("There is no verb '{}'; {}'help' lists them all.", name,
                          near ? fmt::format("did you mean '{}'? ", nearest->name) : ""));
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(std::unique_ptr<driver::DebugTarget> target,
                                               bool colour) {
  auto machine = target->machine();
  if (!machine) return std::unexpected(std::move(machine.error()));
  return std::unique_ptr<Session>(new Session(std::move(target), *machine, colour));
}

Session::Session(std::unique_ptr<driver::DebugTarget> target, const d1_debug_machine& machine,
                 bool colour)
    : target_(std::move(target)),
      machine_(machine),
      mesh_(Mesh::of(machine)),
      colour_(colour),
      symbols_(*target_) {}

Result<Answer> Session::run(Words words) {
  const auto verb = std::ranges::find(verbs(), words.front(), &Verb::name);
  if (verb == verbs().end()) return unknown_verb(words.front());
  const std::size_t given = words.size() - 1;
  if (given < verb->least || given > verb->most)
    return fail(ErrorKind::Invalid,
                fmt::format("'{}' was given {} words; it is used as: {} {}", verb->name, given,
                            verb->name, verb->words));
  return verb->run(*this, words.subspan(1));
}

Result<PlaceSet> Session::place(Words words) const {
  if (words.empty()) return PlaceSet(mesh_);
  return PlaceSet::parse(words.front(), mesh_);
}

std::vector<std::vector<std::string>> parse_line(std::string_view line) {
  std::vector<std::vector<std::string>> all(1);
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) all.back().push_back(std::exchange(word, {}));
  };
  for (const char letter : line.substr(0, line.find('#'))) {
    if (letter == ';') {
      end_word();
      if (!all.back().empty()) all.emplace_back();
    } else if (std::isspace(static_cast<unsigned char>(letter)) != 0) {
      end_word();
    } else {
      word += letter;
    }
  }
  end_word();
  if (all.back().empty()) all.pop_back();
  return all;
}

}  // namespace d1::inspect
