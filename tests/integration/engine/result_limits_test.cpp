// SPDX-License-Identifier: BSD-3-Clause
//
// Results that are larger than they may be: refused early, without the memory that they would take, and with the
// session kept.

#include "support/database_under_test.hpp"
#include "support/mib.hpp"
#include "support/postgresql_test.hpp"

#include <fmt/format.h>

namespace {

using namespace sheaf;
using namespace sheaf::test;

class ResultLimits : public AnyDatabase {
protected:
  /// Rows with a number from 1 to `count` and `width` letters.
  query rows_of(long count, int width) const {
    if (is(database_kind::postgresql))
      return {"rows", fmt::format("select generate_series(1, {}) as n, repeat('x', {}) as x", count, width)};
    return {"rows", fmt::format("with recursive s(n) as (select 1 union all select n + 1 from s limit {}) "
                                "select n, printf('%.*c', {}, 'x') as x from s",
                                count, width)};
  }

  failure refused(query q) {
    const auto x = run(request_of({std::move(q)}));
    EXPECT_TRUE(x.failure);
    const auto f = x.failure.value_or(failure{});
    EXPECT_EQ(f.code, errc::result_too_large) << to_string(f);
    EXPECT_EQ(f.phase, phase::fetch);
    EXPECT_TRUE(f.reached_server);
    EXPECT_FALSE(safe_to_retry(f));
    return f;
  }

  void expect_recovery() {
    EXPECT_TRUE(eventually([&] { return stats().cancelling == 0; }));
    EXPECT_TRUE(
        eventually([&] { return database->running() == 0; })); // a connection that was cut takes the server a moment
    EXPECT_EQ(number_in(run(request_of({database->answers("next", 7)}))["next"]), 7);
    EXPECT_EQ(stats().total, 1u);
  }
};

SHEAF_ON_EVERY_SQL_DATABASE(ResultLimits);

TEST_P(ResultLimits, TakesAsManyRowsAsMaxRows) {
  start({.max_size = 1}, [](options& how) { how.max_rows = 1000; });
  EXPECT_EQ(run(request_of({rows_of(1000, 1)}))["rows"].table().rows(), 1000u);
  const auto f = refused(rows_of(1001, 1));
  EXPECT_NE(f.message.find("max_rows"), std::string::npos) << f.message;
  EXPECT_NE(f.message.find("1000"), std::string::npos) << f.message;
  expect_recovery();
}

TEST_P(ResultLimits, OfAQueryStandInsteadOfTheEngines) {
  start({.max_size = 1}, [](options& how) { how.max_rows = 10; });
  auto more = rows_of(1000, 1);
  more.max_rows = 1000;
  EXPECT_EQ(run(request_of({more}))["rows"].table().rows(), 1000u);
  auto less = rows_of(4, 1);
  less.max_rows = 3;
  refused(less);
  auto small = rows_of(10, 100);
  small.max_bytes = 500;
  refused(small);
  expect_recovery();
}

TEST_P(ResultLimits, RefusesMoreBytesThanMaxBytes) {
  start({.max_size = 1}, [](options& how) { how.max_bytes = mib; });
  const auto f = refused(rows_of(20'000, 100));
  EXPECT_NE(f.message.find("max_bytes"), std::string::npos) << f.message;
  expect_recovery();
  // Half of that is no matter, in many small rows or in one.
  EXPECT_EQ(run(request_of({rows_of(5000, 50)}))["rows"].table().rows(), 5000u);
  EXPECT_EQ(run(request_of({rows_of(1, 500'000)}))["rows"].table().rows(), 1u);
}

TEST_P(ResultLimits, StopsAnEndlessResultEarlyAndInLittleMemory) {
  start({.max_size = 1}, [](options& how) {
    how.max_rows = 2'000'000'000;
    how.max_bytes = 8 * mib;
  });
  run(request_of({database->answers("", 1)}));
  forget_peak_memory();
  const auto before = peak_memory_bytes();
  for (int i = 0; i < 3; ++i)
    refused(rows_of(1'000'000'000, 1));
  const auto grown = peak_memory_bytes() - before;
  // Eight for the values, as much again until the server has stopped, and what libpq adds to each of these small
  // values.
  EXPECT_LT(grown, 160 * mib);
  expect_recovery();
}

TEST_P(ResultLimits, StopAnEndlessResultAtMaxRowsToo) {
  start({.max_size = 1}, [](options& how) { how.max_rows = 1000; });
  refused(rows_of(1'000'000'000, 1));
  expect_recovery();
}

TEST_P(ResultLimits, KeepMaxRowsWhileRowsArrive) {
  start({.max_size = 1}, [](options& how) {
    how.max_rows = 1000;
    how.max_bytes = 8192 * mib;
  });
  run(request_of({database->answers("", 1)}));
  forget_peak_memory();
  const auto before = peak_memory_bytes();
  for (int i = 0; i < 3; ++i) // the first time the statement is not known yet
    EXPECT_NE(refused(rows_of(600'000, 1000)).message.find("max_rows (1000)"), std::string::npos);
  EXPECT_LT(peak_memory_bytes() - before, 64 * mib); // of 600
  expect_recovery();
}

/// 16 bytes for each cell, and those of each text besides: on each database, in each of PostgreSQL's formats, and
/// whether the rows come in parts.
TEST_P(ResultLimits, CountTheSameForTheSameValues) {
  start({.max_size = 1});
  query asked{"rows", is(database_kind::postgresql)
                          ? "select n, 'text' as t, 0.5::float8 as x, null as y from generate_series(1, 1000) n"
                          : "with recursive s(n) as (select 1 union all select n + 1 from s limit 1000) "
                            "select n, 'text' as t, 0.5 as x, null as y from s"};
  constexpr auto counted = std::size_t{1000} * (4 * 16 + 4);
  for (int i = 0; i < 3; ++i) {
    asked.max_bytes = counted;
    EXPECT_TRUE(run(request_of({asked})).ok());
    asked.max_bytes = counted - 1;
    refused(asked);
    asked.max_bytes.reset();
    auto together = request_of({asked});
    together.max_bytes = counted;
    EXPECT_TRUE(run(together).ok());
    together.max_bytes = counted - 1;
    EXPECT_EQ(run(together).failure.value_or(failure{}).code, errc::result_too_large);
    auto in_parts = asked;
    in_parts.on_rows = [](const table&, const std::function<void()>& next) { next(); };
    in_parts.max_bytes = counted;
    EXPECT_TRUE(run(request_of({in_parts})).ok());
    in_parts.max_bytes = counted - 1;
    refused(in_parts);
  }
}

TEST_P(ResultLimits, CountNullsToo) {
  start({.max_size = 1}, [](options& how) {
    how.max_rows = 2'000'000'000;
    how.max_bytes = 8 * mib;
  });
  run(request_of({database->answers("", 1)}));
  std::string columns = "null";
  for (int i = 0; i < 1500; ++i)
    columns += ", null";
  const query asked{"rows", is(database_kind::postgresql)
                                ? fmt::format("select {} from generate_series(1, 1000000)", columns)
                                : fmt::format("with recursive s(n) as (select 1 union all select n + 1 from s limit "
                                              "1000000) select {} from s",
                                              columns)};
  forget_peak_memory();
  const auto before = peak_memory_bytes();
  for (int i = 0; i < 3; ++i)
    EXPECT_NE(refused(asked).message.find("max_bytes"), std::string::npos);
#ifdef __SANITIZE_ADDRESS__
  constexpr std::size_t kept_back = 256 * mib; // by the sanitizer, of what was freed
#else
  constexpr std::size_t kept_back = 0;
#endif
  EXPECT_LT(peak_memory_bytes() - before, 64 * mib + kept_back); // of 24,000
  expect_recovery();
}

TEST_P(ResultLimits, RefusesASingleValueThatIsTooLarge) {
  start({.max_size = 1}, [](options& how) { how.max_bytes = mib; });
  refused(rows_of(1, 50'000'000));
  expect_recovery();
}

TEST_P(ResultLimits, UndoesWhatATooLargeResultHasWritten) {
  start({.max_size = 1});
  ASSERT_TRUE(run(request_of({{"", "create table t(x int)"}})).ok());
  query write{"write", is(database_kind::postgresql)
                           ? "insert into t select n from generate_series(1, 100) n returning x"
                           : "with recursive s(n) as (select 1 union all select n + 1 from s limit "
                             "100) insert into t select n from s returning x"};
  write.max_rows = 10;
  const auto f = refused(write);
  EXPECT_FALSE(safe_to_retry(f));
  // PostgreSQL has committed before the client can count; SQLite hands out row by row.
  EXPECT_EQ(number_in(run(request_of({{"n", "select count(*) from t"}}))["n"]),
            is(database_kind::postgresql) ? 100 : 0);
}

TEST_P(ResultLimits, OfARequestHoldForAllItsResultsTogether) {
  start({.max_size = 1});
  auto asked = request_of(4, [&](int i) {
    auto q = rows_of(5, 100);
    q.name = std::to_string(i);
    return q;
  });
  asked.max_rows = 20;
  EXPECT_TRUE(run(asked).ok());
  asked.max_rows = 19;
  auto f = run(asked).failure.value_or(failure{});
  EXPECT_EQ(f.code, errc::result_too_large);
  EXPECT_EQ(f.query, "3");
  EXPECT_NE(f.message.find("together"), std::string::npos) << f.message;
  asked.max_rows.reset();
  asked.max_bytes = 1200;
  f = run(asked).failure.value_or(failure{});
  EXPECT_EQ(f.code, errc::result_too_large);
  EXPECT_NE(f.message.find("max_bytes (1200)"), std::string::npos) << f.message;
  expect_recovery();
}

TEST_P(ResultLimits, OfARequestStopItsEndlessResults) {
  start({.max_size = 1}, [](options& how) { how.max_rows = 2'000'000'000; });
  auto asked = request_of({rows_of(1'000'000'000, 1)});
  asked.max_bytes = mib;
  const auto f = run(asked).failure.value_or(failure{});
  EXPECT_EQ(f.code, errc::result_too_large);
  EXPECT_NE(f.message.find("together"), std::string::npos) << f.message;
  expect_recovery();
}

class ResultLimitsOnPostgresql : public ResultLimits {};

INSTANTIATE_TEST_SUITE_P(Databases, ResultLimitsOnPostgresql, ::testing::Values(database_kind::postgresql), name_of);

/// A statement whose results were small is taken to be as small again, and counted at its end where it is not.
TEST_P(ResultLimitsOnPostgresql, HoldForAResultThatIsUnlikeTheLastOnes) {
  start({.max_size = 1}, [](options& how) { how.max_rows = 1000; });
  query asked{"rows", "select n, repeat('x', 100) as x from generate_series(1, :count) n"};
  for (int i = 0; i < 3; ++i) {
    for (const int count : {1, 1000, 10}) {
      asked.parameters = {{"count", count}};
      EXPECT_EQ(run(request_of({asked}))["rows"].table().rows(), static_cast<std::size_t>(count));
    }
    asked.parameters = {{"count", 200'000}};
    EXPECT_NE(refused(asked).message.find("max_rows (1000)"), std::string::npos);
  }
  expect_recovery();
}

TEST_P(ResultLimitsOnPostgresql, LeaveWhatIsTakenRowByRowAsItIs) {
  start({.max_size = 1});
  const query asked{"rows", "select n, n::text as t, null::int as y from generate_series(1, 3) n"};
  for (int i = 0; i < 3; ++i) { // first in text, and then in binary
    const auto got = run(request_of({asked}))["rows"].table();
    EXPECT_EQ(got.command_tag(), "SELECT 3");
    EXPECT_EQ(got.affected_rows(), 3u);
    EXPECT_EQ(got.get<int>(2, "n"), 3);
    EXPECT_EQ(got.get<std::string_view>(2, "t"), "3");
    EXPECT_TRUE(got.is_null(2, 2));
  }
}

/// libpq reads a row of any size before anyone can stop it (and frees its buffer with the connection only), so that is
/// what a refused row may cost: once, for it is refused before libpq copies it.
TEST_P(ResultLimitsOnPostgresql, HoldAValueThatIsTooLargeAtMostOnce) {
  for (const std::string transport : {"SHEAF_TEST_POSTGRES", "SHEAF_TEST_POSTGRES_SOCKET"}) {
    start({.max_size = 1}, [&](options& how) {
      how.max_bytes = mib;
      how.databases[0].url += " " + environment(transport.c_str()); // libpq takes the last one of a keyword
    });
    run(request_of({database->answers("", 1)}));
    forget_peak_memory();
    const auto before = peak_memory_bytes();
    for (int i = 0; i < 3; ++i)
      refused(rows_of(3, 200'000'000));
    EXPECT_LT(peak_memory_bytes() - before, 300 * mib) << transport;
    expect_recovery();
  }
}

} // namespace
