// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/request_actor.hpp"

#include "sheaf/base/error_text.hpp"
#include "sheaf/telemetry/engine_log.hpp"

#include <caf/actor_system.hpp>
#include <caf/message.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace sheaf {

namespace {

/// A pack is late after what others take of late, within these bounds: what is worth a second run, and what a statement
/// that has turned slow may cost those behind it.
constexpr clock::duration late_at_least = std::chrono::milliseconds{1}, late_at_most = std::chrono::milliseconds{50};

/// A refusal is told after this, or a quarter of the time that is left. Callers who ask again at once would keep the
/// loop busy with refusals, until all that it does takes so long that nothing can be admitted.
constexpr clock::duration refusal_delay = std::chrono::milliseconds{20};

/// A failure of the request as a whole came as far as its queries: whether it is safe to send it again depends on them.
void add_reach(failure& whole, const outcome& part) {
  const auto* f = part.error_info();
  whole.reached_server |= !f || f->reached_server;
  if (f && f->code == whole.code && f->phase > whole.phase) { // it knows how long each phase took
    whole.phase = f->phase;
    whole.message = f->message;
  }
}

} // namespace

request_actor::request_actor(caf::actor_config& cfg, engine_loop& home, std::shared_ptr<const checked_request> checked,
                             std::function<void(reply)>&& callback, std::shared_ptr<request_link> link)
  : loop_actor(cfg, *home.loop), request_(std::move(checked)), link_(std::move(link)), home_(home), deadline_([this] {
      if (ticket_.each.empty() && reply_.failure)
        refuse();
      else
        give_up({errc::deadline_exceeded, "the request's deadline passed"});
    }) {
  reply_.outcomes.resize(request_->given.queries.size());
  running_.resize(request_->given.queries.size());
  each_.resize(request_->given.queries.size());
  callback_ = std::move(callback);
}

void request_actor::begin() {
  loop().refresh_now();
  const auto& given = request_->given;
  width_ = given.width != 0 ? given.width : home_.all.settings().width;
  begun_.resize(home_.all.settings().databases.size());
  home_.requests.push_back(*this);
  link_->request = this;
  loop().arm(deadline_, request_->deadline);
  if (given.queries.empty()) { // not from within the call that has brought it
    loop().post([self = caf::strong_actor_ptr{ctrl()}, this] {
      if (!ended())
        reply_now();
    });
    return;
  }
  auto admitted = home_.admission.admit(*request_, loop().now());
  if (admitted.has_error()) {
    reply_.failure = std::move(admitted).error();
    ending_ = true;
    loop().arm(deadline_, loop().now() + std::min(refusal_delay, (request_->deadline - loop().now()) / 4));
    return;
  }
  ticket_ = std::move(*admitted);
  form();
  spawn_all_that_may_begin();
}

/// Decides which queries go together, where the database's sessions take that.
void request_actor::form() {
  auto packs = form_packs(*request_, ticket_,
                          [this](std::size_t database) { return home_.admission.round_trip(database, loop().now()); });
  for (auto& x : packs) {
    if (!home_.all.database(x.database).factory->takes_packs())
      continue;
    pack_of_.resize(each_.size());
    for (const auto i : x.queries)
      pack_of_[i] = static_cast<std::uint32_t>(packs_.size() + 1);
    packs_.push_back({.of = std::move(x)});
  }
}

/// Answers a request of which no query has begun, nor will.
void request_actor::refuse() {
  try {
    end_rest({reply_.failure->code, reply_.failure->message});
  } catch (...) { // no memory for saying it of each query, too
  }
  reply_now();
}

void request_actor::receive(caf::message& message) {
  if (message.match_elements<query_done>()) {
    auto& done = message.get_mutable_as<query_done>(0);
    join(static_cast<std::size_t>(done.index), std::move(done.got));
  }
  if (message.match_elements<query_called>())
    call(message.get_as<query_called>(0));
  if (message.match_elements<pack_done>())
    join(std::move(message.get_mutable_as<pack_done>(0)));
  if (message.match_elements<pack_late>())
    unpack(message.get_as<pack_late>(0));
  if (message.match_elements<pack_called>())
    call(message.get_as<pack_called>(0));
  if (message.match_elements<early_end>())
    give_up(message.get_as<early_end>(0));
}

/// The first query, in the order given, that may begin. Without a width each database's own sessions bound its queries:
/// a query does not wait while others wait for sessions of another database.
std::optional<std::size_t> request_actor::next() noexcept {
  const auto& databases = request_->databases;
  if (ending_ || spawned_ == databases.size() || (width_ != 0 && pending_ >= width_))
    return {};
  auto first = databases.size();
  for (std::uint32_t i = 0; i < begun_.size(); ++i) {
    auto& [before, pending] = begun_[i];
    if (width_ == 0 && pending >= home_.all.settings().databases[i].pool.max_size)
      continue;
    while (before < databases.size() && (databases[before] != i || each_[before] != progress::waits))
      ++before;
    first = std::min(first, before);
  }
  return first < databases.size() ? std::optional{first} : std::nullopt;
}

void request_actor::spawn_all_that_may_begin() {
  while (const auto index = next())
    spawn_next(*index);
}

void request_actor::spawn_next(std::size_t index) {
  const auto database = request_->databases[index];
  const auto number = pack_of_.empty() ? 0 : pack_of_[index];
  const auto begin_one = [&](std::size_t i) {
    ++spawned_;
    each_[i] = progress::runs;
    home_.admission.begin(*request_, i, ticket_.each[i]);
  };
  begun_[database].before = index + 1;
  if (number == 0) {
    begin_one(index);
    spawn_alone(index, {});
    return;
  }
  for (const auto i : packs_[number - 1].of.queries)
    begin_one(i);
  ++begun_[database].pending;
  ++pending_;
  auto& where = home_.all.place(home_, database);
  const bool is_away = &where != &home_;
  if (is_away)
    where.pools[database]->reserve();
  spawn_pack(number, where, is_away, {});
}

/// Begins a query on a session of its own: for the first time, or after all.
void request_actor::spawn_alone(std::size_t index, history so_far) {
  const auto database = request_->databases[index];
  ++begun_[database].pending;
  ++pending_;
  auto& where = home_.all.place(home_, database);
  const bool is_away = &where != &home_;
  if (is_away)
    where.pools[database]->reserve();
  spawn(index, where, is_away, std::move(so_far));
}

/// Without an actor the query has its failure from here, though not from within a call that may be about it.
void request_actor::spawn(std::size_t index, engine_loop& where, bool reserved, history so_far) {
  try {
    spawn_on(index, where, reserved, std::move(so_far));
  } catch (...) { // no matter what of: it was not begun
    auto why = early_end_for(std::current_exception());
    if (reserved)
      where.pools[request_->databases[index]]->unreserve();
    loop().post([self = caf::strong_actor_ptr{ctrl()}, this, index, why = std::move(why)] {
      if (!ended())
        join(index, {.data = failure{.code = why.code,
                                     .phase = phase::queue,
                                     .query = request_->given.queries[index].name,
                                     .message = why.message}});
    });
  }
}

void request_actor::spawn_on(std::size_t index, engine_loop& where, bool reserved, history&& so_far) {
  const auto& q = request_->given.queries[index];
  query_job job{.request = request_,
                .index = index,
                .pool = where.pools[request_->databases[index]].get(),
                .deadline = request_->deadline,
                .settings = &home_.all.settings(),
                .reply_to = caf::actor{this},
                .here = &where == &home_ ? this : nullptr,
                .reserved = reserved,
                .before = so_far.before,
                .lost = std::move(so_far.lost),
                .beside_pack = so_far.beside_pack};
  if (q.timeout && request_->taken_at + *q.timeout < job.deadline) {
    job.deadline = request_->taken_at + *q.timeout;
    job.own_deadline = true;
  }
  if (index < queries_together)
    job.turn = request_->taken_at;
  if (const auto most = ticket_.each[index].most; most > std::chrono::nanoseconds{0})
    job.latest_start = job.deadline - most;
  // Hidden: actor_system waits for the request, and so for its queries.
  running_[index] = spawn_here<query_actor>(system(), true, *where.loop, std::move(job));
}

/// As `spawn` and `spawn_on`, for a pack.
void request_actor::spawn_pack(std::size_t number, engine_loop& where, bool reserved,
                               std::optional<pack_called> before) {
  try {
    spawn_pack_on(number, where, reserved, before);
  } catch (...) { // no matter what of: it was not begun
    const auto why = early_end_for(std::current_exception());
    const auto& of = packs_[number - 1].of;
    if (reserved)
      where.pools[of.database]->unreserve();
    pack_done done{.number = number, .is_over = true};
    for (const auto i : of.queries)
      done.got.push_back({i,
                          {.data = failure{.code = why.code,
                                           .phase = phase::queue,
                                           .query = request_->given.queries[i].name,
                                           .message = why.message}}});
    loop().post(
        [self = caf::strong_actor_ptr{ctrl()}, this, done = std::move(done)]() mutable { join(std::move(done)); });
  }
}

void request_actor::spawn_pack_on(std::size_t number, engine_loop& where, bool reserved,
                                  const std::optional<pack_called>& before) {
  auto& x = packs_[number - 1];
  const auto stretched =
      std::chrono::duration<double, std::nano>{x.of.expected} * home_.admission.stretch(x.of.database);
  x.late_after = std::clamp(std::chrono::duration_cast<clock::duration>(stretched), late_at_least, late_at_most);
  pack_job job{.request = request_,
               .of = x.of,
               .number = static_cast<std::uint32_t>(number),
               .pool = where.pools[x.of.database].get(),
               .home = &home_,
               .late_after = x.late_after,
               .reply_to = caf::actor{this},
               .here = &where == &home_ ? this : nullptr,
               .reserved = reserved,
               .before = before};
  if (x.of.queries.front() < queries_together)
    job.turn = request_->taken_at;
  auto most = std::chrono::nanoseconds{0};
  for (const auto i : x.of.queries)
    most = std::max(most, ticket_.each[i].most);
  if (most > std::chrono::nanoseconds{0})
    job.latest_start = request_->deadline - most;
  x.actor = spawn_here<pack_actor>(system(), true, *where.loop, std::move(job));
}

/// A query that waits has a place on another loop.
void request_actor::call(const query_called& called) {
  const auto index = static_cast<std::size_t>(called.index);
  auto& where = *home_.all.each()[called.loop];
  if (!ending_ && !replied_ && each_[index] != progress::over) {
    spawn(index, where, true, {.before = called, .beside_pack = runs_in_pack(index)});
    return;
  }
  where.pools[request_->databases[index]]->unreserve();
  auto x = ended_early(index);
  x.times.queued = called.queued;
  x.attempts = called.attempts;
  join(index, std::move(x));
}

void request_actor::call(const pack_called& called) {
  const auto& x = packs_[called.number - 1];
  auto& where = *home_.all.each()[called.loop];
  if (!ending_ && !replied_) {
    spawn_pack(called.number, where, true, called);
    return;
  }
  where.pools[x.of.database]->unreserve();
  pack_done done{.number = called.number, .queued = called.queued, .is_over = true};
  for (const auto i : x.of.queries)
    done.left.push_back({.index = i});
  join(std::move(done));
}

outcome request_actor::ended_early(std::size_t index) const {
  return {.data = failure{.code = end_.code,
                          .phase = phase::queue,
                          .query = request_->given.queries[index].name,
                          .message = end_.message},
          .times = {.answered = loop().now() - request_->taken_at}};
}

/// An actor that runs queries of that database is over.
void request_actor::end_run(std::size_t database) noexcept {
  --pending_;
  --begun_[database].pending;
}

/// A query that ran by itself is over.
void request_actor::join(std::size_t index, outcome&& got) {
  running_[index] = nullptr;
  end_run(request_->databases[index]);
  if (!replied_ && (got.ok() || ending_ || !runs_in_pack(index))) // else the pack may have the answer still
    answer(index, std::move(got));
  go_on();
}

bool request_actor::runs_in_pack(std::size_t index) const noexcept {
  const auto number = pack_of_.empty() ? 0 : pack_of_[index];
  return number != 0 && packs_[number - 1].actor;
}

/// Queries of a pack are over, or have to run by themselves.
void request_actor::join(pack_done&& done) {
  auto& x = packs_[done.number - 1];
  if (done.is_over) {
    x.is_late |= done.was_late;
    x.actor = nullptr;
    end_run(x.of.database);
  }
  if (!replied_) {
    if (done.is_over)
      learn_from(done);
    for (auto& [index, got] : done.got)
      answer(index, std::move(got));
    for (auto& [index, was_lost, why] : done.left) {
      if (each_[index] == progress::over || running_[index])
        continue;
      auto ended = ended_early(index);
      ended.times.queued = done.queued;
      if (ending_)
        answer(index, std::move(ended));
      else
        spawn_alone(
            index,
            {.before = query_called{.index = index, .queued = done.queued, .since = loop().now() - request_->taken_at},
             .lost = was_lost ? std::optional{std::move(why)} : std::nullopt,
             .beside_pack = true});
    }
  }
  go_on();
}

/// The time that a pack took is learnt; and where it was late, those of its statements are known that answer last
/// elsewhere, too. If they are many, it was not for the sake of one.
void request_actor::learn_from(const pack_done& done) {
  const auto& x = packs_[done.number - 1];
  const bool has_all = !done.got.empty() && done.left.empty() && done.got.front().got.ok();
  if (x.is_late || has_all)
    home_.admission.learn_lateness(x.of.database, x.is_late);
  if (!has_all)
    return;
  const auto& times = done.got.front().got.times;
  home_.admission.learn_work(x.of.database, x.of.queries.size(), times.released - times.acquired);
  if (!x.is_late || done.got.size() > std::max<std::size_t>(1, x.of.queries.size() / 4))
    return;
  for (const auto& slow : done.got)
    home_.admission.hold_against(*request_, slow.index);
}

/// Runs what a late pack has not answered elsewhere, too. The first answer counts.
void request_actor::unpack(const pack_late& late) {
  auto& x = packs_[late.number - 1];
  if (replied_ || ending_)
    return;
  x.is_late = true;
  const auto now = loop().now() - request_->taken_at;
  for (const auto i : x.of.queries)
    if (each_[i] != progress::over && !running_[i])
      spawn_alone(i, {.before = query_called{.index = i, .queued = now, .since = now}, .beside_pack = true});
}

/// The first answer to a query. Where somebody else runs it, too, that one is told.
void request_actor::answer(std::size_t index, outcome&& got) {
  if (each_[index] == progress::over)
    return;
  each_[index] = progress::over;
  ++over_;
  const auto& q = request_->given.queries[index];
  auto& slot = reply_.outcomes[index];
  slot = std::move(got);
  slot.name = q.name;
  home_.admission.done(*request_, index, ticket_.each[index], slot, loop().now());
  if (running_[index])
    caf::anon_send(running_[index], early_end{errc::query_canceled, "its pack has answered it"});
  if (runs_in_pack(index))
    caf::anon_send(packs_[pack_of_[index] - 1].actor, query_unwanted{index});
  if (!ending_)
    apply_policy(q, slot);
}

/// Something is over. When all queries are, so is the request.
void request_actor::go_on() {
  if (replied_) {
    if (pending_ == 0 && !ended())
      std::ignore = end();
    return;
  }
  spawn_all_that_may_begin();
  if (over_ == each_.size())
    reply_now();
}

void request_actor::apply_policy(const query& q, const outcome& got) {
  const auto* f = got.error_info();
  ++(f ? failed_ : succeeded_);
  switch (request_->given.on_error) {
  case error_policy::fail:
    if (f) {
      reply_.failure = *f;
      end_rest({errc::query_canceled, "another query of the request failed: " + f->query});
    }
    break;
  case error_policy::partial:
    if (f && q.required && !reply_.failure)
      reply_.failure = *f;
    break;
  case error_policy::first:
    if (succeeded_ == request_->given.first) {
      end_rest({errc::query_canceled, "enough queries of the request have succeeded"});
    } else if (reply_.outcomes.size() - failed_ < request_->given.first) {
      reply_.failure = *f;
      end_rest({errc::query_canceled, "too many queries of the request have failed"});
    }
  }
}

void request_actor::give_up(const early_end& why) {
  if (ending_ || replied_)
    return;
  if (!reply_.failure) {
    reply_.failure = failure{.code = why.code, .message = why.message};
    loop().refresh_now();
  }
  end_rest(why);
  if (over_ == each_.size())
    reply_now();
}

/// Something threw in the midst of joining: queries whose answers were lost with it have nobody who tells of them.
void request_actor::on_thrown(const std::exception_ptr& thrown) {
  give_up(early_end_for(thrown));
  if (replied_)
    return;
  for (std::size_t i = 0; i < each_.size(); ++i)
    if (each_[i] == progress::runs && !running_[i] && !runs_in_pack(i))
      answer(i, ended_early(i));
  go_on();
}

/// Ends what runs and does not begin the rest. The query actors reply at once, so the request does soon after.
void request_actor::end_rest(const early_end& why) {
  ending_ = true;
  end_ = why;
  const auto& queries = request_->given.queries;
  for (std::size_t i = 0; i < queries.size() && spawned_ < queries.size(); ++i) {
    if (each_[i] != progress::waits)
      continue;
    ++spawned_;
    each_[i] = progress::over;
    ++over_;
    auto& slot = reply_.outcomes[i];
    slot.name = queries[i].name;
    slot.data = failure{.code = why.code, .phase = phase::queue, .query = slot.name, .message = why.message};
    if (!ticket_.each.empty())
      home_.admission.done(*request_, i, ticket_.each[i], slot, loop().now());
  }
  for (const auto& actor : running_)
    if (actor)
      caf::anon_send(actor, why);
  for (const auto& x : packs_)
    if (x.actor)
      caf::anon_send(x.actor, why);
}

/// Completes the request's failure, now that all queries are over. The last answers may have been on their way here
/// when the request was given up: if they are all that it needs, it has not failed.
void request_actor::settle_failure() {
  auto& f = reply_.failure;
  const auto& all = reply_.outcomes;
  if (f->query.empty()) {
    if (has_what_it_needs()) {
      f.reset();
      return;
    }
    for (const auto& x : all)
      add_reach(*f, x);
  }
  for (std::size_t i = 0; i < all.size() && !f->may_have_effect; ++i) {
    const auto* why = all[i].error_info();
    f->may_have_effect = why ? why->may_have_effect : request_->may_write(i);
  }
}

/// True when the request has not failed although it was ended. What a deadline ends has failed by itself, and under
/// `partial` may do so; who cancels a request, or closes the engine, ends all of it.
bool request_actor::has_what_it_needs() const noexcept {
  const auto& given = request_->given;
  std::size_t good = 0, needed = 0;
  for (std::size_t i = 0; i < reply_.outcomes.size(); ++i) {
    const bool may_fail =
        given.on_error == error_policy::partial && end_.code == errc::deadline_exceeded && !given.queries[i].required;
    good += reply_.outcomes[i].ok() && !may_fail;
    needed += !may_fail;
  }
  return good >= (given.on_error == error_policy::first ? given.first : needed);
}

/// Late packs, and those who run beside them, may not have ended yet: they have been told, and are waited for.
void request_actor::reply_now() {
  const caf::strong_actor_ptr self{ctrl()};
  replied_ = true;
  if (pending_ == 0)
    std::ignore = end();
  deadline_.disarm();
  unlink();
  link_->request = nullptr;
  if (!ticket_.each.empty())
    home_.admission.settle(*request_, ticket_, reply_.outcomes, loop().now());
  if (reply_.failure)
    settle_failure();
  reply_.elapsed = loop().now() - request_->taken_at;
  home_.outcomes.add(reply_.failure ? &*reply_.failure : nullptr, reply_.elapsed);
  log_outcome();
  // Whatever it holds goes on this thread, and not with the last reference to this actor.
  const auto callback = std::exchange(callback_, nullptr);
  try {
    callback(std::move(reply_));
  } catch (...) { // it is the caller's own, and whoever has called us is in the middle of something else
    if (const auto& log = home_.all.log(); log.takes(severity::warning))
      engine_log::line{log, severity::warning, "callback_threw"}
          .with("request", request_->given.id)
          .with("type", type_of_thrown(std::current_exception()));
  }
}

/// A failed request is worth a warning, and of those that are refused for overload one a second; the rest is only for
/// readers who look for something.
void request_actor::log_outcome() const {
  const auto& log = home_.all.log();
  const auto& id = request_->given.id;
  const bool is_overloaded = reply_.failure && reply_.failure->code == errc::overloaded;
  const auto refused = is_overloaded ? home_.admission.refusals_to_report(loop().now()) : std::nullopt;
  if (refused && log.takes(severity::warning))
    engine_log::line{log, severity::warning, "overloaded"}.with("refused", *refused).with(*reply_.failure);
  if (reply_.failure && !is_overloaded && log.takes(severity::warning))
    engine_log::line{log, severity::warning, "request_failed"}
        .with("request", id)
        .with("ms", reply_.elapsed)
        .with(*reply_.failure);
  for (const auto& x : reply_.outcomes)
    log_notices(x);
  if (!log.takes(severity::debug))
    return;
  for (const auto& x : reply_.outcomes)
    if (const auto* f = x.error_info(); f && !(reply_.failure && reply_.failure->query == x.name))
      engine_log::line{log, severity::debug, "query_failed"}.with("request", id).with(*f);
  if (!reply_.failure)
    engine_log::line{log, severity::debug, "request_answered"}
        .with("request", id)
        .with("ms", reply_.elapsed)
        .with("queries", reply_.outcomes.size());
}

/// Logs each notice of a query as an event, a warning as a warning.
void request_actor::log_notices(const outcome& of) const {
  const auto& log = home_.all.log();
  const auto& id = request_->given.id;
  for (const auto& x : of.notices.kept)
    if (const auto how = x.severity == "WARNING" ? severity::warning : severity::info; log.takes(how))
      engine_log::line{log, how, "notice"}.with("request", id).with("query", of.name).with(x);
  if (of.notices.left_out > 0 && log.takes(severity::info))
    engine_log::line{log, severity::info, "notices_left_out"}
        .with("request", id)
        .with("query", of.name)
        .with("count", of.notices.left_out);
}

} // namespace sheaf
