// SPDX-License-Identifier: BSD-3-Clause
//
// The settings whose changes the server reports, whoever makes them: a function, a view, a trigger (PostgreSQL manual,
// 55.2.7, ParameterStatus). libpq keeps them, so a look costs no round trip.

#pragma once

#include <libpq-fe.h>

#include <array>
#include <cstring>
#include <string>

namespace sheaf {

class reported_settings {
public:
  /// As they are now on this connection.
  explicit reported_settings(const PGconn* conn)
    : encoding_(PQclientEncoding(conn)), has_search_path_(PQparameterStatus(conn, names.back())) {
    for (std::size_t i = 0; i < size(); ++i)
      values_[i] = value(conn, i);
  }

  /// Called after each statement. libpq looks for each name in a list of some 13.
  bool are_those_of(const PGconn* conn) const noexcept {
    if (PQclientEncoding(conn) != encoding_)
      return false;
    for (std::size_t i = 0; i < size(); ++i)
      if (std::strcmp(values_[i].c_str(), value(conn, i)) != 0)
        return false;
    return true;
  }

private:
  static constexpr std::array names{
      "TimeZone",
      "DateStyle",
      "IntervalStyle",
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

  /// A name that is not reported is looked for in the whole list.
  std::size_t size() const noexcept { return names.size() - !has_search_path_; }

  int encoding_;
  bool has_search_path_;
  std::array<std::string, names.size()> values_;
};

} // namespace sheaf
