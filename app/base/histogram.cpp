// SPDX-License-Identifier: BSD-3-Clause
//
// Values below 2048 ns have a bucket each. Above, a value is cut to its first 11 binary digits, and each power of two
// has 1024 buckets for the rest. One thread at a time.

#include "app/base/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

namespace sheaf::app {

using std::chrono::nanoseconds;

std::size_t histogram::index_of(nanoseconds value) noexcept {
  const auto v = static_cast<std::uint64_t>(value.count());
  if (v < 2 * half)
    return v;
  const auto shift = static_cast<std::size_t>(std::bit_width(v)) - std::bit_width(half);
  return half * shift + (v >> shift); // the shifted value is from 1024 to 2047
}

nanoseconds histogram::low_of(std::size_t index) noexcept {
  if (index < 2 * half)
    return nanoseconds{index};
  const auto shift = index / half - 1;
  return nanoseconds{static_cast<std::int64_t>((half + index % half) << shift)};
}

nanoseconds histogram::high_of(std::size_t index) noexcept {
  const auto shift = index < 2 * half ? 0 : index / half - 1;
  return low_of(index) + nanoseconds{(std::int64_t{1} << shift) - 1};
}

void histogram::add(nanoseconds value, std::uint64_t count) {
  assert(value >= value.zero());
  if (count == 0)
    return;
  value = std::max(value, value.zero());
  const auto index = index_of(value);
  if (index >= counts_.size())
    counts_.resize((index / half + 1) * half); // a power of two at once
  counts_[index] += count;
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  count_ += count;
  sum_ += static_cast<wide>(value.count()) * count;
}

void histogram::merge(const histogram& other) {
  if (other.count_ == 0)
    return;
  counts_.resize(std::max(counts_.size(), other.counts_.size()));
  for (std::size_t i = 0; i < other.counts_.size(); ++i)
    counts_[i] += other.counts_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_ += other.sum_;
}

nanoseconds histogram::mean() const noexcept {
  if (count_ == 0)
    return nanoseconds::zero();
  return nanoseconds{static_cast<std::int64_t>((sum_ + count_ / 2) / count_)};
}

nanoseconds histogram::percentile(double p) const noexcept {
  // 99.9 is a little more than 999/1000 as a double. A number that near to a rank means that rank.
  constexpr double little = 1e-14;
  const auto position = p / 100 * (1 - little) * static_cast<double>(count_);
  if (!(position > 1))
    return min_;
  if (position > static_cast<double>(count_ - 1))
    return max_;
  const auto rank = static_cast<std::uint64_t>(std::ceil(position));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank)
      return std::min(high_of(i), max_);
  }
  return max_;
}

} // namespace sheaf::app
