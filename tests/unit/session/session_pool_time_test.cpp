// SPDX-License-Identifier: BSD-3-Clause
//
// Time-outs and intervals of a pool, at the length that users give them: its loop's clock moves only as a test says.

#include "unit/session/pool_client.hpp"

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class SessionPoolTime : public SessionPoolTest {
protected:
  SessionPoolTime() {
    on_loop([this] { loop->hold_time(); });
  }

  /// Lets time pass, and all that this brings happen.
  void pass(clock::duration by) {
    on_loop([&] { loop->pass_time(by); });
    settle();
  }

  void warm_up() {
    on_loop([&] { pool->warm_up(); });
    settle();
  }
};

TEST_F(SessionPoolTime, RefusesWhoWaitsLongerThanTheAcquireTimeout) {
  make({.max_size = 1, .acquire_timeout = 30s});
  get();
  auto &a = ask(), &b = ask(priority::low);
  pass(29s);
  auto& later = ask();
  EXPECT_FALSE(a.refusal || b.refusal);
  pass(1s);
  for (auto* c : {&a, &b}) {
    ASSERT_TRUE(c->refusal);
    EXPECT_EQ(c->refusal->code, errc::pool_timeout);
    for (const auto* words : {"pool books", "30000ms", "total 1 of 1", "active 1", "pool.max_size"})
      EXPECT_NE(c->refusal->message.find(words), std::string::npos) << c->refusal->message;
  }
  EXPECT_FALSE(later.refusal);
  pass(29s);
  EXPECT_TRUE(later.refusal);
}

TEST_F(SessionPoolTime, EndsSessionsThatNobodyNeeds) {
  make({.max_size = 3, .idle_timeout = 10min});
  auto &a = get(), &b = get();
  give_back(a);
  pass(9min);
  EXPECT_EQ(pool->stats().total, 2u);
  pass(2min);
  EXPECT_EQ(pool->stats().total, 1u);
  EXPECT_EQ(pool->stats().active, 1u) << "one that is used is not idle";
  give_back(b);
  pass(11min);
  EXPECT_EQ(pool->stats().total, 0u);
  EXPECT_EQ(script.now().open, 0);
  EXPECT_TRUE(get().held);
}

TEST_F(SessionPoolTime, KeepsItsLeastSessionsWarm) {
  make({.max_size = 3, .min_size = 2, .idle_timeout = 10min});
  EXPECT_EQ(script.now().opened, 0);
  warm_up();
  EXPECT_EQ(pool->stats().idle, 2u);
  auto &a = get(), &b = get(), &c = get();
  give_back(a);
  give_back(b);
  give_back(c);
  EXPECT_EQ(pool->stats().idle, 3u);
  pass(11min);
  EXPECT_EQ(pool->stats().idle, 2u);
  EXPECT_EQ(script.now().opened, 3);
  on_loop([&] { script.break_idle(2); });
  pass(1min);
  EXPECT_EQ(pool->stats().idle, 2u);
  EXPECT_EQ(script.now().opened, 4);
}

TEST_F(SessionPoolTime, ComesToItsLeastSessionsWhenTheServerDoes) {
  make({.max_size = 3, .min_size = 2});
  script.refuse_sessions(refused);
  warm_up();
  EXPECT_EQ(script.now().opened, 0);
  EXPECT_EQ(pool->stats().connecting, 0u);
  script.refuse_sessions({});
  pass(1min);
  EXPECT_EQ(pool->stats().idle, 2u);
}

TEST_F(SessionPoolTime, ReplacesSessionsThatHaveLivedLongEnough) {
  make({.max_size = 1, .min_size = 1, .max_lifetime = 30min});
  warm_up();
  auto& a = get();
  pass(40min);
  EXPECT_EQ(script.now().opened, 1) << "one that is used is left alone";
  give_back(a);
  pass(1min);
  EXPECT_EQ(script.now().opened, 2);
  pass(26min);
  EXPECT_EQ(script.now().opened, 2);
  pass(8min);
  EXPECT_EQ(script.now().opened, 3);
  EXPECT_EQ(script.now().most_open, 1);
}

/// SOCI may hang while it opens a session, where nothing bounds it.
TEST_F(SessionPoolTime, DoesNotWaitForASessionThatTakesTooLongToOpen) {
  make({.max_size = 2, .connecting_limit = 1});
  script.hold_opening(true);
  script.open_timeout(10s);
  auto& first = ask();
  pass(10s);
  EXPECT_FALSE(first.refusal);
  pass(1s);
  ASSERT_TRUE(first.refusal);
  EXPECT_EQ(first.refusal->code, errc::connect_failed);
  EXPECT_EQ(pool->stats().connecting, 0u);
  EXPECT_EQ(pool->places(), 0) << "while the server refuses, nobody counts on it";
  pass(1s);
  EXPECT_EQ(pool->places(), 1) << "its place is kept";
  script.hold_opening(false);
  EXPECT_TRUE(get().held) << "others may be opened";
  EXPECT_FALSE(ask().held);
  settle();
  EXPECT_EQ(script.now().opened, 1) << "two in all, with the one that may still come";
  script.let_in();
  settle();
  EXPECT_EQ(pool->stats().total, 2u) << "it is welcome, late as it is";
}

TEST_F(SessionPoolTime, ChecksIdleSessionsAndKeepsThem) {
  make({.max_size = 2, .keepalive_interval = 2min});
  give_back(get());
  pass(1min);
  EXPECT_EQ(pool->stats().checks, 0u);
  for (int i = 0; i < 3; ++i)
    pass(150s);
  EXPECT_EQ(pool->stats().checks, 3u);
  EXPECT_EQ(script.now().opened, 1);
  EXPECT_EQ(pool->stats().idle, 1u);
  EXPECT_EQ(pool->stats().cancelling, 0u);
}

TEST_F(SessionPoolTime, HasAStaleSessionCheckedBeforeItIsUsed) {
  make({.max_size = 2});
  script.ignore_checks(true);
  give_back(get());
  pass(29s);
  auto& in_time = get();
  EXPECT_EQ(pool->stats().checks, 0u);
  give_back(in_time);
  pass(31s);
  auto& waiting = ask();
  settle();
  EXPECT_EQ(pool->stats().checks, 1u);
  EXPECT_EQ(pool->stats().idle, 1u) << "one that is being checked is idle too";
  EXPECT_FALSE(waiting.held);
  EXPECT_EQ(script.now().opened, 1) << "the one that is checked is on its way";
  auto& another = ask();
  settle();
  EXPECT_TRUE(waiting.held || another.held) << "there is one more place";
  script.ignore_checks(false);
  settle();
  EXPECT_TRUE(waiting.held && another.held);
  EXPECT_EQ(script.now().opened, 2);
}

TEST_F(SessionPoolTime, DoesWithoutASessionThatGivesNoSignOfLife) {
  make({.max_size = 1});
  script.ignore_checks(true);
  script.hold_cancels(true);
  give_back(get());
  pass(31s);
  auto& waiting = ask();
  pass(1s);
  EXPECT_EQ(pool->stats().cancelling, 1u);
  EXPECT_FALSE(waiting.held) << "its place is taken until it is gone";
  script.spoil_cancelled(1);
  script.confirm_cancel();
  settle();
  EXPECT_TRUE(waiting.held);
  EXPECT_EQ(id(waiting), 2);
  EXPECT_EQ(pool->stats().lost, 1u);
}

TEST_F(SessionPoolTime, ReportsASessionThatIsOutForLongOnce) {
  make({.max_size = 2, .leak_detection_threshold = 1min});
  get();
  pass(50s);
  EXPECT_EQ(pool->stats().leaks, 0u);
  pass(20s);
  EXPECT_EQ(pool->stats().leaks, 1u);
  get();
  pass(70s);
  EXPECT_EQ(lines.count("session_leak pool=books session=2 query=client ms=70000"), 1u) << lines.text();
  EXPECT_EQ(lines.count("warning event=session_leak pool=books session=1 query=client ms=70000"), 1u) << lines.text();
  EXPECT_EQ(pool->stats().leaks, 2u);
}

TEST_F(SessionPoolTime, SaysOnceThatTheDatabaseIsAwayAndOnceThatItIsBack) {
  make({.max_size = 2, .min_size = 1});
  script.refuse_sessions(refused);
  warm_up();
  pass(1min);
  EXPECT_EQ(pool->stats().open_failures, 2u);
  script.refuse_sessions({});
  pass(1min);
  EXPECT_EQ(pool->stats().idle, 1u);
  EXPECT_EQ(lines.count("warning event=database_unreachable pool=books phase=connect code=connect_failed "
                        "message=\"nobody at home\"\n"),
            1u)
      << lines.text();
  EXPECT_EQ(lines.count("info event=database_reached pool=books\n"), 1u) << lines.text(); // before it was idle
}

} // namespace
