// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/query_actor.hpp"

#include <caf/message.hpp>
#include <caf/send.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace sheaf {

query_actor::query_actor(caf::actor_config& cfg, event_loop& loop, query_job job)
  : loop_actor(cfg, loop), job_(std::move(job)), timeout_([this] {
      give_up({errc::deadline_exceeded, "the query's timeout passed"});
    }) {}

void query_actor::begin() {
  times_.queued = since_start(loop().now());
  if (job_.own_deadline)
    loop().arm(timeout_, job_.deadline);
  auto got = job_.pool->acquire(*this, job_.request->what.priority);
  if (!job_.here)
    job_.pool->arrived(); // only now, lest somebody counts on its place in between
  if (got.has_error())    // not from within the spawn that this may be part of
    loop().post([self = caf::strong_actor_ptr{ctrl()}, this, why = std::move(got).error()]() mutable {
      if (!ended())
        reply(std::move(why));
    });
  else if (*got)
    run(std::move(*got));
}

void query_actor::receive(caf::message& what) {
  if (what.match_elements<stop>())
    give_up(what.get_as<stop>(0));
}

void query_actor::run(lease got) {
  times_.acquired = since_start(loop().now());
  lease_ = std::move(got);
  lease_->execute({.what = &what(),
                   .text = job_.request->texts[job_.index],
                   .keep_alive = job_.request,
                   .deadline = job_.deadline,
                   .max_rows = job_.max_rows,
                   .max_bytes = job_.max_bytes},
                  *this);
}

void query_actor::on_answer(answer&& what, const moments& when) {
  note(when);
  if (auto* f = std::get_if<failure>(&what); f && f->code == errc::deadline_exceeded) // SQLite keeps it by itself too
    f->message += account(f->phase);
  times_.released = since_start(loop().now());
  lease_.give_back(); // first: the next query's statement is on its way while this one's reply is joined
  reply(std::move(what));
}

/// Ends before the answer is there. The reply does not wait for the database; the pool does, before it uses the session
/// again.
void query_actor::give_up(const stop& why) {
  if (ended())
    return;
  failure f{.code = why.code, .phase = phase_reached(), .message = why.message};
  if (lease_) {
    const auto reached = lease_->progress();
    note(reached);
    f.reached_server = reached.sent != clock::time_point{};
    lease_.cancel();
  }
  if (f.code == errc::deadline_exceeded)
    f.message += account(f.phase);
  stop_waiting();
  reply(std::move(f));
}

/// The one reply, and the end of this actor.
void query_actor::reply(answer&& what) {
  const auto self = end();
  timeout_.disarm();
  if (auto* f = std::get_if<failure>(&what))
    f->query = this->what().name;
  if (job_.here)
    job_.here->join(job_.index, std::move(what), times_);
  else
    caf::anon_send(job_.reply_to,
                   query_done{job_.index, {.name = this->what().name, .data = std::move(what), .times = times_}});
}

/// How long each phase took up to now: ` after 52ms (queue 2ms, execute 50ms)`.
std::string query_actor::account(sheaf::phase last) const {
  const auto now = since_start(loop().refresh_now());
  const auto in_ms = [](std::chrono::nanoseconds t) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(t);
  };
  const auto reached = [now](std::chrono::nanoseconds t) { return t == query_times::not_reached ? now : t; };
  auto text = fmt::format(" after {} ({} {}", in_ms(now), last == phase::connect ? "connect" : "queue",
                          in_ms(reached(times_.acquired) - times_.queued));
  if (last >= phase::execute)
    text += fmt::format(", execute {}", in_ms(reached(times_.first_row) - times_.acquired));
  if (last == phase::fetch)
    text += fmt::format(", fetch {}", in_ms(now - times_.first_row));
  return text + ')';
}

phase query_actor::phase_reached() const noexcept {
  if (!lease_) {
    const auto pool = job_.pool->stats();
    return pool.total == 0 && pool.connecting > 0 ? phase::connect : phase::queue;
  }
  return lease_->progress().first_row != clock::time_point{} ? phase::fetch : phase::execute;
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
