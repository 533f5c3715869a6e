// SPDX-License-Identifier: BSD-3-Clause
//
// SQL text with named parameters, and the scanner that finds them.

#pragma once

#include "sheaf/statement_effects.hpp"
#include "sheaf/value.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

/// Whose lexical rules a statement follows.
enum class dialect : std::uint8_t { postgresql, sqlite };

/// How many characters (not bytes) a text has.
std::size_t characters(std::string_view utf8) noexcept;

/// A statement as a session sends it.
struct parsed_statement {
  std::string text;               ///< `:name` replaced by `$1`, `$2`, … (PostgreSQL) or `?1`, `?2`, … (SQLite).
  std::vector<std::string> names; ///< Parameter `n` is `names[n - 1]`; a name that stands twice is listed once.
  std::size_t hash = 0;           ///< Of `text`, for the sessions' statement caches.
  bool empty = false;             ///< Nothing but white space, comments and semicolons.
  bool traces = false;            ///< May leave something in a PostgreSQL session.
  bool planned = false;           ///< PostgreSQL plans it, so that it is worth preparing (`is_planned`).
  sheaf::effect effect = sheaf::effect::writes;
  bool positional = false; ///< Has parameters of the database's own kind too (`$1`; `?`, `@x`), left as they are.

  /// Where a place in `text` stands in the SQL that was given. Both count characters (not bytes) from 1.
  std::size_t position_in_source(std::size_t position_in_text) const noexcept;

  struct replacement {
    std::size_t at_text, at_source; ///< Characters from 0.
    std::size_t text_length, source_length;
  };
  std::vector<replacement> replacements; ///< In order.
};

/// Immutable SQL text, cheap to copy and safe to share between threads. Parsed once and remembered, so a statement that
/// runs often should be kept and copied instead of being built anew from text.
class statement {
public:
  statement();
  statement(std::string sql);
  statement(std::string_view sql) : statement(std::string{sql}) {}
  statement(const char* sql) : statement(std::string{sql}) {}

  const std::string& sql() const noexcept;

  /// The form for `d`. `declared` are the parameters that the caller gives. Every `:name` is a parameter, except that
  /// within the brackets of a PostgreSQL subscript a colon after an operand is a slice's (`a[1:n]`), and that `a[:n]`,
  /// which may be either, is a parameter when `n` is declared and a slice up to the column `n` when not. See
  /// docs/scanner.md.
  std::shared_ptr<const parsed_statement> parse(dialect d, const parameters& declared) const;

  /// The form for `d` if it is known already and holds for all `declared`. Lives as long as this statement.
  const parsed_statement* known(dialect d) const noexcept;

private:
  struct shared;
  std::shared_ptr<const shared> shared_;
};

/// The scanner itself: one pass over the text. Unterminated strings and comments end at the end of the text; the server
/// reports them. `uses_brackets`, when given, is set to whether `declared` was asked: the result then holds only for
/// them.
parsed_statement parse_statement(std::string_view sql, dialect d, const parameters& declared,
                                 bool* uses_brackets = nullptr);

} // namespace sheaf
