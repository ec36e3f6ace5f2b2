// SPDX-License-Identifier: Apache-2.0
// `d1 info --verify`: the time model's rows, measured and calculated. One thread.
#pragma once

#include <d1/base/error.hpp>

namespace d1::tools {

enum class ReportFormat { Text, Json };

// Runs every check of <d1/verify/verify.hpp> and reports them; kFailure if one does not hold.
[[nodiscard]] Result<int> verify_time_model(ReportFormat format);

}  // namespace d1::tools
