// SPDX-License-Identifier: BSD-3-Clause
//
// Callers who ask for all at once, who do not take their replies, or whose code misbehaves: they cost the others
// nothing.

#include "fault/fault_test.hpp"
#include "support/meeting.hpp"
#include "support/mib.hpp"

#include <soci/soci.h>

#include <array>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class FaultCallers : public AnyFault {};

SHEAF_ON_EVERY_SQL_DATABASE(FaultCallers);

/// Nobody holds a session while it waits for another one.
TEST_P(FaultCallers, WhoAllWantTheWholePoolDoNotLockEachOtherOut) {
  start({.max_size = 4}, [](options& how) {
    how.width = 4;
    how.loops = 2; // sessions of both are lent out
  });
  constexpr int callers = 8, requests_each = 50;
  std::atomic<int> answered = 0;
  std::vector<std::thread> all;
  for (int t = 0; t < callers; ++t)
    all.emplace_back([&] {
      for (int i = 0; i < requests_each; ++i) {
        const auto x = run(request_of(4, [&](int n) { return database->answers("", 4 * i + n); }));
        ASSERT_TRUE(x.ok()) << to_string(*x.failure);
        for (int n = 0; n < 4; ++n)
          ASSERT_EQ(number_in(x[static_cast<std::size_t>(n)]), 4 * i + n);
        ++answered;
      }
    });
  for (auto& t : all)
    t.join();
  EXPECT_EQ(answered, callers * requests_each);
  expect_recovery();
}

TEST_P(FaultCallers, WhoDoNotTakeTheirRepliesHoldUpNobodyAndCostWhatTheyAskedFor) {
  start({.max_size = 2});
  constexpr std::size_t slow = 20;
  const auto mebibyte = query{"big", is(database_kind::postgresql)
                                         ? "select repeat('x', 1000) from generate_series(1, 1000)"
                                         : "with recursive n(i) as (select 1 union all select i + 1 from n limit 1000) "
                                           "select printf('%.*c', 1000, 'x') from n"};
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(run(request_of({mebibyte})).ok());
  forget_peak_memory();
  const auto before = peak_memory_bytes();
  std::vector<std::future<reply>> left;
  for (std::size_t i = 0; i < slow; ++i)
    left.push_back(run_later(request_of({mebibyte})));
  for (std::size_t i = 0; i < 10 * slow; ++i) // others, who do take theirs
    ASSERT_TRUE(run(request_of({mebibyte})).ok());
  for (const auto& x : left)
    x.wait();
  EXPECT_EQ(stats().active, 0u); // a reply that waits to be taken holds no session
  EXPECT_LT(peak_memory_bytes() - before, 8 * slow * mib);
  for (auto& x : left)
    EXPECT_EQ(x.get()["big"].table().rows(), 1000u);
  expect_recovery();
}

/// Everything at once that a task may do wrong: it stays beyond its deadline, has changed the session, leaves a
/// transaction open, and throws.
TEST_P(FaultCallers, WhoseTasksTakeThePoolAndReturnLateInDisorderGiveItBackWhole) {
  start({.max_size = 3});
  rows("create table t(x int)");
  meeting_place begun, over;
  auto asked = request_of(3, [&](int) {
    return query::of_task("", [&, postgresql = is(database_kind::postgresql)](soci::session& s) {
      if (postgresql)
        s << "set search_path = pg_catalog";
      begun.meet(4);
      over.meet(4);
      s.begin();
      s << "insert into t values (1)";
      throw std::runtime_error("late, and wrong");
    });
  });
  asked.deadline = 1s;
  auto x = run_later(std::move(asked));
  EXPECT_TRUE(begun.meet(4));
  EXPECT_EQ(refused("select 1", 100ms).phase, phase::queue); // there is none left
  const auto late = x.get();
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.failure->code, errc::deadline_exceeded) << to_string(*late.failure);
  EXPECT_EQ(stats().cancelling, 3u);
  over.meet(4);
  EXPECT_EQ(rows("select count(*) from t").scalar<int>(), 0);
  expect_recovery();
}

} // namespace
