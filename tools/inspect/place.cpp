// SPDX-License-Identifier: Apache-2.0
#include <d1/inspect/place.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace d1::inspect {
namespace {

constexpr std::uint32_t kTileDies = 25;  // d1-facts, "dies of a tile"

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size())
    return std::nullopt;
  return value;
}

// "3", "0..2" or "*", below `count`.
std::optional<Range> range_of(std::string_view text, std::uint32_t count) {
  if (text == "*") return Range{0, count - 1};
  const std::size_t dots = text.find("..");
  const auto first = number_of(text.substr(0, dots));
  const auto last = dots == std::string_view::npos ? first : number_of(text.substr(dots + 2));
  if (!first || !last || *first > *last || *last >= count) return std::nullopt;
  return Range{*first, *last};
}

std::unexpected<Error> no_place(std::string_view part, std::string_view text, const Mesh& mesh) {
  return fail(ErrorKind::Invalid,
              fmt::format("'{}' in the place '{}' is not to be found: this device has die0 to "
                          "die{}, of n0,0 to n{},{} (row, column) with h0 to h{}; write "
                          "die3/n7,12/h2, ranges as n0..3,4..7, and join places by '+'.",
                          part, text, mesh.dies() - 1, mesh.node_rows - 1, mesh.node_columns - 1,
                          D1_HARTS - 1));
}

Place everywhere(const Mesh& mesh) {
  return {{0, mesh.dies() - 1},
          {0, mesh.node_rows - 1},
          {0, mesh.node_columns - 1},
          {0, D1_HARTS - 1}};
}

// Narrows the place by one part; false if that is none.
bool narrow(Place& place, std::string_view part, const Mesh& mesh) {
  if (part == "all" || part == "*") return true;
  if (part == "tile0" && mesh.dies() <= kTileDies) return true;
  const auto set = [](Range& range, std::optional<Range> found) {
    if (found) range = *found;
    return found.has_value();
  };
  if (part.starts_with("die")) return set(place.dies, range_of(part.substr(3), mesh.dies()));
  if (part.starts_with('h')) {
    place.names_harts = true;
    return set(place.harts, range_of(part.substr(1), D1_HARTS));
  }
  if (!part.starts_with('n')) return false;
  place.names_nodes = true;
  const std::size_t comma = part.find(',');
  return comma != std::string_view::npos &&
         set(place.rows, range_of(part.substr(1, comma - 1), mesh.node_rows)) &&
         set(place.columns, range_of(part.substr(comma + 1), mesh.node_columns));
}

}  // namespace

PlaceSet::PlaceSet(const Mesh& mesh) : mesh_(mesh), text_("all"), places_{everywhere(mesh)} {}

Result<PlaceSet> PlaceSet::parse(std::string_view text, const Mesh& mesh) {
  PlaceSet set(mesh);
  set.text_ = text;
  set.places_.clear();
  for (const std::string_view each : split(text, '+')) {
    Place place = everywhere(mesh);
    for (const std::string_view part : split(each, '/'))
      if (!narrow(place, part, mesh)) return no_place(part, text, mesh);
    set.places_.push_back(place);
  }
  return set;
}

bool PlaceSet::contains_die(std::uint32_t die) const noexcept {
  return std::ranges::any_of(places_, [&](const Place& each) { return each.dies.contains(die); });
}

bool PlaceSet::contains(std::uint32_t die, std::uint32_t node) const noexcept {
  return std::ranges::any_of(places_, [&](const Place& each) {
    return each.dies.contains(die) && each.rows.contains(node / mesh_.node_columns) &&
           each.columns.contains(node % mesh_.node_columns);
  });
}

bool PlaceSet::contains(std::uint32_t die, std::uint32_t node,
                        std::uint32_t hart) const noexcept {
  return std::ranges::any_of(places_, [&](const Place& each) {
    return each.dies.contains(die) && each.rows.contains(node / mesh_.node_columns) &&
           each.columns.contains(node % mesh_.node_columns) && each.harts.contains(hart);
  });
}

Result<PlaceSet::One> PlaceSet::one() const {
  const Place& place = places_.front();
  const auto single = [](const Range& range) { return range.first == range.last; };
  if (places_.size() == 1 && single(place.dies) && single(place.rows) && single(place.columns) &&
      (single(place.harts) || !place.names_harts))
    return One{place.dies.first,
               place.rows.first * mesh_.node_columns + place.columns.first, place.harts.first};
  return fail(ErrorKind::Invalid,
              fmt::format("'{}' is more than one node, or hart; name one, as in {}n7,12/h2.", text_,
                          mesh_.dies() > 1 ? "die3/" : ""));
}

std::string name_of(const Mesh& mesh, std::uint32_t die, std::uint32_t node) {
  return fmt::format("die{}/n{},{}", die, node / mesh.node_columns, node % mesh.node_columns);
}

std::string name_of(const Mesh& mesh, std::uint32_t die, std::uint32_t node, std::uint32_t hart) {
  return fmt::format("{}/h{}", name_of(mesh, die, node), hart);
}

}  // namespace d1::inspect
