// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/query_actor.hpp"

#include "sheaf/base/error_text.hpp"
#include "sheaf/base/jitter.hpp"
#include "sheaf/telemetry/engine_log.hpp"

#include <caf/message.hpp>
#include <caf/send.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <limits>

namespace sheaf {

namespace {

/// The most times that a query runs: it may be what ends its sessions.
constexpr std::uint32_t attempts_max = 4;

/// The pause between two attempts, or for a server that restarts: not at all at first, then twice as long each
/// time, give or take a half.
constexpr clock::duration first_pause = std::chrono::milliseconds{50}, last_pause = std::chrono::seconds{1};

clock::duration pause_before(std::uint32_t retry) {
  if (retry == 1)
    return {};
  return jittered(std::min<clock::duration>(first_pause * (1u << std::min(retry - 2, 10u)), last_pause), 0.5);
}

/// The server says that it has done nothing, and that the same statement may well succeed now.
bool is_rolled_back(errc code) noexcept {
  return code == errc::serialization_failure || code == errc::deadlock_detected;
}

} // namespace

execution execution_of(const checked_request& asked, std::size_t index, const options& settings) {
  constexpr auto unbounded = std::numeric_limits<std::size_t>::max();
  const auto& q = asked.given.queries[index];
  return {.query = &q,
          .text = asked.texts[index],
          .max_rows = q.max_rows.value_or(q.on_rows ? unbounded : settings.max_rows),
          .max_bytes = q.max_bytes.value_or(q.on_rows ? unbounded : settings.max_bytes),
          .max_held_bytes = settings.max_bytes,
          .budget = asked.budget ? &asked.budget->of(index) : nullptr};
}

std::string account_of(const query_times& times, phase last, std::chrono::nanoseconds now) {
  const auto in_ms = [](std::chrono::nanoseconds t) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(t);
  };
  const auto reached = [now](std::chrono::nanoseconds t) { return t == query_times::not_reached ? now : t; };
  auto text = fmt::format(" after {} ({} {}", in_ms(now), last == phase::connect ? "connect" : "queue",
                          in_ms(reached(times.acquired) - times.queued));
  if (last >= phase::execute)
    text += fmt::format(", execute {}", in_ms(reached(times.first_row) - times.acquired));
  if (last == phase::fetch)
    text += fmt::format(", fetch {}", in_ms(now - times.first_row));
  return text + ')';
}

/// The right to ask for one more part, which the copies of a `next` share. Any thread, and after the engine's end too.
class query_actor::next_part {
public:
  next_part(std::shared_ptr<event_loop> loop, caf::weak_actor_ptr whose, query_actor& actor, std::uint64_t number)
    : loop_(std::move(loop)), whose_(std::move(whose)), actor_(actor), number_(number) {}

  next_part(const next_part&) = delete;
  next_part& operator=(const next_part&) = delete;

  ~next_part() {
    if (asked_)
      return;
    try {
      post(&query_actor::abandon);
    } catch (const std::exception&) { // no memory: the query ends at its deadline
    }
  }

  void ask() {
    asked_ = true;
    post(&query_actor::resume);
  }

private:
  void post(void (query_actor::*f)(std::uint64_t)) {
    loop_->post([whose = whose_, &actor = actor_, number = number_, f] {
      if (const auto alive = whose.lock())
        (actor.*f)(number);
    });
  }

  const std::shared_ptr<event_loop> loop_;
  const caf::weak_actor_ptr whose_;
  query_actor& actor_;
  const std::uint64_t number_;
  std::atomic<bool> asked_ = false;
};

query_actor::query_actor(caf::actor_config& cfg, event_loop& loop, query_job job)
  : loop_actor(cfg, loop), job_(std::move(job)), timeout_([this] {
      give_up({errc::deadline_exceeded, "the query's timeout passed"});
    }) {}

void query_actor::begin() {
  if (job_.own_deadline)
    loop().arm(timeout_, job_.deadline);
  if (job_.turn)
    set_turn(*job_.turn);
  set_latest_start(job_.latest_start);
  session_pool::arrival how{.reserved = job_.reserved};
  if (job_.before) {
    times_.queued = job_.before->queued;
    attempts_ = job_.before->attempts;
    retries_ = job_.before->retries;
    if (retries_ > 0)
      job_.pool->continue_retry();
    how.since = job_.request->taken_at + job_.before->since;
  } else {
    times_.queued = since_start(loop().now());
  }
  if (job_.lost) // not from within the spawn
    loop().post([self = caf::strong_actor_ptr{ctrl()}, this] {
      if (!ended())
        on_failed(std::move(*job_.lost));
    });
  else
    acquire(how);
}

void query_actor::acquire(session_pool::arrival how) {
  auto got = job_.pool->acquire(*this, job_.request->given.priority, how);
  if (got.has_error()) // not from within the spawn that this may be part of
    loop().post([self = caf::strong_actor_ptr{ctrl()}, this, why = std::move(got).error()]() mutable {
      if (!ended())
        on_failed(std::move(why));
    });
  else if (*got)
    run(std::move(*got));
}

/// Not from within the pool's call: what a caller does about a failure may come back to that pool.
void query_actor::on_refused(failure why) {
  loop().post([self = caf::strong_actor_ptr{ctrl()}, this, why = std::move(why)]() mutable {
    if (!ended())
      on_failed(std::move(why));
  });
}

void query_actor::receive(caf::message& message) {
  if (message.match_elements<early_end>())
    give_up(message.get_as<early_end>(0));
}

void query_actor::run(lease got) {
  times_.acquired = since_start(loop().now());
  lease_ = std::move(got);
  auto run = execution_of(*job_.request, job_.index, *job_.settings);
  run.keep_alive = job_.request;
  run.deadline = job_.deadline;
  run.budget = budget();
  lease_.push(std::move(run), *this);
}

void query_actor::on_answer(answer&& got, const moments& when) {
  note(when);
  times_.released = since_start(loop().now());
  notices_ = lease_.take_notices();
  if (auto* f = std::get_if<failure>(&got); f && asked().run) // a task may throw any failure of its own
    f->reached_server = true;
  lease_.give_back(); // first: the next query's statement is on its way while this one's reply is joined
  if (thrown_)
    on_failed(std::move(*thrown_));
  else if (auto* f = std::get_if<failure>(&got))
    on_failed(std::move(*f));
  else
    reply(std::move(got));
}

void query_actor::on_rows(table&& part) {
  const auto number = ++parts_;
  awaits_next_ = true;
  auto next = [x = std::make_shared<next_part>(loop().shared_from_this(), caf::weak_actor_ptr{ctrl()}, *this, number)] {
    x->ask();
  };
  try {
    asked().on_rows(std::move(part), std::move(next));
    return;
  } catch (const error& e) {
    thrown_ = std::make_unique<failure>(e.why());
  } catch (const std::exception& e) {
    thrown_ = std::make_unique<failure>(
        failure{.code = errc::internal, .message = "on_rows threw: " + to_one_line(e.what())});
  } catch (...) { // a taker may throw anything; its query alone fails
    thrown_ = std::make_unique<failure>(
        failure{.code = errc::internal, .message = "on_rows threw something that is not a std::exception"});
  }
  thrown_->phase = phase::fetch;
  thrown_->reached_server = true;
  loop().post([self = caf::strong_actor_ptr{ctrl()}, this] { // not from within the session's call
    if (!ended())
      give_up({thrown_->code, thrown_->message});
  });
}

/// Nobody can ask for more than `part` parts any more. That is nothing where there are no more, or where it has ended.
void query_actor::abandon(std::uint64_t part) {
  const bool has_all = lease_ && lease_.progress().last_row != clock::time_point{};
  if (ended() || !lease_ || part != parts_ || !awaits_next_ || has_all || thrown_)
    return;
  give_up({errc::query_canceled, "on_rows has let go of `next` without a call, so no more rows were wanted"});
}

/// More than `part` parts are wanted. Their receiver may say so late, or twice.
void query_actor::resume(std::uint64_t part) {
  if (ended() || !lease_ || part != parts_ || !std::exchange(awaits_next_, false))
    return;
  lease_.resume();
}

void query_actor::on_failed(failure why) {
  if (run_again(why))
    return;
  if (why.code == errc::deadline_exceeded) // SQLite keeps it by itself too
    why.message += account(why.phase);
  if (why.code == errc::connection_lost && why.reached_server && job_.request->may_write(job_.index)) {
    why.code = errc::in_doubt;
    why.message += ": whether it took effect is not known, so look before sending it again";
  }
  reply(std::move(why));
}

/// Another attempt, if this failure allows one, there is time for it, and not too many others are at it. The first
/// follows at once, after the loop has seen which other sessions were lost with this one.
bool query_actor::run_again(const failure& why) {
  const bool read_only = asked().read_only;
  const bool lost = why.code == errc::connection_lost && (read_only || !why.reached_server);
  const bool rolled_back = is_rolled_back(why.code) && read_only;
  if (parts_ > 0) // its rows would come twice
    return false;
  const bool still_away = why.code == errc::connect_failed && retries_ > 0; // the server restarts
  if (!still_away && !((lost || rolled_back) && attempts_ < attempts_max))
    return false;
  const auto at = loop().now() + pause_before(retries_ + 1);
  if (at >= job_.deadline || (retries_ == 0 && !job_.pool->begin_retry()))
    return false;
  ++retries_;
  attempts_ += !still_away;
  if (const auto& log = job_.pool->log(); log.takes(severity::info))
    engine_log::line{log, severity::info, "query_retried"}
        .with("request", job_.request->given.id)
        .with("query", asked().name)
        .with("attempt", attempts_)
        .with("code", to_string(why.code));
  times_ = {.queued = times_.queued};
  notices_ = {};
  if (auto* drawn = budget())
    drawn->give_back();
  if (!again_)
    again_ = std::make_unique<timer>([this] { acquire({}); });
  loop().arm(*again_, at);
  return true;
}

/// Ends before the answer is there. The reply does not wait for the database; the pool does, before it uses the session
/// again.
void query_actor::give_up(const early_end& why) {
  if (ended())
    return;
  failure f{.code = why.code, .phase = phase_reached(), .message = why.message};
  if (lease_) {
    const auto reached = lease_.progress();
    note(reached);
    notices_ = lease_.take_notices();
    f.reached_server = reached.sent != clock::time_point{};
    lease_.drop();
  }
  if (f.code == errc::deadline_exceeded) {
    f.message += account(f.phase);
    if (awaits_next_)
      f.message += ": the rows it had handed on were not taken in time";
  }
  stop_waiting();
  reply(std::move(f));
}

/// It goes on as another actor, on that pool's loop; a timer or a session cannot come along.
void query_actor::on_call(session_pool& there, clock::time_point since) {
  const auto self = end();
  timeout_.disarm();
  if (retries_ > 0)
    job_.pool->end_retry();
  const query_called where{.index = job_.index,
                           .loop = there.loop_number(),
                           .queued = times_.queued,
                           .since = since_start(since),
                           .attempts = attempts_,
                           .retries = retries_};
  if (job_.here)
    job_.here->call(where);
  else
    caf::anon_send(job_.reply_to, where);
}

/// The one reply, and the end of this actor.
void query_actor::reply(answer&& got) {
  const auto self = end();
  timeout_.disarm();
  if (again_)
    again_->disarm();
  if (retries_ > 0)
    job_.pool->end_retry();
  auto* f = std::get_if<failure>(&got);
  if (f) {
    f->query = asked().name;
    f->may_have_effect = job_.request->may_have_effect(job_.index, *f);
  }
  times_.answered = since_start(loop().now());
  const auto began = times_.acquired == query_times::not_reached ? times_.queued : times_.acquired;
  job_.pool->metrics().operation.add(f, times_.answered - began);
  outcome told{.data = std::move(got), .times = times_, .attempts = attempts_, .notices = std::move(notices_)};
  if (job_.here)
    job_.here->join(job_.index, std::move(told));
  else
    caf::anon_send(job_.reply_to, query_done{job_.index, std::move(told)});
}

phase query_actor::phase_reached() const noexcept {
  if (!lease_) {
    const auto pool = job_.pool->stats();
    return pool.total == 0 && pool.connecting > 0 ? phase::connect : phase::queue;
  }
  const bool fetches = !asked().run && lease_.progress().first_row != clock::time_point{}; // a task's rows are its own
  return fetches ? phase::fetch : phase::execute;
}

result_budget* query_actor::budget() const noexcept {
  const auto& all = job_.request->budget;
  return !all ? nullptr : job_.beside_pack ? &all->beside(job_.index) : &all->of(job_.index);
}

void query_actor::note(const moments& when) noexcept {
  if (when.sent != clock::time_point{})
    times_.sent = since_start(when.sent);
  if (when.first_row != clock::time_point{})
    times_.first_row = since_start(when.first_row);
  if (when.last_row != clock::time_point{})
    times_.last_row = since_start(when.last_row);
}

} // namespace sheaf
