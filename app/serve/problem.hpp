// SPDX-License-Identifier: BSD-3-Clause
//
// Failures as a client may know them: application/problem+json (RFC 9457). Any thread.

#pragma once

#include "app/serve/arguments.hpp"
#include "app/serve/response.hpp"

#include "sheaf/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app::serve {

/// `code` is a word for programs, `detail` a sentence for people.
response make_problem(http::status status, std::string_view code, std::string_view detail, std::string_view id);

/// 400, with each parameter that cannot be taken in `parameters`.
response make_problem(const std::vector<bad_argument>& bad, std::string_view id);

/// The problem of a request that failed as a whole. The client hears the code and what it may do, and is not asked to
/// come again where something may have been done. The rest is for the log: a server's details have values of rows, and
/// its notices are words of functions, which may have been meant for others.
response make_problem(const failure& why, std::string_view id);

/// The message that a client may have of a failure beside its code.
std::string_view public_message(const failure& why) noexcept;

http::status status_of(const failure& why) noexcept;

} // namespace sheaf::app::serve
