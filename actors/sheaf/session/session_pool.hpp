// SPDX-License-Identifier: BSD-3-Clause
//
// Decides which session a run goes to, and whose run is next: one database's sessions on one loop. Sessions are opened
// when they are needed, and waited for in turn within a priority, on all loops together as well as it can be
// (session_pool_neighbours.cpp). A session takes one run at a time: a lease is its only owner. Loop thread only, unless
// it says otherwise.

#pragma once

#include "sheaf/loop/event_loop.hpp"
#include "sheaf/options.hpp"
#include "sheaf/pool_stats.hpp"
#include "sheaf/session/session.hpp"
#include "sheaf/telemetry/metrics.hpp"

#include <boost/intrusive/list.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf {

class engine_log;
class session_pool;

/// A session, the place in its line, and its pool's notes on it.
struct pooled_session {
  session_run run{}; ///< Outlives the session, which may be in the midst of it.
  std::unique_ptr<sheaf::session> session;
  clock::time_point retire_at = clock::time_point::max();
  clock::time_point lent_at{}, idle_since{}; ///< `lent_at` counts while it is lent, `idle_since` while it is idle.
  clock::time_point alive_at{};              ///< The database's last sign of life, as far as the pool saw one.
  std::string lent_to{};                     ///< Kept when leaks are looked for; empty once one has been reported.
};

/// A seat in the line of a session that the pool has chosen: the place for one run, and the only way to it. Destroying
/// it leaves the seat, whatever becomes of the run.
class lease {
public:
  lease() noexcept = default;
  lease(lease&& x) noexcept : pool_(std::exchange(x.pool_, nullptr)), lent_(std::exchange(x.lent_, nullptr)) {}
  lease& operator=(lease&& x) noexcept {
    lease{std::move(x)}.swap(*this);
    return *this;
  }
  ~lease() {
    if (lent_)
      runs() ? drop() : give_back();
  }

  explicit operator bool() const noexcept { return lent_ != nullptr; }

  // For a lease that has a seat.

  /// Runs `job`; none runs yet. `listener` has the answer, unless this is given up before.
  void push(execution job, run_listener& listener);
  /// The same with a pack, where `takes_packs`; `keep_alive` keeps what its statements are of.
  void push(std::vector<execution> pack, std::shared_ptr<const void> keep_alive, run_listener& listener);
  void resume() { lent_->session->resume(lent_->run); } ///< More rows are wanted.

  bool takes_packs() const noexcept { return lent_->session->takes_packs(); }
  bool runs() const noexcept { return lent_->run.state == session_run::status::in_line; }
  run_listener::moments progress() const noexcept { return lent_->session->progress(lent_->run); }
  notices take_notices() { return lent_->session->take_notices(); }
  int session_id() const noexcept { return lent_->session->id(); }

  void give_back() noexcept; ///< Leaves the seat, where nothing runs: the next waiter may have it.
  void drop() noexcept;      ///< Leaves the seat while the run is in line: that is stopped, and the seat free once the
                             ///< database has confirmed it.
  /// The same with a pack; `at_rest` hears then, on the loop, in which statement it was stopped, if that is known.
  using stopped = std::function<void(std::optional<std::size_t> in)>;
  void drop(stopped at_rest);

private:
  friend class session_pool;
  lease(session_pool& pool, pooled_session& lent) noexcept : pool_(&pool), lent_(&lent) {}
  void swap(lease& x) noexcept {
    std::swap(pool_, x.pool_);
    std::swap(lent_, x.lent_);
  }

  session_pool* pool_ = nullptr;
  pooled_session* lent_ = nullptr;
};

/// Waits for a session. Destroying it ends the wait.
class session_waiter : public boost::intrusive::list_base_hook<> {
public:
  session_waiter() = default;
  session_waiter(const session_waiter&) = delete;
  session_waiter& operator=(const session_waiter&) = delete;
  virtual ~session_waiter() { stop_waiting(); }

  virtual void on_lease(lease got) = 0;
  virtual void on_refused(failure why) = 0;
  /// The pool of another loop has a place for it, which is reserved. It has left the queue here, where it began to wait
  /// at `since`; what it says to `there`, it says on that pool's loop.
  virtual void on_call(session_pool& there, clock::time_point since) = 0;
  virtual std::string_view label() const noexcept { return {}; } ///< Names it in the log: a query's name.

  void stop_waiting() noexcept; ///< Gives up the place in the queue, if there is one.

protected:
  /// Its turn is that of one who has waited since `when`, such as its request's; else since it began to wait. Set
  /// before it waits.
  void set_turn(clock::time_point when) noexcept { turn_of_ = when; }

  /// After `when` a session would come too late: it is refused with `overloaded`, as soon as its turn comes while
  /// others wait.
  void set_latest_start(clock::time_point when) noexcept { latest_start_ = when; }

private:
  friend class session_pool;
  session_pool* pool_ = nullptr; ///< Set while it waits.
  priority rank_{};
  clock::time_point began_{}; ///< When it began to wait.
  std::optional<clock::time_point> turn_of_{};
  clock::time_point latest_start_ = clock::time_point::max();

  clock::time_point turn() const noexcept { return turn_of_.value_or(began_); }
};

class session_pool {
public:
  /// The shares of the priorities, from the highest, of the sessions that come free while all of them wait.
  static constexpr std::array<unsigned, 3> weights{16, 4, 1};

  /// `limits` are this loop's share of the database's. `loop`, `factory` and `log` outlive the pool.
  session_pool(event_loop& loop, session_factory& factory, const engine_log& log, std::string database,
               pool_options limits);

  /// `close` came first. Sessions that are still there (in a C++ task that does not return) are abandoned to their
  /// thread.
  ~session_pool();

  session_pool(const session_pool&) = delete;
  session_pool& operator=(const session_pool&) = delete;

  /// Makes the pools of one database, one on each loop, known to each other: a session that comes free serves whoever
  /// waits, wherever that is. Before any of them is used. They live until all their loops have stopped.
  static void join(const std::vector<session_pool*>& all);

  /// The way on which a query comes to this pool.
  struct arrival {
    bool reserved = false;                    ///< A place was reserved for it, and is now taken up.
    std::optional<clock::time_point> since{}; ///< It has waited since then, on another loop.
  };

  /// An idle session at once, or (an empty lease) a place in the queue: then exactly one of `who`'s `on_…` is called
  /// later, unless it is destroyed before. A full queue, a closed pool, and a server that refused all sessions a moment
  /// ago are failures.
  result<lease> acquire(session_waiter& who, priority rank, arrival how);
  result<lease> acquire(session_waiter& who, priority rank) { return acquire(who, rank, arrival{}); }

  /// Opens `min_size` sessions, and sees to it from then on that there are so many.
  void warm_up();

  /// Refuses all who wait and whoever comes, and ends sessions as they come back. `closed` is called once none is left.
  void close(std::function<void()> closed);

  /// The number of queries that could start at once, here and now, less those that are on their way from other loops;
  /// below zero, the number of those that wait without a place. Any thread; a snapshot.
  std::ptrdiff_t places() const noexcept { return places_.load(std::memory_order_relaxed); }

  /// The number of sessions at rest here. Any thread; a snapshot.
  std::size_t idle() const noexcept { return idle_now_.load(std::memory_order_relaxed); }

  /// The number of sessions that there may be here, less those that are cancelling: while the server refuses new ones,
  /// of those that there are. Any thread; a snapshot.
  std::size_t capacity() const noexcept { return capacity_now_.load(std::memory_order_relaxed); }

  /// Counts on one place less for a query that is on its way here from another loop. Any thread.
  void reserve() noexcept { places_.fetch_sub(1, std::memory_order_relaxed); }
  /// It does not come after all. Any thread.
  void unreserve();

  std::size_t loop_number() const noexcept { return loop_number_; } ///< Among those that were joined.

  std::size_t max_size() const noexcept { return limits_.max_size; }
  const std::string& database() const noexcept { return database_; }
  session_factory& factory() const noexcept { return factory_; }
  const engine_log& log() const noexcept { return log_; }

  /// The numbers as of the last change. Any thread.
  pool_stats stats() const;

  /// Written on the loop, read anywhere.
  pool_metrics& metrics() noexcept { return metrics_; }
  const pool_metrics& metrics() const noexcept { return metrics_; }

  /// True when one more query may be run again now, within the retry budget. If so, `end_retry` follows once that is
  /// over.
  bool begin_retry() noexcept;
  void continue_retry() noexcept { ++retrying_; } ///< One that began on another loop.
  void end_retry() noexcept { --retrying_; }

private:
  friend class lease;
  friend class session_waiter;
  using queue = boost::intrusive::list<session_waiter>;

  /// A sign of life from a session that has been idle for long: it runs `select 1` before anybody else gets it. A
  /// server that is gone without a word, behind a firewall that has forgotten the connection, shows in no other way.
  struct check final : run_listener {
    check(session_pool& pool, pooled_session& of);

    void on_answer(answer&&, const moments&) override { pool.on_checked(*this); }

    session_pool& pool;
    pooled_session& of;
    timer overdue;
  };

  /// A session on its way. One that takes too long is not counted on any more, but keeps its place until it is there
  /// after all, or has failed: its connection may well be open.
  struct opening {
    explicit opening(session_pool& pool);

    clock::time_point began;
    timer overdue;
    bool is_overdue = false;
  };

  result<lease> lend_or_queue(session_waiter& who, priority rank, const arrival& how);
  pooled_session* choose() noexcept;
  lease lend(pooled_session& s, const session_waiter& to);
  void take_back(pooled_session& s);
  void drop(pooled_session& s, lease::stopped at_rest = {});
  void on_broken(pooled_session& s);
  void settle(pooled_session& s);
  void offer(pooled_session& s);
  void destroy(pooled_session& s);

  void serve_waiters();
  void open(std::size_t wanted);
  void on_opened(opening& x, result<std::unique_ptr<session>> opened);
  void on_open_overdue(opening& x);
  void on_open_failed(failure why);

  bool is_stale(const pooled_session& s) const noexcept;
  void begin_check(pooled_session& s);
  void on_checked(check& x);
  void on_check_overdue(check& x);

  void look_after();
  void arm_housekeeping();
  void end_idle(clock::time_point now);
  void check_idle(clock::time_point now);
  void report_leaks(clock::time_point now);

  queue* next_queue() noexcept;
  session_waiter* next_waiter();
  bool refuse_late(session_waiter& who);
  void enqueue(session_waiter& who);
  void remove(session_waiter& who) noexcept;
  void refuse(session_waiter& who, failure why);
  void refuse_all(const failure& why);
  void refuse_expired();
  void arm_queue_timer();

  // Between the loops: session_pool_neighbours.cpp.
  bool others_wait() const noexcept { return queues_->load(std::memory_order_relaxed) > (waiting() > 0 ? 1 : 0); }
  bool take_place() noexcept;
  bool call_one() noexcept;
  session_pool* neediest(bool without_place) const noexcept;
  void call_those_who_wait();
  void call_older();
  void look_elsewhere();
  void send_away(session_pool& there);
  void call(session_pool& from);
  clock::rep oldest(std::size_t rank) const noexcept { return oldest_[rank].load(std::memory_order_relaxed); }
  void publish_oldest() noexcept;

  bool is_cut_off() const noexcept;
  std::ptrdiff_t own_places() const noexcept;
  void publish();
  void check_closed();
  std::size_t waiting() const noexcept;
  failure refusal(errc code, std::string_view why) const;

  event_loop& loop_;
  session_factory& factory_;
  const engine_log& log_;
  const std::string database_;
  const pool_options limits_;

  std::vector<std::unique_ptr<pooled_session>> sessions_; ///< All of them, whoever holds them.
  std::vector<pooled_session*> idle_;                     ///< The last one used goes out first: its backend is warm.
  std::list<check> checks_;                               ///< Their sessions are as good as idle.
  std::list<opening> openings_;
  std::size_t connecting_ = 0; ///< Openings that are not overdue.
  std::size_t cancelling_ = 0;
  std::size_t retrying_ = 0;             ///< Queries that are being run again.
  std::array<queue, 3> waiters_;         ///< By priority.
  std::array<std::uint64_t, 3> turns_{}; ///< Where the next turn of each priority is: the lowest one is next.
  std::uint64_t turn_ = 0;               ///< Where the last turn was.

  timer queue_timer_; ///< For the waiter that gives up first.
  clock::time_point queue_timer_at_{};
  timer retry_timer_;        ///< For the next attempt to connect after a failed one.
  timer housekeeping_timer_; ///< While there are sessions, or should be.
  failure last_failure_;
  clock::time_point retry_at_{};
  unsigned failures_in_a_row_ = 0;

  std::function<void()> closed_; ///< Set once the pool closes.
  bool closing_ = false;
  timer closing_timer_; ///< While it waits for sessions that are being opened.

  std::vector<session_pool*> others_; ///< The pools of this database on the other loops.
  std::size_t loop_number_ = 0;
  /// On how many loops somebody waits: most of the time on none, which costs nothing to read.
  std::shared_ptr<std::atomic<int>> queues_ = std::make_shared<std::atomic<int>>(0);
  timer look_timer_;               ///< Looks elsewhere, but not from within the call that made somebody wait.
  clock::time_point look_again_{}; ///< The next look for those who have waited longer elsewhere.

  std::ptrdiff_t published_places_; ///< Our own count, without reservations and calls of others.
  std::ptrdiff_t arrivals_ = 0;     ///< Reservations that are taken up with the next `publish`.
  std::ptrdiff_t departures_ = 0;   ///< Calls of others that are followed with the next `publish`.

  /// Other loops read this for each query that they have no session for: it is on a cache line of its own, and written
  /// only when it changes. One number: of two, a reader could see one before and one after a change.
  alignas(64) std::atomic<std::ptrdiff_t> places_;
  std::atomic<std::size_t> idle_now_ = 0, waiting_now_ = 0, capacity_now_;
  std::array<std::atomic<clock::rep>, 3> oldest_; ///< Since when the oldest of each priority has waited.

  alignas(64) pool_metrics metrics_;

  // For `stats`.
  std::atomic<std::size_t> total_now_ = 0, checking_now_ = 0, connecting_now_ = 0, cancelling_now_ = 0;
};

} // namespace sheaf
