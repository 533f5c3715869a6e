// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/pack_actor.hpp"

#include "sheaf/core/query_actor.hpp"

#include <caf/message.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace sheaf {

pack_actor::pack_actor(caf::actor_config& cfg, event_loop& loop, pack_job job)
  : loop_actor(cfg, loop), job_(std::move(job)), wanted_(job_.of.queries.size(), true),
    timeout_([this] { fail_overdue(); }), late_([this] { look_whether_late(); }) {}

void pack_actor::begin() {
  arm_timeout();
  if (job_.turn)
    set_turn(*job_.turn);
  set_latest_start(job_.latest_start);
  session_pool::arrival how{.reserved = job_.reserved};
  times_.queued = job_.before ? job_.before->queued : since_start(loop().now());
  if (job_.before)
    how.since = job_.request->taken_at + job_.before->since;
  acquire(how);
}

void pack_actor::acquire(session_pool::arrival how) {
  auto got = job_.pool->acquire(*this, job_.request->given.priority, how);
  if (got.has_error())
    on_refused(std::move(got).error());
  else if (*got)
    run(std::move(*got));
}

/// Not from within the pool's call, or the spawn that this may be part of.
void pack_actor::on_refused(failure why) {
  loop().post([self = caf::strong_actor_ptr{ctrl()}, this, why = std::move(why)] {
    if (!ended())
      fail(why);
  });
}

void pack_actor::receive(caf::message& message) {
  if (message.match_elements<early_end>())
    give_up(message.get_as<early_end>(0));
  else if (message.match_elements<query_unwanted>())
    forget(static_cast<std::size_t>(message.get_as<query_unwanted>(0).index));
}

void pack_actor::run(lease got) {
  if (!got.takes_packs()) { // nor do others of its database, as the request finds when it forms the next packs
    got.give_back();
    loop().post([self = caf::strong_actor_ptr{ctrl()}, this] { // it may be within the pool's call
      if (!ended())
        leave_the_rest({});
    });
    return;
  }
  times_.acquired = since_start(loop().now());
  lease_ = std::move(got);
  std::vector<execution> statements;
  statements.reserve(job_.of.queries.size());
  for (const auto i : job_.of.queries) {
    statements.push_back(execution_of(*job_.request, i, job_.home->all.settings()));
    statements.back().deadline = job_.request->deadline;
  }
  job_.pool->metrics().packs.add();
  lease_.push(std::move(statements), job_.request, *this);
  loop().arm(late_, loop().now() + job_.late_after);
}

void pack_actor::on_pack(std::vector<packed_answer>&& got, const moments& when) {
  note(when);
  times_.released = times_.answered = since_start(loop().now());
  lease_.give_back(); // first: whoever waits for the session goes on while the answers are joined
  late_.disarm();
  pack_done done;
  done.got.reserve(got.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto index = job_.of.queries[i];
    auto& x = got[i];
    const auto& budget = job_.request->budget;
    if (budget && (!wanted_[i] || !x.data || std::holds_alternative<failure>(*x.data)))
      budget->of(index).give_back();
    if (!wanted_[i])
      continue;
    auto* why = x.data ? std::get_if<failure>(&*x.data) : nullptr;
    if (!x.data) {
      done.left.push_back({.index = index});
    } else if (why && why->code == errc::connection_lost) {
      done.left.push_back({.index = index, .was_lost = true, .why = std::move(*why)});
    } else {
      job_.pool->metrics().operation.add(why, times_.answered - times_.acquired);
      if (why) {
        why->query = query_at(i).name;
        why->may_have_effect = job_.request->may_have_effect(index, *why);
      }
      done.got.push_back({index,
                          {.data = std::move(*x.data),
                           .times = times_,
                           .attempts = attempts_,
                           .notices = std::move(x.said),
                           .pack = job_.number}});
    }
  }
  job_.pool->metrics().packed.add(done.got.size());
  const bool is_lost = std::any_of(done.left.begin(), done.left.end(), [](const auto& x) { return x.was_lost; });
  if (!is_lost || !run_again(done))
    tell_last(std::move(done));
}

/// The session was lost, of which the pack is one user: what it has not answered runs again on another one, once, as
/// one run within the budget for these. After the loop has seen which other sessions were lost with it.
bool pack_actor::run_again(pack_done& done) {
  if (attempts_ > 1 || is_late_ || !job_.pool->begin_retry())
    return false;
  retries_ = true;
  has_looked_ = false;
  ++attempts_;
  job_.of.queries.clear();
  for (const auto& x : done.left)
    job_.of.queries.push_back(static_cast<std::uint32_t>(x.index));
  wanted_.assign(job_.of.queries.size(), true);
  times_ = {.queued = times_.queued};
  loop().post([self = caf::strong_actor_ptr{ctrl()}, this] {
    if (!ended())
      acquire({});
  });
  done.left.clear();
  if (!done.got.empty())
    tell(std::move(done));
  return true;
}

/// All that is still wanted has failed so.
void pack_actor::fail(const failure& why) {
  pack_done done;
  for (std::size_t i = 0; i < wanted_.size(); ++i)
    if (wanted_[i])
      done.got.push_back({job_.of.queries[i], failed(i, why)});
  tell_last(std::move(done));
}

/// Ends before the answers are there. The replies do not wait for the database; the pool does, before it uses the
/// session again.
void pack_actor::give_up(const early_end& why) {
  if (ended())
    return;
  failure f{.code = why.code, .phase = phase_reached(), .message = why.message};
  if (lease_) {
    const auto reached = lease_.progress();
    note(reached);
    f.reached_server = reached.sent != clock::time_point{};
    lease_.drop();
  }
  if (f.code == errc::deadline_exceeded)
    f.message += account_of(times_, f.phase, since_start(loop().refresh_now()));
  stop_waiting();
  fail(f);
}

/// The timeout of some has passed: they have their failure now. A pack that runs is stopped for their sake, and the
/// others run by themselves.
void pack_actor::fail_overdue() {
  pack_done done;
  const auto now = loop().refresh_now();
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    const auto& timeout = query_at(i).timeout;
    if (!wanted_[i] || !timeout || job_.request->taken_at + *timeout > now)
      continue;
    wanted_[i] = false;
    failure f{.code = errc::deadline_exceeded, .phase = phase_reached(), .message = "the query's timeout passed"};
    if (lease_) {
      note(lease_.progress());
      f.reached_server = times_.sent != query_times::not_reached;
    }
    f.message += account_of(times_, f.phase, since_start(now));
    done.got.push_back({job_.of.queries[i], failed(i, std::move(f))});
  }
  const bool is_wanted = std::find(wanted_.begin(), wanted_.end(), true) != wanted_.end();
  if (is_wanted && !lease_) {
    arm_timeout();
    tell(std::move(done));
    return;
  }
  leave_the_rest(std::move(done));
}

/// The queries that are still wanted have to run by themselves.
void pack_actor::leave_the_rest(pack_done&& done) {
  for (std::size_t i = 0; i < wanted_.size(); ++i)
    if (wanted_[i])
      done.left.push_back({.index = job_.of.queries[i]});
  stop();
  tell_last(std::move(done));
}

/// The statement that it is stopped in has held up the others. What it has drawn for its results is given back when it
/// draws no more.
void pack_actor::stop() {
  if (lease_)
    lease_.drop([home = job_.home, loop = job_.home->loop, request = job_.request,
                 all = job_.of.queries](std::optional<std::size_t> in) {
      if (in)
        loop->post([home, request, index = all[*in]] { home->admission.hold_against(*request, index); });
      if (request->budget)
        for (const auto i : all)
          request->budget->of(i).give_back();
    });
  stop_waiting();
}

void pack_actor::arm_timeout() {
  auto next = clock::time_point::max();
  for (std::size_t i = 0; i < wanted_.size(); ++i)
    if (const auto& timeout = query_at(i).timeout; wanted_[i] && timeout)
      next = std::min(next, job_.request->taken_at + *timeout);
  if (next < job_.request->deadline)
    loop().arm(timeout_, next);
}

/// The answers may be there already, and the loop has not come to read them: it is looked once more after it has.
void pack_actor::look_whether_late() {
  if (!std::exchange(has_looked_, true)) {
    loop().arm(late_, loop().refresh_now());
    return;
  }
  is_late_ = true;
  if (!retries_ && !job_.pool->begin_retry())
    return;
  retries_ = true;
  job_.pool->metrics().unpacked.add(static_cast<std::uint64_t>(std::count(wanted_.begin(), wanted_.end(), true)));
  if (job_.request->budget) { // what two runs draw would count twice
    leave_the_rest({.was_late = true});
    return;
  }
  if (job_.here)
    job_.here->unpack({job_.number});
  else
    caf::anon_send(job_.reply_to, pack_late{job_.number});
}

/// That query has its answer from elsewhere. A pack that nobody waits for any more is stopped.
void pack_actor::forget(std::size_t query) {
  const auto at = std::find(job_.of.queries.begin(), job_.of.queries.end(), query);
  if (ended() || at == job_.of.queries.end())
    return;
  wanted_[static_cast<std::size_t>(at - job_.of.queries.begin())] = false;
  if (std::find(wanted_.begin(), wanted_.end(), true) != wanted_.end())
    return;
  stop();
  tell_last({});
}

void pack_actor::tell(pack_done&& done) {
  done.number = job_.number;
  done.queued = times_.queued;
  if (job_.here)
    job_.here->join(std::move(done));
  else
    caf::anon_send(job_.reply_to, std::move(done));
}

/// The last word, and the end of this actor.
void pack_actor::tell_last(pack_done&& done) {
  const auto self = end();
  timeout_.disarm();
  late_.disarm();
  if (retries_)
    job_.pool->end_retry();
  if (!is_late_)
    job_.pool->metrics().unpacked.add(done.left.size());
  done.is_over = true;
  tell(std::move(done));
}

/// On the other loop it goes on as another actor.
void pack_actor::on_call(session_pool& there, clock::time_point since) {
  const auto self = end();
  timeout_.disarm();
  if (retries_)
    job_.pool->end_retry();
  const pack_called where{
      .number = job_.number, .loop = there.loop_number(), .queued = times_.queued, .since = since_start(since)};
  if (job_.here)
    job_.here->call(where);
  else
    caf::anon_send(job_.reply_to, where);
}

outcome pack_actor::failed(std::size_t member, failure why) {
  why.query = query_at(member).name;
  why.may_have_effect = job_.request->may_have_effect(job_.of.queries[member], why);
  outcome x{.data = std::move(why), .times = times_};
  x.times.answered = since_start(loop().now());
  if (times_.acquired != query_times::not_reached)
    x.pack = job_.number;
  const auto began = times_.acquired == query_times::not_reached ? times_.queued : times_.acquired;
  job_.pool->metrics().operation.add(x.error_info(), x.times.answered - began);
  return x;
}

phase pack_actor::phase_reached() const noexcept {
  if (lease_)
    return phase::execute;
  const auto pool = job_.pool->stats();
  return pool.total == 0 && pool.connecting > 0 ? phase::connect : phase::queue;
}

void pack_actor::note(const moments& when) noexcept {
  if (when.sent != clock::time_point{})
    times_.sent = since_start(when.sent);
  if (when.first_row != clock::time_point{})
    times_.first_row = since_start(when.first_row);
  if (when.last_row != clock::time_point{})
    times_.last_row = since_start(when.last_row);
}

} // namespace sheaf
