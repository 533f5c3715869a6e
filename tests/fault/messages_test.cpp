// SPDX-License-Identifier: BSD-3-Clause
//
// The end of a connection, or nothing more on it, behind each message that a server says and behind the first byte of
// the next: while a session opens, prepares, hands on rows in parts, is reset, is cancelled, and once libpq has a large
// buffer. Each request is answered, and the next one as if nothing had been.

#include "fault/fault_test.hpp"
#include "support/effort.hpp"

#include <fmt/format.h>

#include <array>
#include <string>
#include <tuple>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

enum class deed { prepares, hands_on_parts, is_reset, is_cancelled, has_read_much };

class FaultMessages : public FaultBehindGate, public ::testing::WithParamInterface<std::tuple<fault, deed>> {
protected:
  static fault what() { return std::get<0>(GetParam()); }

  /// The statements of a deed, one after another.
  static std::vector<query> statements() {
    const query rows{"rows", "select n, 'row ' || n from generate_series(1, 3) n"};
    query other{"other", "select 7"};
    switch (std::get<1>(GetParam())) {
    case deed::prepares:
      return {rows, rows, rows};
    case deed::hands_on_parts: {
      query in_parts{"parts", "select n, repeat('x', 100) from generate_series(1, 5) n"};
      in_parts.on_rows = [](table&&, const std::function<void()>& next) { next(); };
      return {in_parts, in_parts, other};
    }
    case deed::is_reset:
      return {{"set", "set work_mem = '1MB'"}, other, {"prepare", "prepare mine as select 1"}, other};
    case deed::is_cancelled:
      other.timeout = 50ms;
      other.statement = statement{"select pg_sleep(86400)"};
      return {other, rows};
    case deed::has_read_much:
      return {{"much", "select n, repeat('x', 100000) from generate_series(1, 2) n"}, rows, rows};
    }
    return {};
  }

  /// True when that many messages were not reached.
  bool does_all_before(std::size_t messages, std::size_t bytes) {
    gate->heal();
    open([&](options& how) {
      how.databases[0].pool.max_size = 1;
      how.databases[0].cancel_wait_timeout = 50ms;
      how.databases[0].url = url_of_gate();
    });
    gate->strike_behind(what(), messages, bytes);
    for (auto& q : statements()) {
      const auto asked = q.name;
      const auto x = run_later(std::move(q), what() == fault::black_hole ? 200ms : 1min).get();
      if (!x.ok())
        expect_sensible(*x.failure);
      EXPECT_TRUE(x.ok() || gate->struck() || x.failure->code == errc::deadline_exceeded)
          << asked << ": " << to_string(*x.failure);
    }
    const bool was_reached = gate->struck();
    gate->heal();
    EXPECT_TRUE(eventually([&] { return e->run(request_of({{"q", "select 1"}})).ok(); }));
    return !was_reached;
  }

  static void expect_sensible(const failure& f) {
    switch (f.code) {
    case errc::connect_failed:
      EXPECT_FALSE(f.reached_server) << to_string(f);
      break;
    case errc::deadline_exceeded:
    case errc::connection_lost:
    case errc::in_doubt:
      break;
    default:
      ADD_FAILURE() << to_string(f);
    }
  }
};

TEST_P(FaultMessages, AreTheLastOnes) {
  const auto step = short_or_long<std::size_t>(what() == fault::black_hole ? 7 : 3, 1);
  std::size_t messages = 1;
  for (bool over = false; !over && !HasFailure(); messages += step)
    for (const std::size_t bytes : {0u, 1u})
      over = does_all_before(messages, bytes);
  EXPECT_GT(messages, 20u) << "it is over before the login is";
}

std::string name_of_deed(const ::testing::TestParamInfo<std::tuple<fault, deed>>& x) {
  constexpr std::array deeds{"Prepares", "HandsOnParts", "IsReset", "IsCancelled", "HasReadMuch"};
  const auto [end, doing] = x.param;
  return fmt::format("{}WhileIt{}",
                     end == fault::cut     ? "Cut"
                     : end == fault::reset ? "Reset"
                                           : "Silent",
                     deeds.at(static_cast<std::size_t>(doing)));
}

INSTANTIATE_TEST_SUITE_P(Everywhere, FaultMessages,
                         ::testing::Combine(::testing::Values(fault::cut, fault::reset, fault::black_hole),
                                            ::testing::Values(deed::prepares, deed::hands_on_parts, deed::is_reset,
                                                              deed::is_cancelled, deed::has_read_much)),
                         name_of_deed);

} // namespace
