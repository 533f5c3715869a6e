// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/session/session_pool.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace sheaf {

namespace {

/// The way from one turn of a priority to its next.
constexpr std::uint64_t stride_of(std::size_t rank) { return session_pool::weights[0] / session_pool::weights[rank]; }

/// The retry budget: so many at once, and more as long as they are no more than this share of what runs or waits. When
/// all queries fail, running each of them again would only add to the trouble (Envoy's defaults).
constexpr std::size_t retries_at_least = 3;
constexpr std::size_t retries_percent = 20;

} // namespace

// -- lease and waiter

void lease::push(execution job, run_listener& listener) {
  assert(lent_);
  auto& x = lent_->run;
  x.job = std::move(job);
  x.listener = &listener;
  lent_->session->push(x);
}

void lease::push(std::vector<execution> pack, std::shared_ptr<const void> keep_alive, run_listener& listener) {
  assert(lent_);
  auto& x = lent_->run;
  x.job.keep_alive = std::move(keep_alive);
  x.pack = std::move(pack);
  x.listener = &listener;
  lent_->session->push(x);
}

void lease::give_back() noexcept {
  assert(lent_ && !runs());
  pool_->take_back(*std::exchange(lent_, nullptr));
}

void lease::drop() noexcept {
  assert(lent_ && runs());
  pool_->drop(*std::exchange(lent_, nullptr));
}

void lease::drop(stopped at_rest) {
  assert(lent_ && runs());
  pool_->drop(*std::exchange(lent_, nullptr), std::move(at_rest));
}

void session_waiter::stop_waiting() noexcept {
  if (pool_)
    pool_->remove(*this);
}

// -- sessions go out

session_pool::session_pool(event_loop& loop, session_factory& factory, const engine_log& log, std::string database,
                           pool_options limits)
  : loop_(loop), factory_(factory), log_(log), database_(std::move(database)), limits_(limits),
    queue_timer_([this] { refuse_expired(); }), retry_timer_([this] {
      serve_waiters();
      publish();
    }),
    housekeeping_timer_([this] { look_after(); }), closing_timer_([this] { check_closed(); }),
    look_timer_([this] { look_elsewhere(); }), published_places_(static_cast<std::ptrdiff_t>(limits.max_size)),
    places_(published_places_), capacity_now_(limits.max_size) {
  for (auto& x : oldest_)
    x.store(clock::time_point::max().time_since_epoch().count(), std::memory_order_relaxed); // nobody
}

session_pool::~session_pool() = default;

result<lease> session_pool::acquire(session_waiter& who, priority rank, arrival how) {
  arrivals_ += how.reserved;
  auto got = lend_or_queue(who, rank, how);
  publish();
  return got;
}

result<lease> session_pool::lend_or_queue(session_waiter& who, priority rank, const arrival& how) {
  if (closing_)
    return refusal(errc::pool_closed, "the engine is shutting down");
  if (auto* s = choose()) {
    metrics_.wait.add(how.since ? loop_.now() - *how.since : clock::duration{});
    return lend(*s, who);
  }
  if (waiting() >= limits_.max_queue_size && !how.since) // that one has its place in the queues already
    return refusal(errc::pool_queue_full,
                   "too many queries wait for a session: send fewer at once, or raise pool.max_size or "
                   "pool.max_queue_size");
  if (is_cut_off() && loop_.now() < retry_at_)
    return last_failure_; // the server refused a moment ago: fail fast
  who.pool_ = this;
  who.rank_ = rank;
  who.began_ = how.since.value_or(loop_.now());
  enqueue(who);
  if (const auto gives_up = who.began_ + limits_.acquire_timeout; !queue_timer_.armed() || gives_up < queue_timer_at_)
    loop_.arm(queue_timer_, queue_timer_at_ = gives_up);
  serve_waiters();
  return lease{};
}

/// The session that the next run goes to, which is not at rest any more: the one used last, whose backend is warm. Null
/// when there is none, or when all that are there have to be checked before.
pooled_session* session_pool::choose() noexcept {
  if (idle_.empty() || is_stale(*idle_.back()))
    return nullptr;
  auto* s = idle_.back();
  idle_.pop_back();
  return s;
}

lease session_pool::lend(pooled_session& s, const session_waiter& to) {
  s.lent_at = loop_.now();
  if (limits_.leak_detection_threshold) {
    s.lent_to = to.label();
    arm_housekeeping();
  }
  return {*this, s};
}

// -- sessions come back

void session_pool::take_back(pooled_session& s) {
  metrics_.use.add(loop_.now() - s.lent_at);
  s.lent_to.clear();
  s.idle_since = s.alive_at = loop_.now();
  settle(s);
}

void session_pool::drop(pooled_session& s, lease::stopped at_rest) {
  ++cancelling_;
  metrics_.cancels.add();
  publish();
  s.session->drop(s.run, [this, &s, at_rest = std::move(at_rest)] {
    --cancelling_;
    if (at_rest)
      at_rest(s.run.stopped_in);
    take_back(s);
  });
}

/// Keeps a session that nobody uses, or ends it.
void session_pool::settle(pooled_session& s) {
  if (!s.session->usable())
    on_broken(s);
  else if (closing_ || s.retire_at <= loop_.now())
    destroy(s);
  else
    offer(s);
}

/// Gives the session to whoever waits longest, or lays it by.
void session_pool::offer(pooled_session& s) {
  if (auto* who = next_waiter()) {
    metrics_.wait.add(loop_.now() - who->began_);
    call_older();
    who->on_lease(lend(s, *who));
  } else {
    // In the order in which they were used: one that was checked only now goes to its old place.
    const auto used_before = [](const pooled_session* a, const pooled_session* b) {
      return a->idle_since < b->idle_since;
    };
    idle_.insert(std::upper_bound(idle_.begin(), idle_.end(), &s, used_before), &s);
    arm_housekeeping();
    publish();
  }
}

// -- the queue

/// The queue whose turn it is; null when nobody waits. The priorities take turns, each by its own stride (stride
/// scheduling, Waldspurger and Weihl 1995): none starves, and where only some wait, they share what there is.
session_pool::queue* session_pool::next_queue() noexcept {
  queue* next = nullptr;
  for (std::size_t rank = 0; rank < waiters_.size(); ++rank)
    if (!waiters_[rank].empty() && (!next || turns_[rank] < turns_[static_cast<std::size_t>(next->front().rank_)]))
      next = &waiters_[rank];
  return next;
}

/// Takes the next one out of the queue: the oldest of the priority whose turn it is.
session_waiter* session_pool::next_waiter() {
  while (auto* q = next_queue()) {
    auto& who = q->front();
    if (refuse_late(who))
      continue;
    const auto rank = static_cast<std::size_t>(who.rank_);
    turn_ = turns_[rank];
    turns_[rank] += stride_of(rank);
    remove(who);
    return &who;
  }
  return nullptr;
}

/// Refuses one that would only keep a session from others: it cannot be answered in time any more.
bool session_pool::refuse_late(session_waiter& who) {
  if (who.latest_start_ >= loop_.now() || (waiting() == 1 && !others_wait()))
    return false;
  refuse(who, refusal(errc::overloaded, "its statement takes longer than it has left, and others wait: send fewer "
                                        "requests at once, make queries faster, or raise pool.max_size or the "
                                        "deadline"));
  return true;
}

/// In the order in which their requests came, or they themselves, wherever that was: a request of many queries is not
/// overtaken by later ones at each.
void session_pool::enqueue(session_waiter& who) {
  const auto rank = static_cast<std::size_t>(who.rank_);
  auto& q = waiters_[rank];
  if (q.empty() && turns_[rank] <= turn_) // it has not saved up turns while it did not wait
    turns_[rank] = turn_ + stride_of(rank);
  auto behind = q.end();
  while (behind != q.begin() && std::prev(behind)->turn() > who.turn())
    --behind;
  q.insert(behind, who);
  publish_oldest();
}

void session_pool::remove(session_waiter& who) noexcept {
  auto& q = waiters_[static_cast<std::size_t>(who.rank_)];
  q.erase(q.iterator_to(who));
  who.pool_ = nullptr;
  publish_oldest();
  publish();
}

void session_pool::refuse(session_waiter& who, failure why) {
  remove(who);
  who.on_refused(std::move(why));
}

void session_pool::refuse_all(const failure& why) {
  for (auto& q : waiters_)
    while (!q.empty())
      refuse(q.front(), why);
}

/// The first in turn may have begun to wait last, so all are looked at. The timer has them looked at when one is due.
void session_pool::refuse_expired() {
  const auto since = loop_.now() - limits_.acquire_timeout;
  std::vector<session_waiter*> expired;
  for (auto& q : waiters_)
    for (auto& who : q)
      if (who.began_ <= since)
        expired.push_back(&who);
  for (auto* who : expired) {
    metrics_.timeouts.add();
    refuse(*who, refusal(errc::pool_timeout,
                         fmt::format("no session came free within pool.acquire_timeout ({}): make "
                                     "queries faster, or raise pool.max_size",
                                     std::chrono::duration_cast<std::chrono::milliseconds>(limits_.acquire_timeout))));
  }
  arm_queue_timer();
}

void session_pool::arm_queue_timer() {
  auto first = clock::time_point::max();
  for (const auto& q : waiters_)
    for (const auto& who : q)
      first = std::min(first, who.began_);
  if (first != clock::time_point::max())
    loop_.arm(queue_timer_, queue_timer_at_ = first + limits_.acquire_timeout);
}

std::size_t session_pool::waiting() const noexcept {
  return waiters_[0].size() + waiters_[1].size() + waiters_[2].size();
}

// -- queries that are run again

bool session_pool::begin_retry() noexcept {
  const auto active = sessions_.size() - idle_.size() - checks_.size() - cancelling_ + waiting();
  if (retrying_ >= std::max(retries_at_least, active * retries_percent / 100)) {
    metrics_.retries_refused.add();
    return false;
  }
  ++retrying_;
  metrics_.retries.add();
  return true;
}

// -- the numbers

/// Sessions that are free or may be opened, less those who wait for one. While the server refuses new ones nobody
/// counts on them.
std::ptrdiff_t session_pool::own_places() const noexcept {
  if (closing_)
    return 0;
  const auto overdue = openings_.size() - connecting_;
  const auto to_come = loop_.now() < retry_at_ ? connecting_ : limits_.max_size - sessions_.size() - overdue;
  return static_cast<std::ptrdiff_t>(idle_.size() + to_come) - static_cast<std::ptrdiff_t>(waiting());
}

void session_pool::publish() {
  constexpr auto relaxed = std::memory_order_relaxed;
  total_now_.store(sessions_.size(), relaxed);
  idle_now_.store(idle_.size(), relaxed);
  checking_now_.store(checks_.size(), relaxed);
  connecting_now_.store(connecting_, relaxed);
  cancelling_now_.store(cancelling_, relaxed);
  waiting_now_.store(waiting(), relaxed);
  capacity_now_.store((loop_.now() < retry_at_ ? sessions_.size() : limits_.max_size) - cancelling_, relaxed);
  const auto own = own_places();
  const auto more = own - std::exchange(published_places_, own);
  const auto change = more + std::exchange(arrivals_, 0) - std::exchange(departures_, 0);
  if (change != 0)
    places_.fetch_add(change, relaxed);
  if (others_.empty() || (more == 0 && change == 0))
    return;
  // A pool whose queries wait and a pool that has a place each write their own number before they read the other's: one
  // of them sees both.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (waiting() > 0 && !look_timer_.armed())
    loop_.arm(look_timer_, loop_.now());
  if (others_wait() && places() > 0)
    call_those_who_wait();
}

pool_stats session_pool::stats() const {
  constexpr auto relaxed = std::memory_order_relaxed;
  pool_stats x;
  x.database = database_;
  x.max_size = limits_.max_size;
  x.total = total_now_.load(relaxed);
  x.idle = idle_now_.load(relaxed) + checking_now_.load(relaxed);
  x.connecting = connecting_now_.load(relaxed);
  x.cancelling = cancelling_now_.load(relaxed);
  x.waiting = waiting_now_.load(relaxed);
  const auto at_rest = x.idle + x.cancelling;
  x.active = x.total > at_rest ? x.total - at_rest : 0;
  duration_histogram::sums created;
  metrics_.create.add_to(created);
  x.opened = created.count();
  x.open_failures = metrics_.open_failures.get();
  x.lost = metrics_.lost.get();
  x.timeouts = metrics_.timeouts.get();
  x.cancels = metrics_.cancels.get();
  x.checks = metrics_.checks.get();
  x.leaks = metrics_.leaks.get();
  x.retries = metrics_.retries.get();
  x.retries_refused = metrics_.retries_refused.get();
  x.packs = metrics_.packs.get();
  x.packed = metrics_.packed.get();
  x.unpacked = metrics_.unpacked.get();
  return x;
}

failure session_pool::refusal(errc code, std::string_view why) const {
  const auto idle = idle_.size() + checks_.size();
  const auto active = sessions_.size() - idle - cancelling_;
  return {.code = code,
          .phase = phase::queue,
          .message =
              fmt::format("pool {}: {} (total {} of {}, active {}, idle {}, waiting {}, connecting {})", database_, why,
                          sessions_.size(), limits_.max_size, active, idle, waiting(), connecting_)};
}

} // namespace sheaf
