// SPDX-License-Identifier: BSD-3-Clause
//
// Twice the requests that the sessions can answer, by the clock, while connections break and backends are ended. Each
// is answered once, some in each round as they should be, and from round to round nothing gathers in memory.

#include "fault/fault_test.hpp"
#include "support/effort.hpp"
#include "support/mib.hpp"

#include <fmt/format.h>

#include <array>
#include <random>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class FaultOverload : public FaultBehindGate {
protected:
  static constexpr std::size_t sessions = 4;
  static constexpr std::chrono::microseconds service = 20ms, deadline = 400ms;

  void SetUp() override {
    FaultBehindGate::SetUp();
    open([&](options& how) {
      how.loops = 2;
      how.databases[0].pool.max_size = sessions;
      how.databases[0].url = url_of_gate("connect_timeout=2");
    });
  }

  int dice(int sides) { return static_cast<int>(random() % static_cast<unsigned>(sides)); }

  /// Sends one request of one query or of four; gives their number.
  int ask() {
    const int n = ++last;
    auto made = request_of(dice(2) == 0 ? 1 : 4, [n](int) {
      query q{
          "", "select :n::int from pg_sleep(:s)", {{"n", n}, {"s", std::chrono::duration<double>(service).count()}}};
      q.read_only = true;
      return q;
    });
    made.deadline = deadline;
    made.priority = static_cast<priority>(dice(3));
    const auto queries = static_cast<int>(made.queries.size());
    ++unanswered;
    e->run_async(std::move(made), [this, n, answers = std::make_shared<std::atomic<int>>(0)](const reply& x) {
      EXPECT_EQ(++*answers, 1) << "it is answered twice";
      for (const auto& o : x.outcomes)
        EXPECT_TRUE(!o.ok() || number_in(o) == n) << n;
      ++outcomes[x.ok() ? 0 : static_cast<std::size_t>(x.failure->code)];
      --unanswered;
    });
    return queries;
  }

  void strike() {
    constexpr std::array faults{fault::cut, fault::reset, fault::delay, fault::trickle, fault::black_hole};
    if (const auto i = static_cast<std::size_t>(dice(faults.size() + 1)); i < faults.size())
      gate->strike(faults[i], static_cast<std::size_t>(dice(20'000)));
    else
      schema.server(fmt::format("select pg_terminate_backend(pid) from pg_stat_activity where application_name = '{}' "
                                "order by random() limit 1",
                                schema.name()));
  }

  /// As many requests as take twice as long, at even distances; meanwhile something fails and is well again, in turn.
  void offer_for(clock::duration length) {
    auto due = clock::now();
    const auto end = due + length;
    bool is_well = true;
    for (auto turn_at = due + 200ms; due < end; std::this_thread::sleep_until(due)) {
      if (due >= turn_at) {
        is_well ? strike() : gate->heal();
        is_well = !is_well;
        turn_at = due + std::chrono::milliseconds{100 + dice(400)};
      }
      due += ask() * service / (2 * static_cast<int>(sessions));
    }
    gate->heal();
  }

  std::uint64_t count_of(errc code) const { return outcomes[static_cast<std::size_t>(code)]; }

  std::mt19937 random{11};
  int last = 0;
  std::atomic<int> unanswered = 0;
  std::array<std::atomic<std::uint64_t>, 32> outcomes{};
};

TEST_F(FaultOverload, IsBorneAndNothingGathers) {
  const auto round = short_or_long<clock::duration>(1500ms, 40s);
  const int rounds = short_or_long(3, 8);
  std::size_t first = 0;
  for (int i = 0; i < rounds; ++i) {
    const auto answered = count_of(errc{}), refused = count_of(errc::overloaded);
    offer_for(round);
    ASSERT_TRUE(eventually([&] { return unanswered == 0; }));
    EXPECT_GT(count_of(errc{}), answered) << "round " << i;
    EXPECT_GT(count_of(errc::overloaded), refused) << "round " << i;
    expect_recovery();
    const auto now = allocated_bytes();
    if (i == 0)
      first = now;
    else
      EXPECT_LT(now, first + mib) << "round " << i;
  }
  EXPECT_EQ(count_of(errc::internal), 0u);
  EXPECT_EQ(count_of(errc::rejected_sql), 0u);
  RecordProperty("requests", last);
  RecordProperty("answered", static_cast<int>(count_of(errc{})));
}

} // namespace
