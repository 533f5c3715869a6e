// SPDX-License-Identifier: BSD-3-Clause
//
// A pool opens sessions, looks after those that nobody uses, and ends them.

#include "sheaf/base/jitter.hpp"
#include "sheaf/session/session_pool.hpp"
#include "sheaf/telemetry/engine_log.hpp"

#include <algorithm>

namespace sheaf {

namespace {

using namespace std::chrono_literals;

/// A session that is being opened has this much longer than its factory allows: that counts in whole seconds.
constexpr auto open_grace = 1s;

/// A pool that closes waits so long for sessions that are being opened: all that may take longer is the system's
/// resolver of names, which nothing stops.
constexpr auto closing_grace = 1s;

/// The pause after a server has refused a session: doubling from the first to the last, give or take a
/// quarter.
constexpr clock::duration first_backoff = 50ms, last_backoff = 2s;

/// A session that was idle for longer is checked before it is used. One round trip, after half a minute of nothing to
/// do, is not noticed.
constexpr clock::duration stale_after = 30s;

/// The time that a session has for a sign of life.
constexpr auto check_timeout = 1s;

clock::duration backoff(unsigned failures_in_a_row) {
  return jittered(std::min<clock::duration>(first_backoff * (1u << std::min(failures_in_a_row, 6u)), last_backoff),
                  0.25);
}

/// The time between two looks at the sessions: short enough that each ends, or is checked, at about the right time.
clock::duration housekeeping_interval(const pool_options& limits) {
  auto shortest = std::min({limits.idle_timeout, limits.max_lifetime, limits.keepalive_interval});
  if (limits.leak_detection_threshold)
    shortest = std::min(shortest, *limits.leak_detection_threshold);
  return std::clamp<clock::duration>(shortest / 10, 1ms, 30s);
}

/// The statement of a check. Shared: a session may outlive its pool.
struct probe {
  explicit probe(dialect d) : text(asked.statement.parse(d, {})) {}

  query asked{"check", "select 1"};
  std::shared_ptr<const parsed_statement> text;
};

} // namespace

// -- sessions are opened

/// Sees to it that everyone who waits has a session on its way, within the limits: one that is there but has to be
/// checked, or a new one.
void session_pool::serve_waiters() {
  if (closing_)
    return;
  while (checks_.size() < waiting() && !idle_.empty()) // only stale ones are left there while anybody waits
    begin_check(*idle_.back());
  if (loop_.now() < retry_at_)
    return; // the retry timer's turn
  open(waiting() - std::min(waiting(), checks_.size()));
}

/// Opens sessions until `wanted` are on their way, within the limits.
void session_pool::open(std::size_t wanted) {
  while (connecting_ < wanted && connecting_ < limits_.connecting_limit &&
         sessions_.size() + openings_.size() < limits_.max_size) {
    ++connecting_;
    auto& x = openings_.emplace_back(*this);
    const auto give_up = x.began + factory_.open_timeout();
    loop_.arm(x.overdue, give_up + open_grace);
    factory_.open(loop_, give_up,
                  [this, &x](result<std::unique_ptr<session>> opened) { on_opened(x, std::move(opened)); });
  }
}

session_pool::opening::opening(session_pool& pool)
  : began(pool.loop_.now()), overdue([&pool, this] { pool.on_open_overdue(*this); }) {}

void session_pool::on_open_overdue(opening& x) {
  x.is_overdue = true;
  --connecting_;
  on_open_failed({.code = errc::connect_failed,
                  .phase = phase::connect,
                  .message = "the server took the connection, and then said nothing more"});
}

void session_pool::on_opened(opening& x, result<std::unique_ptr<session>> opened) {
  const auto took = loop_.now() - x.began;
  const bool was_overdue = x.is_overdue;
  connecting_ -= !was_overdue;
  openings_.remove_if([&](const opening& y) { return &y == &x; });
  if (opened.has_error()) {
    if (!was_overdue) {
      on_open_failed(std::move(opened).error());
      return;
    }
    serve_waiters(); // there is one more place; that it failed has been said already
    publish();
    check_closed();
    return;
  }
  if (failures_in_a_row_ > 0 && log_.takes(severity::info))
    engine_log::line{log_, severity::info, "database_reached"}.with("pool", database_);
  failures_in_a_row_ = 0;
  retry_at_ = {};
  retry_timer_.disarm();
  metrics_.create.add(took);
  auto& s = *sessions_.emplace_back(std::make_unique<pooled_session>(pooled_session{.session = std::move(*opened)}));
  s.retire_at = loop_.now() + jittered(limits_.max_lifetime, 0.1); // opened together, they do not end together
  s.idle_since = s.alive_at = loop_.now();
  s.session->on_broken([this, &s] { on_broken(s); });
  if (log_.takes(severity::debug))
    engine_log::line{log_, severity::debug, "session_opened"}
        .with("pool", database_)
        .with("session", static_cast<std::uint32_t>(s.session->id()))
        .with("ms", took);
  settle(s);
  serve_waiters();
  publish();
}

/// The queries that wait go on waiting as long as another session may serve them.
void session_pool::on_open_failed(failure why) {
  if (closing_) {
    check_closed();
    return;
  }
  metrics_.open_failures.add();
  if (failures_in_a_row_ == 0 && log_.takes(severity::warning)) // once, until one succeeds
    engine_log::line{log_, severity::warning, "database_unreachable"}.with("pool", database_).with(why);
  retry_at_ = loop_.now() + backoff(failures_in_a_row_++);
  loop_.arm(retry_timer_, retry_at_);
  last_failure_ = std::move(why);
  if (is_cut_off())
    refuse_all(last_failure_);
  serve_waiters();
  publish();
  check_closed();
}

// -- sessions end

void session_pool::on_broken(pooled_session& s) {
  metrics_.lost.add();
  if (log_.takes(severity::warning))
    engine_log::line{log_, severity::warning, "session_lost"}
        .with("pool", database_)
        .with("session", static_cast<std::uint32_t>(s.session->id()));
  std::erase(idle_, &s);
  destroy(s);
}

void session_pool::destroy(pooled_session& s) {
  std::erase_if(sessions_, [&](const auto& x) { return x.get() == &s; });
  serve_waiters();
  publish();
  check_closed();
}

void session_pool::close(std::function<void()> closed) {
  closing_ = true;
  closed_ = std::move(closed);
  queue_timer_.disarm();
  retry_timer_.disarm();
  look_timer_.disarm();
  housekeeping_timer_.disarm();
  refuse_all(refusal(errc::pool_closed, "the engine is shutting down"));
  for (auto* s : std::exchange(idle_, {}))
    std::erase_if(sessions_, [&](const auto& x) { return x.get() == s; });
  while (!checks_.empty())
    on_check_overdue(checks_.front());
  if (!openings_.empty())
    loop_.arm(closing_timer_, loop_.now() + closing_grace);
  publish();
  check_closed();
}

void session_pool::check_closed() {
  const bool waits_for_openings = !openings_.empty() && closing_timer_.armed();
  if (closing_ && closed_ && sessions_.empty() && !waits_for_openings)
    std::exchange(closed_, nullptr)();
}

// -- idle sessions are checked

session_pool::check::check(session_pool& owner, pooled_session& subject)
  : pool(owner), of(subject), overdue([this] { pool.on_check_overdue(*this); }) {}

bool session_pool::is_stale(const pooled_session& s) const noexcept {
  return s.alive_at + std::min(stale_after, limits_.keepalive_interval) <= loop_.now();
}

void session_pool::begin_check(pooled_session& s) {
  std::erase(idle_, &s);
  metrics_.checks.add();
  auto& x = checks_.emplace_back(*this, s);
  loop_.arm(x.overdue, loop_.now() + check_timeout);
  const auto runs = std::make_shared<probe>(factory_.dialect());
  s.run.job = {.query = &runs->asked,
               .text = runs->text.get(),
               .keep_alive = runs,
               .deadline = loop_.now() + check_timeout,
               .max_rows = 1,
               .max_bytes = 1024};
  s.run.listener = &x;
  s.session->push(s.run);
}

void session_pool::on_checked(check& x) {
  auto& s = x.of;
  std::erase_if(checks_, [&](const check& y) { return &y == &x; });
  s.alive_at = loop_.now();
  settle(s);
}

/// It is stopped like any other statement, which confirms or breaks the session. The queries that wait need not
/// wait for that.
void session_pool::on_check_overdue(check& x) {
  auto& s = x.of;
  std::erase_if(checks_, [&](const check& y) { return &y == &x; });
  s.lent_at = loop_.now();
  drop(s);
  serve_waiters();
}

// -- sessions are looked after

void session_pool::warm_up() {
  if (limits_.min_size > 0)
    look_after();
}

void session_pool::look_after() {
  if (closing_)
    return;
  const auto now = loop_.now();
  end_idle(now);
  check_idle(now);
  if (limits_.leak_detection_threshold)
    report_leaks(now);
  if (const auto there = sessions_.size() + openings_.size(); there < limits_.min_size && now >= retry_at_)
    open(connecting_ + limits_.min_size - there);
  arm_housekeeping();
  publish();
}

void session_pool::arm_housekeeping() {
  const bool needed = !idle_.empty() || !checks_.empty() || limits_.min_size > 0 ||
                      (limits_.leak_detection_threshold && !sessions_.empty());
  if (needed && !housekeeping_timer_.armed() && !closing_)
    loop_.arm(housekeeping_timer_, loop_.now() + housekeeping_interval(limits_));
}

/// Ends what has been idle, or has lived, for long enough, the one used longest ago first.
void session_pool::end_idle(clock::time_point now) {
  const auto done_with = [&](const pooled_session* s) {
    return s->retire_at <= now || (s->idle_since + limits_.idle_timeout <= now && sessions_.size() > limits_.min_size);
  };
  for (auto i = std::find_if(idle_.begin(), idle_.end(), done_with); i != idle_.end();
       i = std::find_if(idle_.begin(), idle_.end(), done_with)) {
    auto& s = **i;
    idle_.erase(i);
    destroy(s);
  }
}

void session_pool::check_idle(clock::time_point now) {
  const auto is_due = [&](const pooled_session* s) { return s->alive_at + limits_.keepalive_interval <= now; };
  for (auto i = std::find_if(idle_.begin(), idle_.end(), is_due); i != idle_.end();
       i = std::find_if(idle_.begin(), idle_.end(), is_due))
    begin_check(**i);
}

/// A session that is out for long is a task's that does not end, more often than not. Each is reported once.
void session_pool::report_leaks(clock::time_point now) {
  for (const auto& s : sessions_) {
    if (s->lent_to.empty() || now - s->lent_at < *limits_.leak_detection_threshold)
      continue;
    metrics_.leaks.add();
    if (log_.takes(severity::warning))
      engine_log::line{log_, severity::warning, "session_leak"}
          .with("pool", database_)
          .with("session", static_cast<std::uint32_t>(s->session->id()))
          .with("query", s->lent_to)
          .with("ms", now - s->lent_at);
    s->lent_to.clear();
  }
}

} // namespace sheaf
