// SPDX-License-Identifier: BSD-3-Clause
//
// Randomness for durations, so that sessions that begin together do not stay together for ever.

#pragma once

#include <chrono>

namespace sheaf {

/// `x`, give or take up to `share` of it. Any thread.
std::chrono::nanoseconds jittered(std::chrono::nanoseconds x, double share);

} // namespace sheaf
