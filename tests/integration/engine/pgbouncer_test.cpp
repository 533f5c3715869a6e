// SPDX-License-Identifier: BSD-3-Clause
//
// An engine behind PgBouncer, whose server connections it shares with strangers: each query has its own answer.

#include "support/pgbouncer.hpp"
#include "support/postgresql_test.hpp"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <string>
#include <tuple>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class PgBouncerTest : public TidyTest {
protected:
  /// An engine of four sessions.
  std::unique_ptr<engine> open(std::size_t statement_cache_size = 256) {
    auto how = for_database(pooler->url("application_name=" + schema.name()), {.max_size = 4});
    how.databases[0].statement_cache_size = statement_cache_size;
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
  std::unique_ptr<pgbouncer> pooler;
};

class Pooled : public PgBouncerTest, public testing::WithParamInterface<std::tuple<const char*, std::size_t>> {
protected:
  /// By session, each session of ours holds a connection; otherwise four share two.
  Pooled() {
    const std::string_view mode = std::get<0>(GetParam());
    pooler = std::make_unique<pgbouncer>(mode, mode == "session" ? 8 : 2);
  }
  std::unique_ptr<engine> open() { return PgBouncerTest::open(std::get<1>(GetParam())); }
};

INSTANTIATE_TEST_SUITE_P(ByPgBouncer, Pooled,
                         testing::Combine(testing::Values("session", "transaction", "statement"),
                                          testing::Values(std::size_t{256}, std::size_t{0})),
                         [](const auto& x) {
                           return fmt::format("{}{}", std::get<0>(x.param), std::get<1>(x.param) > 0 ? "" : "NoCache");
                         });

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
    pooler->restart();
    EXPECT_TRUE(eventually([&] { return e->run(request_of({query{"q", "select 7"}})).ok(); }));
  }
}

} // namespace
