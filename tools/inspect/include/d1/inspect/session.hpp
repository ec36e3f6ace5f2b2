// SPDX-License-Identifier: Apache-2.0
// A session of `d1 inspect`: a device, and verbs that are carried out one after the other. Every
// verb answers with a text for people and a document for programs. One thread.
#pragma once

#include <d1/driver/debug_target.hpp>
#include <d1/inspect/place.hpp>
#include <d1/inspect/symbols.hpp>

#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace d1::inspect {

struct Answer {
  std::string text;
  nlohmann::ordered_json document;
};

using Words = std::span<const std::string>;

class Session {
 public:
  // `colour`: texts may have it.
  [[nodiscard]] static Result<std::unique_ptr<Session>> open(
      std::unique_ptr<driver::DebugTarget> target, bool colour);

  // One verb with its words. A verb that is not known, or words that are wrong: Invalid.
  [[nodiscard]] Result<Answer> run(Words words);

  [[nodiscard]] driver::DebugTarget& target() noexcept { return *target_; }
  [[nodiscard]] Symbols& symbols() noexcept { return symbols_; }
  [[nodiscard]] const d1_debug_machine& machine() const noexcept { return machine_; }
  [[nodiscard]] const Mesh& mesh() const noexcept { return mesh_; }
  [[nodiscard]] bool colour() const noexcept { return colour_; }

  // The place that words name; none: everything.
  [[nodiscard]] Result<PlaceSet> place(Words words) const;

 private:
  Session(std::unique_ptr<driver::DebugTarget> target, const d1_debug_machine& machine,
          bool colour);

  std::unique_ptr<driver::DebugTarget> target_;
  const d1_debug_machine machine_;
  const Mesh mesh_;
  const bool colour_;
  Symbols symbols_;
};

struct Verb {
  std::string_view name, words, summary;
  std::size_t least = 0, most = 0;  // how many words
  Result<Answer> (*run)(Session& session, Words words);
};
// By group, in the order in which help tells them.
[[nodiscard]] std::span<const Verb> verbs();

// Lines of verbs: "map; where die0", '#' begins a comment.
[[nodiscard]] std::vector<std::vector<std::string>> parse_line(std::string_view line);

}  // namespace d1::inspect
