// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend/postgresql/opening.hpp"

#include "sheaf/base/error_text.hpp"
#include "sheaf/base/redaction.hpp"

#include <fmt/format.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <new>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

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

/// Floats whose text gives the value back. SOCI sets it in each session, and a server before PostgreSQL 12 needs it.
constexpr const char* exact_floats = "SET extra_float_digits = 3";

struct server_setting {
  std::string_view name, value;
  bool is_of_tcp;
};

/// The server ends a session whose client is gone without a word some 8 s after it last heard from it, as libpq does
/// the other way round (url.cpp); and it stops a statement that runs for a client that is gone.
constexpr server_setting ends_with_its_client[] = {
    {"tcp_keepalives_idle", "5", true},
    {"tcp_keepalives_interval", "1", true},
    {"tcp_keepalives_count", "3", true},
    {"client_connection_check_interval", "5000", false}, // PostgreSQL 14
};

/// libpq tells no SQLSTATE of a login that was refused. The words name host, port, user and database.
failure connect_failure(std::string_view message, const connection_parameters& parameters, std::string sqlstate = {}) {
  failure f{.code = errc::connect_failed,
            .phase = phase::connect,
            .sqlstate = std::move(sqlstate),
            .message = to_one_line(redacted(message, {.secrets = secrets_of(parameters)}))};
  for (const auto& [words, known] : known_refusals)
    if (f.sqlstate.empty() && f.message.find(words) != std::string::npos)
      f.sqlstate = known;
  if (f.sqlstate == "53300" || f.sqlstate.starts_with("28"))
    f.code = code_of_sqlstate(f.sqlstate);
  if (f.code == errc::too_many_connections)
    f.message += ": lower pool.max_size, or raise the server's max_connections";
  return f;
}

/// The failure of a login whose first statements had this answer.
failure first_statement_failure(const PGconn* conn, const PGresult* said, const connection_parameters& parameters) {
  const char* sqlstate = PQresultErrorField(said, PG_DIAG_SQLSTATE);
  const char* message = said ? PQresultErrorMessage(said)
                        : PQstatus(conn) != CONNECTION_OK
                            ? PQerrorMessage(conn)
                            : "the server took the connection, and then said nothing more";
  return connect_failure(message, parameters, sqlstate ? sqlstate : "");
}

/// The time between two looks whether the engine ends: its end waits for attempts, and nothing wakes them.
constexpr auto look_interval = std::chrono::milliseconds{50};

/// Waits until the socket can be read or written, whichever is asked for. False at the end, or before `until`.
bool wait(const PGconn* conn, short events, const attempt_end& end,
          clock::time_point until = clock::time_point::max()) {
  pollfd socket{.fd = PQsocket(conn), .events = events, .revents = 0};
  if (socket.fd < 0)
    return true; // libpq has closed it, and says so when it is asked
  until = std::min(until, end.give_up);
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
    if (left.count() <= 0 || end.has_come())
      return false;
    const int ready = ::poll(&socket, 1, static_cast<int>(std::min(left, look_interval).count()));
    if (ready > 0)
      return true;
    if (ready < 0 && errno != EINTR)
      return false;
  }
}

pgconn_ptr begin_connecting(const connection_parameters& parameters) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  pgconn_ptr conn{PQconnectStartParams(keywords.data(), values.data(), 0)};
  if (!conn)
    throw std::bad_alloc{};
  PQsetNoticeProcessor(
      conn.get(), [](void*, const char*) {}, nullptr); // libpq would write them to stderr
  return conn;
}

/// The server that libpq is trying now, by name, port and address.
std::array<std::string, 3> server_tried_by(const PGconn* conn) {
  const auto text = [](const char* x) { return std::string{x ? x : ""}; };
  return {text(PQhost(conn)), text(PQport(conn)), text(PQhostaddr(conn))};
}

/// `tcp_user_timeout` is for sessions that are open. The system ends a connection by it without a word to the server
/// (tcp(7)), which would keep a session that nobody has told yet to end with its client. While one is being opened, its
/// end counts alone, of which the system tells the server for as long as a minute or two. A unix socket has none.
void set_user_timeout(const PGconn* conn, unsigned milliseconds) {
  ::setsockopt(PQsocket(conn), IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
}

/// Has libpq log in (manual, 34.1, PQconnectPoll). Each server has `for_each`, as where libpq blocks. False when one
/// has not answered by then.
bool log_in(PGconn* conn, std::chrono::seconds for_each, const attempt_end& end) {
  std::optional<std::array<std::string, 3>> server;
  clock::time_point until;
  for (auto next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK && next != PGRES_POLLING_FAILED;) {
    if (auto tried = server_tried_by(conn); tried != server) {
      server = std::move(tried);
      until = clock::now() + for_each;
    }
    if (!wait(conn, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, end, until))
      return false;
    next = PQconnectPoll(conn);
    set_user_timeout(conn, 0); // libpq has set it with each new socket
  }
  return true;
}

/// Connects, or says why not in `trouble`. A server that does not answer is left out, as libpq goes on with the next
/// one only where it blocks; the others are tried from the first, for the sake of `target_session_attrs`.
pgconn_ptr connect(connection_parameters parameters, const attempt_end& end, std::string& trouble) {
  for (;;) {
    auto conn = begin_connecting(parameters);
    const bool has_answered = log_in(conn.get(), connect_timeout(parameters), end);
    if (has_answered && PQstatus(conn.get()) == CONNECTION_OK)
      return conn;
    trouble += PQerrorMessage(conn.get());
    if (has_answered)
      return {};
    const auto server = server_tried_by(conn.get());
    trouble += fmt::format("the server at \"{}\", port {} took too long to answer\n", server[0], server[1]);
    if (end.has_come() || !leave_out(parameters, server[0], server[1]))
      return {};
  }
}

/// Runs a statement of ours. Its result, or the first that is an error; null when there is none by the end or the
/// connection is lost.
pgresult_ptr ask(PGconn* conn, const char* sql, const attempt_end& end) {
  if (!PQsendQuery(conn, sql))
    return {};
  for (int left = PQflush(conn); left != 0; left = PQflush(conn))
    if (left < 0 || !wait(conn, POLLIN | POLLOUT, end) || !PQconsumeInput(conn))
      return {};
  pgresult_ptr first_wrong, last;
  for (;;) {
    while (PQisBusy(conn))
      if (!wait(conn, POLLIN, end) || !PQconsumeInput(conn))
        return first_wrong; // such as the server's last words
    pgresult_ptr next{PQgetResult(conn)};
    if (!next)
      return first_wrong ? std::move(first_wrong) : std::move(last);
    const auto status = PQresultStatus(next.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_FATAL_ERROR)
      return {}; // such as COPY, which nobody has asked for, and which has no end
    (status == PGRES_FATAL_ERROR && !first_wrong ? first_wrong : last) = std::move(next);
  }
}

/// A pooler gives the login a process number of its own. Whether it shares connections by transaction or by session it
/// does not tell; statements that are right for the one are right for the other.
pooler pooler_of(PGconn* conn, const attempt_end& end) {
  const auto asked = ask(conn, "select pg_backend_pid()", end);
  const bool is_direct = PQresultStatus(asked.get()) == PGRES_TUPLES_OK && PQntuples(asked.get()) == 1 &&
                         PQgetvalue(asked.get(), 0, 0) == std::to_string(PQbackendPID(conn));
  return is_direct ? pooler::none : pooler::transaction;
}

/// A pack is one transaction to the server: only under this isolation do its statements see what others commit between
/// them, as they would each in a session of its own. False when the server does not say so.
bool reads_what_is_committed(PGconn* conn, const attempt_end& end) {
  const auto asked = ask(conn, "show default_transaction_isolation", end);
  if (PQresultStatus(asked.get()) != PGRES_TUPLES_OK || PQntuples(asked.get()) != 1)
    return false;
  const std::string_view isolation = PQgetvalue(asked.get(), 0, 0);
  return isolation == "read committed" || isolation == "read uncommitted";
}

/// A pooler has so long to answer a pipeline.
constexpr auto pipeline_patience = std::chrono::seconds{1};

/// Some poolers have no pipelines, and say nothing any more as soon as a second statement comes before the first one's
/// answer. Asked of a connection that is closed where this is false.
bool takes_pipelines(PGconn* conn, attempt_end end) {
  constexpr int statements = 5;
  end.give_up = std::min(end.give_up, clock::now() + pipeline_patience);
  bool sent = PQenterPipelineMode(conn);
  for (int i = 0; i < statements; ++i)
    sent = sent && PQsendQueryParams(conn, "select 1", 0, nullptr, nullptr, nullptr, nullptr, 0);
  if (!sent || !PQpipelineSync(conn))
    return false;
  for (int left = PQflush(conn); left != 0; left = PQflush(conn))
    if (left < 0 || !wait(conn, POLLIN | POLLOUT, end) || !PQconsumeInput(conn))
      return false;
  int answers = 0;
  for (;;) {
    while (PQisBusy(conn))
      if (!wait(conn, POLLIN, end) || !PQconsumeInput(conn))
        return false;
    const pgresult_ptr next{PQgetResult(conn)};
    if (PQstatus(conn) != CONNECTION_OK)
      return false;
    answers += PQresultStatus(next.get()) == PGRES_TUPLES_OK;
    if (PQresultStatus(next.get()) == PGRES_PIPELINE_SYNC)
      return answers == statements && PQexitPipelineMode(conn);
  }
}

/// Has the server end this session with its client, as far as it knows the settings for it and nobody has set them: in
/// the URL's `options`, for the role or the database, or in the server's configuration. Statements that set the same
/// once more. A server that refuses goes without.
std::string set_to_end_with_its_client(PGconn* conn, const attempt_end& end) {
  const std::string_view host = PQhost(conn) ? PQhost(conn) : "";
  const bool is_tcp = !host.starts_with('/') && !host.starts_with('@');
  std::string wanted;
  for (const auto& x : ends_with_its_client)
    if (is_tcp || !x.is_of_tcp)
      wanted += fmt::format("{}('{}', '{}')", wanted.empty() ? "" : ", ", x.name, x.value);
  const auto sql = fmt::format("select name, set_config(name, wanted, false) from (values {}) as w(name, wanted) "
                               "join pg_catalog.pg_settings using (name) where source = 'default'",
                               wanted);
  const auto set = ask(conn, sql.c_str(), end);
  std::string again;
  if (PQresultStatus(set.get()) == PGRES_TUPLES_OK)
    for (int row = 0; row < PQntuples(set.get()); ++row)
      for (const auto& x : ends_with_its_client)
        if (PQgetvalue(set.get(), row, 0) == x.name)
          again += fmt::format("; set {} = {}", x.name, x.value);
  return again;
}

} // namespace

result<opened_connection> open_connection(const connection_parameters& parameters, pooler between, pack_proof& packs,
                                          const attempt_end& end) try {
  std::string trouble;
  auto conn = connect(parameters, end, trouble);
  if (!conn)
    return connect_failure(trouble, parameters);
  PQsetnonblocking(conn.get(), 1);
  const auto set = ask(conn.get(), exact_floats, end);
  if (PQresultStatus(set.get()) != PGRES_COMMAND_OK)
    return first_statement_failure(conn.get(), set.get(), parameters);
  if (between == pooler::automatic)
    between = pooler_of(conn.get(), end);
  std::string settings = exact_floats;
  if (between == pooler::none)
    settings += set_to_end_with_its_client(conn.get(), end);
  if (packs == pack_proof::unknown && between != pooler::none && !takes_pipelines(conn.get(), end)) {
    packs = pack_proof::refused;
    conn.reset();
    return open_connection(parameters, between, packs, end);
  }
  if (packs != pack_proof::refused) // the default of the role or the database may have changed since the last one
    packs = reads_what_is_committed(conn.get(), end) ? pack_proof::taken : pack_proof::refused;
  if (PQtransactionStatus(conn.get()) != PQTRANS_IDLE) // it has not answered, or is gone
    return first_statement_failure(conn.get(), nullptr, parameters);
  for (const auto& [keyword, value] : parameters)
    if (keyword == "tcp_user_timeout")
      set_user_timeout(conn.get(), static_cast<unsigned>(std::max(std::atoi(value.c_str()), 0)));
  const bool is_shared = between == pooler::transaction || between == pooler::statement;
  return opened_connection{std::make_shared<postgresql_connection>(std::move(conn), to_url(parameters), is_shared),
                           between, packs == pack_proof::taken, std::move(settings)};
} catch (const std::exception& e) { // such as std::bad_alloc: the loop waits for an answer
  return failure{.code = errc::internal, .phase = phase::connect, .message = to_one_line(e.what())};
}

} // namespace sheaf
