// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/engine_core.hpp"

#include "sheaf/request_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <future>

namespace sheaf {

namespace {

/// The part of `total` that the loop `index` of `count` gets.
std::size_t share(std::size_t total, std::size_t index, std::size_t count) {
  return total / count + (index < total % count ? 1 : 0);
}

pool_options share(pool_options all, std::size_t index, std::size_t count) {
  all.max_size = share(all.max_size, index, count);
  all.min_size = share(all.min_size, index, count);
  all.max_queue_size = share(all.max_queue_size, index, count);
  all.connecting_limit = std::max<std::size_t>(1, share(all.connecting_limit, index, count));
  return all;
}

std::size_t width_of(const options& how) {
  std::size_t sessions = 0;
  for (const auto& d : how.databases)
    sessions += d.pool.max_size;
  return how.width != 0 ? how.width : sessions;
}

options with_width(options how) {
  how.width = width_of(how);
  return how;
}

} // namespace

worker::worker(engine_core& owner, std::size_t index) : core(owner), loop(std::make_shared<event_loop>()) {
  const auto& how = core.settings();
  for (std::size_t i = 0; i < how.databases.size(); ++i)
    pools.push_back(std::make_unique<session_pool>(*loop, core.factory(i), core.log(), how.databases[i].name,
                                                   share(how.databases[i].pool, index, how.loops)));
}

engine_core::engine_core(options how, std::vector<std::unique_ptr<session_factory>> factories,
                         std::unique_ptr<blocking_executor> blocking, caf::actor_system& system)
  : settings_(with_width(std::move(how))), factories_(std::move(factories)), blocking_(std::move(blocking)),
    system_(system) {
  for (std::size_t i = 0; i < settings_.loops; ++i)
    workers_.push_back(std::make_unique<worker>(*this, i));
  for (auto& w : workers_) {
    w->loop->start();
    w->loop->post([&w = *w] {
      for (auto& pool : w.pools)
        pool->warm_up();
    });
  }
}

engine_core::~engine_core() { close(); }

reply refusal(failure why) {
  reply x;
  x.failure = std::move(why);
  return x;
}

caf::actor engine_core::front(const std::function<front_actor()>& make) {
  std::call_once(front_made_, [&] {
    if (here()) {
      front_ = make();
      return;
    }
    std::promise<front_actor> made; // on a loop, for the reason that `submit` has
    workers_.front()->loop->post([&] { made.set_value(make()); });
    front_ = made.get_future().get();
  });
  return front_.handle;
}

void engine_core::close() {
  if (front_.detach)
    front_.detach();
  auto grace = std::chrono::nanoseconds{0};
  for (const auto& d : settings_.databases)
    grace = std::max(grace, d.cancel_wait_timeout);
  const auto give_up = clock::now() + grace + std::chrono::seconds{1};
  std::vector<std::future<void>> closed;
  for (auto& w : workers_) {
    // Shared with callbacks that may come after we have stopped waiting.
    auto left = std::make_shared<std::size_t>(w->pools.size() + 1);
    auto done = std::make_shared<std::promise<void>>();
    closed.push_back(done->get_future());
    w->loop->post([&w = *w, left, done] {
      const auto one_less = [left, done] {
        if (--*left == 0)
          done->set_value();
      };
      w.closing = true;
      while (!w.requests.empty()) {
        auto& request = w.requests.front();
        w.requests.pop_front();
        request.give_up(engine_closed());
      }
      for (auto& pool : w.pools)
        pool->close(one_less);
      w.loop->when_deserted(one_less);
    });
  }
  for (auto& x : closed)
    x.wait_until(give_up); // what is not over by then sits in a C++ task or a lost server: it is left to its thread
  for (auto& w : workers_)
    w->loop->stop();
  if (front_.handle) // after the last reply, which goes through it
    caf::anon_send_exit(front_.handle, caf::exit_reason::user_shutdown);
}

result<std::shared_ptr<const checked_request>> engine_core::check(request what) const {
  auto checked = std::make_shared<checked_request>();
  checked->taken_at = clock::now();
  if (auto wrong = validate(what))
    return std::move(*wrong);
  number_queries(what);
  checked->texts.reserve(what.queries.size());
  checked->databases.reserve(what.queries.size());
  for (const auto& q : what.queries) {
    std::uint32_t database = 0;
    if (!q.database.empty()) {
      while (database < settings_.databases.size() && settings_.databases[database].name != q.database)
        ++database;
      if (database == settings_.databases.size())
        return failure{.code = errc::invalid_request, .query = q.name, .message = "no such database: " + q.database};
    }
    checked->databases.push_back(database);
    if (q.run) {
      checked->texts.push_back(nullptr);
      continue;
    }
    const auto dialect = factories_[database]->dialect();
    const auto* text = q.statement.known(dialect);
    if (!text) {
      checked->own_texts.push_back(q.statement.parse(dialect, q.parameters));
      text = checked->own_texts.back().get();
    }
    if (auto wrong = check_values(q, *text, dialect))
      return std::move(*wrong);
    if (q.read_only && text->effect == effect::writes)
      return failure{.code = errc::invalid_request,
                     .query = q.name,
                     .message = "it is declared read_only, but its statement is no query: running it again could "
                                "change something twice"};
    checked->texts.push_back(text);
  }
  if (what.max_rows || what.max_bytes)
    checked->budget = std::make_unique<result_budget>(what.max_rows, what.max_bytes);
  if (what.id.empty() && settings_.logger)
    what.id = 'r' + std::to_string(last_id_.fetch_add(1, std::memory_order_relaxed) + 1);
  checked->deadline = checked->taken_at + what.deadline.value_or(settings_.deadline);
  checked->what = std::move(what);
  return std::shared_ptr<const checked_request>{std::move(checked)};
}

std::shared_ptr<request_link> engine_core::submit(request what, std::function<void(reply)> callback) {
  auto checked = check(std::move(what));
  auto& where = home();
  auto link = std::make_shared<request_link>(request_link{.loop = where.loop});
  if (checked.has_error()) {
    // A refusal, too, comes by callback on a loop, never from within this call.
    where.loop->post([callback = std::move(callback), why = std::move(checked).error()] { callback(refusal(why)); });
    return link;
  }
  // On the loop: a thread that spawns holds on to its actor system's logger until it ends, and ~actor_system waits for
  // that without limit (CAF 0.17.6, logger::set_current_actor_system), so callers' threads must not.
  auto begin = [this, &where, link, checked = std::move(*checked), callback = std::move(callback)]() mutable {
    if (where.closing) {
      callback(refusal({.code = errc::pool_closed, .message = engine_closed().message}));
      return;
    }
    caf::actor_config cfg;
    system_.spawn_class<request_actor, caf::no_spawn_options>(cfg, where, std::move(checked), std::move(callback),
                                                              link);
  };
  if (where.loop->runs_here() && !where.closing)
    begin();
  else
    where.loop->post(std::move(begin));
  return link;
}

reply engine_core::run(request what) {
  if (here())
    return refusal({.code = errc::invalid_request,
                    .message = "run() would block the engine's own loop: use run_async() in a callback"});
  std::promise<reply> promise;
  submit(std::move(what), [&promise](reply x) { promise.set_value(std::move(x)); });
  return promise.get_future().get();
}

pool_stats engine_core::stats(std::size_t database) const {
  pool_stats sum;
  sum.database = settings_.databases[database].name;
  for (const auto& w : workers_)
    sum += w->pools[database]->stats();
  return sum;
}

worker* engine_core::here() const noexcept {
  if (const auto* loop = event_loop::current())
    for (const auto& w : workers_)
      if (w->loop.get() == loop)
        return w.get();
  return nullptr;
}

worker& engine_core::home() noexcept {
  auto* same = here();
  return same ? *same : *workers_[next_home_.fetch_add(1, std::memory_order_relaxed) % workers_.size()];
}

worker& engine_core::place(worker& home, std::size_t database) const noexcept {
  auto* best = &home;
  auto places = home.pools[database]->places();
  if (places <= 0)
    for (const auto& w : workers_)
      if (const auto there = w->pools[database]->places(); there > std::max<std::ptrdiff_t>(places, 0)) {
        best = w.get();
        places = there;
      }
  return *best;
}

} // namespace sheaf
