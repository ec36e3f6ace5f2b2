// SPDX-License-Identifier: Apache-2.0
// How --stats shows what the emulation did on this host: a text for people, a member of documents
// for programs. Knows no figure by name.
#pragma once

#include <d1/base/statistics.hpp>

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace d1::tools {

// Under the name of each group its figures; parts of a whole with their share of it.
[[nodiscard]] std::string text_of(const Statistics& statistics);

// {"group": {"name": value}}.
[[nodiscard]] nlohmann::ordered_json document_of(const Statistics& statistics);

}  // namespace d1::tools
