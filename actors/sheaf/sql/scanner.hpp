// SPDX-License-Identifier: BSD-3-Clause
//
// The scanner that finds `:name` in SQL. It knows each dialect's tokens and nothing else of its grammar, but for
// PostgreSQL's brackets, in which a colon may be a slice's. Pure, any thread.

#pragma once

#include "sheaf/sql/parsed_statement.hpp"
#include "sheaf/value.hpp"

#include <string_view>

namespace sheaf {

/// One pass over the text. Unterminated strings and comments end at the end of the text; the server
/// reports them. `uses_brackets`, when given, is set to whether `declared` was asked: the result then holds only for
/// them.
parsed_statement parse_statement(std::string_view sql, dialect d, const parameters& declared,
                                 bool* uses_brackets = nullptr);

} // namespace sheaf
