// SPDX-License-Identifier: BSD-3-Clause
//
// A PostgreSQL server's error as a failure, without the values that the server repeats in it. Pure functions.

#pragma once

#include "sheaf/base/redaction.hpp"
#include "sheaf/error.hpp"
#include "sheaf/sql/parsed_statement.hpp"
#include "sheaf/value.hpp"

#include <libpq-fe.h>

#include <string_view>
#include <vector>

namespace sheaf {

/// The fields of a server's error that count (PostgreSQL manual, "Error and Notice Message Fields"); an empty one was
/// not given.
struct server_error {
  std::string_view sqlstate, message, hint, context;
  std::string_view position;             ///< In the statement, or in a type's name that a value holds.
  std::string_view internal_query;       ///< Of a function, which the error is in.
  std::vector<std::string_view> names{}; ///< Of a schema, table, column, type or constraint.

  explicit server_error(const PGresult* r);
  server_error() = default;
};

/// The failure of a statement that was sent with these values, with its position in the SQL as it was given. An error
/// in the SQL itself is told as it is: it knows no values.
failure failure_of(const server_error& e, const parsed_statement& text, std::vector<secret> values);

/// The same, and without SQLSTATE the connection is lost.
failure failure_of(const PGresult* r, const parsed_statement& text, const parameters& values);

/// The parts of a value that errors of this SQLSTATE may repeat.
repeats repeated_under(std::string_view sqlstate) noexcept;

} // namespace sheaf
