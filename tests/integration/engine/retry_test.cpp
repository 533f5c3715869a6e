// SPDX-License-Identifier: BSD-3-Clause
//
// Queries that are run again, and those that must not be.

#include "support/postgresql_test.hpp"

#include <gmock/gmock.h>

#include <soci/soci.h>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;
using testing::HasSubstr;

class Retry : public PostgresqlTest {
protected:
  void SetUp() override {
    PostgresqlTest::SetUp();
    open([](options& how) { how.databases[0].pool.max_size = 10; });
    const auto x = e->run(request_of({query{"", "create sequence attempts"}}));
    ASSERT_TRUE(x.ok()) << to_string(*x.failure);
    // nextval is not undone by what happens to its statement.
    schema.server("create function " + schema.name() + R"(.ends_its_session(times int) returns text as $$
begin
  if nextval('attempts') > times then return 'done'; end if;
  perform pg_terminate_backend(pg_backend_pid());
  perform pg_sleep(60);
end $$ language plpgsql)");
    schema.server("create function " + schema.name() + R"(.conflicts(times int) returns text as $$
begin
  if nextval('attempts') > times then return 'done'; end if;
  raise exception 'try again' using errcode = 'serialization_failure';
end $$ language plpgsql)");
  }

  static query reading(statement sql) {
    query q{"q", std::move(sql)};
    q.read_only = true;
    return q;
  }

  int attempts() { return schema.server.number("select last_value from " + schema.name() + ".attempts"); }
};

TEST_F(Retry, RunsAReadOnlyQueryAgainOnAnotherSession) {
  const auto x = run(reading("select ends_its_session(2)"));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(x["q"].table().scalar<std::string>(), "done");
  EXPECT_EQ(x["q"].attempts, 3u);
  EXPECT_EQ(attempts(), 3);
  EXPECT_EQ(stats().retries, 1u) << "it counts once";
  EXPECT_EQ(stats().lost, 2u);
}

TEST_F(Retry, RunsAReadOnlyQueryAgainThatCouldNotBeSerialized) {
  const auto x = run(reading("select conflicts(1)"));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(x["q"].attempts, 2u);
  EXPECT_EQ(stats().lost, 0u);
}

TEST_F(Retry, RunsAReadOnlyTaskAgain) {
  auto q = query::of_task("q", [](soci::session& s) {
    std::string out;
    s << "select ends_its_session(1)", soci::into(out);
    return out;
  });
  q.read_only = true;
  const auto x = run(q);
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(x["q"].value<std::string>(), "done");
  EXPECT_EQ(x["q"].attempts, 2u);
}

TEST_F(Retry, DoesNotRunAgainWhatIsNotDeclaredReadOnly) {
  EXPECT_EQ(refused("select ends_its_session(1)").code, errc::in_doubt);
  EXPECT_EQ(attempts(), 1);
  EXPECT_EQ(refused("select conflicts(2)").code, errc::serialization_failure);
  EXPECT_EQ(attempts(), 2);
  EXPECT_EQ(stats().retries, 0u);
}

TEST_F(Retry, SaysThatALostWriteIsInDoubt) {
  rows("create table t(x text)");
  for (const char* sql : {"insert into t select ends_its_session(100)",
                          "with w as (insert into t select ends_its_session(100) returning x) select * from w",
                          "do $$ begin perform ends_its_session(100); end $$"}) {
    const auto f = refused(sql);
    EXPECT_EQ(f.code, errc::in_doubt) << to_string(f);
    EXPECT_THAT(f.message, HasSubstr("look before sending it again"));
    EXPECT_FALSE(safe_to_retry(f));
  }
  const auto x = run(query::of_task("q", [](soci::session& s) { s << "select ends_its_session(100)"; }));
  EXPECT_EQ(x.failure.value_or(failure{}).code, errc::in_doubt);
  EXPECT_EQ(attempts(), 4);
}

TEST_F(Retry, RefusesAWriteThatIsDeclaredReadOnly) {
  for (const char* sql : {"insert into t values (1)", "create table t(x int)", "do $$ $$"}) {
    const auto x = run(reading(sql));
    EXPECT_EQ(x.failure.value_or(failure{}).code, errc::invalid_request) << sql;
    EXPECT_EQ(x.failure.value_or(failure{}).query, "q");
  }
}

TEST_F(Retry, EndsBeforeTheDeadlineWithTheFailureItself) {
  auto asked = request_of({reading("select conflicts(100)")});
  asked.deadline = 2s;
  const auto x = e->run(std::move(asked));
  EXPECT_EQ(x.failure.value_or(failure{}).code, errc::serialization_failure);
  EXPECT_GT(x["q"].attempts, 1u);
}

TEST_F(Retry, IsForAFewAtOnce) {
  auto asked = request_of(10, [](int) {
    auto q = reading("select conflicts(1000)");
    q.name.clear();
    return q;
  });
  asked.on_error = error_policy::partial;
  asked.deadline = 3s;
  const auto x = e->run(std::move(asked));
  EXPECT_EQ(std::count_if(x.outcomes.begin(), x.outcomes.end(), [](const outcome& y) { return y.attempts > 1; }), 3);
  EXPECT_EQ(stats().retries, 3u);
  EXPECT_EQ(stats().retries_refused, 7u);
  EXPECT_TRUE(run(reading("select 1")).ok());
}

/// A session that was cut off while it waited to be used is not the query's fault.
TEST_F(Retry, IsNotNeededForASessionThatWasLostWhileIdle) {
  const auto pid = backend_pid();
  schema.server("select pg_terminate_backend(" + std::to_string(pid) + ")");
  EXPECT_TRUE(eventually([&] { return stats().total == 0; }));
  EXPECT_NE(backend_pid(), pid);
  EXPECT_EQ(stats().retries, 0u);
}

} // namespace
