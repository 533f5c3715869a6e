// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/session_pool.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace sheaf {

namespace {

/// A waiter of a lower priority is served at the latest after this many of higher ones.
constexpr unsigned patience = 8;

/// How long to leave a server alone that refused a session: doubling from the first to the last, give or take a
/// quarter.
constexpr auto first_backoff = std::chrono::milliseconds{50};
constexpr auto last_backoff = std::chrono::seconds{2};

clock::duration backoff(unsigned failures_in_a_row) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto doubled = first_backoff * (1u << std::min(failures_in_a_row, 6u));
  const auto jitter = std::uniform_real_distribution{0.75, 1.25}(random);
  return std::chrono::duration_cast<clock::duration>(std::min<clock::duration>(doubled, last_backoff) * jitter);
}

/// How often idle sessions are looked at: often enough that they end about when they should.
clock::duration housekeeping_interval(const pool_options& limits) {
  const auto shortest = std::min(limits.idle_timeout, limits.max_lifetime) / 10;
  return std::clamp<clock::duration>(shortest, std::chrono::milliseconds{1}, std::chrono::seconds{30});
}

/// Sessions that were opened together do not end together.
clock::duration lifetime(const pool_options& limits) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::chrono::duration_cast<clock::duration>(limits.max_lifetime *
                                                     std::uniform_real_distribution{0.9, 1.1}(random));
}

/// An attempt to open a session is given up after this, unless the URL's `connect_timeout` says otherwise.
constexpr auto open_timeout = std::chrono::seconds{10};

} // namespace

// -- lease and waiter
// -----------------------------------------------------------------------------------------------------

void lease::give_back() noexcept {
  if (auto* s = std::exchange(session_, nullptr))
    pool_->take_back(*s);
}

void lease::cancel() noexcept {
  if (auto* s = std::exchange(session_, nullptr))
    pool_->cancel(*s);
}

void session_waiter::stop_waiting() noexcept {
  if (pool_)
    pool_->remove(*this);
}

// -- acquire
// --------------------------------------------------------------------------------------------------------------

session_pool::session_pool(event_loop& loop, session_factory& factory, std::string database, pool_options limits)
  : loop_(loop), factory_(factory), database_(std::move(database)), limits_(limits),
    queue_timer_([this] { refuse_expired(); }), retry_timer_([this] { open_for_waiters(); }),
    housekeeping_timer_([this] { look_after_idle(); }), shown_{.places = static_cast<std::ptrdiff_t>(limits.max_size)} {
}

session_pool::~session_pool() = default;

result<lease> session_pool::acquire(session_waiter& who, priority rank) {
  if (closing_)
    return refusal(errc::pool_closed, "the engine is shutting down");
  if (!idle_.empty()) {
    auto* s = idle_.back();
    idle_.pop_back();
    publish();
    return lease{*this, *s};
  }
  if (waiting() >= limits_.max_queue_size)
    return refusal(errc::pool_queue_full,
                   "too many queries wait for a session: send fewer at once, or raise pool.max_size or "
                   "pool.max_queue_size");
  if (sessions_.empty() && connecting_ == 0 && loop_.now() < retry_at_)
    return last_failure_; // the server refused a moment ago: fail fast
  who.pool_ = this;
  who.rank_ = rank;
  who.give_up_ = loop_.now() + limits_.acquire_timeout;
  waiters_[static_cast<std::size_t>(rank)].push_back(who);
  if (!queue_timer_.armed())
    loop_.arm(queue_timer_, who.give_up_);
  open_for_waiters();
  publish();
  return lease{};
}

// -- sessions come back
// ---------------------------------------------------------------------------------------------------

void session_pool::take_back(session& s) {
  if (!s.usable() || closing_ || s.stay.retire_at <= loop_.now())
    destroy(s);
  else
    offer(s);
}

void session_pool::cancel(session& s) {
  ++cancelling_;
  publish();
  s.cancel([this, &s] { on_cancelled(s); });
}

void session_pool::on_cancelled(session& s) {
  --cancelling_;
  take_back(s);
}

void session_pool::on_broken(session& s) {
  std::erase(idle_, &s);
  destroy(s);
}

/// Gives the session to whoever waits longest, or keeps it.
void session_pool::offer(session& s) {
  if (auto* who = next_waiter()) {
    who->on_lease(lease{*this, s});
  } else {
    s.stay.idle_since = loop_.now();
    idle_.push_back(&s);
    arm_housekeeping();
    publish();
  }
}

void session_pool::destroy(session& s) {
  std::erase_if(sessions_, [&](const auto& x) { return x.get() == &s; });
  open_for_waiters();
  publish();
  check_closed();
}

// -- sessions are opened
// --------------------------------------------------------------------------------------------------

/// Opens as many sessions as there are waiters without one on its way, within the limits.
void session_pool::open_for_waiters() {
  if (closing_)
    return;
  if (loop_.now() < retry_at_) {
    if (waiting() > 0 && !retry_timer_.armed())
      loop_.arm(retry_timer_, retry_at_);
    return;
  }
  open(waiting());
}

/// Opens sessions until `wanted` are on their way, within the limits.
void session_pool::open(std::size_t wanted) {
  while (connecting_ < wanted && connecting_ < limits_.connecting_limit &&
         sessions_.size() + connecting_ < limits_.max_size) {
    ++connecting_;
    factory_.open(loop_, loop_.now() + open_timeout,
                  [this](result<std::unique_ptr<session>> opened) { on_opened(std::move(opened)); });
  }
}

void session_pool::on_opened(result<std::unique_ptr<session>> opened) {
  --connecting_;
  if (opened.has_error()) {
    on_open_failed(std::move(opened).error());
    return;
  }
  failures_in_a_row_ = 0;
  retry_at_ = {};
  auto& s = *sessions_.emplace_back(std::move(*opened));
  s.stay.retire_at = loop_.now() + lifetime(limits_);
  s.on_broken([this, &s] { on_broken(s); });
  take_back(s);
  open_for_waiters();
  publish();
}

/// Whoever waits goes on waiting as long as another session may serve them.
void session_pool::on_open_failed(failure why) {
  retry_at_ = loop_.now() + backoff(failures_in_a_row_++);
  last_failure_ = std::move(why);
  if (sessions_.empty() && connecting_ == 0)
    refuse_all(last_failure_);
  open_for_waiters();
  publish();
  check_closed();
}

// -- sessions that nobody needs
// --------------------------------------------------------------------------------------------

void session_pool::warm_up() {
  if (limits_.min_size > 0)
    look_after_idle();
}

/// Ends what has been idle, or has lived, for long enough, the one used longest ago first; opens what is missing.
void session_pool::look_after_idle() {
  if (closing_)
    return;
  const auto now = loop_.now();
  const auto done_with = [&](const session* s) {
    return s->stay.retire_at <= now ||
           (s->stay.idle_since + limits_.idle_timeout <= now && sessions_.size() > limits_.min_size);
  };
  for (auto i = std::find_if(idle_.begin(), idle_.end(), done_with); i != idle_.end();
       i = std::find_if(idle_.begin(), idle_.end(), done_with)) {
    auto& s = **i;
    idle_.erase(i);
    destroy(s);
  }
  if (const auto there = sessions_.size() + connecting_; there < limits_.min_size && now >= retry_at_)
    open(connecting_ + limits_.min_size - there);
  arm_housekeeping();
  publish();
}

void session_pool::arm_housekeeping() {
  if ((!idle_.empty() || limits_.min_size > 0) && !housekeeping_timer_.armed() && !closing_)
    loop_.arm(housekeeping_timer_, loop_.now() + housekeeping_interval(limits_));
}

// -- the queue
// ------------------------------------------------------------------------------------------------------------

/// Takes the next one out of the queue: the highest priority's oldest, unless a lower one has been patient for long.
session_waiter* session_pool::next_waiter() {
  auto chosen = waiters_.end();
  for (auto q = waiters_.begin(); q != waiters_.end(); ++q) {
    const auto rank = static_cast<std::size_t>(q - waiters_.begin());
    if (!q->empty() && (chosen == waiters_.end() || ++passed_over_[rank] > patience))
      chosen = q;
  }
  if (chosen == waiters_.end())
    return nullptr;
  passed_over_[static_cast<std::size_t>(chosen - waiters_.begin())] = 0;
  auto& who = chosen->front();
  remove(who);
  return &who;
}

void session_pool::remove(session_waiter& who) noexcept {
  auto& q = waiters_[static_cast<std::size_t>(who.rank_)];
  q.erase(q.iterator_to(who));
  who.pool_ = nullptr;
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

/// All wait equally long at most, so the oldest of each priority gives up first.
void session_pool::refuse_expired() {
  for (auto& q : waiters_)
    while (!q.empty() && q.front().give_up_ <= loop_.now())
      refuse(q.front(),
             refusal(errc::pool_timeout,
                     fmt::format("no session came free within pool.acquire_timeout ({}): make "
                                 "queries faster, or raise pool.max_size",
                                 std::chrono::duration_cast<std::chrono::milliseconds>(limits_.acquire_timeout))));
  arm_queue_timer();
}

void session_pool::arm_queue_timer() {
  auto first = clock::time_point::max();
  for (const auto& q : waiters_)
    if (!q.empty())
      first = std::min(first, q.front().give_up_);
  if (first != clock::time_point::max())
    loop_.arm(queue_timer_, first);
}

std::size_t session_pool::waiting() const noexcept {
  return waiters_[0].size() + waiters_[1].size() + waiters_[2].size();
}

// -- the end, and the numbers
// ---------------------------------------------------------------------------------------------

void session_pool::close(std::function<void()> closed) {
  closing_ = true;
  closed_ = std::move(closed);
  queue_timer_.disarm();
  retry_timer_.disarm();
  housekeeping_timer_.disarm();
  refuse_all(refusal(errc::pool_closed, "the engine is shutting down"));
  for (auto* s : std::exchange(idle_, {}))
    std::erase_if(sessions_, [&](const auto& x) { return x.get() == s; });
  publish();
  check_closed();
}

void session_pool::check_closed() {
  if (closing_ && closed_ && sessions_.empty() && connecting_ == 0)
    std::exchange(closed_, nullptr)();
}

void session_pool::publish() noexcept {
  constexpr auto relaxed = std::memory_order_relaxed;
  const auto waiting_now = waiting();
  total_now_.store(sessions_.size(), relaxed);
  idle_now_.store(idle_.size(), relaxed);
  connecting_now_.store(connecting_, relaxed);
  cancelling_now_.store(cancelling_, relaxed);
  waiting_now_.store(waiting_now, relaxed);
  const auto free = idle_.size() + limits_.max_size - sessions_.size();
  if (const auto places = static_cast<std::ptrdiff_t>(free - std::min(free, waiting_now));
      places != shown_.places.load(relaxed))
    shown_.places.store(places, relaxed);
}

pool_stats session_pool::stats() const {
  constexpr auto relaxed = std::memory_order_relaxed;
  pool_stats x;
  x.database = database_;
  x.max_size = limits_.max_size;
  x.total = total_now_.load(relaxed);
  x.idle = idle_now_.load(relaxed);
  x.connecting = connecting_now_.load(relaxed);
  x.cancelling = cancelling_now_.load(relaxed);
  x.waiting = waiting_now_.load(relaxed);
  const auto at_rest = x.idle + x.cancelling;
  x.active = x.total > at_rest ? x.total - at_rest : 0;
  return x;
}

failure session_pool::refusal(errc code, std::string_view what) const {
  const auto active = sessions_.size() - idle_.size() - cancelling_;
  return {.code = code,
          .phase = phase::queue,
          .message =
              fmt::format("pool {}: {} (total {} of {}, active {}, idle {}, waiting {}, connecting {})", database_,
                          what, sessions_.size(), limits_.max_size, active, idle_.size(), waiting(), connecting_)};
}

} // namespace sheaf
