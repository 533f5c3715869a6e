// SPDX-License-Identifier: BSD-3-Clause
//
// A request as a picture in text.

#include "app/show/timeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Timeline, TellsWaitingFromRunning) {
  reply got;
  got.elapsed = 100ms;
  got.outcomes.push_back(
      {.name = "first", .data = table{}, .times = {.queued = 0ns, .acquired = 0ns, .sent = 0ns, .last_row = 50ms}});
  got.outcomes.push_back(
      {.name = "second", .data = table{}, .times = {.queued = 0ns, .acquired = 50ms, .sent = 50ms, .last_row = 100ms}});
  got.outcomes.push_back({.name = "third", .data = failure{.code = errc::pool_timeout}, .times = {.queued = 0ns}});
  const terminal narrow{.width = 60};
  EXPECT_EQ(timeline(got, narrow), "  first   ##########            ran 50.0 ms\n"
                                   "  second  ..........##########  ran 50.0 ms, waited 50.0 ms\n"
                                   "  third   ....................  pool_timeout, never ran, waited 100 ms\n"
                                   "          0             100 ms\n"
                                   "  . waiting for a session or its opening   # running\n");
}

TEST(Timeline, ShowsAQueryThatWasGivenUpUntilThen) {
  reply got;
  got.elapsed = 100ms;
  got.outcomes.push_back({.name = "late",
                          .data = failure{.code = errc::deadline_exceeded},
                          .times = {.queued = 0ns, .acquired = 0ns, .sent = 1ms, .answered = 100ms}});
  EXPECT_THAT(timeline(got, {.width = 60}), HasSubstr("####################  deadline_exceeded, ran 100 ms\n"));
}

TEST(Timeline, ShowsAtLeastASignAndAtMostFortyQueries) {
  reply got;
  got.elapsed = 1h;
  for (int i = 0; i < 1000; ++i)
    got.outcomes.push_back(
        {.name = "q" + std::to_string(i), .data = table{}, .times = {.queued = 1h, .acquired = 1h, .last_row = 1h}});
  const auto drawn = timeline(got, {});
  EXPECT_THAT(drawn, HasSubstr(".#  ran 0 us"));
  EXPECT_THAT(drawn, HasSubstr("and 960 more queries"));
  reply nothing;
  EXPECT_THAT(timeline(nothing, {}), HasSubstr("0 us"));
}

} // namespace
} // namespace sheaf::app
