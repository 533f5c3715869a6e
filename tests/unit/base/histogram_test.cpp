// SPDX-License-Identifier: BSD-3-Clause
//
// Histograms against the sorted values that they stand for.

#include "app/base/histogram.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace sheaf::app {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using values = std::vector<std::int64_t>; // in nanoseconds

histogram histogram_of(const values& from) {
  histogram out;
  for (const auto x : from)
    out.add(nanoseconds{x});
  return out;
}

/// From 1 ns to `most` ns, each power of two as likely as another.
values spread_values(std::size_t count, double most, std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::uniform_real_distribution<double> power{0, std::log2(most)};
  values out(count);
  std::ranges::generate(out, [&] { return static_cast<std::int64_t>(std::exp2(power(random))); });
  return out;
}

/// The value at rank ⌈tenths/1000 · count⌉, in whole numbers.
std::int64_t at_tenths(const values& sorted, std::size_t tenths) {
  const auto rank = std::max<std::size_t>(1, (tenths * sorted.size() + 999) / 1000);
  return sorted[rank - 1];
}

struct expected_bucket {
  std::int64_t low, high;
  std::uint64_t count;
  bool operator==(const expected_bucket&) const = default;
};

std::vector<expected_bucket> buckets(const histogram& of) {
  std::vector<expected_bucket> out;
  of.for_each_bucket([&](const histogram::bucket& x) { out.push_back({x.low.count(), x.high.count(), x.count}); });
  return out;
}

void expect_like_sorted(const histogram& h, values all) {
  std::ranges::sort(all);
  ASSERT_EQ(h.count(), all.size());
  EXPECT_EQ(h.min().count(), all.front());
  EXPECT_EQ(h.max().count(), all.back());
  const auto sum = std::accumulate(all.begin(), all.end(), 0.0L);
  EXPECT_NEAR(static_cast<double>(h.mean().count()), static_cast<double>(sum / static_cast<long double>(all.size())),
              1.0);
  for (std::size_t tenths = 0; tenths <= 1000; ++tenths) {
    const auto exact = at_tenths(all, tenths);
    const auto given = h.percentile(static_cast<double>(tenths) / 10).count();
    EXPECT_GE(given, exact) << tenths;
    EXPECT_LT(static_cast<double>(given - exact), 0.001 * static_cast<double>(exact)) << tenths;
  }
  EXPECT_EQ(h.percentile(0), h.min());
  EXPECT_EQ(h.percentile(100), h.max());
}

TEST(Histogram, IsNothingWhileEmpty) {
  const histogram h;
  EXPECT_EQ(h.count(), 0u);
  EXPECT_EQ(h.min(), 0ns);
  EXPECT_EQ(h.max(), 0ns);
  EXPECT_EQ(h.mean(), 0ns);
  for (const double p : {0.0, 50.0, 100.0})
    EXPECT_EQ(h.percentile(p), 0ns);
  EXPECT_TRUE(buckets(h).empty());
}

TEST(Histogram, IsExactForOneValueHoweverLarge) {
  for (const auto value : {0ns, 1ns, 2047ns, 2048ns, 2049ns, nanoseconds{1'234'567}, nanoseconds{24h},
                           nanoseconds{24h * 365 * 100}, nanoseconds::max()}) {
    histogram h;
    h.add(value);
    EXPECT_EQ(h.count(), 1u);
    for (const auto x : {h.min(), h.max(), h.mean(), h.percentile(0), h.percentile(50), h.percentile(100)})
      EXPECT_EQ(x, value);
  }
}

TEST(Histogram, IsExactBelowTwoMicroseconds) {
  values all(2048);
  std::iota(all.begin(), all.end(), 0);
  const auto h = histogram_of(all);
  for (std::size_t tenths = 0; tenths <= 1000; ++tenths)
    EXPECT_EQ(h.percentile(static_cast<double>(tenths) / 10).count(), at_tenths(all, tenths)) << tenths;
}

TEST(Histogram, GivesPercentilesOfManyValuesToAThousandth) {
  for (const std::size_t count : {1u, 2u, 3u, 10u, 999u, 1000u, 1001u, 20000u})
    for (const double most : {100.0, 1e6, 86400e9, 9e18}) {
      const auto all = spread_values(count, most, count);
      expect_like_sorted(histogram_of(all), all);
    }
}

TEST(Histogram, GivesPercentilesOfLatenciesThatLieCloseTogether) {
  std::mt19937_64 random{5};
  std::lognormal_distribution<double> latency{std::log(2e6), 0.3};
  values all(50000);
  std::ranges::generate(all, [&] { return std::llround(latency(random)); });
  expect_like_sorted(histogram_of(all), all);
}

TEST(Histogram, TakesThePercentileAtItsRankWithoutRoundingErrors) {
  values all(1000);
  std::iota(all.begin(), all.end(), 1); // the value is its rank
  const auto h = histogram_of(all);
  for (std::size_t tenths = 1; tenths <= 1000; ++tenths)
    EXPECT_EQ(h.percentile(static_cast<double>(tenths) / 10).count(), static_cast<std::int64_t>(tenths));
  EXPECT_EQ(h.percentile(99.91), 1000ns);
  EXPECT_EQ(h.percentile(0.0001), 1ns);
}

TEST(Histogram, TakesTheNearestBoundForAPercentThatIsNone) {
  const auto h = histogram_of({10, 20, 30});
  EXPECT_EQ(h.percentile(-1), 10ns);
  EXPECT_EQ(h.percentile(std::nan("")), 10ns);
  EXPECT_EQ(h.percentile(101), 30ns);
  EXPECT_EQ(h.percentile(INFINITY), 30ns);
}

TEST(Histogram, PutsEachValueIntoTheOneBucketThatHoldsIt) {
  auto all = spread_values(2000, 9e18, 11);
  for (int power = 0; power < 63; ++power)
    for (const std::int64_t step : {-1, 0, 1})
      all.push_back((std::int64_t{1} << power) + step);
  all.push_back(std::numeric_limits<std::int64_t>::max());
  for (const auto value : all) {
    const auto found = buckets(histogram_of({value}));
    ASSERT_EQ(found.size(), 1u) << value;
    const auto [low, high, count] = found.front();
    EXPECT_TRUE(low <= value && value <= high) << low << " " << value << " " << high;
    EXPECT_LT(static_cast<double>(high - low), 0.001 * static_cast<double>(std::max<std::int64_t>(low, 1))) << value;
    EXPECT_EQ(count, 1u);
  }
}

TEST(Histogram, HasBucketsWithoutGapsOrOverlaps) {
  for (const std::int64_t around : {2048, 4096, 1 << 20, 1 << 30}) {
    values near(8);
    std::iota(near.begin(), near.end(), around - 4);
    std::int64_t expected_low = around - 4;
    for (const auto& [low, high, count] : buckets(histogram_of(near))) {
      EXPECT_LE(low, expected_low);
      EXPECT_GE(high, expected_low);
      expected_low = high + 1;
    }
    EXPECT_GE(expected_low, around + 4);
  }
  const auto at = [](std::int64_t value) { return buckets(histogram_of({value})).front(); };
  EXPECT_EQ(at(2047).high + 1, at(2048).low);
  EXPECT_EQ(at((1 << 20) - 1).high + 1, at(1 << 20).low);
  EXPECT_EQ(at(std::numeric_limits<std::int64_t>::max()).high, std::numeric_limits<std::int64_t>::max());
}

TEST(Histogram, ShowsOnlyBucketsWithACount) {
  const auto h = histogram_of({5, 5, 7, 1'000'000});
  const std::vector<expected_bucket> expected{{5, 5, 2}, {7, 7, 1}, {999'936, 1'000'447, 1}};
  EXPECT_EQ(buckets(h), expected);
}

TEST(Histogram, CountsAValueManyTimesAtOnce) {
  histogram h;
  h.add(10ns, 999);
  h.add(1s, 1);
  h.add(2s, 0);
  EXPECT_EQ(h.count(), 1000u);
  EXPECT_EQ(h.percentile(99.9), 10ns);
  EXPECT_EQ(h.percentile(99.91), 1s);
  EXPECT_EQ(h.max(), 1s);
  histogram large;
  large.add(nanoseconds::max(), 1ull << 40); // the sum passes 64 bits
  EXPECT_EQ(large.mean(), nanoseconds::max());
  EXPECT_EQ(large.percentile(50), nanoseconds::max());
}

TEST(Histogram, MergesAsIfAllHadBeenAddedToOne) {
  const auto small = spread_values(3000, 1e5, 1), large = spread_values(2000, 1e12, 2);
  auto all = small;
  all.insert(all.end(), large.begin(), large.end());
  auto up = histogram_of(small), down = histogram_of(large);
  up.merge(histogram_of(large));
  down.merge(histogram_of(small));
  expect_like_sorted(up, all);
  expect_like_sorted(down, all);
  EXPECT_EQ(buckets(up), buckets(histogram_of(all)));
  EXPECT_EQ(buckets(up), buckets(down));
  EXPECT_EQ(up.mean(), down.mean());
}

TEST(Histogram, MergesWithNothingAndWithItself) {
  auto h = histogram_of({10, 20, 30});
  h.merge({});
  EXPECT_EQ(h.count(), 3u);
  EXPECT_EQ(h.min(), 10ns);
  histogram empty;
  empty.merge(h);
  EXPECT_EQ(empty.min(), 10ns);
  EXPECT_EQ(empty.max(), 30ns);
  EXPECT_EQ(buckets(empty), buckets(h));
  h.merge(h);
  EXPECT_EQ(h.count(), 6u);
  EXPECT_EQ(h.mean(), 20ns);
  EXPECT_EQ(h.percentile(50), 20ns);
}

TEST(Histogram, GivesTheMeanToTheNearestNanosecond) {
  EXPECT_EQ(histogram_of({1, 2}).mean(), 2ns);
  EXPECT_EQ(histogram_of({1, 1, 2}).mean(), 1ns);
  EXPECT_EQ(histogram_of({1'000'001, 3'000'001}).mean(), 2'000'001ns);
}

} // namespace
} // namespace sheaf::app
