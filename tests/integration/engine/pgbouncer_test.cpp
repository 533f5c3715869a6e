// SPDX-License-Identifier: BSD-3-Clause
//
// An engine behind PgBouncer, whose server connections it shares with strangers: each query has its own answer.

#include "support/pgbouncer.hpp"
#include "support/postgresql_test.hpp"

#include <soci/soci.h>

#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <tuple>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class PgBouncerTest : public TidyTest {
protected:
  /// An engine of four sessions.
  std::unique_ptr<engine> open(std::size_t statement_cache_size = 256, pooler between = pooler::automatic) {
    auto how = for_database(bouncer->url("application_name=" + schema.name()), {.max_size = 4});
    how.databases[0].statement_cache_size = statement_cache_size;
    how.databases[0].pooler = between;
    return std::move(engine::create(std::move(how), system).value());
  }

  static table rows(engine& e, statement sql, parameters values = {}) {
    auto x = e.run(request_of({query{"q", std::move(sql), std::move(values)}}));
    if (!x.ok())
      throw error(*x.failure);
    return x["q"].table();
  }

  std::string in_schema(std::string_view name) const { return fmt::format("{}.{}", schema.name(), name); }

  postgresql_schema schema;
  std::unique_ptr<pgbouncer> bouncer;
};

class Pooled : public PgBouncerTest, public testing::WithParamInterface<std::tuple<const char*, std::size_t>> {
protected:
  /// By session, each session of ours holds a connection; otherwise four share two.
  Pooled() {
    const std::string_view mode = std::get<0>(GetParam());
    bouncer = std::make_unique<pgbouncer>(mode, mode == "session" ? 8 : 2);
  }
  std::unique_ptr<engine> open() { return PgBouncerTest::open(std::get<1>(GetParam())); }
};

INSTANTIATE_TEST_SUITE_P(ByPgBouncer, Pooled,
                         testing::Combine(testing::Values("session", "transaction", "statement"),
                                          testing::Values(std::size_t{256}, std::size_t{0})),
                         [](const auto& x) {
                           return fmt::format("{}{}", std::get<0>(x.param), std::get<1>(x.param) > 0 ? "" : "NoCache");
                         });

/// Where nothing is in between, a session asks its server to end with it.
TEST_P(Pooled, SetsNothingInSessionsThatOthersShare) {
  auto e = open();
  EXPECT_EQ(rows(*e, "show client_connection_check_interval").scalar<std::string>(), "0");
}

/// Four statements that look alike, many times over: numbers, which would be another's, and texts and types that
/// differ.
TEST_P(Pooled, GivesEachQueryItsOwnAnswer) {
  auto first = open(), second = open(); // strangers
  for (int i = 0; i < 100; ++i) {
    std::vector<query> asked;
    for (int n = 0; n < 4; ++n)
      asked.emplace_back(fmt::format("n{}", n), statement{fmt::format("select {} as n, :i::int as i", n)},
                         parameters{{"i", i}});
    asked.emplace_back("text", statement{"select 'a text'::text as t"});
    asked.emplace_back("time", statement{"select timestamp '2024-02-29 12:00' as t, 3 as n"});
    asked.emplace_back("float", statement{"select 4.5::float8 as f"});
    for (auto* e : {first.get(), second.get()}) {
      const auto x = e->run(request_of(asked));
      ASSERT_TRUE(x.ok()) << to_string(*x.failure);
      for (int n = 0; n < 4; ++n) {
        const auto& t = x[fmt::format("n{}", n)].table();
        ASSERT_EQ(t.get<int>(0, "n"), n);
        ASSERT_EQ(t.get<int>(0, "i"), i);
      }
      ASSERT_EQ(x["text"].table().scalar<std::string>(), "a text");
      ASSERT_EQ(x["time"].table().text(0, 0), "2024-02-29 12:00:00");
      ASSERT_EQ(x["float"].table().scalar<double>(), 4.5);
    }
  }
}

/// Packs of strangers go through the same few server connections.
TEST_P(Pooled, GivesEachQueryOfAPackItsOwnAnswer) {
  auto first = open(), second = open();
  for (int i = 0; i < 50; ++i) {
    std::vector<query> asked;
    for (int n = 0; n < 8; ++n) {
      asked.emplace_back("", statement{fmt::format("select {} as n, :i::int as i", n % 4)}, parameters{{"i", i}});
      asked.back().read_only = true;
    }
    asked.emplace_back("", statement{"select 1 / :zero::int"}, parameters{{"zero", 0}});
    asked.back().read_only = true;
    auto together = request_of(asked, error_policy::partial);
    together.pack = packing::always;
    together.queries.back().required = false;
    for (auto* e : {first.get(), second.get()}) {
      const auto x = e->run(together);
      ASSERT_TRUE(x.ok()) << to_string(*x.failure);
      for (std::size_t n = 0; n < 8; ++n) {
        ASSERT_EQ(x[n].table().get<int>(0, "n"), static_cast<int>(n % 4));
        ASSERT_EQ(x[n].table().get<int>(0, "i"), i);
      }
      ASSERT_EQ(x[8].error_info()->sqlstate, "22012");
    }
  }
  EXPECT_GT(first->stats().front().packed, 0u);
}

TEST_P(Pooled, WritesEachRowIntoItsOwnTableOnce) {
  schema.server(fmt::format("create table {}(n int); create table {}(n int)", in_schema("a"), in_schema("b")));
  auto e = open();
  for (int i = 0; i < 200; ++i) {
    const auto x = e->run(request_of(
        {query{"a", statement{fmt::format("insert into {} values (:n)", in_schema("a"))}, {{"n", i}}},
         query{"b", statement{fmt::format("insert into {} values (:n)", in_schema("b"))}, {{"n", 1000 + i}}}}));
    ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  }
  EXPECT_EQ(schema.server(
                fmt::format("select count(*) || ' ' || count(distinct n) || ' ' || max(n) from {}", in_schema("a"))),
            "200 200 199");
  EXPECT_EQ(schema.server(
                fmt::format("select count(*) || ' ' || count(distinct n) || ' ' || min(n) from {}", in_schema("b"))),
            "200 200 1000");
}

TEST_P(Pooled, SurvivesThatATableIsAltered) {
  const auto t = in_schema("t");
  schema.server(fmt::format("create table {0}(a int); insert into {0} values (1)", t));
  auto first = open(), second = open();
  const auto expect_columns = [&](std::size_t count) {
    for (int i = 0; i < 8; ++i)
      for (auto* e : {first.get(), second.get()})
        ASSERT_EQ(rows(*e, "select * from " + t).columns(), count);
  };
  expect_columns(1);
  schema.server(fmt::format("alter table {} add column b date default '2024-02-29'", t));
  expect_columns(2);
  schema.server(fmt::format("alter table {} add column c int[] default '{{1}}', drop column b", t));
  expect_columns(2);
}

TEST_P(Pooled, TellsErrorsOfTheStatementThatHasThem) {
  auto e = open();
  for (int i = 0; i < 20; ++i) {
    const auto x =
        e->run(request_of({query{"zero", "select 1 / :n::int", {{"n", 0}}},
                           query{"one", "select 1 / :n::int", {{"n", 1}}}, query{"none", "select * from no"}},
                          error_policy::partial));
    EXPECT_EQ(std::get<failure>(x["zero"].data).sqlstate, "22012");
    EXPECT_EQ(std::get<failure>(x["none"].data).sqlstate, "42P01");
    ASSERT_TRUE(x["one"].ok());
    EXPECT_EQ(x["one"].table().scalar<int>(), 1);
  }
}

TEST_P(Pooled, StopsAStatementAtItsDeadlineAndNoOther) {
  auto e = open();
  for (int i = 0; i < 5; ++i) {
    auto late = request_of({query{"late", "select pg_sleep(60)"}});
    late.deadline = 50ms;
    EXPECT_EQ(e->run(late).failure.value_or(failure{}).code, errc::deadline_exceeded);
    EXPECT_EQ(rows(*e, "select 7").scalar<int>(), 7);
  }
}

TEST_P(Pooled, SaysThatAWriteWhoseServerConnectionIsLostIsInDoubt) {
  schema.server(fmt::format("create table {}(n int)", in_schema("t")));
  auto e = open();
  for (int i = 0; i < 3; ++i) {
    auto answered = e->run_future(
        request_of({query{"q", statement{fmt::format("insert into {} select 1 from pg_sleep(60)", in_schema("t"))}}}));
    const auto inserts =
        std::string{"from pg_stat_activity where query like 'insert into%pg_sleep%' and state = 'active'"};
    ASSERT_TRUE(eventually([&] { return schema.server("select count(*) " + inserts) == "1"; }));
    schema.server("select pg_terminate_backend(pid) " + inserts);
    const auto x = answered.get();
    ASSERT_TRUE(x.failure);
    EXPECT_EQ(x.failure->code, errc::in_doubt) << to_string(*x.failure);
    EXPECT_TRUE(eventually([&] { return e->run(request_of({query{"q", "select 7"}})).ok(); }));
  }
}

TEST_P(Pooled, HandsOnRowsInParts) {
  auto e = open();
  std::size_t got = 0;
  query q{"many", "select g, repeat('x', 100) from generate_series(1, 20000) g"};
  q.on_rows = [&](table part, std::function<void()> next) {
    got += part.rows();
    next();
  };
  const auto x = e->run(request_of({q, query{"one", "select 1"}}));
  ASSERT_TRUE(x.ok()) << to_string(*x.failure);
  EXPECT_EQ(got, 20000u);
}

TEST_P(Pooled, ComesBackWhenThePoolerDoes) {
  auto e = open();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(rows(*e, "select 7").scalar<int>(), 7);
    bouncer->restart();
    EXPECT_TRUE(eventually([&] { return e->run(request_of({query{"q", "select 7"}})).ok(); }));
  }
}

// -- traces

const auto traces = {"set work_mem = '1GB'", "listen news", "create temporary table t(n int)",
                     "select pg_advisory_lock(7)", "select set_config('work_mem', '1GB', false)"};

TEST_P(Pooled, LeavesNothingToTheNextClient) {
  auto e = open();
  for (const auto* sql : traces) {
    const auto x = e->run(request_of({query{"q", sql}}));
    ASSERT_TRUE(x.failure) << sql;
    EXPECT_EQ(x.failure->code, errc::invalid_request) << to_string(*x.failure);
    EXPECT_FALSE(x.failure->reached_server);
    EXPECT_NE(x.failure->message.find("pooler: session"), std::string::npos) << to_string(*x.failure);
  }
  const auto of_another = e->run(request_of({query{"q", "select lastval()"}}));
  EXPECT_EQ(of_another.failure.value_or(failure{}).code, errc::invalid_request) << "it would be another client's";
  EXPECT_EQ(schema.server("select count(*) from pg_locks where locktype = 'advisory'"), "0");
  rows(*e, fmt::format("create table {}(temp int)", in_schema("made")));
  rows(*e, "do $$ begin end $$");
  rows(*e, "select temp from " + in_schema("made"));
  const auto ended = e->run(request_of({query::of_task("q", [](soci::session& s) {
    s << "begin";
    s << "set local work_mem = '1GB'";
    throw std::runtime_error("within the transaction");
  })}));
  if (std::get<0>(GetParam()) != std::string_view{"statement"}) { // there `begin` ends the connection
    EXPECT_EQ(ended.failure.value_or(failure{}).code, errc::internal);
  }
  for (int i = 0; i < 8; ++i)
    EXPECT_NE(rows(*e, "show work_mem").scalar<std::string>(), "1GB");
}

TEST_F(PgBouncerTest, IsAsGoodAsNothingWhereEachClientHasAConnection) {
  bouncer = std::make_unique<pgbouncer>("session", 8);
  auto e = open(256, pooler::session);
  for (const auto* sql : traces) {
    rows(*e, sql);
    EXPECT_NE(rows(*e, "show work_mem").scalar<std::string>(), "1GB") << "it is undone";
  }
}

TEST_F(PgBouncerTest, IsNotSeenWhereThereIsNone) {
  auto how = for_database(schema.url(), {.max_size = 1});
  auto e = std::move(engine::create(std::move(how), system).value());
  for (const auto* sql : traces)
    rows(*e, sql);
}

} // namespace
