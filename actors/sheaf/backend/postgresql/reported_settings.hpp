// SPDX-License-Identifier: BSD-3-Clause
//
// The settings whose changes the server reports, whoever makes them: a function, a view, a trigger (PostgreSQL manual,
// 55.2.7, ParameterStatus). libpq keeps them, so a look costs no round trip.

#pragma once

#include <libpq-fe.h>

#include <array>
#include <string>

namespace sheaf {

class reported_settings {
public:
  /// As they are now on this connection.
  explicit reported_settings(const PGconn* conn) {
    for (std::size_t i = 0; i < names.size(); ++i)
      values_[i] = value(conn, i);
  }

  bool are_those_of(const PGconn* conn) const noexcept {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (values_[i] != value(conn, i))
        return false;
    return true;
  }

private:
  static constexpr std::array names{
      "TimeZone",
      "DateStyle",
      "IntervalStyle",
      "client_encoding",
      "application_name",
      "session_authorization",
      "standard_conforming_strings",
      "default_transaction_read_only",
      "search_path", // from PostgreSQL 18 on
  };

  /// Empty where the server does not report it.
  static const char* value(const PGconn* conn, std::size_t i) noexcept {
    const char* x = PQparameterStatus(conn, names[i]);
    return x ? x : "";
  }

  std::array<std::string, names.size()> values_;
};

} // namespace sheaf
