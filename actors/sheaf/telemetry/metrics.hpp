// SPDX-License-Identifier: BSD-3-Clause
//
// The engine's counts about itself. Each number is written by one loop and read by any thread, so counting takes
// neither a lock nor a locked instruction.

#pragma once

#include "sheaf/error.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace sheaf {

/// A number that only grows.
class counter {
public:
  /// Called on the one thread that writes it.
  void add(std::uint64_t n = 1) noexcept { count_.store(get() + n, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return count_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> count_ = 0;
};

/// Counts of durations in buckets.
class duration_histogram {
public:
  /// The buckets' upper bounds, as OpenTelemetry recommends them for databases. One more has no bound.
  static constexpr std::array<std::chrono::milliseconds, 9> bounds{
      {std::chrono::milliseconds{1}, std::chrono::milliseconds{5}, std::chrono::milliseconds{10},
       std::chrono::milliseconds{50}, std::chrono::milliseconds{100}, std::chrono::milliseconds{500},
       std::chrono::seconds{1}, std::chrono::seconds{5}, std::chrono::seconds{10}}};

  void add(std::chrono::nanoseconds took) noexcept {
    std::size_t bucket = 0;
    while (bucket < bounds.size() && took > bounds[bucket]) // most take less than the first
      ++bucket;
    counts_[bucket].add();
    total_ns_.store(total_ns_.load(std::memory_order_relaxed) + took.count(), std::memory_order_relaxed);
  }

  /// Sums of several.
  struct sums {
    std::array<std::uint64_t, bounds.size() + 1> counts{};
    std::chrono::nanoseconds total{0};

    std::uint64_t count() const noexcept;
  };
  void add_to(sums& x) const noexcept;

private:
  std::array<counter, bounds.size() + 1> counts_;
  std::atomic<std::int64_t> total_ns_ = 0;
};

/// One histogram for success and one for each code of a failure.
class outcome_histograms {
public:
  static constexpr std::size_t size = static_cast<std::size_t>(errc_last) + 1;

  /// `failed` is null for a success.
  void add(const failure* failed, std::chrono::nanoseconds took) noexcept {
    auto code = failed ? static_cast<std::size_t>(failed->code) : 0;
    if (code >= size) // a task may throw a failure with any number for its code
      code = static_cast<std::size_t>(errc::internal);
    by_code_[code].add(took);
  }
  const duration_histogram& operator[](std::size_t code) const noexcept { return by_code_[code]; } ///< 0 for success.

private:
  std::array<duration_histogram, size> by_code_;
};

/// Metrics of one database's sessions on one loop.
struct pool_metrics {
  outcome_histograms operation; ///< Queries: from having a session, or from asking for it in vain, to the reply.
  duration_histogram create;    ///< Sessions that were opened.
  duration_histogram wait;      ///< Waits for a session, by those that got one.
  duration_histogram use;       ///< Times from getting a session until it was back.
  counter open_failures;        ///< Attempts to open a session.
  counter timeouts;             ///< Waits that `acquire_timeout` ended.
  counter lost;                 ///< Sessions that broke, or had to be broken off.
  counter cancels;              ///< Statements that were stopped.
  counter checks;               ///< Idle sessions that were asked for a sign of life.
  counter leaks;                ///< Sessions that were out longer than `leak_detection_threshold`.
  counter retries;              ///< Queries that were run again.
  counter retries_refused;      ///< Queries that were not run again, as the retry budget had no room.
  counter packs;                ///< Packs that were sent.
  counter packed;               ///< Queries that were answered in one.
  counter unpacked;             ///< Queries of a pack that were run by themselves after all.
};

} // namespace sheaf
