// SPDX-License-Identifier: BSD-3-Clause
//
// An engine's counters in Prometheus' text format.

#pragma once

#include <string>

namespace sheaf {

class engine_loops;

/// See `engine::metrics_text`. Any thread.
std::string metrics_text(const engine_loops& loops);

} // namespace sheaf
