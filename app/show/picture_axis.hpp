// SPDX-License-Identifier: BSD-3-Clause
//
// Round numbers along an axis of time. Any thread.

#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace sheaf::app {

struct tick {
  std::chrono::nanoseconds at;
  std::string label; ///< `0`, `50 ms`; all in one unit.
};

/// Ticks from 0 to `span`, which is more than nothing: 1, 2 or 5 times a power of ten apart, as close as at most `most`
/// of them allow, besides the one at 0.
std::vector<tick> ticks_of(std::chrono::nanoseconds span, std::size_t most);

} // namespace sheaf::app
