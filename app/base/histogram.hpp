// SPDX-License-Identifier: BSD-3-Clause
//
// Many durations in little memory: counts in buckets that grow with the value (as in HdrHistogram). One thread at a
// time; one per thread, merged in the end.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sheaf::app {

/// A bucket is one nanosecond wide below 2.048 us, and at most 1/1024 of its values' size above: values read from it
/// are less than 0.1 % off. It holds every duration that `std::chrono::nanoseconds` can (292 years) and cuts none.
/// Memory: 8 bytes for each bucket up to the largest value seen: 170 KiB for a second, 305 KiB for a day, never more
/// than 432 KiB.
class histogram {
public:
  /// Counts `value`, which is not negative, `count` times. Constant time, but for the memory that a larger value than
  /// all before may take.
  void add(std::chrono::nanoseconds value, std::uint64_t count = 1);

  /// Counts what `other` has counted: as if its values had been added here.
  void merge(const histogram& other);

  std::uint64_t count() const noexcept { return count_; }

  // Exact, the mean to a nanosecond; 0 when nothing was counted.
  std::chrono::nanoseconds min() const noexcept { return min_; }
  std::chrono::nanoseconds max() const noexcept { return max_; }
  std::chrono::nanoseconds mean() const noexcept;

  /// The least value that at least `p` percent of the values do not pass: the one at rank ⌈p/100 · count⌉, from 1, when
  /// all are sorted. Never less than that value and less than 0.1 % more; exact for the first (`p` = 0) and the last
  /// rank (`p` = 100). `p` is from 0 to 100; 0 when nothing was counted.
  std::chrono::nanoseconds percentile(double p) const noexcept;

  /// Values from `low` to `high`, both included.
  struct bucket {
    std::chrono::nanoseconds low, high;
    std::uint64_t count;
  };

  /// Calls `f(bucket)` for each bucket with a count, from the least values up.
  template <class F>
  void for_each_bucket(F f) const {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if (counts_[i] > 0)
        f(bucket{low_of(i), high_of(i), counts_[i]});
  }

private:
  static constexpr std::size_t half = 1024; // buckets for each power of two
  __extension__ using wide = unsigned __int128;

  static std::size_t index_of(std::chrono::nanoseconds value) noexcept;
  static std::chrono::nanoseconds low_of(std::size_t index) noexcept;
  static std::chrono::nanoseconds high_of(std::size_t index) noexcept;

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  wide sum_ = 0; // of nanoseconds
  std::chrono::nanoseconds min_{0}, max_{0};
};

} // namespace sheaf::app
