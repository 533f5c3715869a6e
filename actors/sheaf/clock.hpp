// SPDX-License-Identifier: BSD-3-Clause
//
// The clock of deadlines and of all times that are measured.

#pragma once

#include <chrono>

namespace sheaf {

using clock = std::chrono::steady_clock;

} // namespace sheaf
