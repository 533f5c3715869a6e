// SPDX-License-Identifier: BSD-3-Clause
//
// The pool against a model of it with time: queries come, take their time and have their deadlines, all drawn at
// random, in light load and in heavy. The two agree on who is served when, and who is refused. A failure names its
// seed.

#include "support/pool_under_test.hpp"

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

/// What came of a query, and when.
struct fate {
  enum class kind { served, too_late, given_up } is;
  clock::duration at;

  bool operator==(const fate&) const = default;
};

void PrintTo(const fate& x, std::ostream* out) {
  *out << (x.is == fate::kind::served     ? "served"
           : x.is == fate::kind::too_late ? "too late"
                                          : "given up")
       << " at " << x.at / 1us << " us";
}

struct drawn_query {
  int number;
  priority rank;
  clock::duration comes, takes, deadline; ///< `deadline` is a point in time, as `comes` is.
};

/// The rules, written down once more and as plainly as possible.
class model {
public:
  explicit model(std::size_t sessions) : free_(sessions) {}

  std::map<int, fate> run(const std::vector<drawn_query>& all) {
    auto next = all.begin();
    while (next != all.end() || !ends_.empty() || waiting_count() > 0) {
      auto at = clock::duration::max();
      if (next != all.end())
        at = next->comes;
      if (!ends_.empty())
        at = std::min(at, *ends_.begin());
      for (const auto& q : waiting_)
        for (const auto* x : q)
          at = std::min(at, x->deadline);
      // At one point in time: first the deadlines, then the ends, one by one, then who comes.
      for (auto& q : waiting_)
        for (auto i = q.begin(); i != q.end();)
          if ((*i)->deadline <= at) {
            fates_[(*i)->number] = {fate::kind::given_up, at};
            i = q.erase(i);
          } else {
            ++i;
          }
      while (!ends_.empty() && *ends_.begin() <= at) {
        ends_.erase(ends_.begin());
        ++free_;
        serve_one(at);
      }
      for (; next != all.end() && next->comes <= at; ++next)
        ask(*next, at);
    }
    return fates_;
  }

private:
  void ask(const drawn_query& x, clock::duration at) {
    if (free_ > 0) {
      begin(x, at);
      return;
    }
    const auto rank = static_cast<std::size_t>(x.rank);
    if (waiting_[rank].empty() && turns_[rank] <= turn_)
      turns_[rank] = turn_ + stride[rank];
    waiting_[rank].push_back(&x);
  }

  void serve_one(clock::duration at) {
    while (waiting_count() > 0) {
      std::size_t chosen = 3;
      for (std::size_t rank = 0; rank < 3; ++rank)
        if (!waiting_[rank].empty() && (chosen == 3 || turns_[rank] < turns_[chosen]))
          chosen = rank;
      const auto& x = *waiting_[chosen].front();
      const bool is_late = at + x.takes > x.deadline;
      if (is_late && waiting_count() > 1) {
        fates_[x.number] = {fate::kind::too_late, at};
        waiting_[chosen].pop_front();
        continue;
      }
      waiting_[chosen].pop_front();
      turn_ = turns_[chosen];
      turns_[chosen] += stride[chosen];
      begin(x, at);
      return;
    }
  }

  void begin(const drawn_query& x, clock::duration at) {
    --free_;
    fates_[x.number] = {fate::kind::served, at};
    ends_.insert(at + x.takes);
  }

  std::size_t waiting_count() const { return waiting_[0].size() + waiting_[1].size() + waiting_[2].size(); }

  static constexpr std::array<std::uint64_t, 3> stride{1, 4, 16};

  std::size_t free_;
  std::multiset<clock::duration> ends_;
  std::array<std::deque<const drawn_query*>, 3> waiting_;
  std::array<std::uint64_t, 3> turns_{};
  std::uint64_t turn_ = 0;
  std::map<int, fate> fates_;
};

class SessionPoolLoad;

struct timed_client final : session_waiter {
  timed_client(SessionPoolLoad& test, const drawn_query& of) : test(test), of(of) {}
  void on_lease(lease got) override;
  void on_refused(failure why) override;
  void on_call(session_pool&, clock::time_point) override { FAIL() << "there is no other pool"; }
  void may_start_until(clock::time_point when) { set_latest_start(when); }

  SessionPoolLoad& test;
  const drawn_query& of;
  lease held;
};

class SessionPoolLoad : public PoolTest {
public:
  clock::duration now() const { return loop->now() - began; }

  void serve(timed_client& c, lease got) {
    c.held = std::move(got);
    fates[c.of.number] = {fate::kind::served, now()};
    ends.emplace(now() + c.of.takes, &c);
  }

  void refuse(timed_client& c, const failure& why) {
    EXPECT_EQ(why.code, errc::overloaded) << to_string(why);
    fates[c.of.number] = {fate::kind::too_late, now()};
  }

protected:
  std::vector<drawn_query> draw(std::size_t sessions, double load) {
    std::vector<drawn_query> all;
    std::exponential_distribution<> gap{load * static_cast<double>(sessions) / 50'000}; // in µs; they take 50 ms each
    std::uniform_int_distribution<int> rank{0, 2}, takes{10'000, 90'000}, times{1, 20};
    clock::duration at{};
    for (int i = 0; i < 600; ++i) {
      at += std::chrono::microseconds{1 + static_cast<int>(gap(generator))};
      const auto took = std::chrono::microseconds{takes(generator)};
      all.push_back({i, static_cast<priority>(rank(generator)), at, took, at + took * times(generator)});
    }
    return all;
  }

  /// The same with the pool. All on the loop.
  void play(const std::vector<drawn_query>& all) {
    auto next = all.begin();
    while (next != all.end() || !ends.empty() || pool->stats().waiting > 0) {
      auto at = clock::duration::max();
      if (next != all.end())
        at = next->comes;
      if (!ends.empty())
        at = std::min(at, ends.begin()->first);
      for (const auto& [number, c] : waiting)
        at = std::min(at, c->of.deadline);
      loop->pass_time(at - now());
      std::erase_if(waiting, [&](const auto& x) { return fates.contains(x.first); });
      for (auto i = waiting.begin(); i != waiting.end();)
        if (i->second->of.deadline <= at) {
          fates[i->first] = {fate::kind::given_up, at};
          i->second->stop_waiting();
          i = waiting.erase(i);
        } else {
          ++i;
        }
      while (!ends.empty() && ends.begin()->first <= at) {
        auto* c = ends.begin()->second;
        ends.erase(ends.begin());
        c->held.give_back();
      }
      for (; next != all.end() && next->comes <= at; ++next) {
        auto& c = *clients.emplace_back(std::make_unique<timed_client>(*this, *next));
        c.may_start_until(began + next->deadline - next->takes);
        auto got = pool->acquire(c, next->rank);
        ASSERT_FALSE(got.has_error()) << to_string(got.error());
        if (*got)
          serve(c, std::move(*got));
        else
          waiting.emplace(next->number, &c);
      }
      std::erase_if(waiting, [&](const auto& x) { return fates.contains(x.first); });
    }
  }

  std::mt19937 generator;
  clock::time_point began;
  std::vector<std::unique_ptr<timed_client>> clients;
  std::map<int, timed_client*> waiting;
  std::multimap<clock::duration, timed_client*> ends;
  std::map<int, fate> fates;
};

void timed_client::on_lease(lease got) { test.serve(*this, std::move(got)); }
void timed_client::on_refused(failure why) { test.refuse(*this, why); }

TEST_F(SessionPoolLoad, IsServedAsTheModelSays) {
  std::map<fate::kind, int> seen;
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    generator.seed(seed);
    const std::size_t sessions = 1 + seed % 4;
    const auto all = draw(sessions, std::array{0.5, 1.1, 4.0}[seed % 3]);
    make({.max_size = sessions,
          .min_size = sessions,
          .acquire_timeout = 1h,
          .max_lifetime = 100h,
          .idle_timeout = 100h,
          .keepalive_interval = 100h});
    on_loop([&] {
      loop->hold_time();
      began = loop->now();
      pool->warm_up();
    });
    while (pool->stats().idle < sessions)
      settle();
    on_loop([&] { play(all); });
    const auto expected = model{sessions}.run(all);
    ASSERT_EQ(fates, expected);
    for (const auto& [number, x] : fates)
      ++seen[x.is];
    on_loop([&] {
      clients.clear();
      fates.clear();
    });
    close();
  }
  for (const auto kind : {fate::kind::served, fate::kind::too_late, fate::kind::given_up})
    EXPECT_GT(seen[kind], 50); // that it did happen
}

} // namespace
