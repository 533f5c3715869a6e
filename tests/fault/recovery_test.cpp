// SPDX-License-Identifier: BSD-3-Clause
//
// Faults that nobody has to hear of: the engine finds out by itself, and runs again what may be run again.

#include "fault/fault_test.hpp"
#include "support/silent_server.hpp"

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

query reading(std::string sql) {
  query q{"q", std::move(sql)};
  q.read_only = true;
  return q;
}

class FaultRecovery : public PostgresqlFault {};

TEST_F(FaultRecovery, RestartIsNotNoticedByAReadOnlyQuery) {
  flush();
  open();
  auto x = run_later(reading("select 7 from pg_sleep(0.5)"));
  ASSERT_TRUE(eventually([&] { return schema.running() == 1; }));
  server_control{}.restart();
  const auto reply = x.get();
  ASSERT_TRUE(reply.ok()) << to_string(*reply.failure);
  EXPECT_EQ(number_in(reply["q"]), 7);
  EXPECT_EQ(reply["q"].attempts, 2u);
  EXPECT_EQ(stats().retries, 1u);
  reconnect();
  expect_recovery();
}

/// A query that takes its backend with it each time is not sent for ever.
TEST_F(FaultRecovery, IsNotTriedForAQueryThatKillsItsSessions) {
  open();
  const auto x = run_later(reading("select pg_terminate_backend(pg_backend_pid()), pg_sleep(60)")).get();
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::connection_lost);
  EXPECT_EQ(x["q"].attempts, 4u);
  EXPECT_EQ(stats().lost, 4u);
  expect_recovery();
}

class FaultGateRecovery : public FaultBehindGate {
protected:
  void open_through_gate(std::chrono::nanoseconds keepalive_interval) {
    open([&](options& how) {
      how.databases[0].url = url_of_gate();
      how.databases[0].pool.keepalive_interval = keepalive_interval;
    });
  }
};

TEST_F(FaultGateRecovery, FindsIdleSessionsWhoseConnectionIsGoneWithoutAWord) {
  open_through_gate(50ms);
  fill_pool();
  gate->strike(fault::black_hole);
  EXPECT_TRUE(eventually([&] { return stats().total == 0; }));
  EXPECT_EQ(stats().lost, 3u);
  gate->heal();
  expect_recovery();
}

TEST_F(FaultGateRecovery, RunsAReadOnlyQueryAgainWhoseResultWasCutOff) {
  open_through_gate(2min);
  rows("select 1");
  gate->strike(fault::cut, 20'010);
  auto x = run_later(reading("select n from generate_series(1, 5000) n"));
  ASSERT_TRUE(eventually([&] { return gate->struck(); }));
  gate->heal();
  const auto reply = x.get();
  ASSERT_TRUE(reply.ok()) << to_string(*reply.failure);
  EXPECT_EQ(reply["q"].table().rows(), 5000u);
  EXPECT_EQ(reply["q"].attempts, 2u);
  expect_recovery();
}

/// What the first attempt had counted towards the request's bounds is gone with it.
TEST_F(FaultGateRecovery, GivesBackWhatTheFirstAttemptDrewFromTheRequestsBounds) {
  open_through_gate(2min);
  rows("select 1");
  gate->strike(fault::cut, 900'010);
  auto asked = request_of({reading("select repeat('x', 1000) from generate_series(1, 1000)")});
  asked.max_bytes = 1'500'000;
  asked.max_rows = 1'500;
  auto x = e->run_future(std::move(asked));
  ASSERT_TRUE(eventually([&] { return gate->struck(); }));
  gate->heal();
  const auto reply = x.get();
  ASSERT_TRUE(reply.ok()) << to_string(*reply.failure);
  EXPECT_EQ(reply["q"].table().rows(), 1000u);
  EXPECT_EQ(reply["q"].attempts, 2u);
  expect_recovery();
}

/// Behind the login, 420 to 435 bytes from PostgreSQL 15, the session's first statement is not answered.
TEST_F(FaultGateRecovery, GivesUpASessionThatHangsBehindTheLogin) {
  gate->strike(fault::black_hole, 428);
  open([&](options& how) { how.databases[0].url = url_of_gate("connect_timeout=2"); });
  const auto x = run_later({"q", "select 1"}).get();
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.failure->code, errc::connect_failed) << to_string(*x.failure);
  EXPECT_EQ(stats().connecting, 0u);
  EXPECT_TRUE(eventually([&] { return gate->connections() == 0; })) << "the attempt goes on";
  gate->heal();
  expect_recovery();
}

/// The connection lives, and nobody may forget it.
TEST_F(FaultGateRecovery, KeepsNothingOfSessionsThatAreRefusedAtTheirFirstStatement) {
  gate->strike(fault::denial);
  open_through_gate(2min);
  EXPECT_TRUE(eventually([&] { // the next attempt has its time, and until then the last failure is told
    const auto f = refused("select 1");
    EXPECT_EQ(f.code, errc::connect_failed) << to_string(f);
    EXPECT_EQ(f.sqlstate, "42704") << to_string(f);
    EXPECT_NE(f.message.find("this server will not"), std::string::npos) << f.message;
    return HasFailure() || stats().open_failures >= 3;
  }));
  EXPECT_TRUE(eventually([&] { return gate->connections() == 0; })) << gate->connections() << " are left";
  EXPECT_TRUE(eventually([&] { return schema.backends() == 0; }));
  gate->heal();
  expect_recovery();
}

/// The server does not know the prepared statement any more, says so, and is gone before it has said all of it. So
/// nothing has run, and the write goes to another session.
TEST_F(FaultGateRecovery, RunsAgainWhatTheServerDidNotKnowWhenItsConnectionEnded) {
  schema.server("create function forget() returns int language plpgsql as "
                "$$ begin execute 'deallocate all'; return 1; end $$; create view forgets as select forget() as n; "
                "create table written(n int)");
  open([&](options& how) {
    how.databases[0].pool.max_size = 1;
    how.databases[0].url = url_of_gate();
  });
  const auto write = [] { return query{"q", "insert into written values (1)"}; };
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(run(write()).ok()); // prepared then
  ASSERT_TRUE(run("select n from forgets").ok());
  gate->strike_behind(fault::cut, 1, 0);
  auto x = run_later(write());
  ASSERT_TRUE(eventually([&] { return gate->struck(); }));
  gate->heal();
  const auto again = x.get();
  ASSERT_TRUE(again.ok()) << to_string(*again.failure);
  EXPECT_EQ(again["q"].attempts, 2u);
  EXPECT_EQ(schema.server.number("select count(*) from written"), 3);
  expect_recovery();
}

/// libpq goes on by itself only where it blocks.
TEST_F(FaultGateRecovery, GoesOnWithTheNextServerWhereOneSaysNothing) {
  const silent_server silent;
  open([&](options& how) {
    how.databases[0].url = schema.url(
        fmt::format("host=127.0.0.1,127.0.0.1 port={},{} sslmode=disable gssencmode=disable connect_timeout=2",
                    silent.port(), gate->port()));
  });
  expect_recovery();
}

} // namespace
