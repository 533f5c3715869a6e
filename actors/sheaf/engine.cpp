// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/engine.hpp"

#include "sheaf/core/engine_core.hpp"
#include "sheaf/core/messages.hpp"
#include "sheaf/core/metrics_text.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <cassert>
#include <utility>

namespace sheaf {

namespace {

/// One thread in CAF's scheduler is enough for a system of our own: the engine's actors live on its loops.
caf::actor_system_config& small(caf::actor_system_config& config) {
  config.set("scheduler.max-threads", 1);
  return config;
}

} // namespace

struct engine::own_system {
  caf::actor_system_config config;
  caf::actor_system system{small(config)};
};

engine::engine(std::unique_ptr<own_system> own, std::unique_ptr<engine_core> core)
  : own_system_(std::move(own)), core_(std::move(core)) {}

result<std::unique_ptr<engine>> engine::create(options how) {
  auto own = std::make_unique<own_system>();
  auto core = engine_core::create(std::move(how), own->system);
  if (core.has_error())
    return std::move(core).error();
  return std::unique_ptr<engine>{new engine{std::move(own), std::move(*core)}};
}

result<std::unique_ptr<engine>> engine::create(options how, caf::actor_system& system) {
  auto core = engine_core::create(std::move(how), system);
  if (core.has_error())
    return std::move(core).error();
  return std::unique_ptr<engine>{new engine{nullptr, std::move(*core)}};
}

engine::engine(options how) : engine(std::move(*create(std::move(how)).value())) {}

engine::engine(engine&&) noexcept = default;

engine::~engine() = default;

reply engine::run(request given) { return core_->run(std::move(given)); }

request_handle engine::run_async(request given, std::function<void(reply)> callback) {
  return request_handle{core_->submit(std::move(given), std::move(callback))};
}

void request_handle::cancel() const {
  if (const auto loop = link_ ? link_->loop.lock() : nullptr)
    loop->post([link = link_] {
      if (link->request)
        link->request->give_up({errc::query_canceled, "the caller cancelled the request"});
    });
}

std::future<reply> engine::run_future(request given) {
  auto promise = std::make_shared<std::promise<reply>>();
  auto future = promise->get_future();
  run_async(std::move(given), [promise](reply x) { promise->set_value(std::move(x)); });
  return future;
}

void engine::run_on_each_loop(const std::function<void(boost::asio::io_context&)>& f) {
  assert(!core_->loops().here() && "a loop cannot wait for itself");
  for (const auto& x : core_->loops().each()) {
    // Shared: it is not over on the loop's thread yet when its future is ready on this one.
    auto call = std::make_shared<std::packaged_task<void()>>([&] { f(x->loop->context()); });
    x->loop->post([call] { (*call)(); });
    call->get_future().get();
  }
}

std::vector<pool_stats> engine::stats() const {
  std::vector<pool_stats> all;
  for (std::size_t i = 0; i < core_->loops().settings().databases.size(); ++i)
    all.push_back(core_->loops().stats(i));
  return all;
}

std::string engine::metrics_text() const { return sheaf::metrics_text(core_->loops()); }

} // namespace sheaf
