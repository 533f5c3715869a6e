// SPDX-License-Identifier: BSD-3-Clause
//
// The bound that this machine's cores set to what is gained by running queries at once. Any thread.

#pragma once

#include <cstddef>
#include <string>

namespace sheaf::app {

/// `; 2 cores here: 3 CPU-bound queries cannot be more than 1.5 times as fast`, where queries are more than cores and
/// the `speed_up` that was measured is within that bound; else nothing.
std::string limit_of_cores(std::size_t queries, double speed_up);

} // namespace sheaf::app
