// SPDX-License-Identifier: BSD-3-Clause
//
// Reads the effects of a statement from its tokens, from left to right. Any thread.

#pragma once

#include "sheaf/sql/lexer.hpp"
#include "sheaf/sql/statement_effects.hpp"

namespace sheaf {

class effects_reader {
public:
  explicit effects_reader(dialect d) noexcept : postgresql_(d == dialect::postgresql) {}

  /// Each token in turn; its text outlives this.
  void take(const sql_token& t) noexcept;

  statement_effects finish() noexcept;

private:
  enum class place : std::uint8_t {
    beginning,       ///< Before its first word, but for parentheses.
    explain,         ///< Behind `explain`, before the statement that it explains.
    explain_options, ///< In the parentheses there.
    body,
    pragma, ///< In SQLite, behind the word.
    over,   ///< Behind its semicolon.
  };

  void begin(const sql_token& t) noexcept;
  void explain(const sql_token& t) noexcept;
  void take_word(const sql_token& t) noexcept;
  void take_call() noexcept;
  void take_pragma(const sql_token& t) noexcept;
  void may_write() noexcept;
  void writes() noexcept { read_.effect = effect::writes; }
  void leaves(traces x) noexcept;

  const bool postgresql_;
  statement_effects read_{};
  place place_ = place::beginning;
  bool explained_ = false; ///< Not run: only its plan is shown.
  bool analyzed_ = false;
  bool updates_ = false, names_settings_ = false;
  bool is_telling_pragma_ = false;

  sql_token last_, before_last_;
  sql_token schema_;      ///< Of the name that came last; none where it has none.
  sql_token before_name_; ///< The token before that name and its schema.
};

} // namespace sheaf
