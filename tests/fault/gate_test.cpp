// SPDX-License-Identifier: BSD-3-Clause
//
// Every fault of a network or an ailing server, at every point of a session's life: the request is answered at its
// deadline at the latest, with the right rows or with a failure that says what was wrong.

#include "fault/fault_test.hpp"

#include <fmt/format.h>

#include <set>
#include <string>
#include <tuple>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

/// The moment at which the fault strikes.
enum class moment { connecting, in_handshake, idle, awaiting, in_result };

using fault_at = std::tuple<fault, moment>;

constexpr int rows_of_result = 5000;
const std::string large_result = fmt::format("select n, 'row ' || n from generate_series(1, {}) n", rows_of_result);
const std::string after_a_meeting =
    "with m as materialized (select meet(2) as pid) select x.* from m, (" + large_result + ") x where pid > 0";

class FaultGate : public FaultBehindGate, public ::testing::WithParamInterface<fault_at> {
protected:
  void SetUp() override {
    schema.server("create table gone_through(x int)");
    FaultBehindGate::SetUp();
    open([&](options& how) { how.databases[0].url = url_of_gate(); });
  }

  fault what() const { return std::get<0>(GetParam()); }
  moment when() const { return std::get<1>(GetParam()); }

  /// True when the fault does no harm to the session that is there.
  bool is_harmless() const {
    if (what() == fault::delay || what() == fault::trickle)
      return true;
    return when() != moment::connecting && (what() == fault::refuse || what() == fault::ignore);
  }

  /// True when nothing tells us of the fault but the time that passes.
  bool is_silent() const {
    switch (what()) {
    case fault::ignore:
    case fault::black_hole:
      return true;
    case fault::promise:
      return when() != moment::connecting; // nothing so long is believed there
    case fault::garbage:
      return when() == moment::in_handshake; // libpq waits for the end of the name
    default:
      return false;
    }
  }

  /// A request that the fault strikes, from its beginning to its reply.
  reply suffer() {
    // Long enough to get as far as the fault is to strike.
    const auto short_one = when() >= moment::awaiting ? 1000ms : 300ms;
    const auto deadline = is_silent() && !is_harmless() ? std::chrono::nanoseconds{short_one} : 20s;
    switch (when()) {
    case moment::connecting:
      gate->strike(what());
      return run_later({"q", large_result}, deadline).get();
    case moment::in_handshake:
      gate->strike(what(), 20); // within the name of the first setting that the server tells
      return run_later({"q", large_result}, deadline).get();
    case moment::idle:
      rows("select 1");
      gate->strike(what());
      EXPECT_TRUE(is_harmless() || is_silent() || eventually([&] { return stats().total == 0; })) << "nobody noticed";
      return run_later({"q", large_result}, deadline).get();
    case moment::awaiting: {
      rows("select 1");
      auto x = run_later({"q", after_a_meeting}, deadline);
      const auto waits = [&] { return schema.server("select is_called from arrivals") == "t"; };
      const auto over = [&] { return x.wait_for(0s) == std::future_status::ready; };
      EXPECT_TRUE(eventually([&] { return waits() || over(); }));
      gate->strike(what());
      if (waits())
        schema.server("select meet(2)"); // the result sets out
      else
        ADD_FAILURE() << "it did not get that far";
      return x.get();
    }
    default: {
      rows("select 1");
      // Within a value: within a message's length, garbage would only make that longer.
      gate->strike(what(), 20'010);
      auto x = run_later({"q", large_result}, deadline).get();
      EXPECT_TRUE(gate->struck());
      return x;
    }
    }
  }

  void expect_rows(const outcome& o) {
    ASSERT_TRUE(o.ok()) << to_string(*o.error_info());
    const auto& t = o.table();
    ASSERT_EQ(t.rows(), static_cast<std::size_t>(rows_of_result));
    for (std::size_t r = 0; r < t.rows(); ++r) {
      ASSERT_EQ(t.get<int>(r, 0), static_cast<int>(r) + 1);
      ASSERT_EQ(t.get<std::string>(r, 1), fmt::format("row {}", r + 1));
    }
  }

  void expect_sensible(const failure& f) {
    EXPECT_EQ(f.query, "q");
    // An idle session that is seen to be lost would be replaced.
    if (when() <= moment::in_handshake || (when() == moment::idle && !is_silent())) {
      EXPECT_EQ(f.code, is_silent() ? errc::deadline_exceeded : errc::connect_failed) << to_string(f);
      EXPECT_EQ(f.phase, phase::connect) << to_string(f);
      EXPECT_FALSE(f.reached_server);
      EXPECT_TRUE(safe_to_retry(f));
      return;
    }
    const auto lost = when() == moment::awaiting ? errc::in_doubt : errc::connection_lost; // a function may write
    EXPECT_EQ(f.code, is_silent() ? errc::deadline_exceeded : lost) << to_string(f);
    EXPECT_TRUE(f.reached_server) << to_string(f);
    EXPECT_FALSE(safe_to_retry(f));
  }
};

TEST_P(FaultGate, IsSurvived) {
  const auto x = suffer();
  ASSERT_EQ(x.outcomes.size(), 1u);
  ASSERT_EQ(x.ok(), is_harmless());
  if (x.ok())
    expect_rows(x["q"]);
  else
    expect_sensible(*x["q"].error_info());
  gate->heal();
  expect_recovery();
}

std::string name_of_fault(const ::testing::TestParamInfo<fault_at>& x) {
  constexpr std::array faults{"None", "Refuse", "Ignore",  "BlackHole", "Delay",  "Trickle",
                              "Cut",  "Reset",  "Garbage", "Denial",    "Promise"};
  constexpr std::array moments{"WhileConnecting", "WithinTheHandshake", "WhileIdle", "WhileAResultIsAwaited",
                               "WithinAResult"};
  return std::string{faults.at(static_cast<std::size_t>(std::get<0>(x.param)))} +
         moments.at(static_cast<std::size_t>(std::get<1>(x.param)));
}

INSTANTIATE_TEST_SUITE_P(Everywhere, FaultGate,
                         ::testing::Combine(::testing::Values(fault::refuse, fault::ignore, fault::black_hole,
                                                              fault::delay, fault::trickle, fault::cut, fault::reset,
                                                              fault::garbage, fault::promise),
                                            ::testing::Values(moment::connecting, moment::in_handshake, moment::idle,
                                                              moment::awaiting, moment::in_result)),
                         name_of_fault);

} // namespace
