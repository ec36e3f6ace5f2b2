// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "compressed.hpp"
#include "generator.hpp"

namespace d1::difftest {

namespace {

using isa::Extension;
using isa::Operand;

// What is compared elsewhere: the oracle has neither these extensions nor, in a user's process,
// the machine's instructions.
bool oracle_has(InstructionId id) {
  switch (isa::facts(id).extension) {
    case Extension::Zicond:
    case Extension::Zfbfmin:
    case Extension::Zvfbfmin:
    case Extension::Zvfbfwma:
    case Extension::Xd1:
    case Extension::Privileged:
      return false;
    default:
      return id != InstructionId::ecall;
  }
}

template <typename Visit>
void each_vtype(Visit&& visit) {
  for (int sew = 3; sew <= 6; ++sew)
    for (int lmul = -3; lmul <= 3; ++lmul)
      if (vtype_exists(sew, lmul)) visit(sew, lmul);
}

void add_vector_cells(InstructionId id, std::vector<Cell>& cells) {
  const unsigned most_fields = has_fields(id) ? 8 : 1;
  each_vtype([&](int sew, int lmul) {
    for (unsigned fields = 1; fields <= most_fields; ++fields) {
      const auto form = form_of(id, fields, sew, lmul);
      if (!form) continue;
      const unsigned policies = form->ignores_vtype ? 1 : 4;
      for (unsigned masked = form->always_masked ? 1 : 0;
           masked <= (form->can_be_masked || form->always_masked ? 1U : 0U); ++masked)
        for (unsigned policy = 0; policy < policies; ++policy)
          for (unsigned rounding = 0; rounding < rounding_modes(form->rounding); ++rounding)
            cells.push_back({.id = id,
                             .fields = static_cast<std::uint8_t>(has_fields(id) ? fields : 0),
                             .sew_log2 = static_cast<std::uint8_t>(sew),
                             .lmul_log2 = static_cast<std::int8_t>(lmul),
                             .masked = static_cast<std::uint8_t>(masked),
                             .policy = static_cast<std::uint8_t>(policy),
                             .rounding = static_cast<std::uint8_t>(rounding)});
    }
  });
}

void add_configuration_cells(InstructionId id, std::vector<Cell>& cells) {
  each_vtype([&](int sew, int lmul) {
    for (std::uint8_t policy = 0; policy < 4; ++policy)
      cells.push_back({.id = id,
                       .sew_log2 = static_cast<std::uint8_t>(sew),
                       .lmul_log2 = static_cast<std::int8_t>(lmul),
                       .policy = policy});
  });
}

}  // namespace

RoundingKind rounding_kind(const Cell& cell) {
  if (is_vector(cell.id)) {
    const auto form =
        form_of(cell.id, cell.fields == 0 ? 1 : cell.fields, cell.sew_log2, cell.lmul_log2);
    return form ? form->rounding : RoundingKind::None;
  }
  return cell.compressed == 0 &&
                 (has_operand(cell.id, Operand::rm) || has_operand(cell.id, Operand::rm_exact))
             ? RoundingKind::ScalarFloat
             : RoundingKind::None;
}

std::vector<Cell> all_cells(const std::optional<std::regex>& filter) {
  std::vector<Cell> cells;
  for (unsigned number = 1; number < static_cast<unsigned>(InstructionId::Count); ++number) {
    const auto id = static_cast<InstructionId>(number);
    if (!oracle_has(id)) continue;
    if (filter && !std::regex_search(std::string(isa::facts(id).mnemonic), *filter)) continue;
    if (is_vector(id)) {
      add_vector_cells(id, cells);
    } else if (isa::facts(id).extension == Extension::V) {
      add_configuration_cells(id, cells);
    } else {
      const Cell plain{.id = id};
      for (unsigned rounding = 0; rounding < rounding_modes(rounding_kind(plain)); ++rounding)
        cells.push_back({.id = id, .rounding = static_cast<std::uint8_t>(rounding)});
    }
  }
  const auto compressed = compressed_instructions();
  for (std::size_t line = 0; line < compressed.size(); ++line)
    if (!filter || std::regex_search(std::string(compressed[line].mnemonic), *filter))
      cells.push_back(
          {.id = compressed[line].id, .compressed = static_cast<std::uint8_t>(line + 1)});
  return cells;
}

std::string name_of(const Cell& cell) {
  std::string name(cell.compressed != 0 ? compressed_instructions()[cell.compressed - 1U].mnemonic
                                        : isa::facts(cell.id).mnemonic);
  if (cell.fields > 1) name += fmt::format(" {} fields", cell.fields);
  if (cell.sew_log2 != 0)
    name += fmt::format(" e{} m{}{}{}{}", 1U << cell.sew_log2, cell.lmul_log2 < 0 ? "f" : "",
                        1U << std::abs(cell.lmul_log2), cell.policy & 1 ? " ta" : " tu",
                        cell.policy & 2 ? " ma" : " mu");
  if (cell.masked != 0) name += " masked";
  static constexpr std::array<const char*, 5> kFloat = {"rne", "rtz", "rdn", "rup", "rmm"};
  static constexpr std::array<const char*, 4> kFixed = {"rnu", "rne", "rdn", "rod"};
  switch (rounding_kind(cell)) {
    case RoundingKind::FixedPoint:
      name += fmt::format(" {}", kFixed[cell.rounding]);
      break;
    case RoundingKind::VectorFloat:
      name += fmt::format(" {}", kFloat[cell.rounding]);
      break;
    case RoundingKind::ScalarFloat:
      name += fmt::format(" {}{}", kFloat[cell.rounding % 5], cell.rounding >= 5 ? " dyn" : "");
      break;
    case RoundingKind::None:
      break;
  }
  return name;
}

}  // namespace d1::difftest
