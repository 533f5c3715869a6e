// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/connection.hpp"

#include "sheaf/backend/postgresql/stand_in_server.hpp"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>

#include <limits>
#include <random>
#include <utility>

namespace sheaf {

namespace {

/// Puts an open connection into a session of SOCI's. SOCI 4.0.3 makes a session only by connecting, which has no
/// deadline, and forgets its connection when the server refuses the first statement on it: a descriptor, and a process
/// of the server's, for good. So SOCI connects to a stand-in that agrees to all, and the connection is exchanged.
class adopting_factory final : public soci::backend_factory {
public:
  adopting_factory(pgconn_ptr& conn, bool is_shared) : conn_(conn), is_shared_(is_shared) {}

  soci::details::session_backend* make_session(const soci::connection_parameters& parameters) const override {
    const auto& socis_own = *soci::factory_postgresql();
    if (!conn_) // a task has closed its session, and opens another
      return socis_own.make_session(parameters);
    const stand_in_server server;
    std::unique_ptr<soci::details::session_backend> made{socis_own.make_session({socis_own, server.url()})};
    auto& session = static_cast<soci::postgresql_session_backend&>(*made);
    session.connectionParameters_ = parameters;
    if (is_shared_)
      session.statementCount_ = some_number();
    PQfinish(std::exchange(session.conn_, conn_.release()));
    return made.release();
  }

private:
  /// SOCI counts the statements that a task prepares, and names them `st_1`, `st_2`, …. Where others prepare on the
  /// same server connection their numbers begin elsewhere: a name that is not there is an error, another's statement is
  /// not.
  static int some_number() {
    std::random_device random;
    return std::uniform_int_distribution{1, std::numeric_limits<int>::max() / 2}(random);
  }

  pgconn_ptr& conn_;
  const bool is_shared_;
};

} // namespace

postgresql_connection::postgresql_connection(pgconn_ptr open, std::string url, bool is_shared)
  : conn_(std::move(open)), url_(std::move(url)), factory_(std::make_unique<adopting_factory>(conn_, is_shared)) {}

postgresql_connection::~postgresql_connection() = default;

PGconn* postgresql_connection::native() const noexcept { return soci_ ? native_connection(*soci_) : conn_.get(); }

soci::session& postgresql_connection::soci() {
  if (!soci_)
    soci_ = std::make_unique<soci::session>(*factory_, url_);
  return *soci_;
}

} // namespace sheaf
