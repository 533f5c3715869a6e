// SPDX-License-Identifier: BSD-3-Clause
//
// Results that are taken in parts while their query runs: all rows, in order, in little memory, at the pace of their
// taker; an end in the middle, of any kind, leaves the session fit for the next.

#include "support/database_under_test.hpp"
#include "support/mib.hpp"
#include "support/postgresql_test.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <deque>
#include <mutex>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using testing::HasSubstr;

/// Keeps what it is given, and asks for more when it is told to.
class taker {
public:
  explicit taker(bool at_once = true) : at_once_(at_once) {}

  row_sink sink() {
    return [this](table part, std::function<void()> next) {
      std::unique_lock guard{mutex_};
      parts_.push_back(std::move(part));
      nexts_.push_back(next);
      guard.unlock();
      if (at_once_)
        next();
    };
  }

  std::size_t parts() const {
    std::lock_guard guard{mutex_};
    return parts_.size();
  }

  const table& part(std::size_t i) const {
    std::lock_guard guard{mutex_};
    return parts_.at(i);
  }

  std::function<void()> next(std::size_t after_part) const {
    std::lock_guard guard{mutex_};
    return nexts_.at(after_part);
  }

  void ask(std::size_t after_part) { next(after_part)(); }

  void let_go(std::size_t after_part) {
    std::lock_guard guard{mutex_};
    nexts_.at(after_part) = nullptr;
  }

  std::size_t rows() const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < parts(); ++i)
      sum += part(i).rows();
    return sum;
  }

private:
  const bool at_once_;
  mutable std::mutex mutex_;
  std::deque<table> parts_; ///< Their places do not move.
  std::vector<std::function<void()>> nexts_;
};

class RowsInParts : public AnyDatabase {
protected:
  /// Rows with a number from 1 to `count`, `width` letters and, in every third row, NULL.
  query rows_of(long count, int width, const std::string& more = "null") const {
    const auto nulls = "case when n % 3 = 0 then null else n end as third";
    if (is(database_kind::postgresql))
      return {"rows", fmt::format("select n, repeat('x', {}) as x, {}, {} as more from generate_series(1, {}) n", width,
                                  nulls, more, count)};
    return {"rows", fmt::format("with recursive s(n) as (select 1 union all select n + 1 from s limit {}) "
                                "select n, printf('%.*c', {}, 'x') as x, {}, {} as more from s",
                                count, width, nulls, more)};
  }

  query into(taker& who, query q) const {
    q.on_rows = who.sink();
    return q;
  }

  outcome run_one(query q) { return run(request_of({std::move(q)}, error_policy::partial)).outcomes.at(0); }

  void expect_recovery() {
    EXPECT_TRUE(eventually([&] { return stats().cancelling == 0; }));
    EXPECT_EQ(number_in(run(request_of({database->answers("next", 7)}))["next"]), 7);
    EXPECT_EQ(stats().total, 1u);
  }
};

SHEAF_ON_EVERY_SQL_DATABASE(RowsInParts);

TEST_P(RowsInParts, AreTheRowsOfTheWholeResult) {
  start({.max_size = 1});
  const auto whole = run_one(rows_of(20'000, 10)).table();
  taker got;
  const auto end = run_one(into(got, rows_of(20'000, 10)));
  EXPECT_EQ(end.table().rows(), 0u);
  EXPECT_EQ(end.table().affected_rows(), 20'000u);
  ASSERT_EQ(end.table().columns(), 4u);
  EXPECT_EQ(end.table().column_at(2).name, "third");
  ASSERT_GT(got.parts(), 5u);
  std::size_t row = 0;
  for (std::size_t i = 0; i < got.parts(); ++i) {
    const auto& part = got.part(i);
    ASSERT_GT(part.rows(), 0u);
    EXPECT_LT(part.bytes(), 100'000u);
    ASSERT_EQ(part.columns(), whole.columns());
    for (std::size_t c = 0; c < part.columns(); ++c) {
      EXPECT_EQ(part.column_at(c).name, whole.column_at(c).name);
      EXPECT_EQ(part.column_at(c).type, whole.column_at(c).type);
    }
    for (std::size_t r = 0; r < part.rows(); ++r, ++row)
      for (std::size_t c = 0; c < part.columns(); ++c)
        ASSERT_EQ(part.text(r, c), whole.text(row, c)) << row << ", " << c;
  }
  EXPECT_EQ(row, whole.rows());
  EXPECT_EQ(got.part(0).get<int>(1, "n"), 2);
}

TEST_P(RowsInParts, OfAResultWithoutRowsAreNone) {
  start({.max_size = 1});
  taker got;
  auto end = run_one(into(got, {"none", "select 1 as n where 1 = 0"}));
  EXPECT_EQ(got.parts(), 0u);
  EXPECT_EQ(end.table().column_at(0).name, "n");
  end = run_one(into(got, {"ddl", "create table t(x int)"}));
  EXPECT_EQ(got.parts(), 0u);
  EXPECT_EQ(end.table().columns(), 0u);
  end = run_one(into(got, {"write", "insert into t values (1), (2)"}));
  EXPECT_EQ(got.parts(), 0u);
  EXPECT_EQ(end.table().affected_rows(), 2u);
}

TEST_P(RowsInParts, ComeWithoutAnotherOnceTheyAreFew) {
  start({.max_size = 1});
  taker got{false}; // never asks for more
  EXPECT_TRUE(run_one(into(got, rows_of(3, 1))).ok());
  EXPECT_EQ(got.rows(), 3u);
}

TEST_P(RowsInParts, WaitUntilTheNextIsWanted) {
  start({.max_size = 1});
  taker got{false};
  auto later = run_later(request_of({into(got, rows_of(300'000, 10))}));
  std::size_t asked = 0;
  while (later.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
    ASSERT_TRUE(eventually(
        [&] { return got.parts() > asked || later.wait_for(std::chrono::seconds{0}) == std::future_status::ready; }));
    ASSERT_LE(got.parts(), asked + 2); // the last one follows by itself
    if (got.parts() > asked)
      got.ask(asked++); // from this thread
  }
  EXPECT_TRUE(later.get().ok());
  EXPECT_EQ(got.rows(), 300'000u);
}

TEST_P(RowsInParts, TakeNoNoticeOfWhoAsksTwiceOrTooLate) {
  start({.max_size = 1});
  taker got{false};
  auto later = run_later(request_of({into(got, rows_of(100'000, 100))}));
  ASSERT_TRUE(eventually([&] { return got.parts() == 1; }));
  got.ask(0);
  got.ask(0);
  ASSERT_TRUE(eventually([&] { return got.parts() == 2; }));
  got.ask(0); // the second has not been asked for
  auto behind = request_of({database->answers("behind", 1)});
  behind.deadline = std::chrono::milliseconds{100};
  EXPECT_EQ(run(behind).failure.value_or(failure{}).phase, phase::queue); // by then, too much would have come
  EXPECT_EQ(got.parts(), 2u);
  engine.reset(); // the request is answered, whatever else
  EXPECT_EQ(later.get().failure.value_or(failure{}).code, errc::pool_closed);
  got.ask(1);
}

TEST_P(RowsInParts, ThatAreNotTakenEndAtTheDeadline) {
  start_ready({.max_size = 1});
  taker got{false};
  auto asked = request_of({into(got, rows_of(1'000'000, 100))});
  asked.deadline = std::chrono::seconds{3};
  const auto f = run(asked).failure.value_or(failure{});
  EXPECT_EQ(f.code, errc::deadline_exceeded);
  EXPECT_EQ(f.phase, phase::fetch);
  EXPECT_THAT(f.message, HasSubstr("were not taken in time"));
  EXPECT_EQ(got.parts(), 1u);
  expect_recovery();
}

TEST_P(RowsInParts, EndAtOnceWhenNobodyCanAskForMore) {
  start({.max_size = 1});
  auto q = rows_of(1'000'000, 100);
  q.on_rows = [](const table&, const std::function<void()>&) {};
  const auto end = run_one(q);
  ASSERT_TRUE(end.error_info());
  EXPECT_EQ(end.error_info()->code, errc::query_canceled) << to_string(*end.error_info());
  EXPECT_EQ(end.error_info()->phase, phase::fetch);
  EXPECT_THAT(end.error_info()->message, HasSubstr("let go of `next`"));
  EXPECT_TRUE(end.error_info()->reached_server);
  expect_recovery();
}

TEST_P(RowsInParts, WaitForTheLastOfWhoCanAskForMore) {
  start({.max_size = 1});
  taker got{false};
  auto later = run_later(request_of({into(got, rows_of(1'000'000, 100))}));
  ASSERT_TRUE(eventually([&] { return got.parts() == 1; }));
  auto copy = got.next(0);
  got.let_go(0);
  copy();
  copy = nullptr;
  ASSERT_TRUE(eventually([&] { return got.parts() == 2; }));
  got.let_go(1); // on this thread
  EXPECT_EQ(later.get().failure.value_or(failure{}).code, errc::query_canceled);
  expect_recovery();
}

TEST_P(RowsInParts, MayBeLetGoOfAfterTheLastAndAfterTheEngine) {
  start({.max_size = 1});
  auto q = rows_of(3, 1);
  q.on_rows = [](const table&, const std::function<void()>&) {};
  EXPECT_TRUE(run_one(q).ok());
  taker got{false};
  auto later = run_later(request_of({into(got, rows_of(1'000'000, 100))}));
  ASSERT_TRUE(eventually([&] { return got.parts() == 1; }));
  engine.reset();
  EXPECT_EQ(later.get().failure.value_or(failure{}).code, errc::pool_closed);
  got.let_go(0);
}

TEST_P(RowsInParts, EndWithTheirRequest) {
  start({.max_size = 2});
  taker got{false};
  EXPECT_EQ(run(request_of({into(got, rows_of(1'000'000, 100)), database->fails("failing")}))
                .failure.value_or(failure{})
                .query,
            "failing");
  EXPECT_TRUE(eventually([&] { return stats().cancelling == 0 && stats().active == 0; }));
  EXPECT_EQ(number_in(run(request_of({database->answers("next", 7)}))["next"]), 7);
}

TEST_P(RowsInParts, TakeLittleMemoryHoweverManyTheyAre) {
  start({.max_size = 1});
  run(request_of({database->answers("", 1)}));
  std::size_t rows = 0;
  auto q = rows_of(1'000'000, 200);
  q.on_rows = [&rows](const table& part, const std::function<void()>& next) {
    rows += part.rows();
    next();
  };
  forget_peak_memory();
  const auto before = peak_memory_bytes();
  EXPECT_TRUE(run_one(q).ok());
  EXPECT_EQ(rows, 1'000'000u);
#ifdef __SANITIZE_ADDRESS__
  constexpr std::size_t kept_back = 96 * mib; // by the sanitizer, of what was freed
#else
  constexpr std::size_t kept_back = 0;
#endif
  EXPECT_LT(peak_memory_bytes() - before, 32 * mib + kept_back); // of 200
}

TEST_P(RowsInParts, KnowNoBoundsButTheirQuerys) {
  start({.max_size = 1}, [](options& how) {
    how.max_rows = 10;
    how.max_bytes = mib;
  });
  const auto with = [&](taker& who, auto change) {
    auto q = into(who, rows_of(30'000, 100));
    change(q);
    auto asked = request_of({std::move(q)}, error_policy::partial);
    asked.max_rows = 5;
    asked.max_bytes = 1000;
    return run(asked).outcomes.at(0);
  };
  taker all;
  EXPECT_TRUE(with(all, [](query&) {}).ok());
  EXPECT_EQ(all.rows(), 30'000u);

  taker few;
  auto end = with(few, [](query& q) { q.max_rows = 20'000; });
  ASSERT_TRUE(end.error_info());
  EXPECT_EQ(end.error_info()->code, errc::result_too_large);
  EXPECT_THAT(end.error_info()->message, HasSubstr("the result is larger than max_rows (20000)"));
  EXPECT_LE(few.rows(), 20'000u);
  EXPECT_GT(few.rows(), 10'000u);
  expect_recovery();

  taker small;
  end = with(small, [](query& q) { q.max_bytes = 2 * mib; });
  ASSERT_TRUE(end.error_info());
  EXPECT_THAT(end.error_info()->message, HasSubstr("the result is larger than max_bytes (2097152)"));
  EXPECT_LE(small.rows() * 100, 2 * mib);
  expect_recovery();
}

TEST_P(RowsInParts, HaveNoRowThatIsTooLarge) {
  start({.max_size = 1}, [](options& how) { how.max_bytes = mib; });
  taker got;
  const auto wide = is(database_kind::postgresql) ? "case when n = 900 then repeat('y', 9000000) end"
                                                  : "case when n = 900 then printf('%.*c', 9000000, 'y') end";
  const auto end = run_one(into(got, rows_of(1000, 1000, wide)));
  ASSERT_TRUE(end.error_info());
  EXPECT_EQ(end.error_info()->code, errc::result_too_large);
  EXPECT_THAT(end.error_info()->message, HasSubstr("a row is larger than max_bytes (1048576)"));
  EXPECT_LT(got.rows(), 900u);
  expect_recovery();
}

TEST_P(RowsInParts, EndWithTheErrorOfALaterRow) {
  start({.max_size = 1});
  taker got;
  const auto bad = is(database_kind::postgresql) ? "case when n = 50000 then 1 / (n - 50000) end"
                                                 : "case when n = 50000 then json('{') end";
  const auto end = run_one(into(got, rows_of(100'000, 100, bad)));
  ASSERT_TRUE(end.error_info());
  EXPECT_EQ(end.error_info()->code, errc::rejected_sql) << to_string(*end.error_info());
  EXPECT_EQ(end.error_info()->phase, phase::fetch);
  EXPECT_GT(got.rows(), 0u);
  EXPECT_LT(got.rows(), 50'000u);
  expect_recovery();
}

TEST_P(RowsInParts, EndWithWhatWhoTakesThemThrows) {
  start({.max_size = 1});
  auto q = rows_of(1'000'000, 100);
  q.on_rows = [](const table&, const std::function<void()>&) { throw std::runtime_error("the disk is full"); };
  auto end = run_one(q);
  ASSERT_TRUE(end.error_info());
  EXPECT_EQ(end.error_info()->code, errc::internal);
  EXPECT_EQ(end.error_info()->message, "on_rows threw: the disk is full");
  expect_recovery();
  q = rows_of(1, 1); // the last part, too
  q.on_rows = [](const table&, const std::function<void()>&) {
    throw error({.code = errc::invalid_request, .message = "enough"});
  };
  end = run_one(q);
  ASSERT_TRUE(end.error_info());
  EXPECT_EQ(end.error_info()->code, errc::invalid_request);
  EXPECT_EQ(end.error_info()->message, "enough");
  expect_recovery();
}

TEST_P(RowsInParts, OfWhatIsWrittenEndAtTheDeadline) {
  start({.max_size = 1});
  ASSERT_TRUE(run(request_of({{"", "create table t(x text)"}})).ok());
  taker got{false};
  auto asked = request_of({into(got, {"write", is(database_kind::postgresql)
                                                   ? "insert into t select repeat('x', 100) from generate_series(1, "
                                                     "200000) returning x"
                                                   : "with recursive s(n) as (select 1 union all select n + 1 from s "
                                                     "limit 200000) insert into t select printf('%.*c', 100, 'x') "
                                                     "from s returning x"})});
  asked.deadline = std::chrono::seconds{5};
  EXPECT_EQ(run(asked).failure.value_or(failure{}).code, errc::deadline_exceeded);
  EXPECT_EQ(got.parts(), 1u);
  // PostgreSQL writes all before it sends the first row, and is not to be stopped from there; SQLite goes row by row.
  EXPECT_EQ(number_in(run(request_of({{"n", "select count(*) from t"}}))["n"]),
            is(database_kind::postgresql) ? 200'000 : 0);
}

TEST_P(RowsInParts, OfSeveralQueriesComeSideBySide) {
  start({.max_size = 2}, [](options& how) { how.loops = 2; });
  taker a, b;
  auto first = into(a, rows_of(50'000, 50)), second = into(b, rows_of(60'000, 50));
  second.name = "others";
  const auto x = run(request_of({std::move(first), std::move(second)}));
  EXPECT_TRUE(x.ok());
  EXPECT_EQ(most_at_once(x), 2);
  EXPECT_EQ(a.rows(), 50'000u);
  EXPECT_EQ(b.rows(), 60'000u);
}

TEST_P(RowsInParts, AreNotForTasks) {
  start({.max_size = 1});
  taker got;
  auto q = query::of_task("task", [](soci::session&) { return 1; });
  const auto f = run(request_of({into(got, std::move(q))})).failure.value_or(failure{});
  EXPECT_EQ(f.code, errc::invalid_request);
  EXPECT_THAT(f.message, HasSubstr("on_rows is for statements"));
}

class RowsInPartsOnPostgresql : public RowsInParts {};

INSTANTIATE_TEST_SUITE_P(Databases, RowsInPartsOnPostgresql, ::testing::Values(database_kind::postgresql), name_of);

TEST_P(RowsInPartsOnPostgresql, DoNotComeTwiceWhenTheSessionIsLost) {
  start({.max_size = 1});
  taker got;
  auto q = into(got, rows_of(100'000, 100, "case when n = 50000 then pg_terminate_backend(pg_backend_pid()) end"));
  q.read_only = true;
  const auto end = run_one(q);
  ASSERT_TRUE(end.error_info());
  EXPECT_EQ(end.error_info()->code, errc::connection_lost) << to_string(*end.error_info());
  EXPECT_EQ(end.error_info()->phase, phase::fetch);
  EXPECT_EQ(end.attempts, 1u);
  EXPECT_LT(got.rows(), 50'000u);
}

TEST_P(RowsInPartsOnPostgresql, AreAllThereWhileTheirSessionIsCleaned) {
  start({.max_size = 1}, [](options& how) { how.databases[0].reset = session_reset::always; });
  auto q = rows_of(3, 1);
  q.on_rows = [](const table&, const std::function<void()>&) {};
  EXPECT_TRUE(run_one(q).ok());
}

TEST_P(RowsInPartsOnPostgresql, MayHaveNoColumns) {
  start({.max_size = 1});
  taker got;
  EXPECT_EQ(run_one(into(got, {"bare", "select from generate_series(1, 10000)"})).table().affected_rows(), 10'000u);
  EXPECT_EQ(got.rows(), 10'000u);
}

} // namespace
