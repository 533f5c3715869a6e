// SPDX-License-Identifier: BSD-3-Clause
//
// Learns from answers how long statements take: of one database, by the requests of one loop. Nothing is asked of the
// server. On that loop only, but for what reports read; they never make the loop wait when it learns.

#pragma once

#include "sheaf/clock.hpp"
#include "sheaf/pool_stats.hpp"
#include "sheaf/request.hpp"
#include "sheaf/sql/recent_statements.hpp"
#include "sheaf/telemetry/latest_durations.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace sheaf {

class statement_times {
public:
  /// The statements that are kept, those used last; the longest text of one that is; the bytes kept of its name.
  static constexpr std::size_t statements_max = 500, text_max = 4 << 10, name_max = 64;

  /// The time for which a run is expected to have its session: on the average, and at most, 19 times in 20.
  struct expected {
    std::chrono::nanoseconds mean{}, most{};
  };

  /// Nothing where it is not known, or was learnt so long ago that it may not be true any more; a statement that has
  /// been so slow that it is refused is thus tried again, once in a while.
  std::optional<expected> expect(const parsed_statement& text, clock::time_point now) const;

  /// The time that the server needs for a statement that is known to be short, with a small answer: the least that it
  /// took in the last minute or two. Waiting for a core only ever lengthens a run, and where many run at once nearly
  /// all wait. Nothing for any other, and for one that was long of late, compared with all that are short.
  std::optional<std::chrono::nanoseconds> short_time(const parsed_statement& text, clock::time_point now) const;

  /// One that was not known has been admitted: it is not tried again for a while.
  void tries(const parsed_statement& text, clock::time_point now);

  /// The mean over all runs of late, tasks too: for what is not known. 0 before the first.
  std::chrono::nanoseconds typical() const noexcept { return typical_; }

  /// Learns from an answer that came, or did not come by its deadline: that took as long at least, which says something
  /// if it is longer than others took. Other failures say nothing, and rows in parts come at the pace of their taker.
  /// `text` is null for a task; the request was taken at `taken_at`. An answer that comes while somebody reads the
  /// samples teaches nothing.
  void add(const query& asked, const parsed_statement* text, const outcome& got, clock::time_point taken_at,
           clock::time_point now);

  /// It was answered in a pack, in which nothing has a time of its own; `share` is the pack's time, divided by its
  /// statements.
  void add_packed(const parsed_statement& text, std::chrono::nanoseconds share, clock::time_point now);

  /// It took so long that the others of its pack had to be run elsewhere: it is not short until it has been for a
  /// while.
  void hold_against(const parsed_statement& text);

  /// The samples of one statement, for reports.
  struct sampled {
    std::string sql;
    std::size_t hash = 0; ///< Hash of `sql`.
    std::string query;    ///< Name under which it was sent first, without the number that a fan-out gives each.
    std::uint64_t runs = 0, packed = 0;
    std::chrono::nanoseconds total{};
    double rows = 0, bytes = 0;
    std::vector<std::chrono::nanoseconds> latest; ///< From sending it to its last row.
  };
  std::vector<sampled> samples() const; ///< Any thread.

  /// The least time that any answer took in the last minute or two: that of the way there and back, with a server that
  /// has next to nothing to do. 0 where there was none. Any thread.
  std::chrono::nanoseconds round_trip(clock::time_point now) const noexcept;

private:
  /// The least of the durations of the last minute or two.
  class least_of_late {
  public:
    void add(std::chrono::nanoseconds x, clock::time_point now) noexcept;
    std::optional<std::chrono::nanoseconds> get(clock::time_point now) const noexcept;

  private:
    static constexpr auto none = std::chrono::nanoseconds::max();
    std::chrono::nanoseconds this_minute_ = none, minute_before_ = none;
    clock::time_point began_{};
  };

  struct known {
    parsed_statement text;
    std::string query{};
    latest_durations answers{};
    least_of_late least{};
    std::uint16_t long_runs = 0; ///< A bit for each of the last 16, the last one lowest.
    bool is_long = false;        ///< Too many of them were.
    std::uint8_t short_runs = 0; ///< In a row, since then.
    std::uint64_t runs = 0, packed = 0;
    std::chrono::nanoseconds total{};
    double rows = 0, bytes = 0;           ///< Means, the later ones weigh more.
    mutable clock::time_point tried_at{}; ///< When it was run last, or was to be tried again. Reports do not read it.
  };

  void learn(const query& asked, const parsed_statement& text, std::chrono::nanoseconds took, const table* rows,
             clock::time_point now);
  void judge(known& x, std::chrono::nanoseconds took, clock::time_point now) noexcept;
  std::chrono::nanoseconds way(clock::time_point now) const noexcept;

  /// Held by those who read elsewhere, and here by those who write; the loop reads without it.
  mutable std::mutex lock_;
  recent_statements<known> statements_;
  std::chrono::nanoseconds typical_{}, beside_{}; ///< `beside_`: of having a session, what is not the answer's.
  std::chrono::nanoseconds usual_{};              ///< Mean time of late of the runs of what is short.
  least_of_late least_;                           ///< Of all answers.
};

/// Statistics of the statements of all loops: of those `most` that took most of the time, in that order. Pure.
std::vector<statement_stats> merged(const std::string& database,
                                    const std::vector<std::vector<statement_times::sampled>>& loops,
                                    std::chrono::nanoseconds round_trip, std::size_t most);

} // namespace sheaf
