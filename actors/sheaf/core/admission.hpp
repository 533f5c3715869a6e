// SPDX-License-Identifier: BSD-3-Clause
//
// Decides, before any query of a request begins, whether the request can be answered in time: by what its statements
// took lately, and by the work that those before it have still to do. One that cannot be is refused while its
// caller can still do something else, and the database works for those that can. docs/performance.md has the experiment
// that the rule comes from.

#pragma once

#include "sheaf/core/checked_request.hpp"
#include "sheaf/session/session_pool.hpp"
#include "sheaf/telemetry/statement_times.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

namespace sheaf {

/// So many of a request's queries are served in its turn, one after another. More of them wait as if each had come by
/// itself: else one request of thousands would hold up all that come after it.
inline constexpr std::size_t queries_together = 16;

/// For the requests that live on one loop. On that loop only, but for `work`.
class admission {
public:
  explicit admission(const options& settings);

  /// Makes it known to that of each loop, itself among them, and to the sessions there. Before it is used.
  void join(std::vector<const admission*> all, std::vector<std::vector<const session_pool*>> pools_by_database);

  /// The forecast for an admitted request, which gives it back at its end.
  struct ticket {
    struct share {
      std::chrono::nanoseconds work{};    ///< How long it is expected to have a session.
      std::chrono::nanoseconds most{};    ///< How long at most, 19 times in 20; 0 where that is not known.
      std::chrono::nanoseconds counted{}; ///< What of it others have before them.
      /// The time that the server needs for it; set where it is to be packed.
      std::optional<std::chrono::nanoseconds> packed{};
    };
    std::vector<share> each;    ///< By query; none where it was refused.
    bool behind_others = false; ///< Somebody waited for a session: its end shows whether the forecast was right.
  };

  /// Counts on the work of `asked`, or refuses it: `overloaded`. One is admitted whenever nobody waits for a session.
  /// Of statements of which nothing is known, and of queries whose failure would not be the request's, the wait alone
  /// is judged.
  result<ticket> admit(const checked_request& asked, clock::time_point now);

  /// Query `i` begins. Of a request of many queries only the first `queries_together` count before.
  void begin(const checked_request& asked, std::size_t i, ticket::share& share) noexcept;

  /// Query `i` is over: its work is done, or will not be. What it took is learnt.
  void done(const checked_request& asked, std::size_t i, const ticket::share& share, const outcome& got,
            clock::time_point now) noexcept;

  /// For packs: the way to the server and back, and the stretch: so many times what it is expected to take, all but one
  /// in 1024 packs take no longer of late. Where many run at once, each waits for a core.
  std::chrono::nanoseconds round_trip(std::size_t database, clock::time_point now) const noexcept {
    return databases_[database].times.round_trip(now);
  }
  double stretch(std::size_t database) const noexcept { return databases_[database].stretch; }

  /// A pack is over that was late, by the stretch as it was when it was sent, or was not.
  void learn_lateness(std::size_t database, bool was_late) noexcept;

  /// A pack of so many statements had its session for `took`.
  void learn_work(std::size_t database, std::size_t statements, std::chrono::nanoseconds took) noexcept;

  /// Query `i` has held up the others of its pack.
  void hold_against(const checked_request& asked, std::size_t i);

  /// The request is over, with these outcomes.
  void settle(const checked_request& asked, const ticket& given, const std::vector<outcome>& all,
              clock::time_point now) noexcept;

  /// Called for each request that was refused: the number of those since the last report; nothing where that was less
  /// than a second ago. A line of the log for each would only add to the work.
  std::optional<std::uint64_t> refusals_to_report(clock::time_point now);

  /// The work of the requests here of that database and priority that is not done yet, in nanoseconds. Any thread.
  std::int64_t work(std::size_t database, std::size_t rank) const noexcept {
    return databases_[database].work[rank].load(std::memory_order_relaxed);
  }

  const statement_times& times(std::size_t database) const noexcept { return databases_[database].times; }

private:
  struct of_database {
    statement_times times;
    std::array<std::atomic<std::int64_t>, 3> work{}; ///< By priority. Written here only.
    double stretch = 16;                             ///< As `admission::stretch` has it.
    std::chrono::nanoseconds packed_work{};          ///< Mean time of late that a query in a pack has a session for.
    unsigned until_alone = 0;     ///< So many may be packed until one is run alone, to see what it takes.
    clock::time_point alone_at{}; ///< When the last one was.
    double margin = 0; ///< The wait is forecast this much longer: it grows with each answer that came too late.
  };

  /// The work that has to be done in one database before a request is answered.
  struct demand {
    bool any = false;
    std::chrono::nanoseconds work{}, longest{}, longest_most{};
    clock::time_point latest_start = clock::time_point::max(); ///< Of the query that has the least time to spare.
  };

  std::optional<std::chrono::nanoseconds> time_in_pack(const checked_request& asked, std::size_t i,
                                                       clock::time_point now);
  void add_demand(const checked_request& asked, std::size_t i, const ticket::share& share);
  std::optional<failure> refuse(const checked_request& asked, std::size_t database, const demand& own,
                                clock::time_point now) const;
  bool somebody_waits(std::size_t database) const noexcept;
  std::size_t pending_bytes() const noexcept;
  void add_work(std::size_t database, priority rank, std::int64_t ns) noexcept;

  const options& settings_;
  std::vector<const admission*> all_;
  std::vector<std::vector<const session_pool*>> pools_; ///< By database, of all loops.
  std::vector<of_database> databases_;
  std::vector<demand> demands_; ///< Of the request that is being looked at.
  std::uint64_t refused_ = 0;   ///< Not reported yet.
  clock::time_point reported_at_{};
  std::atomic<std::size_t> pending_bytes_ = 0; ///< Of the requests here that are not answered yet. Written here only.
};

} // namespace sheaf
