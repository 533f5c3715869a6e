// SPDX-License-Identifier: BSD-3-Clause
//
// The latest few of a row of durations, in the order of their size too: adding one moves at most 256 bytes, and a
// quantile is then a look. One thread at a time.

#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <span>

namespace sheaf {

/// The smallest of `sorted` that `percent` of them, 1 to 100, do not exceed. Not of none.
inline std::chrono::nanoseconds quantile(std::span<const std::chrono::nanoseconds> sorted,
                                         std::size_t percent) noexcept {
  return sorted[(sorted.size() * percent + 99) / 100 - 1];
}

class latest_durations {
public:
  static constexpr std::size_t size_max = 32;

  void add(std::chrono::nanoseconds x) noexcept {
    const auto begin = by_size_.begin();
    if (size() == size_max) {
      const auto oldest = by_age_[next_];
      const auto at = std::lower_bound(begin, begin + size_, oldest);
      std::copy(at + 1, begin + size_, at);
      sum_ -= oldest;
      --size_;
    }
    const auto at = std::upper_bound(begin, begin + size_, x);
    std::copy_backward(at, begin + size_, begin + size_ + 1);
    *at = x;
    by_age_[next_] = x;
    next_ = (next_ + 1) % size_max;
    ++size_;
    sum_ += x;
  }

  std::size_t size() const noexcept { return static_cast<std::size_t>(size_); }

  std::chrono::nanoseconds quantile(std::size_t percent) const noexcept { return sheaf::quantile(all(), percent); }
  std::chrono::nanoseconds mean() const noexcept { return sum_ / size_; } ///< Not of none.

  /// All of them, the shortest first.
  std::span<const std::chrono::nanoseconds> all() const noexcept {
    return std::span{by_size_}.first(static_cast<std::size_t>(size_));
  }

private:
  std::array<std::chrono::nanoseconds, size_max> by_age_{}, by_size_{}; ///< `next_` is where the next one goes.
  std::chrono::nanoseconds sum_{};
  std::ptrdiff_t size_ = 0;
  std::size_t next_ = 0;
};

} // namespace sheaf
