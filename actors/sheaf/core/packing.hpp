// SPDX-License-Identifier: BSD-3-Clause
//
// Decides which queries of a request share a session's pipeline. Pure functions.

#pragma once

#include "sheaf/core/admission.hpp"
#include "sheaf/core/checked_request.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace sheaf {

/// Statements that go to one session at once, at most: so many times two KiB of parameters fit into its buffers.
inline constexpr std::size_t pack_size_max = 32;

/// Queries of one request, of one database, that go to one session together.
struct pack {
  std::uint32_t database = 0;
  std::vector<std::uint32_t> queries;  ///< Positions, in their order; two at least.
  std::chrono::nanoseconds expected{}; ///< The time until all are answered, on a server that has nothing else to do.
};

/// The packs of a request, in the order of their first queries. There are as many of one database as the sum of what
/// its statements take asks for: each takes about as long as the way there and back, `round_trip` of that database.
std::vector<pack> form_packs(const checked_request& asked, const admission::ticket& given,
                             const std::function<std::chrono::nanoseconds(std::size_t)>& round_trip);

} // namespace sheaf
