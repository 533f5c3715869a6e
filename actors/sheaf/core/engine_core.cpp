// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/core/engine_core.hpp"

#include "sheaf/backends.hpp"
#include "sheaf/core/checked_request.hpp"
#include "sheaf/core/messages.hpp"
#include "sheaf/core/request_actor.hpp"

#include <caf/abstract_actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/attachable.hpp>

#include <algorithm>
#include <future>
#include <utility>

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

/// The end of the actor system, which comes before that of the engine where the caller has it so. It is told by an
/// actor of CAF's own: `~actor_system` ends this one when no other is left, and before it stops its threads (CAF
/// 0.17.6).
struct engine_core::system_end {
  std::mutex mutex; ///< Held while the engine closes: its system waits for that.
  engine_core* engine = nullptr;
  bool is_closed = false;
  caf::weak_actor_ptr told_by;
};

class engine_core::watch_of_system : public caf::attachable {
public:
  static constexpr std::size_t token_type = 0x7368; ///< CAF's own begin at 0.

  explicit watch_of_system(std::shared_ptr<system_end> x) : end_(std::move(x)) {}

  void actor_exited(const caf::error&, caf::execution_unit*) override {
    const std::lock_guard guard{end_->mutex};
    if (end_->engine)
      end_->engine->close({errc::pool_closed, "the engine's actor system has ended: destroy the engine before it"});
  }
  bool matches(const token& what) override { return what.subtype == token_type && what.ptr == end_.get(); }

private:
  const std::shared_ptr<system_end> end_;
};

engine_core::engine_core(options how, std::vector<engine_database> databases,
                         std::unique_ptr<blocking_executor> blocking, caf::actor_system& system)
  : blocking_(std::move(blocking)), loops_(std::move(how), std::move(databases)),
    waits_(std::make_shared<engine_waits>(loops_.settings(), &loops_)), system_(system),
    end_of_system_(std::make_shared<system_end>()) {
  for (std::size_t i = 0; i < loops_.settings().databases.size(); ++i)
    dialects_.push_back(loops_.database(i).kind->dialect());
  end_of_system_->engine = this;
  end_of_system_->told_by = caf::actor_cast<caf::weak_actor_ptr>(system_.spawn_serv());
  loops_.start();
  system_.spawn_serv()->get()->attach(caf::attachable_ptr{new watch_of_system{end_of_system_}});
}

engine_core::~engine_core() {
  {
    const std::lock_guard guard{end_of_system_->mutex};
    close(engine_closed());
    end_of_system_->engine = nullptr;
  }
  if (const auto told_by = end_of_system_->told_by.lock())
    told_by->get()->detach({watch_of_system::token_type, end_of_system_.get()});
  for (const auto& x : loops_.each())
    x->loop->stop();
}

void engine_core::abandon() noexcept {
  for (const auto& x : loops_.each())
    x->loop->abandon();
}

reply refusal(failure why) {
  reply x;
  x.failure = std::move(why);
  return x;
}

const caf::actor& engine_core::front(const std::function<front_actor()>& make) {
  std::call_once(front_made_, [&] { front_ = make(); });
  return front_.handle;
}

/// Answers all, ends the sessions and the actors, and leaves the loops to say no to what comes later. Under the mutex
/// of `system_end`.
void engine_core::close(const early_end& why) {
  if (std::exchange(end_of_system_->is_closed, true))
    return;
  std::call_once(front_made_, [] {}); // none is made from now on
  if (front_.end)
    front_.end();
  auto grace = std::chrono::nanoseconds{0};
  for (const auto& d : loops_.settings().databases)
    grace = std::max(grace, d.cancel_wait_timeout);
  const auto give_up = clock::now() + grace + std::chrono::seconds{1};
  std::vector<std::future<void>> closed;
  const auto open_ones = std::make_shared<std::atomic<std::size_t>>(loops_.each().size());
  for (const auto& x : loops_.each()) {
    // Shared with callbacks that may come after we have stopped waiting.
    auto left = std::make_shared<std::size_t>(x->pools.size() + 1);
    auto done = std::make_shared<std::promise<void>>();
    closed.push_back(done->get_future());
    x->loop->post([&x = *x, left, done, open_ones, why] {
      const auto one_less = [left, done] {
        if (--*left == 0)
          done->set_value();
      };
      x.closing = why;
      while (!x.requests.empty()) {
        auto& request = x.requests.front();
        x.requests.pop_front();
        request.give_up(why);
      }
      for (auto& pool : x.pools)
        pool->close(one_less);
      if (--*open_ones == 0) // before, an attempt that ends would be a failure to those who wait on another loop
        for (std::size_t i = 0; i < x.pools.size(); ++i)
          x.all.database(i).factory->end_attempts();
      x.loop->when_deserted(one_less);
    });
  }
  for (auto& x : closed)
    x.wait_until(give_up); // a loop that is not over by then has a C++ task or a lost server: it is left to its thread
}

std::shared_ptr<request_link> engine_core::submit(request given, std::function<void(reply)> callback) {
  if (given.id.empty() && loops_.settings().logger)
    given.id = 'r' + std::to_string(last_id_.fetch_add(1, std::memory_order_relaxed) + 1);
  engine_waits::mark_tasks(waits_, given);
  auto checked = check(std::move(given), loops_.settings(), dialects_);
  auto& where = loops_.home();
  auto link = std::make_shared<request_link>(request_link{.loop = where.loop});
  if (checked.has_error()) {
    // A refusal, too, comes by callback on a loop, never from within this call.
    where.loop->post([callback = std::move(callback), why = std::move(checked).error()] { callback(refusal(why)); });
    return link;
  }
  auto begin = [this, &where, link, checked = std::move(*checked), callback = std::move(callback)]() mutable {
    if (where.closing) {
      callback(refusal({.code = where.closing->code, .message = where.closing->message}));
      return;
    }
    try {
      spawn_here<request_actor>(system_, false, where, std::move(checked), std::move(callback), link);
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
  const blocking_wait wait{*waits_, waits_->databases_of(given)};
  if (wait.refused())
    return refusal(*wait.refused());
  std::promise<reply> promise;
  submit(std::move(given), [&promise](reply x) { promise.set_value(std::move(x)); });
  return promise.get_future().get();
}

} // namespace sheaf
