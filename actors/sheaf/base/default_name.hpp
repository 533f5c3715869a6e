// SPDX-License-Identifier: BSD-3-Clause
//
// The names of queries that have none. Any thread.

#pragma once

#include <cstddef>
#include <string>

namespace sheaf {

/// `q1`, `q2`, … by the query's position, from 0.
std::string default_name(std::size_t position);

} // namespace sheaf
