// SPDX-License-Identifier: BSD-3-Clause
//
// Checks of a request by its head alone. On the loop's thread.

#pragma once

#include "app/serve/exchange.hpp"
#include "app/serve/service.hpp"

#include <optional>
#include <string_view>

namespace sheaf::app::serve {

/// Fills in `trace`, `id` and `asked`; an answer when nobody can be sure what is asked, or where this request ends. The
/// bytes behind it must not be read as another one then: the connection ends (RFC 9112, section 6.3).
std::optional<response> check_framing(exchange& x);

/// The rest. Fills in `where`; an answer when the request is refused, or when the head says all (OPTIONS).
std::optional<response> check_head(const service& of, exchange& x);

/// True when a field goes on in another line (RFC 9112, section 5.2). `head` begins with a line's beginning and ends
/// with the head.
bool has_folded_line(std::string_view head) noexcept;

/// True when the first line ends in a version of HTTP that is not HTTP/1.
bool names_other_version(std::string_view head) noexcept;

/// The answer to a client whose request is not HTTP as it should be. `is_line` when it is the request line that is too
/// long.
response problem_of_syntax(boost::system::error_code why, bool is_line, std::string_view id);

} // namespace sheaf::app::serve
