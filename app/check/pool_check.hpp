// SPDX-License-Identifier: BSD-3-Clause
//
// Finds the pools of a file that are larger than its requests and scenarios can use. Any thread.

#pragma once

#include "app/file/sheaf_file.hpp"

namespace sheaf::app {

/// A warning for each `pool.max_size` that was set and that neither a request nor a scenario reaches, as far as that is
/// known: for `for_each`, whose lists may have any length, by the request's `width`.
std::vector<finding> large_pools_in(const sheaf_file& file);

} // namespace sheaf::app
