// SPDX-License-Identifier: BSD-3-Clause
//
// Requests before a pool with four sessions that all are in use, where others wait.

#include "sheaf/core/admission.hpp"
#include "unit/session/pool_client.hpp"

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

class Admission : public SessionPoolTest {
protected:
  static constexpr std::size_t sessions = 4;

  Admission() {
    make({.max_size = sessions, .connecting_limit = sessions});
    how.width = sessions;
    admits = std::make_unique<admission>(how);
    admits->join({admits.get()}, {{pool.get()}});
  }

  void somebody_waits() {
    for (std::size_t i = 0; i < sessions; ++i)
      get();
    ask();
  }

  static auto request_of(std::size_t queries, nanoseconds deadline, const char* sql = "select 1",
                         priority rank = priority::normal) {
    request asked{.deadline = deadline};
    asked.priority = rank;
    for (std::size_t i = 0; i < queries; ++i)
      asked.queries.push_back({"", sql});
    return checked(std::move(asked));
  }

  static std::shared_ptr<const checked_request> checked(request asked) {
    static const auto how = for_database("sqlite::memory:");
    static const std::array dialects{dialect::sqlite};
    return check(std::move(asked), how, dialects).value();
  }

  /// Lets `of` run once, for so long, without having been admitted.
  void learn(const char* of, nanoseconds took) {
    const auto x = request_of(1, 1h, of);
    outcome got;
    got.times = {.queued = 0ns, .acquired = 0ns, .sent = 0ns, .first_row = took, .last_row = took, .released = took};
    admits->done(*x, 0, {}, got, x->taken_at + took);
  }

  result<admission::ticket> admit(const std::shared_ptr<const checked_request>& x) {
    return admits->admit(*x, x->taken_at);
  }

  options how = for_database("sqlite::memory:");
  std::unique_ptr<admission> admits;
};

TEST_F(Admission, RefusesWhatCannotBeAnsweredInTimeAndSaysWhy) {
  learn("select 1", 50ms);
  somebody_waits();
  for (int i = 0; i < 4 * 18; ++i) // 18 times 50 ms of work for each session
    ASSERT_TRUE(admit(request_of(1, 1s))) << i;
  EXPECT_TRUE(admit(request_of(1, 951ms)));
  const auto refused = admit(request_of(1, 949ms));
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().code, errc::overloaded);
  EXPECT_EQ(refused.error().phase, phase::queue);
  EXPECT_TRUE(safe_to_retry(refused.error()));
  EXPECT_GT(refused.error().retry_after, 10ms);
  EXPECT_LT(refused.error().retry_after, 20ms);
  for (const auto* words : {"pool main", "913ms", "50ms", "949ms", "4 sessions", "pool.max_size"})
    EXPECT_NE(refused.error().message.find(words), std::string::npos) << refused.error().message;
}

TEST_F(Admission, CountsWhatARequestTakesByItself) {
  learn("select 1", 50ms);
  somebody_waits();
  // Eight queries on four sessions: 350 ms shared among them, and then the last one alone.
  EXPECT_TRUE(admit(request_of(8, 138ms)));
  EXPECT_TRUE(admit(request_of(8, 237ms)).has_error()) << "behind the first";
  EXPECT_TRUE(admit(request_of(8, 238ms)));
}

TEST_F(Admission, AdmitsWhileNobodyWaits) {
  learn("select 1", 50ms);
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(admit(request_of(1, 1ms)));
}

/// It counts as what most statements take, and has to be able to begin.
TEST_F(Admission, JudgesWhatIsNotKnownByTheWaitAlone) {
  learn("select 1", 50ms);
  somebody_waits();
  int admitted = 0;
  while (admit(request_of(1, 1s, "select 2")))
    ASSERT_LT(++admitted, 1000);
  EXPECT_EQ(admitted, 4 * 20 + 1);
  EXPECT_TRUE(admit(request_of(1, 1s)).has_error());
  EXPECT_TRUE(admit(request_of(1, 1100ms)));
}

/// What it would be answered without is no reason to refuse it.
TEST_F(Admission, AsksTimeForWhatARequestNeedsAlone) {
  learn("select 'slow'", 900ms);
  learn("select 1", 5ms);
  somebody_waits();
  auto asked = request{.deadline = 100ms};
  asked.queries = {{"needed", "select 1"}, {"slow", "select 'slow'"}};
  EXPECT_TRUE(admit(checked(asked)).has_error());
  asked.on_error = error_policy::partial;
  EXPECT_TRUE(admit(checked(asked)).has_error());
  asked.queries[1].required = false;
  EXPECT_TRUE(admit(checked(asked)));
  asked.queries[1].required = true;
  asked.on_error = error_policy::first;
  EXPECT_TRUE(admit(checked(asked)).has_error()) << "but all that goes before it";
  asked.deadline = 500ms;
  EXPECT_TRUE(admit(checked(asked)));
}

TEST_F(Admission, KnowsAQuerysOwnTimeout) {
  learn("select 1", 50ms);
  somebody_waits();
  auto asked = request{.deadline = 10s};
  asked.queries = {{"q", "select 1"}};
  asked.queries[0].timeout = 60ms;
  EXPECT_TRUE(admit(checked(asked)));
  for (int i = 0; i < 8; ++i)
    ASSERT_TRUE(admit(request_of(1, 10s)));
  EXPECT_TRUE(admit(checked(asked)).has_error());
}

/// A request of thousands waits behind others with each but its first queries.
TEST_F(Admission, CountsOfALargeRequestWhatGoesBeforeOthers) {
  learn("select 1", 50ms);
  somebody_waits();
  auto large = request_of(1000, 1h);
  auto given = admit(large).value();
  constexpr std::int64_t each = nanoseconds{50ms}.count();
  EXPECT_EQ(admits->work(0, 1), 16 * each);
  admits->begin(*large, 0, given.each[0]);
  EXPECT_EQ(admits->work(0, 1), 16 * each) << "counted already";
  admits->begin(*large, 500, given.each[500]);
  EXPECT_EQ(admits->work(0, 1), 17 * each);
  outcome got;
  got.data = failure{.code = errc::query_canceled};
  for (std::size_t i = 0; i < 1000; ++i)
    admits->done(*large, i, given.each[i], got, large->taken_at);
  EXPECT_EQ(admits->work(0, 1), 0);
}

TEST_F(Admission, TakesBackTheWorkOfWhatIsOver) {
  learn("select 1", 50ms);
  somebody_waits();
  std::vector<std::pair<std::shared_ptr<const checked_request>, admission::ticket>> admitted;
  for (int round = 0; round < 3; ++round) {
    for (;;) {
      auto x = request_of(2, 1s);
      auto given = admit(x);
      if (given.has_error())
        break;
      admitted.emplace_back(x, std::move(*given));
    }
    ASSERT_GT(admitted.size(), 30u);
    EXPECT_GT(admits->work(0, 1), nanoseconds{3s}.count());
    for (const auto& [x, given] : admitted) {
      outcome got;
      got.data = failure{.code = errc::query_canceled};
      for (std::size_t i = 0; i < 2; ++i)
        admits->done(*x, i, given.each[i], got, x->taken_at);
      admits->settle(*x, given, {got, got}, x->taken_at);
    }
    admitted.clear();
    EXPECT_EQ(admits->work(0, 1), 0);
  }
}

TEST_F(Admission, LeavesAMarginOnceItHasPromisedTooMuch) {
  learn("select 1", 50ms);
  somebody_waits();
  const auto fit = [&] { // requests that are admitted with a deadline of a second
    std::vector<std::pair<std::shared_ptr<const checked_request>, admission::ticket>> admitted;
    for (auto x = request_of(1, 1s);; x = request_of(1, 1s)) {
      auto given = admit(x);
      if (given.has_error())
        break;
      admitted.emplace_back(x, std::move(*given));
    }
    outcome got;
    got.data = failure{.code = errc::query_canceled};
    for (const auto& [x, given] : admitted) {
      admits->done(*x, 0, given.each[0], got, x->taken_at);
      admits->settle(*x, given, {got}, x->taken_at);
    }
    return admitted.size();
  };
  const auto before = fit();
  const auto x = request_of(1, 1s);
  outcome in_time, late, canceled;
  late.data = failure{.code = errc::deadline_exceeded};
  canceled.data = failure{.code = errc::query_canceled};
  const auto end = [&](const outcome& as, clock::duration after) {
    auto given = admit(x).value();
    admits->done(*x, 0, given.each[0], canceled, x->taken_at);
    admits->settle(*x, given, {as}, x->taken_at + after);
  };
  end(canceled, 2s);
  end(late, 500ms); // a timeout of its own
  EXPECT_EQ(fit(), before);
  for (int i = 0; i < 5; ++i)
    end(late, 1s);
  const auto cautious = fit();
  EXPECT_LT(cautious, before * 3 / 4);
  EXPECT_GT(cautious, before / 2);
  for (int i = 0; i < 500; ++i)
    end(in_time, 500ms);
  EXPECT_EQ(fit(), before);
}

/// A high one waits for a part of what is there, a low one for nearly all of it.
TEST_F(Admission, ForecastsByTheSharesOfThePriorities) {
  learn("select 1", 50ms);
  somebody_waits();
  for (int i = 0; i < 4 * 20; ++i)
    ASSERT_TRUE(admit(request_of(1, 10s)));
  EXPECT_TRUE(admit(request_of(1, 70ms, "select 1", priority::high)));
  EXPECT_TRUE(admit(request_of(1, 500ms)).has_error());
  EXPECT_TRUE(admit(request_of(1, 100ms, "select 1", priority::low)).has_error());
  EXPECT_TRUE(admit(request_of(1, 130ms, "select 1", priority::low))) << "four normal ones go before it, not all";
}

TEST_F(Admission, BoundsTheMemoryOfAllThatWait) {
  how.max_pending_bytes = 1 << 20;
  admission bounded{how};
  bounded.join({&bounded}, {{pool.get()}});
  std::vector<std::pair<std::shared_ptr<const checked_request>, admission::ticket>> admitted;
  for (;;) {
    auto x = request_of(7, 1s);
    auto given = bounded.admit(*x, x->taken_at);
    if (given.has_error()) {
      EXPECT_EQ(given.error().code, errc::overloaded);
      EXPECT_NE(given.error().message.find("max_pending_bytes"), std::string::npos) << given.error().message;
      break;
    }
    admitted.emplace_back(x, std::move(*given));
    ASSERT_LE(admitted.size(), 128u);
  }
  EXPECT_EQ(admitted.size(), 127u) << "of 8 KiB each, and their texts";
  bounded.settle(*admitted[0].first, admitted[0].second, {}, admitted[0].first->taken_at);
  auto large = request_of(100, 1s);
  EXPECT_TRUE(bounded.admit(*large, large->taken_at).has_error());
  auto small = request_of(7, 1s);
  EXPECT_TRUE(bounded.admit(*small, small->taken_at));
}

} // namespace
