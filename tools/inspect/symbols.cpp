// SPDX-License-Identifier: Apache-2.0
#include <d1/inspect/symbols.hpp>

#include <d1/abi/memory_map.h>
#include <fmt/format.h>

#include <algorithm>

namespace d1::inspect {

Symbols::Program& Symbols::open(std::uint64_t program) {
  const auto [entry, fresh] = programs_.try_emplace(program);
  Program& opened = entry->second;
  if (!fresh || program == 0) return opened;
  auto bytes = target_.elf(program);
  if (!bytes || bytes->empty()) return opened;
  auto image = runtime::ElfImage::parse(std::move(*bytes), fmt::format("program {}", program));
  if (!image) return opened;
  opened.image.emplace(std::move(*image));
  if (auto info = runtime::DebugInfo::open(*opened.image)) opened.info = std::move(*info);
  return opened;
}

std::string Symbols::function_at(std::uint64_t program, std::uint64_t address) {
  const runtime::ElfImage* const known = image(program);
  return known != nullptr ? std::string(known->function_at(address)) : std::string();
}

const runtime::ElfImage* Symbols::image(std::uint64_t program) {
  const Program& opened = open(program);
  return opened.image ? &*opened.image : nullptr;
}

const runtime::SourcePlace& Symbols::place(std::uint64_t program, std::uint64_t address) {
  const auto [entry, fresh] = places_.try_emplace({program, address});
  runtime::SourcePlace& place = entry->second;
  if (!fresh) return place;
  if (address >= D1_ROM_BASE && address < D1_ROM_BASE + D1_ROM_BYTES) {
    place.function = "the boot ROM";
    return place;
  }
  Program& opened = open(program);
  if (opened.info) place = opened.info->place(address);
  return place;
}

std::string Symbols::text(std::uint64_t program, std::uint64_t address) {
  return runtime::to_string(place(program, address), address);
}

std::optional<runtime::Symbol> Symbols::function(std::uint64_t program, std::string_view name) {
  const runtime::ElfImage* const known = image(program);
  if (known == nullptr) return std::nullopt;
  const auto found = std::ranges::find(known->functions(), name, &runtime::Symbol::name);
  return found == known->functions().end() ? std::nullopt : std::optional(*found);
}

}  // namespace d1::inspect
