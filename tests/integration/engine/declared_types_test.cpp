// SPDX-License-Identifier: BSD-3-Clause
//
// The type of a value is its parameter's type in PostgreSQL, unless the statement takes no such type where the
// parameter stands.

#include "support/postgresql_test.hpp"

#include <optional>
#include <string>
#include <vector>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono;

/// The ways on which a statement goes out: prepared, or not.
struct way {
  std::string name;
  std::size_t statement_cache_size;
};

class DeclaredTypes : public PostgresqlTest, public testing::WithParamInterface<way> {
protected:
  void SetUp() override {
    PostgresqlTest::SetUp();
    open([](options& o) { o.databases[0].statement_cache_size = GetParam().statement_cache_size; });
  }

  std::string text(const std::string& sql, parameters values = {}) {
    return rows(sql, std::move(values)).get<std::string>(0, 0);
  }
};

INSTANTIATE_TEST_SUITE_P(, DeclaredTypes, testing::Values(way{"Prepared", 16}, way{"Unprepared", 0}),
                         [](const auto& x) { return x.param.name; });

TEST_P(DeclaredTypes, AreThoseOfTheValues) {
  const std::string sql = "select pg_typeof(:x)::text";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(text(sql, {{"x", 5}}), "bigint");
    EXPECT_EQ(text(sql, {{"x", true}}), "boolean");
    EXPECT_EQ(text(sql, {{"x", bytes{std::byte{1}}}}), "bytea");
    EXPECT_EQ(text(sql, {{"x", 2024y / 2 / 29}}), "date");
    EXPECT_EQ(text("select pg_typeof(x)::text from (select :x as x) t", {{"x", "5"}}), "text");
  }
  const auto x = rows("select :a, :b as b", {{"a", 5}, {"b", true}});
  EXPECT_EQ(x.get<int>(0, 0), 5);
  EXPECT_TRUE(x.get<bool>(0, 1));
}

TEST_P(DeclaredTypes, GiveWayToWhatTheStatementTakes) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(text("select repeat('ab', :n)", {{"n", 2}}), "abab");
    EXPECT_EQ(text("select left('abcdef', :n)", {{"n", 2}}), "ab");
    EXPECT_EQ(text("select coalesce(:n, 'none'::text)", {{"n", 7}}), "7");
    EXPECT_EQ(text("select 'yes' where '7'::text = :n", {{"n", 7}}), "yes");
  }
}

TEST_P(DeclaredTypes, AreWideEnoughForEachValue) {
  rows("create table book (id int primary key, title text)");
  rows("insert into book values (:id, 'one')", {{"id", 1}});
  EXPECT_EQ(rows("select title from book where id = :id", {{"id", 1}}).rows(), 1u);
  EXPECT_EQ(rows("select title from book where id = :id", {{"id", 3'000'000'000}}).rows(), 0u);
}

TEST_P(DeclaredTypes, MayDifferFromRunToRun) {
  const std::string sql = "select coalesce(:x::text, 'null')";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(text(sql, {{"x", nullptr}}), "null");
    EXPECT_EQ(text(sql, {{"x", 5}}), "5");
    EXPECT_EQ(text(sql, {{"x", "five"}}), "five");
    EXPECT_EQ(text(sql, {{"x", true}}), "true");
  }
}

TEST_P(DeclaredTypes, SendNoWriteTwice) {
  rows("create sequence runs; ");
  rows("create table note (body text, tags jsonb)");
  // A bigint is assigned to text as it is; to jsonb it is not.
  EXPECT_EQ(rows("insert into note (body) values (:n) returning nextval('runs')", {{"n", 5}}).get<int>(0, 0), 1);
  EXPECT_EQ(rows("insert into note (tags) values (:n) returning nextval('runs')", {{"n", 6}}).get<int>(0, 0), 2);
  EXPECT_EQ(rows("insert into note (body) select repeat('x', :n) returning nextval('runs')", {{"n", 3}}).get<int>(0, 0),
            3);
  EXPECT_EQ(rows("select count(*) from note").get<int>(0, 0), 3);
}

/// Errors of the same kind that a function causes while the statement runs are not for another run.
TEST_P(DeclaredTypes, AreNotBlamedForWhatAFunctionDoes) {
  rows("create sequence runs");
  rows("create function late() returns int language plpgsql as $$ begin perform nextval('runs'); "
       "return length(5::bigint); end $$");
  try {
    rows("select late() where :n > 0", {{"n", 1}});
    FAIL() << "there is no length(bigint)";
  } catch (const error& e) {
    EXPECT_EQ(e.why().sqlstate, "42883");
  }
  EXPECT_EQ(rows("select nextval('runs')").get<int>(0, 0), 2);
}

TEST_P(DeclaredTypes, HoldForRowsInParts) {
  const auto in_parts = [&](const std::string& sql) {
    std::string all;
    query q{"q", sql, {{"n", 2}}};
    q.on_rows = [&](table&& part, auto next) {
      all += part.get<std::string>(0, 0);
      next();
    };
    const auto reply = run(std::move(q));
    EXPECT_TRUE(reply.ok()) << to_string(*reply.failure);
    return all;
  };
  EXPECT_EQ(in_parts("select pg_typeof(:n)::text"), "bigint");
  EXPECT_EQ(in_parts("select repeat('ab', :n)"), "abab");
}

} // namespace
