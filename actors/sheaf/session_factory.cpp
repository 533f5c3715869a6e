// SPDX-License-Identifier: BSD-3-Clause
//
// Which kind of session a URL asks for.

#include "sheaf/postgresql_session.hpp"
#include "sheaf/session.hpp"
#include "sheaf/sqlite_session.hpp"

namespace sheaf {

result<std::unique_ptr<session_factory>> make_session_factory(const database_options& database,
                                                              blocking_executor& blocking) {
  const std::string_view url = database.url;
  if (url.starts_with("sqlite:"))
    return make_sqlite_factory(database, blocking);
  const bool names_postgresql = url.starts_with("postgresql://") || url.starts_with("postgres://");
  const bool has_other_scheme = url.substr(0, url.find_first_of("=/ ")).ends_with(':');
  if (names_postgresql || (!has_other_scheme && url.find('=') != url.npos))
    return make_postgresql_factory(database, blocking);
  return failure{.code = errc::invalid_request,
                 .phase = phase::connect,
                 .message =
                     "unknown URL scheme: use postgresql://user@host/dbname, a libpq keyword string (host=… dbname=…), "
                     "or sqlite:path"};
}

} // namespace sheaf
