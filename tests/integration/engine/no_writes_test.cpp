// SPDX-License-Identifier: BSD-3-Clause
//
// `query::no_writes` on PostgreSQL: what a statement's functions would write is refused, and nothing of that stays.

#include "support/postgresql_test.hpp"

#include <gmock/gmock.h>

#include <future>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using testing::HasSubstr;

class NoWrites : public PostgresqlTest {
protected:
  void SetUp() override {
    schema.server("create table t (n int); create function put(n int) returns int language sql as "
                  "'insert into t values (n) returning n'; create function twice(n int) returns int language sql as "
                  "'select 2 * n'; create function open_up() returns int language plpgsql as 'begin set "
                  "transaction_read_only = off; insert into t values (9); return 9; end'");
    PostgresqlTest::SetUp();
  }

  reply guarded(statement sql, parameters values = {}) {
    query q{"q", std::move(sql), std::move(values)};
    q.no_writes = true;
    return run(std::move(q));
  }

  void expect_refused(const reply& x, std::string_view sqlstate = "25006") {
    ASSERT_TRUE(x.failure);
    EXPECT_EQ(x.failure->code, errc::rejected_sql);
    EXPECT_EQ(x.failure->sqlstate, sqlstate);
    EXPECT_EQ(schema.server.number("select count(*) from t"), 0);
  }
};

TEST_F(NoWrites, RefusesWhatAFunctionWrites) {
  for (const std::size_t kept : {16, 0}) {
    open([&](options& how) { how.databases[0].statement_cache_size = kept; });
    const statement put{"select put(:n)"}, twice{"select twice(:n) from generate_series(1, 3)"};
    for (int i = 0; i < 4; ++i) { // at first, once it is prepared, and with columns that are known
      expect_refused(guarded(put, {{"n", 1}}));
      expect_refused(guarded("select open_up()"), "25001");
      const auto x = guarded(twice, {{"n", 4}});
      ASSERT_TRUE(x.ok()) << to_string(*x.failure);
      EXPECT_EQ(x["q"].table().rows(), 3u);
      EXPECT_EQ(x["q"].table().text(0, 0), "8");
    }
    EXPECT_TRUE(run(put, {{"n", 1}}).ok()) << "the same session, on its own";
    EXPECT_EQ(schema.server.number("select count(*) from t"), 1);
    schema.server("delete from t");
    EXPECT_EQ(stats().opened, 1u);
  }
}

TEST_F(NoWrites, HoldsForRowsInParts) {
  open();
  query q{"q", "select put(n) from generate_series(1, 3) n"};
  q.no_writes = true;
  std::size_t rows = 0;
  q.on_rows = [&](table part, const std::function<void()>& next) {
    rows += part.rows();
    next();
  };
  expect_refused(run(q));
  q.statement = "select twice(n) from generate_series(1, 100000) n";
  EXPECT_TRUE(run(q).ok());
  EXPECT_EQ(rows, 100'000u);
}

TEST_F(NoWrites, AreForQueries) {
  open();
  for (const auto* sql : {"insert into t values (1)",
                          "with x as (insert into t values (1) returning n) select n from x", "do 'begin end'"})
    EXPECT_EQ(guarded(sql).failure->code, errc::invalid_request) << sql;
  auto task = query::of_task("task", [](soci::session&) {});
  task.no_writes = true;
  EXPECT_EQ(run(std::move(task)).failure->code, errc::invalid_request);
}

} // namespace
