// SPDX-License-Identifier: BSD-3-Clause
//
// The longest wait that a caller wants, as two headers give it. Any thread.

#pragma once

#include "sheaf/error.hpp"

#include <chrono>
#include <string_view>

namespace sheaf::app::serve {

/// `grpc-timeout`: at most eight digits and a unit of `H`, `M`, `S`, `m` (milliseconds), `u` or `n`. Zero and texts of
/// another form are `invalid_request`.
result<std::chrono::nanoseconds> parse_grpc_timeout(std::string_view text);

} // namespace sheaf::app::serve
