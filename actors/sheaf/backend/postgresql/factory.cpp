// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/factory.hpp"

#include "sheaf/backend/postgresql/native.hpp"
#include "sheaf/backend/postgresql/session.hpp"
#include "sheaf/backend/postgresql/url.hpp"
#include "sheaf/base/error_text.hpp"
#include "sheaf/base/redaction.hpp"
#include "sheaf/loop/blocking_executor.hpp"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>

#include <limits>
#include <random>
#include <utility>

namespace sheaf {

namespace {

/// PostgreSQL's words for SQLSTATEs that a caller may want to tell apart, untranslated: with another `lc_messages` the
/// code is `connect_failed`.
constexpr std::pair<std::string_view, std::string_view> known_refusals[] = {
    {"too many clients already", "53300"},
    {"remaining connection slots are reserved", "53300"},
    {"too many connections for ", "53300"}, // of a role or a database
    {"password authentication failed", "28P01"},
    {"no password supplied", "28P01"}, // libpq's own, when the server asks for one
    {"no pg_hba.conf entry", "28000"},
    {"pg_hba.conf rejects", "28000"},
    {"is not permitted to log in", "28000"},
    {"FATAL:  role \"", "28000"}, // … does not exist
};

/// SOCI gives the server's words without SQLSTATE, after a line of its own unless it is a statement of its own that
/// failed. They name host, port, user and database.
failure connect_failure(std::string_view message, const connection_parameters& parameters) {
  if (const auto end = message.find('\n'); end != message.npos && end + 1 < message.size())
    message.remove_prefix(end + 1);
  failure f{.code = errc::connect_failed,
            .phase = phase::connect,
            .message = to_one_line(redacted(message, {.secrets = secrets_of(parameters)}))};
  for (const auto& [words, sqlstate] : known_refusals)
    if (f.message.find(words) != std::string::npos) {
      f.sqlstate = sqlstate;
      f.code = code_of_sqlstate(sqlstate);
    }
  if (f.code == errc::too_many_connections)
    f.message += ": lower pool.max_size, or raise the server's max_connections";
  return f;
}

/// A pooler gives the login a process number of its own. Whether it shares connections by transaction or by session it
/// does not tell; statements that are right for the one are right for the other.
pooler pooler_of(PGconn* conn) {
  const pgresult_ptr asked{PQexec(conn, "select pg_backend_pid()")};
  const bool is_direct = PQresultStatus(asked.get()) == PGRES_TUPLES_OK &&
                         PQgetvalue(asked.get(), 0, 0) == std::to_string(PQbackendPID(conn));
  return is_direct ? pooler::none : pooler::transaction;
}

/// SOCI counts the statements that a task prepares, and names them `st_1`, `st_2`, …. Where others prepare on the same
/// server connection their numbers begin elsewhere: a name that is not there is an error, another's statement is not.
void number_statements_apart(soci::session& s) {
  std::random_device random;
  static_cast<soci::postgresql_session_backend*>(s.get_backend())->statementCount_ =
      std::uniform_int_distribution{1, std::numeric_limits<int>::max() / 2}(random);
}

struct opened_connection {
  std::shared_ptr<soci::session> session;
  pooler between;
};

result<opened_connection> connect(const connection_parameters& parameters, pooler between) {
  try {
    auto s = std::make_shared<soci::session>(soci::postgresql, to_url(parameters));
    auto* conn = native_connection(*s);
    PQsetNoticeProcessor(
        conn, [](void*, const char*) {}, nullptr); // libpq would write them to stderr
    if (between == pooler::automatic)
      between = pooler_of(conn);
    if (PQstatus(conn) != CONNECTION_OK)
      return connect_failure(PQerrorMessage(conn), parameters);
    if (between == pooler::transaction || between == pooler::statement)
      number_statements_apart(*s);
    PQsetnonblocking(conn, 1);
    return opened_connection{std::move(s), between};
  } catch (const soci::soci_error& e) {
    return connect_failure(e.what(), parameters);
  } catch (const std::exception& e) {
    return failure{.code = errc::internal,
                   .phase = phase::connect,
                   .message = redacted(e.what(), {.secrets = secrets_of(parameters)})};
  }
}

class postgresql_factory final : public session_factory {
public:
  postgresql_factory(connection_parameters parameters, const database_options& limits, blocking_executor& blocking)
    : parameters_(std::make_shared<const connection_parameters>(std::move(parameters))),
      limits_(std::make_shared<const database_options>(limits)), blocking_(blocking) {}

  void open(event_loop& loop, clock::time_point, std::function<void(result<std::unique_ptr<session>>)> done) override {
    blocking_.run([parameters = parameters_, limits = limits_, &blocking = blocking_, loop = loop.shared_from_this(),
                   done = std::move(done)] {
      // The function that is posted owns the connection: a loop that has stopped drops both.
      auto connection = std::make_shared<result<opened_connection>>(connect(*parameters, limits->pooler));
      loop->post([connection, limits, &blocking, &loop = *loop, done] {
        if (connection->has_error())
          done(std::move(*connection).error());
        else
          done(std::make_unique<postgresql_session>(loop, blocking, std::move((*connection)->session), *limits,
                                                    (*connection)->between));
      });
    });
  }

  std::chrono::nanoseconds open_timeout() const override { return total_connect_timeout(*parameters_); }
  sheaf::dialect dialect() const noexcept override { return dialect::postgresql; }

private:
  const std::shared_ptr<const connection_parameters> parameters_;
  const std::shared_ptr<const database_options> limits_; ///< Shared with attempts that may outlive the engine.
  blocking_executor& blocking_;
};

} // namespace

result<std::unique_ptr<session_factory>> make_postgresql_factory(const database_options& database,
                                                                 blocking_executor& blocking) {
  auto parameters = parse_postgresql_url(database.url);
  if (parameters.has_error())
    return std::move(parameters).error();
  return std::make_unique<postgresql_factory>(std::move(*parameters), database, blocking);
}

} // namespace sheaf
