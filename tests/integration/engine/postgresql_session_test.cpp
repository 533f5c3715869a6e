// SPDX-License-Identifier: BSD-3-Clause
//
// PostgreSQL sessions: messages that a server sends unasked, sessions that it takes away, and unusual statements.

#include "support/postgresql_test.hpp"

#include <soci/soci.h>

#include <csignal>
#include <fstream>
#include <future>
#include <string>

namespace {

using namespace sheaf;
using namespace sheaf::test;

class PostgresqlSession : public PostgresqlTest {
protected:
  void terminate_backends() {
    schema.server(fmt::format("select pg_terminate_backend(pid) from pg_stat_activity where application_name = '{}'",
                              schema.name()));
  }

  /// True when a signal was sent to a stopped process (proc(5)).
  static bool has_pending(int pid, int signal) {
    std::ifstream status{fmt::format("/proc/{}/status", pid)};
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("ShdPnd:"))
        return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
    return false;
  }

  std::future<reply> run_endless() {
    backend_pid(); // the session is open: the running statement is none of its opening
    auto x = e->run_future(request_of({{"endless", "select pg_sleep(86400)"}}));
    EXPECT_TRUE(eventually([&] { return schema.running() == 1; }));
    return x;
  }
};

TEST_F(PostgresqlSession, WritesNoNoticeToStandardError) {
  ::testing::internal::CaptureStderr();
  open([&](options& how) { // the server tells of each step of the login
    how.databases[0].url = environment("SHEAF_TEST_POSTGRES") + " options='-c client_min_messages=debug5'";
  });
  rows("do $$ begin raise notice 'from a statement'; raise warning 'twice'; end $$");
  on_session([](soci::session& s) { s << "do $$ begin raise notice 'from a task'; end $$"; });
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

/// As the server has them; of a unix socket it knows no keepalives.
constexpr const char* settings_of_ends =
    "select string_agg(name || '=' || setting, ' ' order by name) from pg_settings where name in "
    "('tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count', 'client_connection_check_interval')";

TEST_F(PostgresqlSession, EndsAtTheServerWithItsClient) {
  const std::string wanted = "client_connection_check_interval=5000 tcp_keepalives_count=3 tcp_keepalives_idle=5 "
                             "tcp_keepalives_interval=1";
  open();
  EXPECT_EQ(rows(settings_of_ends).scalar<std::string>(), wanted);
  const auto pid = backend_pid();
  rows("set tcp_keepalives_idle = 77");
  rows("discard all");
  EXPECT_EQ(rows(settings_of_ends).scalar<std::string>(), wanted);
  EXPECT_EQ(backend_pid(), pid);
  open([&](options& how) { how.databases[0].url = environment("SHEAF_TEST_POSTGRES_SOCKET"); });
  EXPECT_EQ(rows("show client_connection_check_interval").scalar<std::string>(), "5s");
}

TEST_F(PostgresqlSession, EndsAtTheServerAsItsUserSays) {
  open([&](options& how) {
    how.databases[0].url =
        environment("SHEAF_TEST_POSTGRES") +
        " options='-c tcp_keepalives_idle=600 -c client_connection_check_interval=0 -c tcp_keepalives_count=7'";
  });
  const auto said = "client_connection_check_interval=0 tcp_keepalives_count=7 tcp_keepalives_idle=600 "
                    "tcp_keepalives_interval=1";
  EXPECT_EQ(rows(settings_of_ends).scalar<std::string>(), said);
  rows("discard all");
  EXPECT_EQ(rows(settings_of_ends).scalar<std::string>(), said);
}

TEST_F(PostgresqlSession, TakesNoHarmFromNotifications) {
  open();
  rows("listen news");
  const auto pid = backend_pid();
  for (int i = 0; i < 10; ++i)
    schema.server("notify news, 'while it is idle'");
  EXPECT_EQ(backend_pid(), pid);
  rows("notify news, 'from itself'");
  schema.server("notify news, 'again'");
  EXPECT_EQ(backend_pid(), pid);
}

TEST_F(PostgresqlSession, IsReplacedWhenItsBackendWasTerminatedWhileIdle) {
  open();
  const auto pid = backend_pid();
  EXPECT_EQ(stats().total, 1u);
  terminate_backends();
  EXPECT_TRUE(eventually([&] { return stats().total == 0; })) << "nobody has noticed";
  EXPECT_NE(backend_pid(), pid);
}

TEST_F(PostgresqlSession, IsLostWhenItsBackendIsTerminatedWhileAQueryRuns) {
  open();
  auto x = run_endless();
  terminate_backends();
  const auto reply = x.get();
  ASSERT_FALSE(reply.ok());
  EXPECT_EQ(reply.failure->code, errc::connection_lost);
  EXPECT_EQ(reply.failure->sqlstate, "57P01");
  EXPECT_EQ(reply.failure->query, "endless");
  EXPECT_TRUE(reply.failure->reached_server);
  EXPECT_FALSE(safe_to_retry(*reply.failure));
  EXPECT_GT(backend_pid(), 0);
  EXPECT_EQ(stats().total, 1u);
}

TEST_F(PostgresqlSession, IsLostWhenAStatementEndsIt) {
  open();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(refused("select pg_terminate_backend(pg_backend_pid())").code, errc::in_doubt);
  EXPECT_GT(backend_pid(), 0);
}

TEST_F(PostgresqlSession, IsLostWhenItsBackendIsTerminatedWhileATaskRuns) {
  open();
  const auto x =
      run(query::of_task("task", [](soci::session& s) { s << "select pg_terminate_backend(pg_backend_pid())"; }));
  EXPECT_EQ(x.failure->code, errc::in_doubt);
  EXPECT_GT(backend_pid(), 0);
}

/// A cancel has a connection of its own, so it can come before the statement, and is ignored then.
TEST_F(PostgresqlSession, IsCanceledAgainWhenTheCancelCameTooEarly) {
  open([](options& how) { how.databases[0].cancel_wait_timeout = std::chrono::minutes{1}; });
  const auto pid = backend_pid();
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  auto endless = request_of({{"endless", "select pg_sleep(86400)"}});
  endless.deadline = std::chrono::milliseconds{1};
  EXPECT_EQ(e->run(std::move(endless)).failure.value().code, errc::deadline_exceeded);
  EXPECT_TRUE(eventually([&] { return has_pending(pid, SIGINT); }));
  ASSERT_EQ(::kill(pid, SIGCONT), 0);
  EXPECT_EQ(backend_pid(), pid) << "its connection was destroyed";
  EXPECT_EQ(schema.running(), 0);
}

TEST_F(PostgresqlSession, SaysThatAnOperatorCanceledAQuery) {
  open();
  auto x = run_endless();
  schema.server(
      fmt::format("select pg_cancel_backend(pid) from pg_stat_activity where application_name = '{}'", schema.name()));
  const auto reply = x.get();
  EXPECT_EQ(reply.failure->code, errc::query_canceled);
  EXPECT_EQ(reply.failure->sqlstate, "57014");
  EXPECT_GT(backend_pid(), 0);
  EXPECT_EQ(stats().total, 1u);
}

TEST_F(PostgresqlSession, RefusesCopyAndIsReplaced) {
  open();
  rows("create table t(x int)");
  for (const auto* sql :
       {"copy t from stdin", "copy t to stdout", "copy (select generate_series(1, 1000000)) to stdout"}) {
    const auto pid = backend_pid();
    const auto f = refused(sql);
    EXPECT_EQ(f.code, errc::rejected_sql) << sql << ": " << f.message;
    EXPECT_NE(f.message.find("COPY"), std::string::npos) << f.message;
    EXPECT_NE(backend_pid(), pid);
    EXPECT_EQ(stats().total, 1u);
  }
  EXPECT_EQ(rows("select count(*) from t").scalar<int>(), 0);
}

TEST_F(PostgresqlSession, SendsParametersThatFillTheSocket) {
  open();
  const std::string text(40'000'000, 'x');
  for (int i = 0; i < 2; ++i) // once with and once without preparing it
    EXPECT_EQ(rows("select length(:x)", {{"x", text}}).scalar<std::size_t>(), text.size());
}

TEST_F(PostgresqlSession, GivesUpOnParametersThatFillTheSocketWhenTheBackendIsTerminated) {
  open();
  rows("create table t(x text)");
  observer other;
  other(fmt::format("begin; lock table {}.t", schema.name())); // the statement is read, and waits
  auto x = e->run_future(request_of({{"q", "insert into t select :x", {{"x", std::string(40'000'000, 'x')}}}}));
  ASSERT_TRUE(eventually([&] { return schema.running() == 1; }));
  terminate_backends();
  EXPECT_EQ(x.get().failure->code, errc::in_doubt);
  other("rollback");
  EXPECT_EQ(rows("select count(*) from t").scalar<int>(), 0);
}

TEST_F(PostgresqlSession, ReportsWhatFailsOnlyAtTheCommit) {
  for (const std::size_t cache : {0, 256}) {
    open([=](options& how) { how.databases[0].statement_cache_size = cache; });
    rows("drop table if exists child, parent");
    rows("create table parent(id int primary key)");
    rows("create table child(parent int references parent deferrable initially deferred)");
    for (int i = 0; i < 3; ++i) { // prepared with it, and prepared already
      const auto f = refused("insert into child values (:x)", {{"x", 1}});
      EXPECT_EQ(f.code, errc::constraint_violated) << f.message;
      EXPECT_EQ(f.sqlstate, "23503");
    }
    EXPECT_EQ(rows("select count(*) from child").scalar<int>(), 0);
    EXPECT_EQ(stats().total, 1u);
  }
}

TEST_F(PostgresqlSession, RunsWhatMustNotRunInATransaction) {
  open();
  rows("create table t(x int)");
  rows("vacuum t");
  rows("create index concurrently i on t(x)");
  EXPECT_EQ(rows("select count(*) from t").scalar<int>(), 0);
}

TEST_F(PostgresqlSession, HasTheLimitsOfItsUrl) {
  open([&](options& how) { how.databases[0].url = schema.url("options='-c statement_timeout=50ms'"); });
  const auto f = refused("select pg_sleep(86400)");
  EXPECT_EQ(f.code, errc::query_canceled);
  EXPECT_EQ(f.sqlstate, "57014");
  EXPECT_GT(rows("select pg_backend_pid()").scalar<int>(), 0);
}

} // namespace
