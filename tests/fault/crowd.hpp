// SPDX-License-Identifier: BSD-3-Clause
//
// Callers of an engine who read, and write rows of their own, one request after another, and note what they are told of
// each: what is in the table in the end has to agree with that.

#pragma once

#include "sheaf/clock.hpp"
#include "sheaf/engine.hpp"
#include "support/counting.hpp"
#include "support/postgresql_server.hpp"

#include <fmt/format.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sheaf::test {

class crowd {
public:
  /// They write into `table(n bigint)`. Called from the thread of the test, as all below.
  crowd(engine& asked, std::string table, int size) : engine_(asked), table_(std::move(table)), resting_(size) {}
  ~crowd() { going_on_ = false; }

  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  /// They call until that holds, and each has been answered. One whose request failed rests for a moment. False when it
  /// does not hold within a minute and a half, or when one is not answered within another.
  template <class Predicate>
  bool call_until(Predicate holds) {
    const auto give_up = clock::now() + std::chrono::seconds{90};
    going_on_ = true;
    bool held = holds();
    for (; !held && clock::now() < give_up; held = holds()) {
      for (int wake = resting_.exchange(0); wake > 0; --wake)
        call();
      std::this_thread::sleep_for(std::chrono::milliseconds{dice(20)}); // how long they rest, is left to chance
    }
    going_on_ = false;
    return eventually([&] { return asked_ == answered_; }) && held;
  }

  std::uint64_t asked() const { return asked_; }
  std::uint64_t answered() const { return answered_; }
  std::uint64_t answered_in_full() const { return outcomes_[0]; }
  std::uint64_t failed() const { return answered_ - outcomes_[0]; }
  std::uint64_t failed(errc how) const { return outcomes_[static_cast<std::size_t>(how)]; } ///< Requests.

  std::chrono::milliseconds latest() const { return std::chrono::milliseconds{latest_ms_}; } ///< Behind its deadline.

  /// Each acknowledged write is there once, none is twice, and none that was told not to have run is there.
  void expect_balance(observer& server) {
    std::map<std::int64_t, int> there;
    std::istringstream rows{server("select string_agg(n::text, ' ') from " + table_)};
    for (std::int64_t n = 0; rows >> n;)
      ++there[n];
    std::vector<std::int64_t> missing, twice, unasked;
    const std::lock_guard guard{mutex_};
    for (const auto n : done_)
      if (!there.contains(n))
        missing.push_back(n);
    for (const auto& [n, times] : there) {
      if (times > 1)
        twice.push_back(n);
      if (not_done_.contains(n))
        unasked.push_back(n);
    }
    const std::vector<std::int64_t> none;
    EXPECT_EQ(missing, none) << "were acknowledged, and are not there";
    EXPECT_EQ(twice, none) << "were written twice";
    EXPECT_EQ(unasked, none) << "were safe to send again, and are there";
    EXPECT_GT(done_.size(), 0u);
  }

private:
  /// An answer that comes this long after its deadline is late, even on a machine that is busy.
  static constexpr std::chrono::seconds grace{10};

  int dice(int sides) {
    const std::lock_guard guard{mutex_};
    return static_cast<int>(random_() % static_cast<unsigned>(sides));
  }

  /// Up to three queries. A write's name is the number that it writes.
  request next_request() {
    request made;
    for (int left = dice(3); left >= 0; --left) {
      const auto n = ++numbers_;
      if (dice(2) == 0) {
        made.queries.push_back({fmt::format("{}", n), "insert into " + table_ + " values (:n)", {{"n", n}}});
      } else {
        query q{fmt::format("read {}", n), "select :n::bigint from pg_sleep(:s)", {{"n", n}, {"s", dice(20) / 1000.0}}};
        q.read_only = dice(2) == 0;
        made.queries.push_back(std::move(q));
      }
    }
    made.on_error = dice(2) == 0 ? error_policy::fail : error_policy::partial;
    made.deadline = std::chrono::milliseconds{100 + dice(900)};
    return made;
  }

  void call() {
    auto next = next_request();
    std::vector<std::string> names;
    for (const auto& q : next.queries)
      names.push_back(q.name);
    ++asked_;
    const auto due = clock::now() + *next.deadline;
    auto told = std::make_shared<std::atomic<bool>>(false);
    engine_.run_async(std::move(next), [this, due, names, told](const reply& x) {
      EXPECT_FALSE(told->exchange(true)) << "answered twice";
      const auto late = std::chrono::floor<std::chrono::milliseconds>(clock::now() - due);
      EXPECT_LT(late, grace) << (x.ok() ? "" : to_string(*x.failure));
      note(x, names, late);
      if (x.ok() && going_on_)
        call();
      else
        ++resting_;
      ++answered_;
    });
  }

  void note(const reply& x, const std::vector<std::string>& names, std::chrono::milliseconds late) {
    ++outcomes_[x.ok() ? 0 : static_cast<std::size_t>(x.failure->code)];
    EXPECT_EQ(x.outcomes.size(), names.size());
    const std::lock_guard guard{mutex_};
    latest_ms_ = std::max<std::int64_t>(latest_ms_, late.count());
    for (const auto& o : x.outcomes) {
      const auto* f = o.error_info();
      if (o.name.starts_with("read ")) {
        EXPECT_TRUE(f || fmt::format("read {}", o.table().scalar<std::int64_t>()) == o.name);
        continue;
      }
      const auto n = std::stoll(o.name);
      if (!f)
        done_.insert(n);
      if ((f && safe_to_retry(*f)) || (x.failure && safe_to_retry(*x.failure)))
        not_done_.insert(n);
    }
  }

  engine& engine_;
  const std::string table_;
  std::atomic<bool> going_on_ = false;
  std::atomic<int> resting_;
  std::atomic<std::int64_t> numbers_ = 0, latest_ms_ = 0;
  std::atomic<std::uint64_t> asked_ = 0, answered_ = 0;
  std::array<std::atomic<std::uint64_t>, 32> outcomes_{};

  std::mutex mutex_; ///< Guards what follows.
  std::mt19937 random_{20};
  std::set<std::int64_t> done_, not_done_;
};

} // namespace sheaf::test
