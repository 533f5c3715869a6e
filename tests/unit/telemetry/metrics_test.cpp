// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/telemetry/metrics.hpp"

#include <gtest/gtest.h>

namespace {

using namespace sheaf;
using namespace std::chrono_literals;

TEST(OutcomeHistograms, HaveAPlaceForEachCode) {
  outcome_histograms all;
  const auto count_at = [&](std::size_t place) {
    duration_histogram::sums sum;
    all[place].add_to(sum);
    return sum.count();
  };
  all.add(nullptr, 1ms);
  for (std::size_t code = 1; code < outcome_histograms::size; ++code) {
    const failure why{.code = static_cast<errc>(code)};
    all.add(&why, 1ms);
  }
  for (std::size_t place = 0; place < outcome_histograms::size; ++place)
    EXPECT_EQ(count_at(place), 1u) << to_string(static_cast<errc>(place));
  const failure thrown_by_a_task{.code = static_cast<errc>(200)};
  all.add(&thrown_by_a_task, 1ms);
  EXPECT_EQ(count_at(static_cast<std::size_t>(errc::internal)), 2u);
}

} // namespace
