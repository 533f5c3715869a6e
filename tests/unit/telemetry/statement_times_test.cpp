// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/table_builder.hpp"
#include "sheaf/telemetry/statement_times.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <random>
#include <thread>

namespace {

using namespace sheaf;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST(LatestDurations, KnowsTheQuantilesOfTheLastOnes) {
  std::mt19937 generator{1};
  std::uniform_int_distribution<int> draw{0, 40}; // equal ones, too
  latest_durations some;
  std::deque<nanoseconds> last;
  for (int i = 0; i < 2000; ++i) {
    const nanoseconds x{draw(generator)};
    some.add(x);
    last.push_back(x);
    if (last.size() > latest_durations::size_max)
      last.pop_front();
    std::vector sorted(last.begin(), last.end());
    std::sort(sorted.begin(), sorted.end());
    ASSERT_THAT(some.all(), testing::ElementsAreArray(sorted));
    for (const std::size_t percent : {1u, 25u, 50u, 95u, 100u}) {
      const auto at_most = [&](nanoseconds y) {
        return static_cast<std::size_t>(std::count_if(sorted.begin(), sorted.end(), [&](auto z) { return z <= y; }));
      };
      const auto smallest = std::find_if(sorted.begin(), sorted.end(),
                                         [&](auto y) { return at_most(y) * 100 >= sorted.size() * percent; });
      ASSERT_EQ(some.quantile(percent), *smallest) << percent << " of " << sorted.size();
    }
    nanoseconds sum{};
    for (const auto y : sorted)
      sum += y;
    ASSERT_EQ(some.mean(), sum / static_cast<std::ptrdiff_t>(sorted.size()));
  }
}

class StatementTimes : public ::testing::Test {
protected:
  /// A statement that ran, for `answer` of the time that it `had` a session, until now.
  void ran(const statement& of, nanoseconds answer, nanoseconds had) { ran(of, answer, had, times); }
  void ran(const statement& of, nanoseconds answer, nanoseconds had, statement_times& by) {
    learn(of, table{}, answer, had, by);
  }

  void learn(const statement& of, decltype(outcome::data) data, nanoseconds answer, nanoseconds had) {
    learn(of, std::move(data), answer, had, times);
  }
  void learn(const statement& of, decltype(outcome::data) data, nanoseconds answer, nanoseconds had,
             statement_times& by) {
    outcome got;
    got.data = std::move(data);
    got.times = {
        .queued = 0ns, .acquired = 0ns, .sent = 1ms, .first_row = answer, .last_row = 1ms + answer, .released = had};
    now += 1ms;
    by.add({name, of}, of.parse(dialect::postgresql, {}).get(), got, now - had, now);
  }

  auto short_time(const statement& of) { return times.short_time(*of.parse(dialect::postgresql, {}), now); }
  auto expect(const statement& of) { return times.expect(*of.parse(dialect::postgresql, {}), now); }

  statement_times times;
  clock::time_point now{1h};
  std::string name = "q";
  const statement lookup{"select * from book where id = :id"}, report{"select count(*) from book"};
};

TEST_F(StatementTimes, ExpectsWhatTheLatestRunsTook) {
  EXPECT_FALSE(expect(lookup));
  EXPECT_EQ(times.typical(), 0ns);
  for (int i = 0; i < 18; ++i)
    ran(lookup, 10ms, 12ms);
  for (int i = 0; i < 2; ++i)
    ran(lookup, 30ms, 32ms);
  ASSERT_TRUE(expect(lookup));
  EXPECT_EQ(expect(lookup)->mean, 12ms + 2ms) << "with what a session is kept for beside";
  EXPECT_EQ(expect(lookup)->most, 30ms + 2ms);
  EXPECT_FALSE(expect(report));
  EXPECT_GT(times.typical(), 12ms);
}

TEST_F(StatementTimes, LearnsAnewWhatHasChanged) {
  for (int i = 0; i < 100; ++i)
    ran(lookup, 500ms, 500ms);
  for (int i = 0; i < 32; ++i)
    ran(lookup, 5ms, 5ms);
  EXPECT_EQ(expect(lookup)->mean, 5ms);
  EXPECT_EQ(expect(lookup)->most, 5ms);
}

/// Judged by the least that the server needed, as waiting for a core only ever lengthens a run.
TEST_F(StatementTimes, KnowsWhatIsShort) {
  ran(report, 40us, 50us); // the least of all: the way there and back
  for (int i = 0; i < 15; ++i)
    ran(lookup, i == 3 ? 70us : 900us, 1ms);
  EXPECT_FALSE(short_time(lookup)) << "it is not known yet";
  ran(lookup, 900us, 1ms);
  EXPECT_EQ(short_time(lookup), 30us);
  for (int i = 0; i < 16; ++i)
    ran(report, 100us, 1ms);
  EXPECT_EQ(short_time(report), 0us);
  const statement slow{"select slow"};
  for (int i = 0; i < 40; ++i)
    ran(slow, 91us, 1ms);
  EXPECT_FALSE(short_time(slow)) << "51 us is more than half of 100";
}

TEST_F(StatementTimes, CallsShortWhatAnswersLittle) {
  table_builder rows{{column{.name = "t"}}};
  rows.add_text(std::string(20'000, 'x'));
  const auto large = rows.finish(1);
  for (int i = 0; i < 20; ++i)
    learn(lookup, large, 50us, 60us);
  EXPECT_FALSE(short_time(lookup));
}

TEST_F(StatementTimes, CallsLongWhatHasBeenSoTwiceOfLate) {
  for (int i = 0; i < 20; ++i)
    ran(lookup, 50us, 60us);
  ran(lookup, 20ms, 21ms);
  EXPECT_TRUE(short_time(lookup)) << "once is nothing";
  for (int i = 0; i < 15; ++i)
    ran(lookup, 50us, 60us);
  ran(lookup, 20ms, 21ms);
  EXPECT_TRUE(short_time(lookup)) << "nor is once in sixteen";
  ran(lookup, 20ms, 21ms);
  EXPECT_FALSE(short_time(lookup));
  for (int i = 0; i < 31; ++i)
    ran(lookup, 50us, 60us);
  EXPECT_FALSE(short_time(lookup));
  ran(lookup, 50us, 60us);
  EXPECT_TRUE(short_time(lookup)) << "after 32 good runs";
  times.hold_against(*lookup.parse(dialect::postgresql, {}));
  EXPECT_FALSE(short_time(lookup));
}

/// Where the machine is busy, all take long.
TEST_F(StatementTimes, DoesNotCallLongWhatTakesAsLongAsAll) {
  for (int i = 0; i < 20; ++i)
    ran(lookup, 50us, 60us);
  for (int i = 1; i <= 100; ++i)
    ran(lookup, 50us * std::min(i, 100), 10ms);
  EXPECT_TRUE(short_time(lookup));
}

TEST_F(StatementTimes, CountsWhatWasPacked) {
  for (int i = 0; i < 20; ++i)
    ran(lookup, 50us, 60us);
  times.add_packed(*lookup.parse(dialect::postgresql, {}), 7us, now);
  const auto all = merged("main", {times.samples()}, 0ns, 10);
  EXPECT_EQ(all[0].runs, 21u);
  EXPECT_EQ(all[0].packed, 1u);
  EXPECT_EQ(all[0].total, 20 * 50us + 7us);
}

/// A statement that is refused for its slowness would never be known to have become fast.
TEST_F(StatementTimes, DoesNotKnowOnceInAWhileWhatDidNotRun) {
  ran(lookup, 100ms, 100ms);
  now += 900ms;
  EXPECT_TRUE(expect(lookup));
  now += 200ms;
  EXPECT_FALSE(expect(lookup));
  times.tries(*lookup.parse(dialect::postgresql, {}), now);
  EXPECT_TRUE(expect(lookup)) << "one of them tries it";
  ran(report, 10s, 10s);
  now += 1900ms;
  EXPECT_TRUE(expect(report));
  now += 200ms;
  EXPECT_FALSE(expect(report));
}

/// Those that the deadline ends are the slow ones.
TEST_F(StatementTimes, LearnsFromDeadlinesButFromNoOtherFailure) {
  learn(lookup, failure{.code = errc::rejected_sql}, 1ms, 1ms);
  learn(lookup, failure{.code = errc::query_canceled}, 1ms, 1ms);
  EXPECT_FALSE(expect(lookup));
  learn(lookup, failure{.code = errc::deadline_exceeded}, 1ms, 800ms);
  ASSERT_TRUE(expect(lookup));
  EXPECT_EQ(expect(lookup)->mean, 799ms) << "since it was sent";
  learn(lookup, failure{.code = errc::deadline_exceeded}, 1ms, 5ms);
  EXPECT_EQ(expect(lookup)->mean, 799ms) << "a client in a hurry says nothing about it";
}

TEST_F(StatementTimes, KeepsTheStatementsThatWereUsedLast) {
  for (std::size_t i = 0; i < statement_times::statements_max + 10; ++i) {
    ran(statement{"select " + std::to_string(i)}, 1ms, 1ms);
    ran(lookup, 1ms, 1ms);
  }
  EXPECT_EQ(times.samples().size(), statement_times::statements_max);
  EXPECT_TRUE(expect(lookup));
  EXPECT_FALSE(expect(statement{"select 1"}));
  ran(statement{"select '" + std::string(statement_times::text_max, 'x') + "'"}, 1ms, 1ms);
  EXPECT_EQ(times.samples().size(), statement_times::statements_max);
  for (const auto& x : times.samples())
    EXPECT_LT(x.sql.size(), 100u) << "a long text is not kept";
}

TEST_F(StatementTimes, ReportsAllLoopsTogetherWithoutTheWayThereAndBack) {
  statement_times other;
  for (int i = 0; i < 20; ++i)
    ran(lookup, 2ms, 2ms, other);
  for (int i = 0; i < 20; ++i)
    ran(lookup, 6ms, 6ms);
  ran(report, 500ms, 500ms);
  EXPECT_EQ(times.round_trip(now), 6ms);
  EXPECT_EQ(other.round_trip(now), 2ms);
  const auto all = merged("books", {times.samples(), other.samples()}, 2ms, 10);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].sql, "select count(*) from book") << "the one that takes most of the time";
  EXPECT_EQ(all[0].median, 498ms);
  EXPECT_EQ(all[0].total, 500ms);
  EXPECT_EQ(all[1].database, "books");
  EXPECT_EQ(all[1].sql, "select * from book where id = $1");
  EXPECT_EQ(all[1].runs, 40u);
  EXPECT_EQ(all[1].lower_quartile, 0ms);
  EXPECT_EQ(all[1].p95, 4ms);
  EXPECT_EQ(all[1].total, 160ms);
  EXPECT_NEAR(all[1].share, 160.0 / 660, 1e-6);
  EXPECT_NE(all[0].id, all[1].id);
  const auto first = merged("books", {times.samples(), other.samples()}, 2ms, 1);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_NEAR(first[0].share, 500.0 / 660, 1e-6) << "of all, also of those that are not told";
}

TEST_F(StatementTimes, AreKnownByTheNameOfTheirFirstQuery) {
  for (const auto& [given, kept] : std::initializer_list<std::pair<std::string, std::string>>{{"orders", "orders"},
                                                                                              {"orders[17]", "orders"},
                                                                                              {"o[1][2]", "o[1]"},
                                                                                              {"[3]", ""},
                                                                                              {"a[]", "a[]"},
                                                                                              {"3]", "3]"},
                                                                                              {"a[b]", "a[b]"},
                                                                                              {"]", "]"}}) {
    const statement text{"select '" + given + "'"};
    name = given;
    ran(text, 1ms, 1ms);
    name = "another";
    ran(text, 1ms, 1ms);
    EXPECT_EQ(times.samples().front().query, kept) << given;
  }
}

/// Reports read on threads of their own.
TEST_F(StatementTimes, AreReadWhileTheyAreWritten) {
  std::atomic<bool> over = false;
  std::thread reader{[&] {
    while (!over)
      for (const auto& x : merged("", {times.samples()}, times.round_trip(clock::now()), 10))
        if (x.runs == 0 || x.sql.empty())
          ADD_FAILURE() << "half of it";
  }};
  for (int i = 0; i < 20'000; ++i) {
    const statement text{"select " + std::to_string(i % 700)};
    expect(text);
    ran(text, 1ms, 1ms);
  }
  over = true;
  reader.join();
}

TEST_F(StatementTimes, ForgetsARoundTripOfLongAgo) {
  ran(lookup, 1ms, 1ms);
  for (int i = 0; i < 5; ++i) {
    now += 50s;
    ran(lookup, 3ms, 3ms);
  }
  EXPECT_EQ(times.round_trip(now), 3ms);
  now += 1h;
  EXPECT_EQ(times.round_trip(now), 3ms) << "nothing newer is known";
  ran(lookup, 5ms, 5ms);
  EXPECT_EQ(times.round_trip(now), 5ms);
}

} // namespace
