// SPDX-License-Identifier: BSD-3-Clause
//
// The words of SQL in either dialect, for guesses about what a statement is about. Any thread.

#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app {

/// Words and names in order, without what stands in strings and comments: ASCII capitals are small, names have no
/// quotes. A `.` and a `(` are words, too.
std::vector<std::string> words_of_sql(std::string_view sql);

/// The name of what a statement makes or alters: the one behind `create [temporary …] table [if not exists]` and the
/// like, without its schema; empty when it is another statement.
std::string made_by(std::string_view sql);

} // namespace sheaf::app
