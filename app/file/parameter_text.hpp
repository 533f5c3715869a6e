// SPDX-License-Identifier: BSD-3-Clause
//
// Parameters as the command line gives them: `name=value`, `name:type=value`. Any thread.

#pragma once

#include "sheaf/backend.hpp"
#include "sheaf/value.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf::app {

/// Reads one argument of `-p`.
///
/// Without a type the value is text, and the database infers a type from where it stands, as PostgreSQL does. Where it
/// does not, as SQLite, a value that reads as a number, and would be written the same (`42`, `-1.5`, but not `007`), is
/// that number. Types: `text`,
/// `int`, `double`, `bool` (`true`, `false`, `t`, `f`), `bytes` (`\x00ff`), `null` (`name:null`, no value), and
/// `text[]`, `int[]`, `double[]`, `bool[]`, `bytes[]`: elements with commas between them, `null` for NULL, in double
/// quotes (`\` escapes) when they hold a comma, a quote or white space at an end. A value that does not fit is
/// `invalid_request`; the message names the parameter and never its value.
result<std::pair<std::string, value>> parse_parameter(std::string_view argument, const backend& of);

/// A value of the type `text`, `int`, `double`, `bool` or `bytes`, as above; nothing when the text is none.
std::optional<value> parse_value(std::string_view type, std::string_view text);

/// The elements of a list as the command line gives it, each its text, or nothing for NULL; nothing at all when quotes
/// do not end, or something stands behind them.
std::optional<std::vector<std::optional<std::string>>> split_list(std::string_view text);

/// The values that a type takes, for messages: `a whole number of 64 bits`. Empty for an unknown type.
std::string_view described_type(std::string_view type);

} // namespace sheaf::app
