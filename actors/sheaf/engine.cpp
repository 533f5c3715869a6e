// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/engine.hpp"

#include "sheaf/engine_core.hpp"
#include "sheaf/metrics_text.hpp"
#include "sheaf/query_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cassert>
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

/// One thread in CAF's scheduler is enough for a system of our own: the engine's actors live on its loops.
caf::actor_system_config& small(caf::actor_system_config& config) {
  config.set("scheduler.max-threads", 1);
  return config;
}

result<std::unique_ptr<engine_core>> make_core(options how, caf::actor_system& system) {
  auto blocking = std::make_unique<blocking_executor>(threads_for(how));
  std::vector<std::unique_ptr<session_factory>> factories;
  for (const auto& d : how.databases) {
    auto factory = make_session_factory(d, *blocking);
    if (factory.has_error())
      return std::move(factory).error();
    factories.push_back(std::move(*factory));
  }
  return std::make_unique<engine_core>(std::move(how), std::move(factories), std::move(blocking), system);
}

} // namespace

struct engine::own_system {
  caf::actor_system_config config;
  caf::actor_system system{small(config)};
};

engine::engine(std::unique_ptr<own_system> own, std::unique_ptr<engine_core> core)
  : own_system_(std::move(own)), core_(std::move(core)) {}

result<std::unique_ptr<engine>> engine::create(options how) {
  if (auto wrong = how.validate())
    return std::move(*wrong);
  auto own = std::make_unique<own_system>();
  auto core = make_core(std::move(how), own->system);
  if (core.has_error())
    return std::move(core).error();
  return std::unique_ptr<engine>{new engine{std::move(own), std::move(*core)}};
}

result<std::unique_ptr<engine>> engine::create(options how, caf::actor_system& system) {
  if (auto wrong = how.validate())
    return std::move(*wrong);
  auto core = make_core(std::move(how), system);
  if (core.has_error())
    return std::move(core).error();
  return std::unique_ptr<engine>{new engine{nullptr, std::move(*core)}};
}

engine::engine(options how) : engine(std::move(*create(std::move(how)).value())) {}

engine::engine(engine&&) noexcept = default;

engine::~engine() = default;

reply engine::run(request what) { return core_->run(std::move(what)); }

request_handle engine::run_async(request what, std::function<void(reply)> callback) {
  return request_handle{core_->submit(std::move(what), std::move(callback))};
}

void request_handle::cancel() const {
  if (const auto loop = link_ ? link_->loop.lock() : nullptr)
    loop->post([link = link_] {
      if (link->request)
        link->request->give_up({errc::query_canceled, "the caller cancelled the request"});
    });
}

std::future<reply> engine::run_future(request what) {
  auto promise = std::make_shared<std::promise<reply>>();
  auto future = promise->get_future();
  run_async(std::move(what), [promise](reply x) { promise->set_value(std::move(x)); });
  return future;
}

void engine::run_on_each_loop(const std::function<void(boost::asio::io_context&)>& what) {
  assert(!core_->here() && "a loop cannot wait for itself");
  for (const auto& w : core_->workers()) {
    // Shared: it is not over on the loop's thread yet when its future is ready on this one.
    auto call = std::make_shared<std::packaged_task<void()>>([&] { what(w->loop->context()); });
    w->loop->post([call] { (*call)(); });
    call->get_future().get();
  }
}

pool_stats& pool_stats::operator+=(const pool_stats& x) noexcept {
  max_size += x.max_size;
  total += x.total;
  idle += x.idle;
  active += x.active;
  connecting += x.connecting;
  cancelling += x.cancelling;
  waiting += x.waiting;
  opened += x.opened;
  open_failures += x.open_failures;
  lost += x.lost;
  timeouts += x.timeouts;
  cancels += x.cancels;
  checks += x.checks;
  leaks += x.leaks;
  retries += x.retries;
  retries_refused += x.retries_refused;
  return *this;
}

std::vector<pool_stats> engine::stats() const {
  std::vector<pool_stats> all;
  for (std::size_t i = 0; i < core_->settings().databases.size(); ++i)
    all.push_back(core_->stats(i));
  return all;
}

std::string engine::metrics_text() const { return sheaf::metrics_text(*core_); }

} // namespace sheaf
