// SPDX-License-Identifier: Apache-2.0
// Memory, and whose it is.
#include <fmt/format.h>
#include <d1/abi/mailbox.h>
#include <d1/abi/memory_map.h>

#include <algorithm>
#include <optional>

#include "elements.hpp"
#include "verbs.hpp"

namespace d1::inspect {
namespace {

using nlohmann::ordered_json;

// A place in memory: a device address, and the node it is on, if it is on one.
struct Spot {
  std::uint64_t address = 0;
  std::optional<driver::DebugPlace> node;
};

Result<std::uint64_t> offset_of(Session& session, const driver::DebugPlace& node,
                                std::string_view text) {
  auto state = session.target().node(node);
  if (!state) return std::unexpected(std::move(state.error()));
  if (const auto function = session.symbols().function(state->node.program, text))
    return function->address;
  return number_of(text, "offset in SRAM, nor a function of the node's program");
}

// "die0/n7,12:0x8000", or a device address.
Result<Spot> spot_of(Session& session, std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    auto address = number_of(text, "device address; of a node's memory write die0/n7,12:0x8000");
    if (!address) return std::unexpected(std::move(address.error()));
    Spot spot{*address, std::nullopt};
    if (d1_address_kind(*address) == D1_ADDRESS_NODE)
      spot.node = driver::DebugPlace{
          static_cast<std::uint32_t>(*address >> (D1_OFFSET_BITS + D1_NODE_BITS)) &
              ((1u << D1_DIE_BITS) - 1),
          static_cast<std::uint32_t>(*address >> D1_OFFSET_BITS) & ((1u << D1_NODE_BITS) - 1)};
    return spot;
  }
  auto place = PlaceSet::parse(text.substr(0, colon), session.mesh());
  if (!place) return std::unexpected(std::move(place.error()));
  auto one = place->one();
  if (!one) return std::unexpected(std::move(one.error()));
  const driver::DebugPlace node{one->die, one->node};
  auto offset = offset_of(session, node, text.substr(colon + 1));
  if (!offset) return std::unexpected(std::move(offset.error()));
  if (*offset >= D1_SRAM_BYTES)
    return fail(ErrorKind::Invalid, fmt::format("{:#x} is behind a node's {:#x} bytes of SRAM.",
                                                *offset, D1_SRAM_BYTES));
  return Spot{d1_node_address(node.die, node.node, static_cast<std::uint32_t>(*offset)), node};
}

// An address as people read it: within its node, where it is on one.
std::uint64_t shown(const Spot& spot, std::uint64_t at) {
  return (spot.node ? d1_address_offset(spot.address) : spot.address) + at;
}

}  // namespace

Result<Answer> read_memory(Session& session, Words words) {
  std::uint64_t count = 16;
  std::string type_name = "e32";
  for (const std::string& word : words.subspan(1)) {
    if (names_element_type(word)) {
      type_name = word;
      continue;
    }
    auto number = number_of(word, "number of elements, nor a type");
    if (!number) return std::unexpected(std::move(number.error()));
    count = *number;
  }
  auto type = element_type_of(type_name);
  if (!type) return std::unexpected(std::move(type.error()));
  auto spot = spot_of(session, words[0]);
  if (!spot) return std::unexpected(std::move(spot.error()));
  const std::size_t bytes = bytes_of(*type);
  if (count > D1_DEBUG_MAX_BYTES / bytes)
    return fail(ErrorKind::Invalid,
                fmt::format("{} elements are too many at once; read {} at most.", count,
                            D1_DEBUG_MAX_BYTES / bytes));
  auto data = session.target().read(spot->address, count * bytes);
  if (!data) return std::unexpected(std::move(data.error()));
  Answer answer;
  ordered_json elements = ordered_json::array();
  const std::size_t per_line = *type >= ElementType::F32 ? 8 : 32 / bytes;
  for (std::size_t i = 0; i < count; ++i) {
    if (i % per_line == 0)
      answer.text += fmt::format("{}{:#x}:", i == 0 ? "" : "\n", shown(*spot, i * bytes));
    const std::string element = text_of(*type, std::span(*data).subspan(i * bytes, bytes));
    answer.text += " " + element;
    elements.push_back(element);
  }
  answer.text += "\n";
  answer.document = {{"address", spot->address},
                     {"type", type_name},
                     {"cycle", session.target().cycle()},
                     {"elements", elements}};
  return answer;
}

Result<Answer> write_memory(Session& session, Words words) {
  std::string type_name = "e32";
  if (names_element_type(words.back())) {
    type_name = words.back();
    words = words.first(words.size() - 1);
  }
  auto type = element_type_of(type_name);
  if (!type) return std::unexpected(std::move(type.error()));
  auto spot = spot_of(session, words[0]);
  if (!spot) return std::unexpected(std::move(spot.error()));
  std::vector<std::byte> data;
  for (const std::string& word : words.subspan(1)) {
    auto element = parse_element(*type, word);
    if (!element) return std::unexpected(std::move(element.error()));
    data.insert(data.end(), element->begin(), element->end());
  }
  if (data.empty())
    return fail(ErrorKind::Invalid, "No value was given that could be written.");
  if (auto written = session.target().write(spot->address, data); !written)
    return std::unexpected(std::move(written.error()));
  return Answer{fmt::format("{} bytes written; the run goes on from another state than its own.\n",
                            data.size()),
                {{"address", spot->address}, {"bytes", data.size()}}};
}

Result<Answer> find_owner(Session& session, Words words) {
  auto spot = spot_of(session, words[0]);
  if (!spot) return std::unexpected(std::move(spot.error()));
  const auto told = [&](std::string owner) {
    return Answer{fmt::format("{:#x} is {}.\n", shown(*spot, 0), owner),
                  {{"address", spot->address}, {"owner", owner}}};
  };
  if (!spot->node) {
    if (d1_address_kind(spot->address) == D1_ADDRESS_HBM) return told("HBM");
    return fail(ErrorKind::Invalid, fmt::format("{:#x} is no address of a node's memory or of HBM.",
                                                spot->address));
  }
  const std::uint32_t offset = d1_address_offset(spot->address);
  if (offset < D1_NULL_BYTES) return told("where null pointers point: accesses trap");
  if (offset < D1_SYSTEM_BYTES)
    return told(offset - D1_MAILBOX_ADDRESS < sizeof(d1_mailbox) ? "the mailbox" : "the system's");
  auto state = session.target().node(*spot->node);
  if (!state) return std::unexpected(std::move(state.error()));
  const d1_launch& launch = state->mailbox;
  for (std::uint32_t hart = 0; hart < std::min(launch.harts, std::uint32_t{D1_HARTS}); ++hart)
    if (offset < D1_STACK_TOP - hart * launch.stack_bytes &&
        offset >= D1_STACK_TOP - (hart + 1) * launch.stack_bytes)
      return told(fmt::format("the stack of hart {}", hart));
  const runtime::ElfImage* const image = session.symbols().image(state->node.program);
  if (image == nullptr) return told("a buffer, or of a program that is not known");
  if (const std::string_view function = image->function_at(offset); !function.empty())
    return told(fmt::format("the program's function {}", function));
  if (offset < image->end()) return told("the program's data");
  return told("behind the program: heap, or a buffer of the host's");
}

}  // namespace d1::inspect
