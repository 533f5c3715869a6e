// SPDX-License-Identifier: BSD-3-Clause
//
// The tokens of SQL: where each dialect's words, names, strings and comments begin and end. Pure, any thread.
// PostgreSQL's rules: manual, section 4.1; SQLite's: tokenize.c.

#pragma once

#include "sheaf/sql/dialect.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sheaf {

enum class token_kind : std::uint8_t {
  end,
  word,   ///< A name without quotes, or a keyword.
  name,   ///< A name in quotes, with them.
  string, ///< With its quotes.
  number,
  parameter,       ///< Of the database's own kind: `$1`; `?`, `?1`, `@x`, `$x`, `:1`.
  named_parameter, ///< `:name`, or a slice's colon with the name behind it.
  sign,            ///< Anything else; one character, but for `::`.
};

struct sql_token {
  token_kind kind = token_kind::end;
  std::string_view text{}; ///< A part of the SQL.

  bool is_sign(char c) const noexcept { return kind == token_kind::sign && text.size() == 1 && text[0] == c; }

  /// True for this word, which is given in small letters.
  bool is_word(std::string_view lower) const noexcept;
};

class lexer {
public:
  /// `sql` outlives it.
  lexer(std::string_view sql, dialect d) noexcept : sql_(sql), postgresql_(d == dialect::postgresql) {}

  /// The next token, past white space and comments. A string or name that does not end, ends with the text; so does a
  /// comment in SQLite, and in PostgreSQL it is one last sign: the server reports them.
  sql_token next() noexcept;

  /// Goes back behind the colon of the named parameter that came last: it was a sign by itself.
  void take_colon_only(const sql_token& parameter) noexcept { pos_ -= parameter.text.size() - 1; }

  /// The end of the last token, in bytes.
  std::size_t position() const noexcept { return pos_; }

  /// True when a name or keyword would go on with `c`.
  static bool is_in_word(char c) noexcept;

private:
  char peek(std::size_t n) const noexcept { return pos_ + n < sql_.size() ? sql_[pos_ + n] : '\0'; }

  bool skip_comment() noexcept;
  sql_token token_to(std::size_t end, token_kind kind) noexcept;
  std::size_t end_of_word(std::size_t from) const noexcept;
  std::size_t after(std::string_view text, std::size_t skipped) const noexcept;
  std::size_t end_of_quoted(std::size_t from) const noexcept;
  std::size_t end_of_escape_string(std::size_t from) const noexcept;
  std::size_t quote_on_next_line(std::size_t from) const noexcept;
  sql_token read_word() noexcept;
  sql_token read_number() noexcept;
  sql_token read_dollar() noexcept;
  sql_token read_variable() noexcept;
  sql_token read_colon() noexcept;

  const std::string_view sql_;
  const bool postgresql_;
  std::size_t pos_ = 0;
};

} // namespace sheaf
