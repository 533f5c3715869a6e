// SPDX-License-Identifier: BSD-3-Clause
//
// The last minutes for the page: the last requests, and for each second their number and their times. Each loop gathers
// its own and hands it over ten times a second; this is the only lock that loops share.

#pragma once

#include "app/base/histogram.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

namespace sheaf::app::serve {

/// One request of the sheaf file that was answered.
struct finished_request {
  std::chrono::system_clock::time_point when;
  std::string id, name, code;
  unsigned status = 0;
  std::chrono::nanoseconds took{0};
  std::string detail{};   ///< What the database said; empty where nobody may know it.
  std::string timeline{}; ///< Its queries' times, as JSON; empty where they are not kept.
};

/// The requests that one loop has seen since it last handed over. Loop thread.
struct activity_batch {
  static constexpr std::size_t recent_max = 100;
  static constexpr std::size_t timelines_max = 8; ///< Of more requests at once nobody could look at each.

  std::deque<finished_request> recent; ///< The oldest first.
  std::uint64_t requests = 0, errors = 0;
  std::size_t timelines = 0;
  histogram times;

  bool keeps_timeline() const noexcept { return timelines < timelines_max; }
  void add(finished_request x);
};

class activity {
public:
  /// Takes what the batch has, and leaves it empty. Any thread.
  void take(activity_batch& from);

  /// Appends members of a JSON object: `"second"`, `"minutes"`, `"recent"`. Any thread.
  void append_now(std::string& out);

  /// Appends one of the last requests as a JSON object: its members of `"recent"`, and `"detail"` and `"timing"` where
  /// they are kept. False when it is not among them; of several with this id it is the youngest. Any thread.
  bool append_one(std::string& out, std::string_view id);

  /// Appends a JSON array of the values of `"second"` in the last two minutes, the oldest first. Any thread.
  void append_history(std::string& out);

private:
  struct second_summary {
    std::int64_t second = 0; ///< Seconds since 1970.
    std::uint64_t requests = 0, errors = 0;
    std::chrono::nanoseconds p50{0}, p95{0}, p99{0};
  };
  static constexpr std::size_t seconds_kept = 120;
  static constexpr std::size_t slices = 12; ///< Slices of ten seconds.

  void close_seconds(); ///< Called under the lock.
  static void append(std::string& out, const second_summary& x);

  std::mutex lock_;
  std::int64_t second_ = 0; ///< The open one.
  std::uint64_t requests_ = 0, errors_ = 0;
  histogram times_;
  std::deque<second_summary> history_;
  std::array<histogram, slices> recent_times_;
  std::array<std::int64_t, slices> slice_of_{};
  std::deque<finished_request> recent_;
};

} // namespace sheaf::app::serve
