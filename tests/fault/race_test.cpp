// SPDX-License-Identifier: BSD-3-Clause
//
// Events at the same moment, ten thousand times: a cancel and the end of its statement, a deadline and the session that
// was waited for. Each race steers itself to where both ends are about as likely.

#include "fault/fault_test.hpp"
#include "support/effort.hpp"

#include <thread>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

const int rounds = short_or_long(1000, 10'000);

/// A wait that is too long about half of the times.
class edge {
public:
  std::chrono::nanoseconds now() const { return delay_; }
  void was(bool too_long) {
    delay_ += too_long ? -delay_ / 16 : delay_ / 16 + 1us;
    ++(too_long ? late_ : early_);
  }
  int late() const { return late_; }
  int early() const { return early_; }

private:
  std::chrono::nanoseconds delay_ = 500us;
  int late_ = 0, early_ = 0;
};

void spin_for(std::chrono::nanoseconds t) {
  for (const auto end = clock::now() + t; clock::now() < end;)
    std::this_thread::yield();
}

class FaultRace : public AnyDatabase {
protected:
  /// Half as long as the statements that are cancelled, and long enough to be hit by a late cancel.
  query next_statement(int i) const {
    if (is(database_kind::postgresql))
      return {"next", "select :i::int from pg_sleep(0.0003)", {{"i", i}}};
    return database->answers("next", i);
  }

  query short_statement() const {
    if (is(database_kind::postgresql))
      return {"short", "select 1 from pg_sleep(0.0006)"};
    if (is(database_kind::sqlite))
      return {"short",
              "with recursive s(n) as (select 1 union all select n + 1 from s limit 4000) select max(n) from s"};
    return database->answers("short", 1);
  }

  void expect_recovery(int size) {
    EXPECT_TRUE(eventually([&] { return stats().cancelling + stats().active + stats().waiting == 0; }));
    EXPECT_EQ(static_cast<int>(stats().total), size) << "a session was lost";
    const auto x = run(request_of(size, [&](int) { return database->meets("", size); }));
    EXPECT_TRUE(x.ok()) << to_string(*x.failure);
    EXPECT_TRUE(eventually([&] { return database->sessions() == size && database->running() == 0; }));
  }
};

SHEAF_ON_EVERY_SQL_DATABASE(FaultRace);

/// One session per thread's worth of work, so that the next statement is the one that a late cancel would hit.
TEST_P(FaultRace, CancelAndCompletionNeverHitTheNextStatement) {
  constexpr int threads = 4;
  start({.max_size = threads});
  run(request_of(threads, [&](int) { return database->meets("", threads); }));
  std::atomic<int> late = 0, early = 0;
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&, t] {
      edge delay;
      for (int i = 0; i < rounds / threads; ++i) {
        std::promise<reply> answered;
        const request_handle handle{
            engine->submit(request_of({short_statement()}), [&](reply x) { answered.set_value(std::move(x)); })};
        spin_for(delay.now());
        handle.cancel();
        const auto x = answered.get_future().get();
        if (!x.ok()) {
          ASSERT_EQ(x.failure->code, errc::query_canceled) << to_string(*x.failure);
        }
        delay.was(x.ok());
        const int number = t * rounds + i;
        const auto next = run(request_of({next_statement(number)}));
        ASSERT_TRUE(next.ok()) << to_string(*next.failure);
        ASSERT_EQ(number_in(next["next"]), number);
      }
      late += delay.late();
      early += delay.early();
    });
  for (auto& x : all)
    x.join();
  EXPECT_GT(late, rounds / 100) << "no race";
  EXPECT_GT(early, rounds / 100) << "no race";
  expect_recovery(threads);
}

TEST_P(FaultRace, DeadlineAndHandOverLoseNoSession) {
  start({.max_size = 1});
  run(request_of({database->answers("", 1)}));
  edge patience;
  for (int i = 0; i < rounds; ++i) {
    auto first = run_later(request_of({database->answers("first", 1)}));
    auto waiting = request_of({database->answers("second", i)});
    waiting.deadline = patience.now();
    const auto x = run(std::move(waiting));
    if (!x.ok()) {
      const auto code = x.failure->code; // the second, where the wait is known to be too long
      ASSERT_TRUE(code == errc::deadline_exceeded || code == errc::overloaded) << to_string(*x.failure);
    } else {
      ASSERT_EQ(number_in(x["second"]), i);
    }
    patience.was(x.ok());
    const auto y = first.get();
    ASSERT_TRUE(y.ok()) << to_string(*y.failure);
  }
  EXPECT_GT(patience.late(), rounds / 100) << "no race";
  EXPECT_GT(patience.early(), rounds / 100) << "no race";
  expect_recovery(1);
}

} // namespace
