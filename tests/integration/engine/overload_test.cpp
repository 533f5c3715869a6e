// SPDX-License-Identifier: BSD-3-Clause
//
// More requests than the sessions can answer in time. bench/overload measures how many are; here each is told the
// truth.

#include "support/postgresql_test.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <set>
#include <thread>
#include <vector>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class Overload : public PostgresqlTest, public ::testing::WithParamInterface<std::size_t> {
protected:
  void open_for(std::size_t queries) {
    open([](options& how) {
      how.databases[0].pool.max_size = 4;
      how.loops = GetParam();
      how.deadline = 30s;
    });
    rows("create table begun (request int, part int)");
    for (int i = 0; i < 8; ++i) // known to each loop
      run(write(-1, i));
    per_request = queries;
  }

  /// Takes 20 ms, and writes that it was begun.
  query write(int request, int part) const {
    return {"",
            statement{"insert into begun select :request::int, :part::int from pg_sleep(0.02)"},
            {{"request", request}, {"part", part}}};
  }

  request asked(int number, clock::duration deadline) const {
    request x;
    x.deadline = deadline;
    for (int part = 0; part < static_cast<int>(per_request); ++part)
      x.queries.push_back(write(number, part));
    return x;
  }

  std::size_t per_request = 1;
};

TEST_P(Overload, IsRefusedBeforeItBegins) {
  open_for(4);
  constexpr int requests = 400; // 8 s of work for the sessions
  std::vector<reply_future> replies;
  for (int i = 0; i < requests; ++i)
    replies.push_back(e->run_future(asked(i, 1s)));
  std::set<int> answered, not_begun;
  for (int i = 0; i < requests; ++i) {
    const auto x = replies[static_cast<std::size_t>(i)].get();
    ASSERT_EQ(x.outcomes.size(), 4u);
    if (x.ok()) {
      answered.insert(i);
      continue;
    }
    if (x.failure->code == errc::overloaded && !x.failure->may_have_effect) {
      not_begun.insert(i);
      EXPECT_TRUE(safe_to_retry(*x.failure));
      EXPECT_FALSE(x.failure->reached_server);
      EXPECT_NE(x.failure->message.find("pool main"), std::string::npos) << x.failure->message;
    }
  }
  EXPECT_GT(answered.size(), 0u);
  EXPECT_GT(not_begun.size(), static_cast<std::size_t>(requests) / 2);
  std::map<int, int> begun;
  const auto found = rows("select request, count(*)::int from begun where request >= 0 group by request");
  for (std::size_t row = 0; row < found.rows(); ++row)
    begun[found.get<int>(row, 0)] = found.get<int>(row, 1);
  for (const auto i : answered)
    EXPECT_EQ(begun[i], 4) << i;
  for (const auto i : not_begun)
    EXPECT_FALSE(begun.contains(i)) << i << " was refused, and had begun";
  EXPECT_TRUE(e->run(asked(requests, 30s)).ok()) << "it goes on afterwards";
}

/// Were the work of what is over still counted, the second round would find no room.
TEST_P(Overload, LeavesNoWorkBehindOnceItIsOver) {
  open_for(1);
  std::vector<int> answered;
  for (int round = 0; round < 4; ++round) {
    std::vector<reply_future> replies;
    for (int i = 0; i < 400; ++i)
      replies.push_back(e->run_future(asked(i, 1s)));
    answered.push_back(0);
    for (auto& x : replies)
      answered.back() += x.get().ok();
  }
  for (const auto n : answered)
    EXPECT_GT(n, answered[0] / 4) << ::testing::PrintToString(answered);
}

/// However many queries a request has: those that come after it do not wait for its end.
TEST_P(Overload, OfOneRequestHoldsUpNoOther) {
  open_for(1);
  std::vector<request_handle> large;
  for (int i = 0; i < 8; ++i) { // each takes 4 s with all sessions for itself
    request x;
    x.deadline = 60s;
    for (int part = 0; part < 800; ++part)
      x.queries.push_back(write(1000 + i, part));
    large.push_back(e->run_async(std::move(x), [](const reply&) {}));
  }
  for (int i = 0; i < 3; ++i) {
    const auto x = e->run(asked(i, 5s));
    EXPECT_TRUE(x.ok()) << to_string(*x.failure);
  }
  EXPECT_EQ(rows("select count(*)::int from begun where request >= 1000 and part = 799").scalar<int>(), 0)
      << "all of it was over before";
  for (auto& x : large)
    x.cancel();
}

/// Callers who do not wait a moment before they ask again, with a time-out that is shorter than what the statement
/// takes: each is too late from the beginning. Others have their turn all the same.
TEST_P(Overload, OfCallersWhoAskAgainAtOnceLeavesOthersTheirTurn) {
  open_for(1);
  constexpr int callers = 16;
  std::atomic<bool> over = false;
  std::atomic<int> calling = callers;
  std::function<void(const reply&)> again = [&](const reply&) {
    if (over) {
      --calling;
      return;
    }
    auto x = asked(-1, 10s);
    x.queries[0].timeout = 5ms;
    e->run_async(std::move(x), again);
  };
  for (int i = 0; i < callers; ++i)
    again({});
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(e->run(request_of({{"", "select 1"}})).ok());
  over = true;
  EXPECT_TRUE(eventually([&] { return calling == 0; }));
}

TEST_P(Overload, TellsWhatItHasLearnt) {
  open_for(1);
  const auto all = e->statements();
  const auto found = std::find_if(all.begin(), all.end(), [](const auto& x) { return x.sql.starts_with("insert"); });
  ASSERT_NE(found, all.end());
  EXPECT_EQ(found->database, "main");
  EXPECT_EQ(found->sql, "insert into begun select $1::int, $2::int from pg_sleep(0.02)");
  EXPECT_EQ(found->query, "q1");
  EXPECT_EQ(found->id.size(), 16u);
  EXPECT_EQ(found->runs, 8u);
  EXPECT_GE(found->total, 8 * 20ms);
  EXPECT_LE(found->lower_quartile, found->median);
  EXPECT_LE(found->median, found->p95);
  EXPECT_EQ(e->statements(1).size(), 1u);
  std::promise<std::size_t> on_a_loop;
  e->run_async(asked(0, 1s), [&](const reply&) { on_a_loop.set_value(e->statements().size()); });
  EXPECT_EQ(on_a_loop.get_future().get(), all.size()) << "it waits for no loop";
}

INSTANTIATE_TEST_SUITE_P(OnLoops, Overload, ::testing::Values(1, 2),
                         [](const auto& loops) { return std::to_string(loops.param); });

} // namespace
