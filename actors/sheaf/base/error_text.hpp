// SPDX-License-Identifier: BSD-3-Clause
//
// A database's or a library's words, made fit for a failure's message: one line, and no values of the user's. Pure
// functions.

#pragma once

#include <string>
#include <string_view>

namespace sheaf {

/// The same text with blanks for line breaks and other control characters, and cut where it gets too long to read.
std::string to_one_line(std::string_view text);

/// The same text without the places where databases put values: between the first and the last quote or bracket, or
/// else after the first colon. `invalid input syntax for type integer: "x"` becomes `invalid input syntax for type
/// integer: "…"`.
std::string without_values(std::string_view text);

} // namespace sheaf
