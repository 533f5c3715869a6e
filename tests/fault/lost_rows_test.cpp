// SPDX-License-Identifier: BSD-3-Clause
//
// A connection that is reset while the taker has rows of its query: the rows that had arrived are handed on, then the
// query fails, and its socket's number, which may be another's by then, is left alone.

#include "fault/fault_test.hpp"

#include <fmt/format.h>

#include <mutex>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

/// Takes the first part, and asks for more when it is told to; then at once.
class slow_taker {
public:
  row_sink sink() {
    return [this](const table& part, std::function<void()> next) {
      std::unique_lock guard{mutex_};
      rows_ += part.rows();
      ++parts_;
      if (!at_once_) {
        next_ = std::move(next);
        return;
      }
      guard.unlock();
      next();
    };
  }

  void go_on() {
    std::unique_lock guard{mutex_};
    at_once_ = true;
    const auto next = std::exchange(next_, nullptr);
    guard.unlock();
    next();
  }

  std::size_t parts() const {
    const std::lock_guard guard{mutex_};
    return parts_;
  }
  std::size_t rows() const {
    const std::lock_guard guard{mutex_};
    return rows_;
  }

private:
  mutable std::mutex mutex_;
  std::function<void()> next_;
  std::size_t parts_ = 0, rows_ = 0;
  bool at_once_ = false;
};

class LostRows : public FaultBehindGate {
protected:
  void SetUp() override {
    FaultBehindGate::SetUp();
    open([&](options& how) {
      how.databases[0].url = url_of_gate();
      how.databases[0].pool.max_size = 1;
    });
  }

  /// Runs until the connection is reset, behind rows that have not been read, while the first part is with the taker.
  std::future<reply> run_until_reset(std::chrono::nanoseconds deadline = 1min) {
    // From a large row on, libpq's buffer is large, so that one look at the socket finds much: rows, and the reset.
    EXPECT_EQ(rows("select repeat('z', 300000)").rows(), 1u);
    taker = std::make_unique<slow_taker>();
    std::string nulls = "null"; // many cells in few bytes: several parts fit into a socket
    for (int i = 0; i < 99; ++i)
      nulls += ", null";
    query q{"rows", "select " + nulls + " from generate_series(1, 200000)"};
    q.on_rows = taker->sink();
    auto answered = run_later(std::move(q), deadline);
    EXPECT_TRUE(eventually([&] { return taker->parts() == 1; }));
    const auto waits_for_us = fmt::format("select count(*) from pg_stat_activity where application_name = '{}' and "
                                          "wait_event = 'ClientWrite'",
                                          schema.name());
    EXPECT_TRUE(eventually([&] { return schema.server.number(waits_for_us) == 1; })) << "all buffers are full then";
    gate->strike(fault::reset);
    return answered;
  }

  std::unique_ptr<slow_taker> taker;
};

TEST_F(LostRows, AreHandedOnAsFarAsTheyHadArrived) {
  for (int i = 0; i < 4; ++i) { // the last rows and the reset come in one read nine times out of ten
    auto answered = run_until_reset();
    const auto before = taker->rows();
    taker->go_on();
    const auto x = answered.get();
    ASSERT_TRUE(x.failure);
    EXPECT_EQ(x.failure->code, errc::connection_lost) << to_string(*x.failure);
    EXPECT_EQ(x.failure->phase, phase::fetch);
    EXPECT_GT(taker->rows(), before);
    EXPECT_LT(taker->rows(), 200'000u);
    gate->heal();
    expect_recovery();
  }
}

TEST_F(LostRows, AreNotWaitedForPastTheDeadline) {
  auto answered = run_until_reset(5s);
  EXPECT_EQ(answered.get().failure.value_or(failure{}).code, errc::deadline_exceeded);
  gate->heal();
  expect_recovery();
  taker->go_on(); // too late, to a session that is gone
  expect_recovery();
}

} // namespace
