// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/checked_request.hpp"
#include "sheaf/request.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace sheaf {
namespace {

using namespace std::chrono_literals;

request of(std::vector<query> queries) { return {.queries = std::move(queries)}; }

/// The error in a request of one good query after `spoil`.
template <class F>
std::string complaint(F spoil) {
  auto asked = of({{"books", "select :a", {{"a", 1}}}});
  if constexpr (std::is_invocable_v<F, request&>)
    spoil(asked);
  else
    spoil(asked.queries[0]);
  const auto wrong = validate(asked);
  if (!wrong)
    return {};
  EXPECT_EQ(wrong->code, errc::invalid_request);
  EXPECT_FALSE(wrong->reached_server);
  return (wrong->query.empty() ? "" : wrong->query + ": ") + wrong->message;
}

template <class F>
failure thrown_by(F f) {
  try {
    f();
  } catch (const error& e) {
    return e.why();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(Request, NumbersQueriesWithoutANameByPosition) {
  auto asked = of({{"", "select 1"}, {"b", "select 2"}, {"", "select 3"}});
  number_queries(asked);
  EXPECT_EQ(asked.queries[0].name, "q1");
  EXPECT_EQ(asked.queries[1].name, "b");
  EXPECT_EQ(asked.queries[2].name, "q3");
  EXPECT_FALSE(validate(asked));
}

TEST(Request, MayHaveNoQueries) {
  request none;
  EXPECT_FALSE(validate(none));
  none.on_error = error_policy::first;
  EXPECT_FALSE(validate(none));
}

TEST(Request, NeedsUniqueNames) {
  const auto names = [](std::string first, std::string second, std::string third) {
    auto asked = of({{std::move(first), "select 1"}, {std::move(second), "select 2"}, {std::move(third), "select 3"}});
    const auto wrong = validate(asked);
    return wrong ? wrong->query + ": " + wrong->message : "";
  };
  EXPECT_EQ(names("b", "a", "b"), "b: two queries are named \"b\"; rename one");
  EXPECT_EQ(names("q3", "", ""), "q3: two queries are named \"q3\"; rename one");
  EXPECT_EQ(names("q2", "q1", ""), "");
  EXPECT_EQ(names("", "", ""), "");
  EXPECT_EQ(names("a", "A", "a "), "");
}

TEST(Request, TakesManyQueries) {
  auto asked = of(std::vector<query>(10'000, query{"", "select 1"}));
  EXPECT_FALSE(validate(asked));
  number_queries(asked);
  EXPECT_FALSE(validate(asked));
  asked.queries[7].name = "q9999";
  EXPECT_EQ(validate(asked)->query, "q9999");
}

TEST(Request, RefusesLimitsThatAreNone) {
  EXPECT_EQ(complaint([](request& x) { x.deadline = -5ms; }), "deadline is -5ms; set it to between 0s and 87600h");
  EXPECT_EQ(complaint([](request& x) { x.deadline = std::chrono::nanoseconds::max(); }),
            "deadline is 9223372036854775807ns; set it to between 0s and 87600h");
  EXPECT_EQ(complaint([](query& x) { x.timeout = -1s; }), "books: timeout is -1s; set it to between 0s and 87600h");
  EXPECT_EQ(complaint([](query& x) { x.max_rows = 0; }), "books: max_rows is 0; set it to between 1 and 2147483647");
  EXPECT_EQ(complaint([](query& x) { x.max_bytes = 0; }),
            "books: max_bytes is 0; set it to between 1 and 1099511627776");
  EXPECT_EQ(complaint([](query& x) { x.max_bytes = std::numeric_limits<std::size_t>::max(); }),
            "books: max_bytes is 18446744073709551615; set it to between 1 and 1099511627776");
  EXPECT_EQ(complaint([](request& x) {
              x.deadline = 0s; // Passed at once, but said honestly.
              x.width = 1'000'000;
              x.queries[0].timeout = 1ns;
              x.queries[0].max_rows = 1;
            }),
            "");
}

TEST(Request, HasEitherAStatementOrATask) {
  const auto task = query::of_task("t", [](soci::session&) { return 1; });
  EXPECT_EQ(complaint([&](query& x) { x.run = task.run; }),
            "books: the query has both a statement and a task; remove one");
  EXPECT_EQ(complaint([&](query& x) {
              x.run = task.run;
              x.statement = {};
            }),
            "books: a task takes no parameters; let it capture what it needs");
  EXPECT_FALSE(validate(of({task})));
  const auto neither = validate(of({query{"none", ""}}));
  ASSERT_TRUE(neither);
  EXPECT_EQ(neither->code, errc::rejected_sql);
  EXPECT_EQ(neither->query, "none");
  EXPECT_EQ(neither->message, "the statement is empty; write one");
}

TEST(Request, RefusesNul) {
  const std::string nul{"a\0b", 3};
  EXPECT_EQ(complaint([&](query& x) { x.parameters[0].second = nul; }),
            "books: the value of :a holds a NUL character, which no database takes as text; pass bytes");
  EXPECT_NE(complaint([&](query& x) { x.parameters[0].second = std::vector<std::string>{"a", nul}; }), "");
  EXPECT_EQ(complaint([&](query& x) { x.parameters[0].second = bytes(3); }), "");
  EXPECT_EQ(complaint([&](query& x) { x.statement = "select :a" + nul; }),
            "books: the statement holds a NUL character; remove it");
}

TEST(Request, RefusesAParameterThatIsGivenTwice) {
  EXPECT_EQ(complaint([](query& x) {
              x.parameters = {{"b", 1}, {"a", 2}, {"b", 3}};
            }),
            "books: :b is given two values; remove one");
  EXPECT_EQ(complaint([](query& x) { x.parameters = {{"", 1}, {"", 2}}; }), "books: : is given two values; remove one");
}

std::string bound(std::string_view sql, parameters values, dialect d = dialect::postgresql) {
  const query q{"books", sql, std::move(values)};
  const auto parsed = q.statement.parse(d, q.parameters);
  const auto wrong = check_values(q, *parsed, d);
  if (!wrong)
    return parsed->text;
  EXPECT_EQ(wrong->query, "books");
  EXPECT_FALSE(wrong->reached_server);
  return std::string{to_string(wrong->code)} + ": " + wrong->message;
}

TEST(Bind, GivesTheStatementForTheDialect) {
  EXPECT_EQ(bound("select :a, :b", {{"a", 1}, {"b", 2}}), "select $1, $2");
  EXPECT_EQ(bound("select :a, :b", {{"b", 1}, {"a", 2}}, dialect::sqlite), "select :a, :b");
  EXPECT_EQ(bound("select x[:n]", {{"n", 1}}), "select x[$1]");
  EXPECT_EQ(bound("select x[:n]", {}), "select x[:n]");
  EXPECT_EQ(bound("select 1", {}), "select 1");
}

TEST(Bind, NamesAllParametersThatAreMissingOrTooMany) {
  EXPECT_EQ(bound("select :b, :a, :c", {{"c", 1}}), "invalid_request: the statement has :a, :b but no value is given");
  EXPECT_EQ(bound("select :a", {{"c", 1}, {"a", 2}, {"b", 3}}),
            "invalid_request: a value is given for :b, :c but the statement has no such parameter");
  EXPECT_EQ(bound("select :a", {{"A", 1}}), "invalid_request: the statement has :a but no value is given; "
                                            "a value is given for :A but the statement has no such parameter");
}

TEST(Bind, DoesNotListThousands) {
  parameters values;
  for (int i = 0; i < 50'000; ++i)
    values.emplace_back("p" + std::to_string(i), i);
  const auto said = bound("select 1", values);
  EXPECT_NE(said.find(" and 49900 more but"), said.npos);
  EXPECT_LT(said.size(), 1000u);
}

TEST(Bind, TakesNoMoreParametersThanThePostgresqlProtocol) {
  parameters values;
  std::string sql = "select ";
  for (int i = 0; i < 65'536; ++i) {
    values.emplace_back("p" + std::to_string(i), i);
    sql.append(":").append(values.back().first).append(",");
  }
  EXPECT_EQ(bound(sql, values),
            "invalid_request: the statement has 65536 parameters, PostgreSQL takes 65535 at most; pass an array");
}

TEST(Bind, RefusesAnEmptyStatement) {
  for (const auto* sql : {"", " \n", "-- nothing", "/* */ ;"})
    for (const auto d : {dialect::postgresql, dialect::sqlite})
      EXPECT_EQ(bound(sql, {{"a", 1}}, d), "rejected_sql: the statement is empty; write one") << sql;
}

TEST(Bind, RefusesOtherKindsOfParametersBesideNames) {
  const auto refused = "invalid_request: the statement has parameters that are not written :name; name them all";
  EXPECT_EQ(bound("select :a, $1", {{"a", 1}}), refused);
  EXPECT_EQ(bound("select ?, ?2, @x", {}, dialect::sqlite), refused);
  // PostgreSQL has $1 in function bodies too.
  EXPECT_EQ(bound("create function f(int) returns int language sql return $1", {}),
            "create function f(int) returns int language sql return $1");
}

TEST(Outcome, GivesItsTableOrSaysWhyNot) {
  outcome rows{.name = "a", .data = table{}};
  EXPECT_TRUE(rows.ok());
  EXPECT_EQ(rows.table().rows(), 0u);
  EXPECT_EQ(rows.error_info(), nullptr);
  EXPECT_EQ(thrown_by([&] { (void)rows.value<int>(); }).message, "the outcome is a table; read it with table()");
  EXPECT_EQ(thrown_by([&] { (void)rows.value<int>(); }).query, "a");
}

TEST(Outcome, GivesATasksValueByItsExactType) {
  outcome value{.name = "a", .data = std::any{42}};
  EXPECT_EQ(value.value<int>(), 42);
  EXPECT_EQ(thrown_by([&] { (void)value.value<long>(); }).code, errc::bad_read);
  const auto why = thrown_by([&] { (void)value.table(); });
  EXPECT_EQ(why.code, errc::bad_read);
  EXPECT_EQ(why.message, "the task returned a value and no table; read it with value<T>()");
  EXPECT_EQ(why.query, "a");
}

TEST(Outcome, ThrowsItsFailure) {
  outcome failed{.name = "a", .data = failure{.code = errc::pool_timeout, .query = "a", .message = "late"}};
  EXPECT_FALSE(failed.ok());
  ASSERT_NE(failed.error_info(), nullptr);
  EXPECT_EQ(failed.error_info()->code, errc::pool_timeout);
  EXPECT_EQ(thrown_by([&] { (void)failed.table(); }).message, "late");
  EXPECT_EQ(thrown_by([&] { (void)failed.value<int>(); }).message, "late");
}

TEST(Reply, FindsOutcomesByNameAndPosition) {
  reply r;
  r.outcomes = {{.name = "a", .data = std::any{1}}, {.name = "b", .data = std::any{2}}};
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r["b"].value<int>(), 2);
  EXPECT_EQ(r[0].value<int>(), 1);
  EXPECT_EQ(thrown_by([&] { (void)r["c"]; }).message, "the reply has no outcome named \"c\"");
  EXPECT_EQ(thrown_by([&] { (void)r[2]; }).message, "the reply has 2 outcomes, and none at position 2");
  EXPECT_EQ(thrown_by([&] { (void)r["c"]; }).code, errc::bad_read);
}

query_times times(std::chrono::nanoseconds queued, std::chrono::nanoseconds acquired,
                  std::chrono::nanoseconds released) {
  query_times t;
  t.queued = queued;
  t.acquired = acquired;
  t.released = released;
  return t;
}

TEST(Reply, CountsAQueryFromQueuedToTheLastPointThatItReached) {
  EXPECT_EQ(query_times{}.total(), 0ns);
  auto t = times(10ns, query_times::not_reached, query_times::not_reached);
  EXPECT_EQ(t.total(), 0ns);
  t.acquired = 30ns;
  EXPECT_EQ(t.total(), 20ns);
  t.sent = 40ns;
  t.first_row = 70ns;
  EXPECT_EQ(t.total(), 60ns);
  t.last_row = 80ns;
  t.released = 100ns;
  EXPECT_EQ(t.total(), 90ns);
}

TEST(Reply, CountsAQueryThatNobodyWaitedForAnyMoreUntilThen) {
  auto t = times(10ns, query_times::not_reached, query_times::not_reached);
  t.answered = 500ns;
  EXPECT_EQ(t.total(), 490ns) << "it waited for a session";
  t.acquired = 30ns;
  t.sent = 40ns;
  EXPECT_EQ(t.total(), 490ns);
}

TEST(Reply, TellsHowManyQueriesRanAtOnce) {
  reply r;
  EXPECT_EQ(r.serial_sum(), 0ns);
  EXPECT_EQ(r.overlap(), 0);
  r.outcomes = {{.name = "a", .data = std::any{}, .times = times(0ms, 10ms, 110ms)},
                {.name = "b", .data = std::any{}, .times = times(0ms, 20ms, 120ms)},
                {.name = "never acquired",
                 .data = failure{},
                 .times = times(0ms, query_times::not_reached, query_times::not_reached)},
                {.name = "never released", .data = failure{}, .times = times(0ms, 50ms, query_times::not_reached)}};
  r.outcomes[3].times.sent = 80ms;
  r.elapsed = 115ms;
  EXPECT_EQ(r.serial_sum(), 230ms);
  EXPECT_DOUBLE_EQ(r.overlap(), 2.0);
  r.outcomes[2].times.answered = 115ms; // it waited in vain
  r.outcomes[3].times.answered = 115ms; // it ran until it was given up
  EXPECT_EQ(r.serial_sum(), 265ms);
}

} // namespace
} // namespace sheaf
