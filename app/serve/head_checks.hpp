// SPDX-License-Identifier: BSD-3-Clause
//
// Checks of a request by its head alone. On the loop's thread.

#pragma once

#include "app/serve/exchange.hpp"
#include "app/serve/service.hpp"

#include <optional>

namespace sheaf::app::serve {

/// Fills in `trace` and `id`; an answer when nobody can be sure where this request ends. The bytes behind it must not
/// be read as another one then: the connection ends (RFC 9112, section 6.3).
std::optional<response> check_framing(exchange& x);

/// The rest. Fills in `asked` and `where`; an answer when the request is refused, or when the head says all (OPTIONS).
std::optional<response> check_head(const service& of, exchange& x);

/// The answer to a client whose request is not HTTP as it should be. `is_line` when it is the request line that is too
/// long.
response problem_of_syntax(boost::system::error_code why, bool is_line, std::string_view id);

} // namespace sheaf::app::serve
