// SPDX-License-Identifier: BSD-3-Clause
//
// SQL text with named parameters.

#pragma once

#include "sheaf/sql/parsed_statement.hpp"
#include "sheaf/value.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace sheaf {

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

} // namespace sheaf
