// SPDX-License-Identifier: BSD-3-Clause
//
// Numbers as people read them. Any thread.

#pragma once

#include <string>

namespace sheaf::app {

/// Three digits, and what they stand for: `0.25`, `7`, `850`, `29.4 k`, `1.02 M`. `x` is not negative.
std::string to_people(double x);

} // namespace sheaf::app
