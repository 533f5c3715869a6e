// SPDX-License-Identifier: BSD-3-Clause
//
// A PostgreSQL server's error or notice, without the values that the server repeats in it. Pure functions.

#pragma once

#include "sheaf/backend/postgresql/native.hpp"
#include "sheaf/base/redaction.hpp"
#include "sheaf/error.hpp"
#include "sheaf/sql/parsed_statement.hpp"
#include "sheaf/value.hpp"

#include <libpq-fe.h>

#include <cstddef>
#include <list>
#include <string_view>
#include <vector>

namespace sheaf {

/// The fields of a server's error or notice that count (PostgreSQL manual, "Error and Notice Message Fields"); an empty
/// one was not given.
struct server_error {
  std::string_view severity; ///< In English.
  std::string_view sqlstate, message, detail, hint, context;
  std::string_view position;       ///< In the statement, or in a type's name that a value holds.
  std::string_view internal_query; ///< Of a function, which the error is in.
  std::string_view table, column, constraint;
  std::vector<std::string_view> names{}; ///< Of a schema, table, column, type or constraint.

  explicit server_error(const PGresult* r);
  server_error() = default;
};

/// The values of a statement as a server may repeat them: their texts as they are sent, the bytes behind these, the
/// elements of arrays, and the texts in quotes within others (arrays, JSON, rows, hstore) without their escapes.
class sent_values {
public:
  /// `values` outlives this.
  sent_values(const parsed_statement& text, const parameters& values);
  sent_values(const sent_values&) = delete;
  sent_values& operator=(const sent_values&) = delete;

  const std::vector<secret>& secrets() const noexcept { return secrets_; }

private:
  void add_quoted(const std::string& name, std::string_view value);

  parameter_texts sent_;
  std::list<std::string> unescaped_;
  std::vector<secret> secrets_; ///< Views into the others.
};

/// Bytes of all values, in which a text of the server's has to be looked for piece by piece.
std::size_t bytes_of(const std::vector<secret>& values) noexcept;

/// True when the server has refused a statement, while it parsed it, for the types of its parameters: there is no such
/// function, or no such operator.
bool refuses_types(const server_error& e) noexcept;

/// The failure of a statement that was sent with these values, with its position in the SQL as it was given. An error
/// in the SQL itself is told as it is: it knows no values. Beside values of more than 4 MiB only message and hint are
/// kept, lest looking for them holds up the loop.
failure failure_of(const server_error& e, const parsed_statement& text, std::vector<secret> values);

/// A word of the server's beside the rows of a statement that was sent with these values.
notice notice_of(const server_error& e, std::string_view sql, const std::vector<secret>& values);
/// The same of a C++ task, whose values nobody knows here: a text that a function has made is left out, and what the
/// server's own words quote.
notice notice_of(const server_error& e);

/// The same, and without SQLSTATE the connection is lost.
failure failure_of(const PGresult* r, const parsed_statement& text, const parameters& values);

/// The parts of a value that errors of this SQLSTATE may repeat.
repeats repeated_under(std::string_view sqlstate) noexcept;

} // namespace sheaf
