// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/engine_core.hpp"

#include "sheaf/backends.hpp"
#include "sheaf/core/checked_request.hpp"
#include "sheaf/core/messages.hpp"
#include "sheaf/core/request_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <future>

namespace sheaf {

namespace {

/// A session takes a thread while it is opened, while it runs a C++ task or SQLite, and while it is cancelled.
std::size_t threads_for(const options& how) {
  std::size_t threads = 0;
  for (const auto& d : how.databases)
    threads += 2 * d.pool.max_size;
  return threads;
}

} // namespace

result<std::unique_ptr<engine_core>> engine_core::create(options how, caf::actor_system& system) {
  if (auto wrong = how.validate())
    return std::move(*wrong);
  auto blocking = std::make_unique<blocking_executor>(threads_for(how));
  std::vector<engine_database> databases;
  for (const auto& d : how.databases) {
    const auto kind = backend_for(d);
    if (kind.has_error())
      return kind.error();
    auto factory = (*kind)->make_factory(d, *blocking);
    if (factory.has_error())
      return std::move(factory).error();
    databases.push_back({*kind, std::move(*factory)});
  }
  return std::unique_ptr<engine_core>{
      new engine_core{std::move(how), std::move(databases), std::move(blocking), system}};
}

engine_core::engine_core(options how, std::vector<engine_database> databases,
                         std::unique_ptr<blocking_executor> blocking, caf::actor_system& system)
  : blocking_(std::move(blocking)), loops_(std::move(how), std::move(databases)), system_(system) {
  for (std::size_t i = 0; i < loops_.settings().databases.size(); ++i)
    dialects_.push_back(loops_.database(i).kind->dialect());
  loops_.start();
}

engine_core::~engine_core() { close(); }

reply refusal(failure why) {
  reply x;
  x.failure = std::move(why);
  return x;
}

caf::actor engine_core::front(const std::function<front_actor()>& make) {
  std::call_once(front_made_, [&] {
    if (loops_.here()) {
      front_ = make();
      return;
    }
    std::promise<front_actor> made; // on a loop, for the reason that `submit` has
    loops_.each().front()->loop->post([&] { made.set_value(make()); });
    front_ = made.get_future().get();
  });
  return front_.handle;
}

void engine_core::close() {
  if (front_.detach)
    front_.detach();
  auto grace = std::chrono::nanoseconds{0};
  for (const auto& d : loops_.settings().databases)
    grace = std::max(grace, d.cancel_wait_timeout);
  const auto give_up = clock::now() + grace + std::chrono::seconds{1};
  std::vector<std::future<void>> closed;
  for (const auto& x : loops_.each()) {
    // Shared with callbacks that may come after we have stopped waiting.
    auto left = std::make_shared<std::size_t>(x->pools.size() + 1);
    auto done = std::make_shared<std::promise<void>>();
    closed.push_back(done->get_future());
    x->loop->post([&x = *x, left, done] {
      const auto one_less = [left, done] {
        if (--*left == 0)
          done->set_value();
      };
      x.closing = true;
      while (!x.requests.empty()) {
        auto& request = x.requests.front();
        x.requests.pop_front();
        request.give_up(engine_closed());
      }
      for (auto& pool : x.pools)
        pool->close(one_less);
      x.loop->when_deserted(one_less);
    });
  }
  for (auto& x : closed)
    x.wait_until(give_up); // a loop that is not over by then has a C++ task or a lost server: it is left to its thread
  for (const auto& x : loops_.each())
    x->loop->stop();
  if (front_.handle) // after the last reply, which goes through it
    caf::anon_send_exit(front_.handle, caf::exit_reason::user_shutdown);
}

std::shared_ptr<request_link> engine_core::submit(request given, std::function<void(reply)> callback) {
  if (given.id.empty() && loops_.settings().logger)
    given.id = 'r' + std::to_string(last_id_.fetch_add(1, std::memory_order_relaxed) + 1);
  auto checked = check(std::move(given), loops_.settings(), dialects_);
  auto& where = loops_.home();
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
    try {
      system_.spawn_class<request_actor, caf::no_spawn_options>(cfg, where, std::move(checked), std::move(callback),
                                                                link);
    } catch (...) { // no matter what of: unless the actor has it, the callback is still here
      if (!callback)
        throw;
      callback(refusal({.code = errc::internal, .message = early_end_for(std::current_exception()).message}));
    }
  };
  if (where.loop->runs_here() && !where.closing)
    begin();
  else
    where.loop->post(std::move(begin));
  return link;
}

reply engine_core::run(request given) {
  if (loops_.here())
    return refusal({.code = errc::invalid_request,
                    .message = "run() would block the engine's own loop: use run_async() in a callback"});
  std::promise<reply> promise;
  submit(std::move(given), [&promise](reply x) { promise.set_value(std::move(x)); });
  return promise.get_future().get();
}

} // namespace sheaf
