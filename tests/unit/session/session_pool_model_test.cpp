// SPDX-License-Identifier: BSD-3-Clause
//
// The pool against a model of it: thousands of random things happen to it in every order, and after each the two agree
// on who has a session, who waits, and who is next. A failure names its seed.

#include "support/pool_under_test.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class SessionPoolModel;

struct model_client final : session_waiter {
  model_client(SessionPoolModel& test, int number, priority rank) : test(test), number(number), rank(rank) {}
  void on_lease(lease got) override;
  void on_refused(failure why) override;
  void on_call(session_pool&, clock::time_point) override { FAIL() << "there is no other pool"; }

  SessionPoolModel& test;
  const int number;
  const priority rank;
  clock::time_point give_up;
  lease held;
};

struct nobody final : run_listener {
  void on_answer(answer&&, const moments&) override {}
};

class SessionPoolModel : public PoolTest {
protected:
  static constexpr std::size_t turns = 6000;

public:
  // The calls of the pool to model_client `c`. Each checks that the pool may make it.
  void on_lease(model_client& c, lease got) {
    expect_waiting(c);
    auto& q = queue_of(c);
    EXPECT_EQ(q.front(), &c) << "not the oldest of its priority";
    q.erase(std::find(q.begin(), q.end(), &c));
    // A lower one goes before a higher one only when it has been passed over for long.
    for (auto r = 0u; r < static_cast<unsigned>(c.rank); ++r)
      if (!waiting[r].empty())
        ++turns_out_of_order;
    take(c, std::move(got));
  }

  void on_refused(model_client& c, const failure& why) {
    expect_waiting(c);
    auto& q = queue_of(c);
    switch (why.code) {
    case errc::pool_timeout:
      EXPECT_EQ(q.front(), &c) << "an older one still waits";
      EXPECT_LE(c.give_up, loop->now()) << "too early";
      break;
    case errc::connect_failed:
      EXPECT_TRUE(holders.empty() && cancelling.empty()) << "a session that there is may still serve it";
      break;
    case errc::pool_closed:
      EXPECT_TRUE(closing);
      break;
    default:
      ADD_FAILURE() << to_string(why);
    }
    q.erase(std::find(q.begin(), q.end(), &c));
    ++refusals;
    gone.push_back(&c);
  }

protected:
  std::deque<model_client*>& queue_of(const model_client& c) { return waiting[static_cast<std::size_t>(c.rank)]; }

  void expect_waiting(model_client& c) {
    const auto& q = queue_of(c);
    ASSERT_TRUE(std::find(q.begin(), q.end(), &c) != q.end()) << "model_client " << c.number << " hears twice";
  }

  void take(model_client& c, lease got) {
    EXPECT_TRUE(got);
    EXPECT_TRUE(sessions_out.insert(got.session_id()).second)
        << "session " << got.session_id() << " is given away twice";
    at_rest.erase(got.session_id());
    c.held = std::move(got);
    holders.push_back(&c);
    ++grants;
  }

  std::size_t random(std::size_t below) { return std::uniform_int_distribution<std::size_t>{0, below - 1}(generator); }
  bool chance(int percent) { return random(100) < static_cast<std::size_t>(percent); }

  std::size_t waiting_count() const { return waiting[0].size() + waiting[1].size() + waiting[2].size(); }

  /// Removes and returns one that holds a session.
  model_client* some_holder() {
    if (holders.empty())
      return nullptr;
    const auto at = holders.begin() + static_cast<std::ptrdiff_t>(random(holders.size()));
    auto* c = *at;
    holders.erase(at);
    sessions_out.erase(c->held.session_id());
    return c;
  }

  // -- what may happen

  void ask() {
    clients.push_back(
        std::make_unique<model_client>(*this, static_cast<int>(clients.size()), static_cast<priority>(random(3))));
    auto& c = *clients.back();
    c.give_up = loop->now() + limits.acquire_timeout;
    const auto before = waiting_count();
    queue_of(c).push_back(&c);
    auto got = pool->acquire(c, c.rank);
    if (!got.has_error() && !*got)
      return;
    std::erase(queue_of(c), &c);
    if (got.has_error()) {
      const auto code = got.error().code;
      if (code == errc::pool_queue_full)
        EXPECT_EQ(before, limits.max_queue_size);
      else
        EXPECT_EQ(code, errc::connect_failed);
      gone.push_back(&c);
    } else {
      EXPECT_EQ(before, 0u) << "it overtook those who wait";
      take(c, std::move(*got));
    }
  }

  void give_back() {
    if (auto* c = some_holder()) {
      at_rest.insert(c->held.session_id()); // unless somebody gets it now
      gone.push_back(c);
      c->held.give_back();
    }
  }

  void break_and_give_back() {
    if (auto* c = some_holder()) {
      script.spoil(c->held.session_id());
      gone.push_back(c);
      c->held.give_back();
    }
  }

  void break_idle() {
    if (at_rest.empty())
      return;
    const int id = *std::next(at_rest.begin(), static_cast<std::ptrdiff_t>(random(at_rest.size())));
    at_rest.erase(id);
    script.break_idle(id);
  }

  void cancel() {
    if (auto* c = some_holder()) {
      const int id = c->held.session_id();
      execute(*c, "never");
      cancelling.push_back(id);
      gone.push_back(c);
      c->held.drop();
    }
  }

  void execute(model_client& c, const char* text) {
    static nobody listener;
    auto q = std::make_shared<query>("q", statement{text});
    c.held.push({.query = q.get(), .text = q->statement.parse(dialect::sqlite, {}).get(), .keep_alive = q}, listener);
  }

  void confirm() {
    if (script.now().cancels_held > 0) {
      script.confirm_cancel();
      cancelling.pop_front();
    }
  }

  void let_in() {
    if (script.now().opening_held > 0)
      script.let_in(chance(4) ? std::optional{failure{.code = errc::connect_failed, .message = "not now"}}
                              : std::nullopt);
  }

  void stop_waiting() {
    auto& q = waiting[random(3)];
    if (q.empty())
      return;
    auto* c = q[random(q.size())];
    std::erase(q, c);
    gone.push_back(c);
  }

  void step() {
    const auto x = random(100);
    if (x < 35)
      ask();
    else if (x < 60)
      give_back();
    else if (x < 61)
      break_and_give_back();
    else if (x < 62)
      break_idle();
    else if (x < 72)
      cancel();
    else if (x < 82)
      confirm();
    else if (x < 94)
      let_in();
    else
      stop_waiting();
    for (auto* c : gone) // not from within what they hear
      clients[static_cast<std::size_t>(c->number)].reset();
    gone.clear();
    expect_agreement();
  }

  void expect_agreement() {
    const auto now = pool->stats();
    const auto scripted = script.now();
    ASSERT_EQ(now.waiting, waiting_count());
    ASSERT_LE(now.waiting, limits.max_queue_size);
    ASSERT_LE(now.total + now.connecting, limits.max_size);
    ASSERT_LE(static_cast<std::size_t>(scripted.open), limits.max_size);
    ASSERT_LE(now.connecting, limits.connecting_limit);
    ASSERT_EQ(now.active, holders.size());
    ASSERT_EQ(now.total, static_cast<std::size_t>(scripted.open));
    ASSERT_GE(now.cancelling, cancelling.size());
    ASSERT_EQ(now.total, now.active + now.idle + now.cancelling);
    ASSERT_TRUE(now.idle == 0 || now.waiting == 0) << "somebody waits while a session idles";
  }

  /// Everything comes to an end: each query that waits is served or refused, every session comes back.
  void drain() {
    on_loop([&] {
      script.hold_opening(false);
      script.hold_cancels(false);
    });
    for (bool left = true; left;)
      left = on_loop([&] {
        let_in();
        confirm();
        give_back();
        gone.clear();
        expect_agreement();
        return waiting_count() + holders.size() + cancelling.size() > 0 || script.now().opening_held > 0;
      });
  }

  std::mt19937 generator;
  pool_options limits;
  std::vector<std::unique_ptr<model_client>> clients; ///< By number; null once they are gone.
  std::vector<model_client*> gone;
  std::array<std::deque<model_client*>, 3> waiting;
  std::vector<model_client*> holders;
  std::deque<int> cancelling; ///< Sessions whose cancel is not confirmed yet.
  std::set<int> sessions_out;
  std::set<int> at_rest; ///< Of the idle ones, those that have been out before.
  bool closing = false;
  int grants = 0, refusals = 0, turns_out_of_order = 0;
};

void model_client::on_lease(lease got) { test.on_lease(*this, std::move(got)); }
void model_client::on_refused(failure why) { test.on_refused(*this, why); }

TEST_F(SessionPoolModel, AgreesWithThePoolWhateverHappensInWhateverOrder) {
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    generator.seed(seed);
    limits = {.max_size = 1 + seed % 5,
              .max_queue_size = 4 + 3 * seed,
              .acquire_timeout = std::chrono::microseconds{200 + 300 * seed}, // some time out between two steps
              .connecting_limit = 1 + seed % 3};
    make(limits);
    script.hold_opening(true);
    script.hold_cancels(true);
    for (std::size_t i = 0; i < turns && !HasFatalFailure(); ++i)
      on_loop([&] { // several steps may come before the loop has had a turn
        for (auto n = 1 + random(4); n > 0 && !HasFatalFailure(); --n)
          step();
      });
    if (HasFatalFailure())
      return;
    drain();
    closing = true;
    close();
    closing = false;
    clients.clear();
    at_rest.clear();
    EXPECT_EQ(script.now().open, 0);
  }
  // That all of it did happen.
  EXPECT_GT(grants, 1000);
  EXPECT_GT(refusals, 0);
  EXPECT_GT(turns_out_of_order, 10);
}

} // namespace
