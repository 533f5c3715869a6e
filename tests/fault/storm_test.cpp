// SPDX-License-Identifier: BSD-3-Clause
//
// A thousand callers on a pool of four, on a server whose backends are killed at random: each request is
// answered once and in time, and afterwards the books balance, here and in the database.

#include "fault/fault_test.hpp"
#include "support/effort.hpp"

#include <array>
#include <csignal>
#include <mutex>
#include <random>
#include <sstream>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class FaultStorm : public PostgresqlFault {
protected:
  void TearDown() override {
    over = true; // also when the test was left early
    PostgresqlFault::TearDown();
  }

  static constexpr int callers = 1000;
  const std::chrono::seconds duration = short_or_long(5s, 60s);

  /// An answer that comes this long after its deadline is late, even on a machine that is busy.
  static constexpr auto grace = 10s;

  int dice(int sides) {
    std::lock_guard guard{mutex};
    return static_cast<int>(random() % static_cast<unsigned>(sides));
  }

  /// One to three queries: reads, of which some may be run again, and a write that leaves a row of its own.
  request next_request() {
    request made;
    const int kind = dice(10);
    if (kind < 3) {
      made.queries.push_back({"write", "insert into written values (:n)", {{"n", ++writes}}});
    } else {
      for (int i = 0; i <= kind % 3; ++i) {
        query q{std::to_string(i), "select :i::int from pg_sleep(:s)", {{"i", i}, {"s", dice(4) / 1000.0}}};
        q.read_only = dice(2) == 0;
        made.queries.push_back(std::move(q));
      }
    }
    made.on_error = dice(2) == 0 ? error_policy::fail : error_policy::partial;
    made.deadline = std::chrono::milliseconds{500 + dice(4000)};
    return made;
  }

  /// Sends the next request of one caller, and so on with each answer until the time is over. One that is refused for
  /// overload rests until the next blow.
  void call() {
    auto next = next_request();
    const bool is_write = next.queries[0].name == "write";
    const auto deadline = *next.deadline;
    const auto sent = clock::now();
    ++asked;
    e->run_async(std::move(next), [this, is_write, deadline, sent](reply x) {
      EXPECT_LT(clock::now() - sent, deadline + grace) << (x.ok() ? "" : to_string(*x.failure));
      ++answered;
      note(x, is_write);
      if (!over && !(x.failure && x.failure->code == errc::overloaded))
        call();
      else
        --calling;
    });
  }

  void note(const reply& x, bool is_write) {
    for (const auto& o : x.outcomes) {
      const auto* f = o.error_info();
      ++outcomes[f ? static_cast<std::size_t>(f->code) : 0];
      if (!f && is_write)
        ++written;
      else if (!f)
        EXPECT_EQ(std::to_string(number_in(o)), o.name);
      else if (is_write && f->reached_server)
        ++unknown;
    }
  }

  /// One backend of ours, or all of them the hard way: then the server starts anew.
  void kill_one(bool hard) {
    const auto pid = schema.server("select pid from pg_stat_activity where application_name = '" + schema.name() +
                                   "' order by random() limit 1");
    if (pid.empty())
      return;
    if (!hard) {
      schema.server("select pg_terminate_backend(" + pid + ")");
      return;
    }
    ASSERT_EQ(::kill(std::stoi(pid), SIGKILL), 0);
    reconnect();
  }

  std::string count_of(errc code) const { return std::to_string(outcomes[static_cast<std::size_t>(code)]); }

  /// The sum of a counter's or a histogram's samples over all labels.
  std::uint64_t metric(std::string_view name) const {
    std::istringstream text{e->metrics_text()};
    std::uint64_t sum = 0;
    for (std::string line; std::getline(text, line);)
      if (line.starts_with(name))
        sum += std::stoull(line.substr(line.rfind(' ') + 1));
    return sum;
  }

  /// True when it was a storm: on a busy machine that takes longer.
  bool has_raged() {
    const auto now = stats();
    return outcomes[0] > 200 && now.lost > short_or_long(10u, 100u) && now.retries > 0 &&
           outcomes[static_cast<std::size_t>(errc::in_doubt)] > 0;
  }

  std::atomic<bool> over = false;
  std::mutex mutex;
  std::mt19937 random{20};
  std::atomic<std::int64_t> writes = 0;
  std::atomic<int> calling = callers;
  std::atomic<std::uint64_t> asked = 0, answered = 0, written = 0, unknown = 0;
  std::array<std::atomic<std::uint64_t>, 32> outcomes{};
};

TEST_F(FaultStorm, IsWeathered) {
  open([&](options& how) {
    how.databases[0].pool.max_size = 4;
    how.databases[0].url = schema.url( // acknowledged writes outlast a crash
        fmt::format("options='-c search_path={} -c synchronous_commit=on'", schema.name()));
  });
  schema.server("create table " + schema.name() + ".written(n bigint primary key)");
  flush();
  const auto end = clock::now() + duration;
  for (int i = 0; i < callers; ++i)
    call();
  const auto give_up = end + 30s;
  const std::chrono::seconds between_hard_ones = short_or_long(3s, 15s);
  auto hard_at = clock::now() + between_hard_ones;
  while (clock::now() < end || (!has_raged() && clock::now() < give_up)) {
    const bool hard = clock::now() >= hard_at;
    if (hard)
      hard_at += between_hard_ones;
    kill_one(hard);
    for (int resting = callers - calling; resting > 0; --resting) {
      ++calling;
      call();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{dice(100)}); // when next, is left to chance
  }
  over = true;
  ASSERT_TRUE(eventually([&] { return calling == 0; }));

  EXPECT_EQ(answered, asked);
  EXPECT_EQ(metric("sheaf_request_duration_seconds_count"), asked);
  std::uint64_t all = 0;
  for (const auto& n : outcomes)
    all += n;
  EXPECT_LE(metric("db_client_operation_duration_seconds_count"), all) << "some were ended before they began";
  EXPECT_TRUE(has_raged()) << "hardly anything was answered (" << outcomes[0] << "), killed (" << stats().lost
                           << "), run again (" << stats().retries << ") or left in doubt (" << count_of(errc::in_doubt)
                           << "), beside " << count_of(errc::overloaded) << " overloaded";
  EXPECT_EQ(outcomes[static_cast<std::size_t>(errc::internal)], 0u);
  EXPECT_EQ(outcomes[static_cast<std::size_t>(errc::rejected_sql)], 0u);

  // Each write that was answered is there, and no other but those of which the answer did not say.
  const auto there =
      static_cast<std::uint64_t>(schema.server.number("select count(*) from " + schema.name() + ".written"));
  EXPECT_GE(there, written);
  EXPECT_LE(there, written + unknown);
  expect_recovery();
}

} // namespace
